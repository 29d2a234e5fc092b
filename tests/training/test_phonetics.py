"""Phones, and when they are spoken (needs PyTorch)."""

import numpy as np
import pytest

from edgeface.features.level import level_dbfs
from training.judge.sentences import SENTENCES
from training.phonetics import acoustic_model
from training.phonetics.acoustic_model import fit, labels_of
from training.phonetics.alignment import agreement, explains, left_over, respelled, spelling
from training.phonetics.english_aligner import EnglishAligner
from training.phonetics.ipa import phone_of_ipa
from training.phonetics.phones import PHONES, phone_name
from training.phonetics.timing import one_after_another, phone_labels, speaking
from training.phonetics.viterbi import align
from training.signal.fbank import fbank_of


def has_a_shape(name):
    try:
        return phone_of_ipa(name) is not None
    except ValueError:
        return False


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
    monkeypatch.setattr(acoustic_model, "_BATCH", 8)  # seconds

    def phones_of(said):
        return [(start, end, phone_of_ipa(name)) for start, end, name in said if end > start]

    known, (unknown, *sentences) = [], SENTENCES["en"]
    for talker in ("m1", "f2", "m5", "f4"):
        for sentence in sentences:
            samples, said = speaker.say(f"en+{talker}", sentence)
            fbank = fbank_of(samples)
            known.append((fbank, labels_of(phones_of(said), len(fbank)), 1.0))
    samples, said = speaker.say("en+m3", unknown)
    pair = (samples, phones_of(said))
    assert max(agreement(fit(known, 1), [pair])) < 0.3
    within_20_ms, within_40_ms = agreement(fit(known, 40), [pair])
    assert within_20_ms > 0.5 and within_40_ms > 0.6


def test_a_sound_that_was_taken_for_silence_is_noticed():
    loud = np.repeat([0.0, 0.5, 0.0, 0.5], 8000).astype(np.float32)
    assert (
        left_over(loud, [(0, 0.5, "sil"), (0.52, 0.95, "aa"), (1.0, 1.5, "sil"), (1.5, 2.0, "b")])
        == 0
    )
    assert left_over(loud, [(0, 0.5, "sil"), (0.5, 1.0, "aa"), (1.0, 2.0, "sil")]) == pytest.approx(
        0.5
    )


def test_phones_last_as_long_as_they_are_said_to():
    labels = phone_labels([(0.0, 0.1, "sil"), (0.1, 0.2, "b"), (0.2, 0.24, "iy")], 10)
    counts = np.bincount(labels.ravel(), minlength=len(PHONES))
    assert (counts[PHONES.index("b")], counts[PHONES.index("iy")]) == (10, 4) and counts.sum() == 40
    assert labels[4].tolist() == [PHONES.index("b")] * 4


def test_a_recording_is_explained_where_hardly_any_sound_is_left_over():
    loud = np.repeat([0.0, 0.5, 0.0, 0.5], 8000).astype(np.float32)
    assert explains([(0.52, 0.95, "aa"), (1.5, 2.0, "b")], loud)
    assert not explains([(0.52, 0.95, "aa")], loud)
    assert not explains([], loud) and not explains(None, loud)


def test_pauses_may_be_left_out_where_another_aligner_found_one():
    assert respelled([(0, 1, "sil"), (1, 2, "m"), (2, 3, "pau"), (3, 4, "aa")]) == [
        ("sil", True),
        ("m", False),
        ("sil", True),
        ("aa", False),
        ("sil", True),
    ]


def test_phones_of_clips_that_follow_each_other_are_moved_by_their_frames():
    said = [(0.1, 0.2, "m")]
    assert one_after_another([said, None, said], [25, 50, 25]) == [
        (0.1, 0.2, "m"),
        (3.1, 3.2, "m"),
    ]
    assert speaking(said + [(0.3, 0.4, "sil")], 25).nonzero()[0].tolist() == [2, 3, 4]


def test_english_is_aligned_by_its_words(clips):
    assert clips["names"][0] == "bbal8p"
    samples = clips["samples"][0] / 32768
    aligner = EnglishAligner()
    phones = aligner.align_text(samples, "Bin blue at L: eight, please!")
    spoken = [phone for _, _, phone in phones if phone != "sil"]
    assert "".join(spoken) == "bihnbluwaetehleytpliyz"
    assert all(0 <= start < end <= 3.01 for start, end, _ in phones)
    assert aligner.align_text(samples, "Qwxyz!") is None and aligner.align(samples, []) is None
