"""The sequences that training hears: voices, noises, sounds that are no speech."""

import numpy as np
import pytest
import soundfile

from edgeface.errors import MissingInputError
from edgeface.training import noises
from edgeface.training.corpus import Clip
from edgeface.training.dataset import Sequences
from edgeface.training.phones import PHONES, phone_labels


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What `prepare` makes of two recordings of each kind, of which it keeps one."""
    share, cache = tmp_path_factory.mktemp("share"), tmp_path_factory.mktemp("cache")
    for number, name in enumerate(("games/singularity/music/1.ogg", "games/etr/music/2.ogg",
                                   "games/lincity-ng/sounds/Rocket3.wav", "sounds/freedesktop/stereo/bell.oga",
                                   "sounds/freedesktop/stereo/audio-channel-side-left.oga")):
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = 0.01 * np.random.default_rng(number).standard_normal((48000, 2))
        soundfile.write(str(path), noise, 32000, format="WAV" if path.suffix == ".wav" else "OGG")
    (share / "games/lincity-ng/sounds/Damaged.wav").write_bytes(b"RIFF")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noises, "_SHARE", share)
        noises.prepare(cache)
    return cache


def test_a_sequence_comes_with_and_without_its_noise(cache):
    rng = np.random.default_rng(3)
    said = (0.1 * rng.standard_normal(48000)).astype(np.float32)
    face = np.zeros((75, 68, 3), np.float32)
    clip = Clip("clip", said, face, np.zeros((75, 52), np.float32), np.ones(75, np.float32))
    sequences = Sequences([clip], face[0], cache, 50, 1)
    louder = []
    for _ in range(30):
        noisy, clean, landmarks, blendshapes, speech, trust, phones = sequences.sequence(rng)
        assert noisy.shape == clean.shape == (200, 80)
        assert (landmarks.shape, blendshapes.shape, speech.shape, trust.shape) == ((50, 204), (50, 52), (50,), (50,))
        assert phones[:, 0] == pytest.approx(1 - speech) and phones[:, 1:].max() == 0  # of his, nobody knows any
        pause = np.repeat(speech == 0, 4)
        if pause.sum() > 40:  # digital silence but for the last bit of 16
            assert clean[pause].mean() < -2
            louder.append(noisy[pause].mean() - clean[pause].mean())
    assert np.mean(louder) > 3


def test_sounds_that_are_judged_by_are_in_no_training(cache):
    assert sorted(path.stem for path in (cache / "noises").iterdir()) \
        == ["effect-games-lincity-ng-sounds-Rocket3.wav", "music-games-singularity-music-1.ogg"]
    assert sorted(path.stem for path in (cache / "judged").iterdir()) \
        == ["effect-sounds-freedesktop-stereo-bell.oga", "music-games-etr-music-2.ogg"]
    for kind in ("music", "effect"):
        (samples,) = noises.judged(cache, kind)
        assert len(samples) == 24000 and samples.std() == pytest.approx(1, abs=0.1)


def test_a_cache_without_sounds_is_named(tmp_path):
    for use in (noises.Noises, lambda cache: noises.judged(cache, "music")):
        with pytest.raises(MissingInputError, match=r"no music .*training\.prepare"):
            use(tmp_path)


def test_sounds_that_are_no_speech_fill_a_sequence_or_come_one_by_one(cache):
    rng, heard = np.random.default_rng(1), noises.Noises(cache)
    drawn = [heard.draw(rng, 64000) for _ in range(30)]
    silent = np.array([(noise.reshape(-1, 640) == 0).all(1).mean() for noise in drawn])
    assert 5 < (silent == 0).sum() < 25 and 0.1 < np.mean(silent[silent > 0]) < 0.6
    assert all(0.5 < np.median(np.abs(noise[noise != 0])) / 0.67 < 1.5 for noise in drawn)


def test_people_are_heard_oftener_than_programs_that_speak_and_actors_oftenest(cache, tmp_path):
    clips = []
    said = ("flite-a", 2), ("human-b", 2), ("human-c", 1), ("actor-d", 1), ("human-actors-e", 2)
    for number, (name, seconds) in enumerate(said):
        path = tmp_path / (name + ".wav")
        soundfile.write(str(path), np.full(16000 * seconds, 0.1 * (number + 1)), 16000)
        frames = 25 * seconds
        clips.append(Clip(name, path, np.full((frames, 68, 3), number + 1.0), np.zeros((frames, 52)),
                          np.ones(frames), phone_labels([], frames)))
    sequences, rng = Sequences((), np.zeros((68, 3)), cache, 25, 1, clips, 1.0), np.random.default_rng(1)
    drawn = [int(sequences._clip(rng)[1][0].max()) for _ in range(1000)]  # the landmarks say which
    # a sequence of a second hears no more of two seconds
    shares = [drawn.count(number) / 1000 for number in (1, 2, 3, 4, 5)]
    assert np.array(shares) * 11 == pytest.approx([1, 2, 2, 3, 3], abs=0.5)


def test_a_mouth_whose_voice_is_cut_off_closes_at_once(cache, monkeypatch):
    monkeypatch.setattr("edgeface.training.dataset._CUT_OFF", 1.0)
    rng = np.random.default_rng(3)
    said = (0.1 * rng.standard_normal(48000)).astype(np.float32)
    neutral, face = np.zeros((68, 3), np.float32), np.ones((75, 68, 3), np.float32)
    clip = Clip("clip", said, face, np.ones((75, 52), np.float32), np.ones(75, np.float32))
    sequences, closing = Sequences([clip], neutral, cache, 60, 1), 0
    for _ in range(20):
        _, clean, landmarks, blendshapes, speech, _, phones = sequences.sequence(rng)
        for stop in np.flatnonzero(np.diff(speech[:56]) < 0) + 1:
            for track in (landmarks[:, 0], blendshapes[:, 0]):
                assert track[stop:stop + 4] == pytest.approx([0.75, 0.5, 0.25, 0.0])
            assert clean[4 * stop + 4:4 * stop + 16].mean() < 0  # silence
            assert (phones[stop:stop + 4, 0] == 1).all()
            closing += 1
    assert closing > 5


def test_every_sequence_is_heard_again_in_other_voices(cache, monkeypatch):
    monkeypatch.setattr("edgeface.training.dataset._KEPT", 3)
    said = (0.1 * np.random.default_rng(3).standard_normal(48000)).astype(np.float32)
    face = 1 + np.arange(75, dtype=np.float32)[:, None, None] * np.ones((1, 68, 3), np.float32)
    clip = Clip("clip", said, face, np.zeros((75, 52), np.float32), np.ones(75, np.float32),
                phone_labels([(0.0, 3.0, "aa")], 75))
    endless = iter(Sequences([clip], np.zeros((68, 3), np.float32), cache, 20, 1))
    heard = [next(endless) for _ in range(203)]
    assert all(tuple(part.shape for part in one) == ((80, 80), (80, 80), (20, 204), (20, 52), (20,), (20,),
                                                     (20, len(PHONES))) for one in heard)
    assert all(one[6].sum(-1).numpy() == pytest.approx(np.ones(20)) for one in heard)
    spoken = [one for one in heard if one[2].max() > 0]
    faces = [one[2].numpy().tobytes() for one in spoken]
    assert 3 < len(faces) / len(set(faces)) < 5
    assert len({one[0].numpy().tobytes() for one in spoken}) > 2 * len(set(faces))
