"""Voices of programs that the training hears (needs PyTorch)."""

import numpy as np
import pytest

from edgeface.core.errors import UnavailableError
from edgeface.features.level import level_dbfs
from training.data import (
    align_recordings,
    english_voices,
    festival,
    flite,
    other_languages,
    text_to_speech,
    texts,
)
from training.data.espeak_voices import LANGUAGES, TALKERS
from training.data.manifest import BY_ACOUSTIC_MODEL, BY_SYNTHESISER
from training.data.store import Store
from training.judge import unheard
from training.judge.sentences import SENTENCES
from training.phonetics import acoustic_model


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
