"""Sentences in eight languages by which a bundle is judged; espeak-ng speaks them."""

# ours, full of p, b and m, and of round and spread vowels
SENTENCES = {
    "en": (
        "My mother bought a big basket of plums and apples.",
        "People often complain about bad weather in the summer.",
        "The number of members may be up to fifty by September.",
        "Please put the blue box back beside the window.",
        "Tomorrow morning we meet my brother at the museum.",
    ),
    "de": (
        "Meine Mutter kauft am Montag immer Brot, Butter und Pflaumen.",
        "Bitte bringen Sie die blaue Mappe ins obere Büro.",
        "Im Sommer blühen am Bach überall bunte Blumen.",
        "Mein Bruder spielt beim Umzug die große Pauke.",
        "Der Bus zum Museum kommt um sieben Uhr abends.",
    ),
    "es": (
        "Mi madre compra pan, mantequilla y manzanas por la mañana.",
        "El hombre del bigote blanco trabaja en el museo.",
        "Por favor, ponga el sombrero encima de la mesa.",
        "También podemos subir a la montaña el domingo.",
        "Pablo bebe un poco de agua y empieza a hablar.",
    ),
    "fr": (
        "Ma mère m'a permis de prendre le bus pour la plage.",
        "Un bel arbre pousse au bord de la petite rivière.",
        "Le problème, c'est que personne ne peut me comprendre.",
        "Bonjour madame, puis-je m'asseoir à cette place ?",
        "Nous mangeons beaucoup de pommes et de pain blanc.",
    ),
    "it": (
        "Mia mamma prepara sempre un buon piatto di pasta.",
        "Il bambino beve un bicchiere d'acqua e poi dorme.",
        "Potrebbe aprire la porta, per piacere?",
        "Abbiamo comprato pane, burro e marmellata al mercato.",
        "Domani mattina parto per Palermo con mio padre.",
    ),
    "ru": (
        "Моя мама покупает хлеб, молоко и большие яблоки.",
        "Мы быстро поднимаемся на пятый этаж большого дома.",
        "Пожалуйста, положите бумагу на белый стол.",
        "Мой брат любит плавать в море по утрам.",
        "Завтра после обеда мы пойдём в музей.",
    ),
    "sv": (
        "Min mamma köper bröd, smör och plommon på måndag.",
        "Pappa bor i en blå stuga på landet med många blommor.",
        "Kan du öppna fönstret på övervåningen, snälla?",
        "Bussen till museet kommer klockan sju på morgonen.",
        "Min bror spelar piano i ett band på sommaren.",
    ),
    "tr": (
        "Annem pazardan büyük bir sepet elma aldı.",
        "Bu sabah bahçede bembeyaz bir kedi gördüm.",
        "Pencereyi biraz açmak mümkün mü, lütfen?",
        "Babam müzede eski paraları topluyor.",
        "Bu mavi bavul benim, ama bu siyah olan kimin?",
    ),
}
