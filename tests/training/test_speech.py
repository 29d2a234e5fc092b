"""Speech that the training hears, and when it says which phone (`make test-torch`)."""

import gzip
import json

import numpy as np
import pytest
import soundfile
import torch

from edgeface.core.errors import UnavailableError
from edgeface.features.level import level_dbfs
from training import acoustic, festival, foreign, labelled, readers
from training.acoustic import align, fit, labels_of, spelling
from training.align import agreement, left_over, spelled
from training.corpus import Clip
from training.fbank import fbank_of
from training.languages import SENTENCES, Speaker
from training.phones import PHONES, phone_name, phone_of_ipa
from training.recordings import announcements, dialogues, letters, stamps
from training.speech import ESPEAK_TALKERS, ESPEAK_VOICES


def has_a_shape(name):
    try:
        return phone_of_ipa(name) is not None
    except ValueError:
        return False


@pytest.fixture(scope="module")
def speaker():
    return Speaker()


def test_espeak_says_when_it_says_what(speaker):
    for language, sentences in SENTENCES.items():
        samples, phones = speaker.say(language, sentences[0])
        assert 1.5 < len(samples) / 16000 < 6 and len(phones) > 20
        assert all(0 <= start <= end for start, end, _ in phones)
        assert phones[-1][1] == pytest.approx(len(samples) / 16000, abs=0.05)
        assert any(name == "m" for _, _, name in phones)
        assert np.mean([has_a_shape(name) for _, _, name in phones]) > 0.9

        def level(kinds, samples=samples, phones=phones):
            parts = [
                samples[int(16000 * a) + 160 : int(16000 * b) - 160]
                for a, b, name in phones
                if name in kinds
            ]
            return np.median([level_dbfs(part) for part in parts if len(part) > 320])

        assert (
            level(("a", "ɑ", "aɪ", "ʌ", "æ", "ɐ", "e", "ɛ")) > level(("t", "s", "f", "k", "p")) + 3
        )


def test_voices_of_the_training_are_there_and_not_those_of_the_judge(speaker):
    assert len({voice.split("-")[0] for voice in ESPEAK_VOICES} - set(SENTENCES)) >= 3
    for voice in ESPEAK_VOICES:
        samples, phones = speaker.say(f"{voice}+{ESPEAK_TALKERS[0]}", "Maybe people move.")
        assert len(samples) > 10000 and "m" in {name for _, _, name in phones}
    assert not {"fr", "ru"} & set(ESPEAK_VOICES)


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("m", "m"),
        ("aɪ", "ay"),
        ("iː", "iy"),
        ("oː", "ow"),
        ("o", "ao"),
        ("tʃ", "ch"),
        ("ɑ̃", "aa"),
        ("sʲ", "s"),
        ("β", "v"),
        ("??", "uh"),
        ("ʔ", "sil"),
        ("ʔʌ", "ah"),
        ("ɟ", "d"),
        ("", "sil"),
        ("(de)", "sil"),
        ("yː", "uw"),
    ],
)
def test_the_nearest_phone(name, wanted):
    assert phone_of_ipa(name) == phone_name(wanted)


def test_unknown_phones_are_said():
    with pytest.raises(ValueError):
        phone_of_ipa("ʘ")


def heard(*parts):
    """Log likelihoods of (phone, frames) one after the other, with some doubt."""
    labels = [PHONES.index(phone) for phone, frames in parts for _ in range(frames)]
    logs = np.random.RandomState(3).normal(-6, 1, (len(labels), len(PHONES)))
    logs[np.arange(len(labels)), labels] = -0.5
    return logs


WANTED = [
    ("sil", True),
    ("m", False),
    ("aa", False),
    ("sil", True),
    ("p", False),
    ("iy", False),
    ("sil", True),
]


@pytest.mark.parametrize(
    "said",
    [
        (("sil", 30), ("m", 8), ("aa", 20), ("sil", 15), ("p", 6), ("iy", 12), ("sil", 9)),
        (("sil", 30), ("m", 8), ("aa", 20), ("p", 6), ("iy", 12), ("sil", 9)),
        (("m", 2), ("aa", 2), ("p", 2), ("iy", 2)),
    ],
)
def test_alignment_finds_every_phone_and_the_pauses_that_are_there(said):
    found, fit = align(heard(*said), WANTED)
    assert [phone for _, _, phone in found] == [phone for phone, _ in said]
    assert [round((end - start) / 0.01) for start, end, _ in found][1:] == [
        frames for _, frames in said
    ][1:]
    assert fit == pytest.approx(0, abs=0.3)
    again = labels_of(found, sum(frames for _, frames in said))
    # but for the first frame, whose middle lies before the first sample
    assert [PHONES[label] for label in again][1:] == [
        phone for phone, frames in said for _ in range(frames)
    ][1:]


def test_alignment_tells_what_was_said_from_what_was_not():
    sound = heard(("sil", 30), ("s", 8), ("uw", 20), ("k", 6), ("oy", 12), ("sil", 9))
    assert align(sound, WANTED)[1] < -3
    assert align(sound[:7], WANTED) is None  # four phones last 80 ms


def test_spelling_allows_pauses_between_words_alone(speaker):
    wanted = spelling(speaker.say("de", "Mama backt.")[1])
    assert [phone for phone, _ in wanted] == [
        "sil",
        "m",
        "aa",
        "m",
        "aa",
        "sil",
        "b",
        "aa",
        "k",
        "t",
        "sil",
    ]
    assert all(may_miss == (phone == "sil") for phone, may_miss in wanted)


def test_the_aligner_finds_what_it_never_heard_where_a_talker_says_it_whom_it_never_heard(
    speaker, monkeypatch
):
    monkeypatch.setattr(acoustic, "_BATCH", 8)  # seconds

    def phones_of(said):
        return [(start, end, phone_of_ipa(name)) for start, end, name in said if end > start]

    known, (unknown, *sentences) = [], SENTENCES["en"]
    for talker in ("m1", "f2", "m5", "f4"):
        for sentence in sentences:
            samples, said = speaker.say(f"en+{talker}", sentence)
            fbank = fbank_of(samples)
            known.append((fbank, labels_of(phones_of(said), len(fbank)), 1.0))
    samples, said = speaker.say("en+m3", unknown)
    pair = (
        Clip("stranger", samples, np.zeros((len(samples) // 640, 68, 3), np.float32), None, None),
        phones_of(said),
    )
    assert max(agreement(fit(known, 1), [pair])) < 0.3
    within_20_ms, within_40_ms = agreement(fit(known, 40), [pair])
    assert within_20_ms > 0.5 and within_40_ms > 0.6


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
    monkeypatch.setattr(festival, "VOICES", ("of_nobody",))
    monkeypatch.setattr(festival, "sentences", lambda: ["Nobody speaks."])
    with pytest.raises(UnavailableError, match="of_nobody"):
        festival.synthesise(tmp_path, 1)


@pytest.mark.parametrize(
    "voice,program", [("rhvoice-of_nobody", "of_nobody"), ("pico-en-GB", "pico2wave")]
)
def test_a_reader_that_is_not_installed_is_named(voice, program, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError, match=program):
        readers.read(voice, "Nobody reads this.", 1.0, 1.0)


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


def test_foreign_voices_judge_or_are_heard():
    heard = [voice for language in foreign.LANGUAGES.values() for voice in language.voices]
    judges = [voice for language in foreign.LANGUAGES.values() for voice in language.judges]
    assert len(set(heard + judges)) == len(heard + judges)
    assert not [
        voice
        for voice in heard
        if voice.startswith(tuple(name.split("-")[1] for name in readers.JUDGES))
    ]
    assert not {"sv", "tr"} & {
        name for name, language in foreign.LANGUAGES.items() if language.voices
    }


def test_foreign_words_are_of_letters_that_the_language_has(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign, "_FORTUNES", tmp_path)
    with pytest.raises(UnavailableError, match="fortunes-ru"):
        foreign.words("uk")
    (tmp_path / "ru").mkdir()
    (tmp_path / "ru" / "2001.03").write_text("Мы, и кот: 'Ёлка'\n%\nRéсума кит-кат 24 а", "utf-8")
    (tmp_path / "ru" / "2001.03.dat").write_bytes(b"\xff")
    assert foreign.words("ru") == ["мы", "кот", "ёлка", "кит", "кат"]
    assert foreign.words("uk") == ["кот", "кит", "кат"]


def test_foreign_voices_read_their_share_and_go_on_where_they_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(
        foreign, "LANGUAGES", {"eo": foreign.Language("eo", "a-z", ("one", "other"), ("judge",))}
    )
    monkeypatch.setattr(foreign, "words", lambda language: ["bona", "tago"])
    (tmp_path / "speech").mkdir()
    torch.save(acoustic.PhoneNet().state_dict(), str(tmp_path / "acoustic.pt"))
    read, fits = [], iter([False, True] * 20)

    def say(voice, text, pitch, speed):
        read.append((voice, text))
        return np.full(32000, 0.1, np.float32)

    monkeypatch.setattr(foreign, "read", say)
    monkeypatch.setattr(foreign, "aligned", lambda *_: [(0.0, 2.0, "aa")] if next(fits) else None)
    foreign.synthesise(tmp_path, 8 / 60)
    stored = sorted(path.stem for path in (tmp_path / "speech").glob("*.flac"))
    assert stored == [
        "foreign-one-00001",
        "foreign-one-00003",
        "foreign-other-00001",
        "foreign-other-00003",
    ]
    assert {voice for voice, _ in read} == {"rhvoice-one", "rhvoice-other"}
    assert all(4 <= len(text.split()) <= 9 for _, text in read)
    before, fits = read[:], iter([False] * 20)
    foreign.synthesise(tmp_path, 8 / 60)  # only what did not fit is read again
    assert sorted(path.stem for path in (tmp_path / "speech").glob("*.flac")) == stored
    assert len(read) == 12 and read[8:] == before[0:4:2] + before[4:8:2]
    fits = iter([False, True] * 20)
    judged = foreign.read_aloud(tmp_path)
    assert len(judged["eo"]) == 12 and judged["eo"][0][1] == [(0.0, 2.0, "aa")]
    assert {voice for voice, _ in read[12:]} == {"rhvoice-judge"} and len(read) == 12 + 24
    monkeypatch.setattr(foreign, "_TRIED", 5)
    fits = iter([False] * 5)
    assert foreign.read_aloud(tmp_path) == {"eo": []}


def test_letters_are_read_as_their_language_reads_them(speaker, tmp_path, monkeypatch):
    monkeypatch.setattr("training.recordings._LETTERS", str(tmp_path))
    monkeypatch.setattr("training.recordings._SPELLED", {"de": "de"})
    (tmp_path / "de" / "alpha").mkdir(parents=True)
    tone = np.stack([np.sin(np.arange(44100) / 20)] * 2, 1) / 4
    soundfile.write(str(tmp_path / "de" / "alpha" / "w.ogg"), tone, 44100)
    (tmp_path / "de" / "sounds.xml").write_text(
        '<klettres><language code="de"><alphabet><sound name="W" file="de/alpha/w.ogg"/>'
        '<sound name="X" file="de/alpha/missing.ogg"/></alphabet></language></klettres>'
    )
    (letter,) = letters()
    assert letter.name == "human-letters-de-w" and letter.samples().shape == (16000,)
    assert [phone for phone, _ in spelled(speaker, letter.voice, letter.text)] == [
        "sil",
        "v",
        "ey",
        "sil",
    ]


def test_pictures_are_named_as_their_text_says(tmp_path, monkeypatch):
    monkeypatch.setattr("training.recordings._STAMPS", str(tmp_path))
    folder = tmp_path / "animals" / "birds"
    folder.mkdir(parents=True)
    (folder / "big_owl.txt").write_text(
        "An owl.\nes.utf8=Un búho.\nfr.utf8=Un hibou. \nru.utf8=Сова.\n", "utf-8"
    )
    for name in ("big_owl_desc_fr", "big_owl_desc_ru", "big_owl_desc_da", "big_owl", "hen_desc_fr"):
        (folder / f"{name}.ogg").touch()
    (stamp,) = stamps()  # Russian is not heard, the Danish have no text, a hen has none at all
    assert (stamp.name, stamp.voice, stamp.text) == (
        "human-stamps-fr-animals-birds-big_owl",
        "fr",
        "Un hibou.",
    )


def test_the_actors_of_a_game_say_what_its_script_says(tmp_path, monkeypatch):
    monkeypatch.setattr("training.recordings._GAME", str(tmp_path))
    for folder in ("script/reef", "sound/reef/cs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "script" / "reef" / "dialogs_cs.lua").write_text(
        '\ndialogId("ut-m-ahoj", "font_small", "Hello \\"you\\".")\ndialogStr("Ahoj, ty.")\n\n\n'
        'dialogId("ut-v-nic", "font_big", "Silence.")\ndialogStr("Ticho.")\n',
        "utf-8",
    )
    (tmp_path / "sound" / "reef" / "cs" / "ut-m-ahoj.ogg").touch()
    (line,) = dialogues()
    assert (line.name, line.voice, line.text) == (
        "human-dialogues-reef-ut-m-ahoj",
        "cs",
        "Ahoj, ty.",
    )


def test_an_announcer_says_what_the_transcript_of_the_same_prompts_says(tmp_path, monkeypatch):
    monkeypatch.setattr("training.recordings._SOUNDS", str(tmp_path))
    monkeypatch.setattr("training.recordings._TRANSCRIPTS", str(tmp_path / "core-%s-%s.gz"))
    with gzip.open(str(tmp_path / "core-it-it.gz"), "wt") as file:
        file.write(
            "; remark\nvm/intro: Lasciate un messaggio.\nbeep: (un suono)\nbye: Arrivederci.\n"
        )
    for name in ("vm/intro.wav", "beep.wav"):
        path = tmp_path / "it_IT_f_Menardi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (said,) = announcements()
    assert (said.name, said.voice, said.text) == (
        "human-announcements-vm_intro",
        "it",
        "Lasciate un messaggio.",
    )


def test_labelled_sentences_are_read_with_their_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("training.labelled._VOICE", tmp_path)
    for folder in ("lab", "wav"):
        (tmp_path / folder).mkdir()
    (tmp_path / "lab" / "ru_1.lab").write_text(
        "#\n0.1 125 pau\n0.2 125 mm\n0.35 125 aa\n0.5 125 sch\n"
    )
    soundfile.write(str(tmp_path / "wav" / "ru_1.wav"), np.zeros(16000), 16000)
    labelled.collect(tmp_path / "cache")
    assert json.loads((tmp_path / "cache" / "speech" / "labelled-ru_1.json").read_text()) == [
        [0.0, 0.1, "sil"],
        [0.1, 0.2, "m"],
        [0.2, 0.35, "aa"],
        [0.35, 0.5, "sh"],
    ]
    with pytest.raises(ValueError, match="no phone: q"):
        labelled.phone_of("q")


@pytest.mark.parametrize(
    "read, folder, module",
    [
        (stamps, "_STAMPS", "recordings"),
        (dialogues, "_GAME", "recordings"),
        (announcements, "_SOUNDS", "recordings"),
        (lambda: labelled.collect("cache"), "_VOICE", "labelled"),
    ],
)
def test_recordings_that_are_not_installed_are_named(read, folder, module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"training.{module}.{folder}", tmp_path / "none")
    with pytest.raises(UnavailableError, match=r"apt install (tuxpaint|fillets|asterisk|festvox)"):
        read()


def test_a_sound_that_was_taken_for_silence_is_noticed():
    loud = np.repeat([0.0, 0.5, 0.0, 0.5], 8000).astype(np.float32)
    assert (
        left_over(loud, [(0, 0.5, "sil"), (0.52, 0.95, "aa"), (1.0, 1.5, "sil"), (1.5, 2.0, "b")])
        == 0
    )
    assert left_over(loud, [(0, 0.5, "sil"), (0.5, 1.0, "aa"), (1.0, 2.0, "sil")]) == pytest.approx(
        0.5
    )
