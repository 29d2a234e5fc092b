"""Sentences of other languages, with the time of every phone: spoken by espeak-ng, which knows when it says what."""

import ctypes

import numpy as np
import soxr

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

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
_SYNCHRONOUS, _PHONEME_EVENTS_IPA, _UTF8 = 2, 3, 1
_PHONEME, _WORD, _END = 7, 1, 0


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Speaker:
    """The library of espeak-ng.

    :raises UnavailableError: it is not installed
    """

    def __init__(self):
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise UnavailableError(f"espeak-ng: {error}; apt install espeak-ng") from None
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IPA)
        self._pieces, self._phones, self._word_begins = [], [], False
        self._callback = _CALLBACK(self._take)  # kept, or it is freed

    def _take(self, wave, count, events):
        if wave:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != _END:
            event, i = events[i], i + 1
            if event.type == _WORD:
                self._word_begins = True
            elif event.type == _PHONEME:
                at_s = event.audio_ms / 1000
                if self._word_begins:
                    self._phones.append((at_s, ""))
                    self._word_begins = False
                self._phones.append((at_s, event.name.decode(errors="replace")))
        return 0

    def say(self, language, text):
        """Sound float32 [N] at 16 kHz, and a list of (start_s, end_s, phone in IPA, "" for a pause).

        Every word begins with a pause, which may last 0 s: other talkers pause there.

        :param language: voice, such as `de` or, by another talker, `de+f3`
        :raises UnavailableError: it has no such voice
        """
        if self._library.espeak_SetVoiceByName(language.encode()) != 0:
            raise UnavailableError(f"espeak-ng has no voice {language}")
        self._library.espeak_SetSynthCallback(self._callback)  # of which the library has one
        self._pieces, self._phones = [], []
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        samples = np.concatenate(self._pieces).astype(np.float32) / 32768
        ends = [start for start, _ in self._phones[1:]] + [len(samples) / self._rate_hz]
        phones = [(start, end, name.lstrip("_|")) for (start, name), end in zip(self._phones, ends)]
        return soxr.resample(samples, self._rate_hz, SAMPLE_RATE_HZ).astype(np.float32), phones
