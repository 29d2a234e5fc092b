"""What the training does besides training (`make test-study`)."""

import numpy as np
import pytest

from edgeface.features.level import level_dbfs
from edgeface.model.bundle import Bundle
from edgeface.training.abroad import judge
from edgeface.training.animate import close_lips
from edgeface.training.languages import SENTENCES, Speaker
from edgeface.training.phones import phone_name, phone_of_ipa
from edgeface.training.restore import restore
from edgeface.training.speech import ESPEAK_TALKERS, ESPEAK_VOICES


def has_a_shape(name):
    try:
        return phone_of_ipa(name) is not None
    except ValueError:
        return False


@pytest.fixture(scope="module")
def speaker():
    return Speaker()


def test_the_published_weights_can_be_trained_on():
    """`restore` itself compares with the graphs, at every look-ahead."""
    bundle = Bundle()
    network = restore(bundle)
    assert sum(parameter.numel() for parameter in network.parameters()) > 2e6
    bundle.wholes[160] = bundle.wholes[0]  # which looks less far ahead than it says
    with pytest.raises(ValueError, match="something else"):
        restore(bundle)


def test_espeak_says_when_it_says_what(speaker):
    for language, sentences in SENTENCES.items():
        samples, phones = speaker.say(language, sentences[0])
        assert 1.5 < len(samples) / 16000 < 6 and len(phones) > 20
        assert all(0 <= start <= end for start, end, _ in phones)
        assert phones[-1][1] == pytest.approx(len(samples) / 16000, abs=0.05)
        assert any(name == "m" for _, _, name in phones)
        assert np.mean([has_a_shape(name) for _, _, name in phones]) > 0.9

        def level(kinds, samples=samples, phones=phones):
            parts = [samples[int(16000 * a) + 160:int(16000 * b) - 160] for a, b, name in phones if name in kinds]
            return np.median([level_dbfs(part) for part in parts if len(part) > 320])

        assert level(("a", "ɑ", "aɪ", "ʌ", "æ", "ɐ", "e", "ɛ")) > level(("t", "s", "f", "k", "p")) + 3


def test_voices_of_the_training_are_there_and_not_those_of_the_judge(speaker):
    assert len({voice.split("-")[0] for voice in ESPEAK_VOICES} - set(SENTENCES)) >= 3
    for voice in ESPEAK_VOICES:
        samples, phones = speaker.say("%s+%s" % (voice, ESPEAK_TALKERS[0]), "Maybe people move.")
        assert len(samples) > 10000 and "m" in {name for _, _, name in phones}
    assert not {"fr", "ru"} & set(ESPEAK_VOICES)


@pytest.mark.parametrize("name, wanted", [
    ("m", "m"), ("aɪ", "ay"), ("iː", "iy"), ("oː", "ow"), ("o", "ao"), ("tʃ", "ch"), ("ɑ̃", "aa"), ("sʲ", "s"),
    ("", "sil"), ("(de)", "sil"), ("yː", "uw")])
def test_the_nearest_phone(name, wanted):
    assert phone_of_ipa(name) == phone_name(wanted)


def test_unknown_phones_are_said():
    with pytest.raises(ValueError):
        phone_of_ipa("β")


def test_lips_meet_in_every_bilabial_and_move_nowhere_else():
    face = np.repeat(np.array(Bundle().neutral, np.float32)[None], 50, 0)
    face[:, [62, 61, 63, 51], 1] += 0.05
    before = face.copy()
    close_lips(face, [(0.0, 0.5, "aa"), (0.5, 0.62, "m"), (0.62, 1.4, "iy"), (1.4, 1.41, "p")])
    gap = np.linalg.norm(face[:, 62] - face[:, 66], axis=-1)
    assert gap[13:16].max() < 1e-6 and gap[35] < 1e-6
    moved = np.abs(face - before).max((1, 2)) > 0
    assert set(np.flatnonzero(moved)) == {12, 13, 14, 15, 16, 34, 35, 36}
    assert (face[:, :48] == before[:, :48]).all() and (face[:, [48, 54]] == before[:, [48, 54]]).all()


def test_the_judge_knows_a_mouth_that_never_closes_and_one_that_only_follows_loudness():
    neutral = np.array(Bundle().neutral, np.float32)

    def face(gaps):
        faces = np.repeat(neutral[None], len(gaps), 0)
        faces[:, 62, 1] += gaps
        return faces

    def noise(samples):
        frames = -(-len(samples) // 640)
        return face(0.05 + 0.001 * np.random.RandomState(0).standard_normal(frames))

    def loudness(samples):
        padded = np.pad(samples, (0, -len(samples) % 640)).reshape(-1, 640)
        return face(np.array([max(0.0, 60 + level_dbfs(hop)) / 600 for hop in padded]))

    chance = {row[0]: row for row in judge(noise)}
    follows = {row[0]: row for row in judge(loudness)}
    assert set(chance) == set(SENTENCES)
    assert all(chance[name][4] > 50 for name in chance)  # it trembles in the pauses
    assert all(follows[name][4] < 1 and follows[name][1] < 0.9 for name in follows)
