"""What the training hears: the manifest, the cache, voices and recordings (needs PyTorch)."""

import gzip
import os

import numpy as np
import pytest
import soundfile

from edgeface.core.errors import DataError, MissingInputError, UnavailableError
from edgeface.features.level import level_dbfs
from edgeface.motion.face import lip_gap
from training.data import (
    align_recordings,
    english_voices,
    festival,
    festvox_ru,
    flite,
    other_languages,
    talker,
    text_to_speech,
    texts,
)
from training.data.asterisk import announcements, prompts
from training.data.corpora import BUNDLED_VOICE, dialogues, kerstin, letters, stamps
from training.data.espeak_voices import LANGUAGES, TALKERS
from training.data.grid import load_grid
from training.data.manifest import (
    BY_ACOUSTIC_MODEL,
    BY_LABELS,
    BY_SYNTHESISER,
    PERSON,
    SYNTHESISER,
    TEST,
    TRAIN,
    Manifest,
    Utterance,
    split_by_name,
)
from training.data.recordings import Recording
from training.data.store import Store
from training.judge import unheard
from training.judge.sentences import SENTENCES
from training.phonetics import acoustic_model
from training.phonetics.alignment import spelled, spelling
from training.phonetics.espeak import Speaker

DATA = os.environ.get("DATA", "../shared/data")
UTTERANCE = Utterance("a", PERSON, "somewhere", "CC0-1.0", language="de", text="Grüß Gott")


@pytest.fixture(scope="module")
def speaker():
    return Speaker()


def test_a_manifest_that_grows_is_always_valid_and_the_last_record_counts(tmp_path):
    path = tmp_path / "manifest.jsonl"
    manifest = Manifest(path)
    manifest.add(UTTERANCE)
    manifest.add(Utterance("b", SYNTHESISER, "flite", "free", split=TEST, weight=2.0))
    manifest.add(Utterance("a", PERSON, "somewhere", "CC0-1.0", seconds=3.0))
    assert "Grüß" in path.read_text("utf-8").splitlines()[0]
    again = Manifest(path)
    assert [(one.id, one.seconds) for one in again] == [("a", 3.0), ("b", 0.0)]
    assert [one.id for one in again.find(split=TRAIN)] == ["a"]
    assert [one.id for one in again.find((SYNTHESISER,))] == ["b"] and again["b"].weight == 2.0


def test_a_line_that_another_stage_is_writing_is_left_out(tmp_path):
    path = tmp_path / "manifest.jsonl"
    Manifest(path).add(UTTERANCE)
    line = path.read_bytes()
    for end in range(1, len(line)):
        path.write_bytes(line + line[:end])
        assert [one.id for one in Manifest(path)] == ["a"]


@pytest.mark.parametrize(
    "line", ["{", '{"id": "a"}', '{"id": "a", "mood": "gay"}', '{"id": "a", "kind": "bird"}']
)
def test_a_line_that_is_no_record_is_named(line, tmp_path):
    path = tmp_path / "manifest.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"manifest\.jsonl, line 1"):
        Manifest(path)


def test_values_that_a_record_must_not_have_are_named():
    with pytest.raises(DataError, match="split is 'judged', must be one of"):
        Utterance("a", PERSON, "somewhere", "CC0-1.0", split="judged")
    with pytest.raises(DataError, match="kind is 'actor'"):
        Utterance("a", "actor", "somewhere", "CC0-1.0")


def test_what_is_stored_is_read_again_and_may_be_cut(tmp_path):
    store = Store(tmp_path / "cache")
    samples = (0.1 * np.random.default_rng(1).standard_normal(16100)).astype(np.float32)
    said = [(0.0, 0.5, "m"), (0.5, 1.0, "aa")]
    assert store.add(UTTERANCE, samples, said).seconds == 1.0  # whole frames
    assert store.add(Utterance("b", PERSON, "x", "y"), samples, said, 0.5).seconds == 0.48
    again = Store(tmp_path / "cache")
    assert again.phones(again.manifest["a"]) == said
    assert again.samples(again.manifest["a"]) == pytest.approx(samples[:16000], abs=1e-4)
    assert again.seconds("b") == 0.48 and again.seconds("c") == 0.0
    with pytest.raises(MissingInputError, match="no music in it"):
        again.find(("music",))


def test_one_name_in_ten_is_for_the_test_and_always_the_same_one():
    splits = [split_by_name(f"name {number}") for number in range(1000)]
    assert 70 < splits.count(TEST) < 130
    assert [split_by_name(name) for name in ("pwip7s", "bbaf2n", "lgiz3s")] == [TEST, TRAIN, TEST]


def test_voices_of_the_training_are_there_and_not_those_of_the_judge(speaker):
    assert len({voice.split("-")[0] for voice in LANGUAGES} - set(SENTENCES)) >= 3
    for voice in LANGUAGES:
        samples, phones = speaker.say(f"{voice}+{TALKERS[0]}", "Maybe people move.")
        assert len(samples) > 10000 and "m" in {name for _, _, name in phones}
    assert not {"fr", "ru"} & set(LANGUAGES)


def test_festival_says_when_it_says_what():
    (samples, phones), unsaid = festival.speak("lp_diphone", ["Pane, pere e vino.", ""])
    assert unsaid is None
    assert [phone for _, _, phone in phones if phone != "sil"][:6] == [
        "p",
        "aa",
        "n",
        "eh",
        "p",
        "eh",
    ]
    assert all(start < end for start, end, _ in phones)
    assert phones[-1][1] == pytest.approx(len(samples) / 16000, abs=0.05)

    def level(kinds):
        return np.median(
            [
                level_dbfs(samples[int(16000 * a) : int(16000 * b)])
                for a, b, name in phones
                if name in kinds
            ]
        )

    assert level(("aa", "eh", "ao")) > level(("p",)) + 6


def test_a_voice_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(
        festival, "VOICES", {"of_nobody": festival._Origin("festvox-nobody", "en", "free")}
    )
    monkeypatch.setattr(festival, "english_sentences", lambda: ["Nobody speaks."])
    with pytest.raises(UnavailableError, match=r"of_nobody; apt install festvox-nobody"):
        festival.synthesise(Store(tmp_path), 1)


@pytest.mark.parametrize("voice,program", [("of_nobody", "of_nobody"), ("pico-en-GB", "pico2wave")])
def test_a_reader_that_is_not_installed_is_named(voice, program, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError, match=program):
        text_to_speech.read(voice, "Nobody reads this.")


def test_the_voices_of_festival_are_none_that_others_speak_for_or_that_judge():
    assert not [
        voice for voice in festival.VOICES if "slt" in voice or "kal" in voice or "ru" in voice
    ]
    assert [festival.phone_of("czech_ph", name) for name in ("ch", "a:", "_", "n~")] == [
        "hh",
        "aa",
        "sil",
        "n",
    ]
    assert festival.phone_of("ked_diphone", "ch") == "ch"
    with pytest.raises(ValueError, match="no phone"):
        festival.phone_of("czech_ph", "q")


def test_voices_are_heard_or_judged_by_and_none_is_both():
    heard = [*english_voices.VOICES, *other_languages.VOICES]
    judges = [voice for voices in unheard._OTHER_VOICES.values() for voice in voices]
    judges += unheard._ENGLISH_VOICES
    assert len(set(heard + judges)) == len(heard + judges)
    languages = {language for language, _ in other_languages.VOICES.values()}
    assert languages < set(other_languages.LANGUAGES) and not {"sv", "tr"} & languages
    licences = [licence for _, licence in other_languages.VOICES.values()]
    licences += english_voices.VOICES.values()
    assert {text_to_speech.program_of(voice) for voice in heard} == {"pico", "rhvoice"}
    assert not [licence for licence in licences if "NC" in licence or "ND" in licence]


def test_words_are_of_letters_that_the_language_has(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "_FORTUNES", tmp_path)
    with pytest.raises(UnavailableError, match="fortunes-ru"):
        other_languages.words("uk")
    with pytest.raises(UnavailableError, match="apt install fortunes"):
        texts.english_sentences()
    (tmp_path / "ru").mkdir()
    (tmp_path / "ru" / "2001.03").write_text("Мы, и кот: 'Ёлка'\n%\nRéсума кит-кат 24 а", "utf-8")
    (tmp_path / "ru" / "2001.03.dat").write_bytes(b"\xff")
    assert other_languages.words("ru") == ["мы", "кот", "ёлка", "кит", "кат"]
    assert other_languages.words("uk") == ["кот", "кит", "кат"]


def test_voices_of_other_languages_read_their_share_and_go_on_where_they_stopped(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(other_languages, "VOICES", {"one": ("eo", "free"), "other": ("eo", "free")})
    monkeypatch.setattr(unheard, "_OTHER_VOICES", {"eo": ("judge", "missing")})
    monkeypatch.setattr(unheard, "is_installed", lambda voice: voice == "judge")
    monkeypatch.setattr(other_languages, "words", lambda language: ["bona", "tago"])
    acoustic_model.save(acoustic_model.PhoneNet(), tmp_path / align_recordings.MODEL)
    read, fits = [], iter([False, True] * 20)

    def say(voice, text, pitch, speed):
        read.append((voice, text))
        return np.full(32000, 0.1, np.float32)

    def find(*_):
        return [(0.0, 2.0, "aa")] if next(fits) else None

    monkeypatch.setattr(other_languages, "read", say)
    monkeypatch.setattr(other_languages, "aligned", find)
    other_languages.synthesise(Store(tmp_path), 8 / 60)
    stored = [one.id for one in Store(tmp_path).manifest]
    assert stored == [
        "words-one-00001",
        "words-one-00003",
        "words-other-00001",
        "words-other-00003",
    ]
    record = Store(tmp_path).manifest["words-one-00001"]
    assert (record.weight, record.aligned_by, record.seconds) == (2.0, BY_ACOUSTIC_MODEL, 2.0)
    assert record.source == "rhvoice"
    assert {voice for voice, _ in read} == {"one", "other"}
    assert all(4 <= len(text.split()) <= 9 for _, text in read)
    before, fits = read[:], iter([False] * 20)
    other_languages.synthesise(Store(tmp_path), 8 / 60)  # only what did not fit is read again
    assert [one.id for one in Store(tmp_path).manifest] == stored
    assert len(read) == 12 and read[8:] == before[0:4:2] + before[4:8:2]
    fits = iter([False, True] * 20)
    judged = unheard.other_voices(tmp_path)
    assert len(judged["eo"]) == 12 and judged["eo"][0][1] == [(0.0, 2.0, "aa")]
    assert {voice for voice, _ in read[12:]} == {"judge"} and len(read) == 12 + 24
    monkeypatch.setattr(other_languages, "_TRIED", 5)
    fits = iter([False] * 5)
    assert unheard.other_voices(tmp_path) == {"eo": []}
    monkeypatch.setattr(unheard, "is_installed", lambda voice: False)
    with pytest.raises(UnavailableError, match="no voice of RHVoice"):
        unheard.other_voices(tmp_path)


def test_flite_fills_the_minutes_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    said = []

    def speak(voice, text, stretch):
        said.append((voice, text))
        if text == "unpronounceable":
            raise ValueError("no phone")
        return np.full(10 * 16000, 0.1, np.float32), [(0.0, 9.0, "aa")]

    monkeypatch.setattr(flite, "speak", speak)
    monkeypatch.setattr(
        flite, "english_sentences", lambda: ["one", "two", "three", "unpronounceable", "five"]
    )
    store = Store(tmp_path)
    flite.synthesise(store, 23 / 60)
    kept = list(Store(tmp_path).manifest)
    assert [one.seconds for one in kept] == [8.0, 8.0, 8.0]  # cut to 8 s
    assert {one.aligned_by for one in kept} == {BY_SYNTHESISER}
    count = len(said)
    flite.synthesise(Store(tmp_path), 23 / 60)
    assert [text for _, text in said[count:]] in ([], ["unpronounceable"])


def test_recordings_are_aligned_split_and_kept_once(tmp_path, monkeypatch, capsys):
    """The acoustic model is a stub: what is done with what it finds is looked at."""
    samples = np.full(16000, 0.1, np.float32)
    monkeypatch.setattr(Recording, "samples", lambda recording: samples)
    found = [
        Recording(key, None, key, "de", "de", "Kerstin", "kerstin", "CC0-1.0", split)
        for key, split in (("a", TRAIN), ("b", TEST), ("wrong", TRAIN), ("half", TRAIN))
    ]
    monkeypatch.setattr(align_recordings, "recordings", lambda data: found)
    monkeypatch.setattr(align_recordings, "Speaker", lambda: None)
    wanted = [("sil", True), ("m", False), ("aa", False), ("sil", True)]
    monkeypatch.setattr(align_recordings, "spelled", lambda *_: wanted)
    fitted = []

    def fit(known, steps, seed=1, model=None):
        fitted.append([weight for _, _, weight in known])
        return acoustic_model.PhoneNet()

    times = {"a": 1.0, "b": 1.0, "half": 0.5}
    order = iter(2 * ["a", "b", "wrong", "half"])

    def find(model, fbank, spelling):
        end_s = times.get(next(order))
        return end_s and [(0.0, end_s, "m")]

    monkeypatch.setattr(align_recordings, "fit", fit)
    monkeypatch.setattr(align_recordings, "aligned", find)
    monkeypatch.setattr(align_recordings, "agreement", lambda model, pairs: (0.5, 1.0))
    store = Store(tmp_path)
    known = (
        Utterance("flite", SYNTHESISER, "flite", "free", aligned_by=BY_SYNTHESISER),
        Utterance("reader", PERSON, "festvox-ru", "BSD", aligned_by=BY_LABELS),
        Utterance("before", PERSON, "kerstin", "CC0-1.0", aligned_by=BY_ACOUSTIC_MODEL),
    )
    for utterance in known:
        store.add(utterance, samples, [(0.0, 1.0, "m")])
    for _ in range(2):  # the second time it is done already
        align_recordings.align_recordings(store, tmp_path, talker.TalkerPhones([], []))
    assert fitted == [[1.0, 3.0], [1.0, 3.0, 3.0, 3.0]]  # neither `before` nor the test
    kept = {one.id: one for one in store.manifest if one.id in ("a", "b", "wrong", "half")}
    assert {key: one.split for key, one in kept.items()} == {"a": TRAIN, "b": TEST}
    assert kept["a"].weight == 2.0 and kept["a"].kind == PERSON and kept["a"].text == "a"
    printed = capsys.readouterr().out
    assert "50 % begin within 20 ms" in printed and "de: 0.0 minutes to train on" in printed


def test_letters_are_read_as_their_language_reads_them(speaker, tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.corpora._LETTERS", str(tmp_path))
    monkeypatch.setattr("training.data.corpora._LETTER_VOICES", {"de": "de"})
    (tmp_path / "de" / "alpha").mkdir(parents=True)
    tone = np.stack([np.sin(np.arange(44100) / 20)] * 2, 1) / 4
    soundfile.write(str(tmp_path / "de" / "alpha" / "w.ogg"), tone, 44100)
    (tmp_path / "de" / "sounds.xml").write_text(
        '<klettres><language code="de"><alphabet><sound name="W" file="de/alpha/w.ogg"/>'
        '<sound name="X" file="de/alpha/missing.ogg"/></alphabet></language></klettres>'
    )
    (letter,) = letters()
    assert letter.id == "klettres-de-w" and letter.samples().shape == (16000,)
    assert [phone for phone, _ in spelled(speaker, letter.voice, letter.text)] == [
        "sil",
        "v",
        "ey",
        "sil",
    ]


def test_pictures_are_named_as_their_text_says(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.corpora._STAMPS", str(tmp_path))
    folder = tmp_path / "animals" / "birds"
    folder.mkdir(parents=True)
    (folder / "big_owl.txt").write_text(
        "An owl.\nes.utf8=Un búho.\nfr.utf8=Un hibou. \nru.utf8=Сова.\n", "utf-8"
    )
    for name in ("big_owl_desc_fr", "big_owl_desc_ru", "big_owl_desc_da", "big_owl", "hen_desc_fr"):
        (folder / f"{name}.ogg").touch()
    (stamp,) = stamps()  # Russian is not heard, the Danish have no text, a hen has none at all
    assert (stamp.id, stamp.voice, stamp.text) == (
        "tuxpaint-fr-animals-birds-big_owl",
        "fr",
        "Un hibou.",
    )


def test_the_actors_of_a_game_say_what_its_scripts_say(tmp_path, monkeypatch, speaker):
    monkeypatch.setattr("training.data.corpora._GAME", str(tmp_path))
    for folder in ("script/reef", "sound/reef/cs", "sound/reef/nl"):
        (tmp_path / folder).mkdir(parents=True)
    for language, said, silence in (("cs", "Ahoj, ty.", "Ticho."), ("nl", "Dag, jij!", "Stil.")):
        (tmp_path / "script" / "reef" / f"dialogs_{language}.lua").write_text(
            f'\ndialogId("ut-m-ahoj", "font_small", "Hello \\"you\\".")\ndialogStr("{said}")\n\n\n'
            f'dialogId("ut-v-nic", "font_big", "Silence.")\ndialogStr("{silence}")\n',
            "utf-8",
        )
        (tmp_path / "sound" / "reef" / language / "ut-m-ahoj.ogg").touch()
    czech, dutch = dialogues()
    assert (czech.id, czech.voice, czech.text) == ("fillets-cs-reef-ut-m-ahoj", "cs", "Ahoj, ty.")
    assert (dutch.id, dutch.voice, dutch.text) == ("fillets-nl-reef-ut-m-ahoj", "nl", "Dag, jij!")
    assert (czech.speaker, czech.source) != (dutch.speaker, dutch.source)
    assert [phone for phone, _ in spelled(speaker, dutch.voice, dutch.text)][1:3] == ["d", "aa"]


def test_an_announcer_says_what_the_transcript_of_the_same_prompts_says(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.asterisk._SOUNDS", str(tmp_path))
    monkeypatch.setattr("training.data.asterisk._TRANSCRIPTS", str(tmp_path / "core-%s-%s.gz"))
    with gzip.open(str(tmp_path / "core-it-it.gz"), "wt") as file:
        file.write(
            "; remark\nvm/intro: Lasciate un messaggio.\nbeep: (un suono)\nbye: Arrivederci.\n"
        )
    for name in ("vm/intro.wav", "beep.wav"):
        path = tmp_path / "it_IT_f_Menardi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (said,) = announcements()
    assert (said.id, said.voice, said.text) == (
        "menardi-vm_intro",
        "it",
        "Lasciate un messaggio.",
    )


def test_labelled_sentences_are_read_with_their_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.festvox_ru._VOICE", tmp_path)
    for folder in ("lab", "wav"):
        (tmp_path / folder).mkdir()
    (tmp_path / "lab" / "ru_1.lab").write_text(
        "#\n0.1 125 pau\n0.2 125 mm\n0.35 125 aa\n0.5 125 sch\n"
    )
    soundfile.write(str(tmp_path / "wav" / "ru_1.wav"), np.zeros(16000), 16000)
    store = Store(tmp_path / "cache")
    for _ in range(2):
        festvox_ru.collect(store)
    (sentence,) = store.manifest
    assert (sentence.id, sentence.aligned_by, sentence.weight) == (
        "festvox-ru-ru_1",
        BY_LABELS,
        2.0,
    )
    assert store.phones(sentence) == [
        (0.0, 0.1, "sil"),
        (0.1, 0.2, "m"),
        (0.2, 0.35, "aa"),
        (0.35, 0.5, "sh"),
    ]
    with pytest.raises(ValueError, match="no phone: q"):
        festvox_ru.phone_of("q")


@pytest.mark.parametrize(
    "read, folder, module",
    [
        (stamps, "_STAMPS", "corpora"),
        (dialogues, "_GAME", "corpora"),
        (announcements, "_SOUNDS", "asterisk"),
        (lambda: festvox_ru.collect(None), "_VOICE", "festvox_ru"),
    ],
)
def test_recordings_that_are_not_installed_are_named(read, folder, module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"training.data.{module}.{folder}", tmp_path / "none")
    with pytest.raises(UnavailableError, match=r"apt install (tuxpaint|fillets|asterisk|festvox)"):
        read()


def test_announcements_need_the_transcripts_of_the_prompts(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.asterisk._TRANSCRIPTS", str(tmp_path / "none-%s-%s.gz"))
    for read in (announcements, lambda: prompts("fr")):
        with pytest.raises(UnavailableError, match="apt install asterisk-core-sounds-"):
            read()


@pytest.mark.skipif(not os.path.exists(f"{DATA}/kerstin"), reason="needs the corpora, DATA=")
def test_recordings_of_kerstin_are_there_with_what_is_said(speaker):
    said = kerstin(DATA)
    assert len(said) == 1374
    test = {recording.id for recording in said if recording.split == TEST}
    assert test >= {f"kerstin-{name}" for name in BUNDLED_VOICE} and len(test) == 142
    for recording in said[:3]:
        wanted = spelling(speaker.say(recording.voice, recording.text)[1])
        seconds = len(recording.samples()) / 16000
        assert 8 < len(wanted) / seconds < 25  # phones and words


def test_a_mouth_that_is_open_while_nobody_speaks_is_not_taken_for_a_closed_one(tmp_path):
    """A talker who breathes with open lips before and after he speaks; tracked a little aside."""
    rng = np.random.default_rng(5)
    resting = rng.normal(size=(68, 3)).astype(np.float32)
    resting[66] = resting[62]
    gaps = np.zeros((3, 75), np.float32)
    gaps[:, 25:50] = np.abs(np.sin(np.arange(25)))
    gaps[2, 5:25] = gaps[2, 60:] = 0.1
    faces = np.repeat(np.repeat(resting[None, None], 75, 1), 3, 0)
    faces[2] += 0.03
    faces[:, :, 66, 1] -= gaps
    (tmp_path / "audio").mkdir()
    for name in "abc":
        soundfile.write(str(tmp_path / "audio" / f"{name}.flac"), np.zeros(48000), 16000)
    np.savez(
        str(tmp_path / "motion.npz"),
        names=list("abc"),
        landmarks=faces,
        blendshapes=np.zeros((3, 75, 1)),
        blendshape_names=["jawOpen"],
    )
    (tmp_path / "words.json").write_text(
        '{"a": %s, "b": %s, "c": %s}' % (('[[1.0, 2.0, "now"]]',) * 3)
    )
    clips, neutral = load_grid(tmp_path)
    assert lip_gap(neutral) == pytest.approx(0.0, abs=1e-3)
    for clip, gap in zip(clips, gaps):
        assert lip_gap(clip.landmarks) == pytest.approx(gap, abs=1e-3)
