"""The batches that training hears: voices, noises, sounds that are no speech (needs PyTorch)."""

import numpy as np
import pytest
import soundfile
import soxr
import torch

from edgeface.core.errors import MissingInputError
from training.batches.batches import Batch, load
from training.batches.clips import Clips, animated_clips, sounds
from training.batches.repeated import RepeatedBatches
from training.batches.schedule import Schedule
from training.batches.slow_speech import slowed
from training.data import sounds as sound_files
from training.data.grid import Clip
from training.data.manifest import EFFECT, MUSIC, TEST, TRAIN
from training.data.store import Store
from training.phonetics.phones import PHONES
from training.phonetics.timing import phone_labels
from training.signal.fbank import fbank_of
from training.signal.random_tensors import RandomTensors

NEUTRAL = np.zeros((68, 3), np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """What `prepare` makes of two recordings of each kind, of which one is for the test."""
    share, cache = tmp_path_factory.mktemp("share"), tmp_path_factory.mktemp("cache")
    for number, name in enumerate(
        (
            "games/singularity/music/1.ogg",
            "games/etr/music/2.ogg",
            "games/lincity-ng/sounds/Rocket3.wav",
            "sounds/freedesktop/stereo/bell.oga",
            "sounds/freedesktop/stereo/audio-channel-side-left.oga",
        )
    ):
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = 0.01 * np.random.default_rng(number).standard_normal((48000, 2))
        soundfile.write(str(path), noise, 32000, format="WAV" if path.suffix == ".wav" else "OGG")
    (share / "games/lincity-ng/sounds/Damaged.wav").write_bytes(b"RIFF")
    store = Store(cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sound_files, "_SHARE", share)
        sound_files.prepare(store)
        sound_files.prepare(store)  # what is there is not read again
    assert len((cache / "manifest.jsonl").read_text().splitlines()) == 4
    return store


def talking(seconds=3, face=0.0, phones=None, seed=3):
    """A clip of noise whose face does not move."""
    frames = 25 * seconds
    said = (0.1 * np.random.default_rng(seed).standard_normal(640 * frames)).astype(np.float32)
    return Clip(
        "clip",
        said,
        np.full((frames, 68, 3), face, np.float32),
        np.full((frames, 52), face, np.float32),
        np.ones(frames, np.float32),
        phones,
    )


def test_a_sequence_comes_with_and_without_its_noise(store):
    noisy, clean, landmarks, blendshapes, speech, trust, phones = load(
        [talking()], NEUTRAL, store, 50, [], 0
    ).draw(40)
    assert noisy.shape == clean.shape == (40, 200, 80)
    assert (landmarks.shape, blendshapes.shape) == ((40, 50, 204), (40, 50, 52))
    assert (speech.shape, trust.shape, phones.shape) == ((40, 50), (40, 50), (40, 50, len(PHONES)))
    # of his, nobody knows any
    assert (
        phones[..., 0].numpy() == pytest.approx(1 - speech.numpy())
        and float(phones[..., 1:].max()) == 0
    )
    pause = (speech == 0).repeat_interleave(4, 1)
    assert 0.2 < float(pause.float().mean()) < 0.8
    assert float(clean[pause].mean()) < -2  # digital silence but for the last bit of 16
    assert float(noisy[pause].mean() - clean[pause].mean()) > 3


def test_the_same_seed_draws_the_same(store):
    made = load([talking()], NEUTRAL, store, 50, [], 0)
    drawn = []
    for seed in (5, 5, 6):
        made.seed(seed)
        drawn.append(made.draw(4)[0])
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_a_clip_is_heard_and_seen_faster_and_slower():
    """Against the resampler of the daemon; below 5.5 kHz there and here: neither filter cuts."""
    noise = 0.1 * np.random.default_rng(2).standard_normal(32000)
    spectrum = np.fft.rfft(noise)
    spectrum[8800:] = 0.0
    clip = talking(2)
    clip.samples = np.fft.irfft(spectrum).astype(np.float32)
    clip.landmarks[:] = 0.01 * np.arange(50)[:, None, None]
    clips = Clips([(lambda: clip.samples, clip)], NEUTRAL, "clip")
    for factor in (0.8, 1.0, 1.25):
        schedule = Schedule(1, 80, "cpu")
        schedule.place(torch.tensor([5]), clips.first, clips.frames, torch.tensor([factor]))
        frames = int(49 / factor)
        assert schedule.used[0].tolist() == 5 * [False] + frames * [True] + (75 - frames) * [False]
        heard = schedule.sound(clips.sound)[0].numpy()
        assert np.abs(heard[:3200]).max() == np.abs(heard[640 * (5 + frames) :]).max() == 0
        wanted = soxr.resample(clip.samples, 16000 * factor, 16000, quality="VHQ")[: 640 * frames]
        apart = heard[3200 : 3200 + len(wanted)] - wanted
        assert apart[100:-100].std() < (2e-5 if factor == 1.0 else 0.01 * wanted.std())
        seen = schedule.track(clips.landmarks)[0, 5 : 5 + frames, 0].numpy()
        assert seen == pytest.approx(0.01 * factor * np.arange(frames), abs=1e-3)


def test_a_mouth_closes_where_sound_ends_by_itself_or_is_cut_off():
    clip = talking(2)
    clips = Clips([(lambda: clip.samples, clip)], NEUTRAL, "clip")
    for stop, ends in ((80, 5 + 49), (20, 20)):
        schedule = Schedule(1, 80, "cpu", closing=4)
        schedule.place(
            torch.tensor([5]), clips.first, clips.frames, torch.tensor([1.0]), torch.tensor([stop])
        )
        assert schedule.audible[0].tolist() == 5 * [False] + (ends - 5) * [True] + (80 - ends) * [
            False
        ]
        assert schedule.remain[0].tolist() == 5 * [0] + (ends - 5) * [1] + [0.75, 0.5, 0.25] + (
            77 - ends
        ) * [0]
        assert schedule.part.max() <= 1


def test_slow_speech_has_no_images_and_fast_speech_keeps_its_highest_frequencies():
    clip = talking(2)
    clip.samples = (0.1 * np.random.default_rng(2).standard_normal(32000)).astype(np.float32)
    clips = Clips([(lambda: clip.samples, clip)], NEUTRAL, "clip")

    def band_db(samples, low_hz, high_hz):
        power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
        hz = np.fft.rfftfreq(len(samples), 1 / 16000)
        return 10 * np.log10(power[(hz >= low_hz) & (hz < high_hz)].mean())

    def heard(factor):
        schedule = Schedule(1, 30, "cpu")
        schedule.place(torch.tensor([0]), clips.first, clips.frames, torch.tensor([factor]))
        return schedule.sound(clips.sound)[0].numpy()

    slow, fast = heard(0.8), heard(1.25)  # what was at 8,000 Hz is at 6,400 in the first one
    assert band_db(slow, 6900, 8000) - band_db(slow, 1000, 5500) < -62
    assert abs(band_db(fast, 6900, 7600) - band_db(fast, 1000, 5500)) < 1.5


def test_slow_speech_is_a_part_of_the_sequence_and_sound_and_motion_stay_together():
    frames = torch.arange(50.0).repeat(3, 1)
    fbank = torch.arange(200.0).repeat(3, 1)[..., None]
    times = torch.tensor([1.0, 2.0, 4.0])
    slow, slow_fbank = slowed(RandomTensors(), times, (frames, fbank))
    assert torch.equal(slow[0], frames[0])
    for row in (1, 2):
        steps = slow[row].diff()
        assert steps.numpy() == pytest.approx(1 / float(times[row]), abs=1e-4)
        assert slow[row].min() >= 0 and slow[row].max() <= 49
        assert slow_fbank[row, ::4, 0].numpy() == pytest.approx(4 * slow[row].numpy(), abs=0.01)
    assert slowed(RandomTensors(), torch.ones(3), (frames,))[0] is frames


def test_sounds_that_are_judged_by_are_in_no_training(store):
    def ids(split):
        return [one.id for one in store.manifest.find((MUSIC, EFFECT), split)]

    assert ids(TRAIN) == [
        "effect-games-lincity-ng-sounds-Rocket3.wav",
        "music-games-singularity-music-1.ogg",
    ]
    assert ids(TEST) == [
        "effect-sounds-freedesktop-stereo-bell.oga",
        "music-games-etr-music-2.ogg",
    ]
    assert store.manifest["music-games-singularity-music-1.ogg"].licence == "CC-BY-SA-3.0"
    for kind in (MUSIC, EFFECT):
        (samples,) = sound_files.unheard_sounds(store, kind)
        assert len(samples) == 24000 and samples.std() == pytest.approx(1, abs=0.1)


def test_a_cache_without_sounds_is_named(tmp_path):
    for use in (sounds, sound_files.unheard_sounds):
        with pytest.raises(MissingInputError, match=r"no music .*training --list"):
            use(Store(tmp_path), MUSIC)


def test_sounds_that_are_no_speech_fill_a_sequence_or_come_one_by_one(store):
    backgrounds = load([talking()], NEUTRAL, store, 100, [], 0)._backgrounds
    for make, least, most in (
        (backgrounds._tune, 0.0, 0.03),
        (backgrounds._single_sounds, 0.1, 0.6),
    ):
        heard = make(30).numpy()
        silent = (np.abs(heard).reshape(30, -1, 640) < 1e-3).all(-1).mean(1)
        assert least <= silent.mean() < most
        assert all(0.35 < np.median(np.abs(row[np.abs(row) > 1e-3])) / 0.67 < 2.5 for row in heard)


def test_every_background_is_as_loud_and_nobody_talks_where_nobody_does(store):
    backgrounds = load([talking()], NEUTRAL, store, 100, [], 0)._backgrounds
    assert backgrounds._chances[0, 1] == 0
    makers = (backgrounds._coloured, backgrounds._babble, backgrounds._hum, backgrounds._breath)
    for make in makers:
        heard = make(12)
        assert heard.shape == (12, 64000) and heard.std(-1).numpy() == pytest.approx(
            np.ones(12), abs=1e-3
        )
    drawn = backgrounds.draw(torch.tensor(6 * [True] + 6 * [False]))
    assert drawn.shape == (12, 64000) and (drawn.std(-1) > 0.2).all()


def test_clips_are_drawn_by_their_weight_and_their_duration(tmp_path):
    clips = []
    for number, (weight, seconds) in enumerate(((1, 2), (2, 2), (2, 1), (3, 1))):
        clip = talking(seconds, number + 1.0, phone_labels([], 25 * seconds))
        clip.path = tmp_path / f"{number}.wav"
        soundfile.write(str(clip.path), clip.samples, 16000)
        clip.weight = weight
        clips.append(clip)
    # a sequence of a second hears no more of two seconds
    assert animated_clips(clips, NEUTRAL, 25).chance.numpy() * 8 == pytest.approx([1, 2, 2, 3])


def test_animated_speech_is_drawn_as_often_as_asked_for_and_trusted_less(store, tmp_path):
    other = talking(3, 2.0, phone_labels([(-1.0, 4.0, "aa")], 75))
    other.path = tmp_path / "a.wav"
    soundfile.write(str(other.path), other.samples, 16000)
    made = load([talking(3, 1.0)], NEUTRAL, store, 50, [other], 0.65)
    _, _, landmarks, _, speech, trust, phones = made.draw(200)
    animated, filmed = landmarks.amax((1, 2)) > 1.5, (landmarks.amax((1, 2)) - 1).abs() < 0.1
    assert 0.5 < float(animated.sum() / (animated | filmed).sum()) < 0.8
    assert set(trust[animated].unique().tolist()) == {0.5, 1.0} and (trust[~animated] == 1).all()
    spoken = speech[animated] == 1
    assert (phones[animated][..., PHONES.index("aa")][spoken] == 1).all()


def test_a_mouth_whose_voice_is_cut_off_closes_at_once(store, monkeypatch):
    monkeypatch.setattr("training.batches.batches._CUT_OFF", 1.0)
    _, clean, landmarks, blendshapes, speech, _, phones = load(
        [talking(3, 1.0)], NEUTRAL, store, 60, [], 0
    ).draw(20)
    closing = 0
    for row in range(20):
        for stop in np.flatnonzero(np.diff(speech[row, :56].numpy()) < 0) + 1:
            for track in (landmarks[row, :, 0], blendshapes[row, :, 0]):
                assert track[stop : stop + 4].numpy() == pytest.approx(
                    [0.75, 0.5, 0.25, 0.0], abs=1e-3
                )
            assert float(clean[row, 4 * stop + 4 : 4 * stop + 16].mean()) < 0  # silence
            assert (phones[row, stop : stop + 4, 0] == 1).all()
            closing += 1
    assert closing > 5


def test_every_sequence_is_heard_again_in_other_voices(store):
    made = load([talking(3, 1.0)], NEUTRAL, store, 20, [], 0)
    batches = iter(RepeatedBatches(made, 4, kept=12, fresh=4, turns=4))
    heard = [next(batches) for _ in range(40)]
    assert all([*part.shape] == [4, 80, 80] for one in heard for part in one[:2])
    spoken = [(clean, speech) for _, clean, _, _, speech, _, _ in heard]
    rows = [
        (sound.numpy().tobytes(), when.numpy().tobytes())
        for clean, speech in spoken
        for sound, when in zip(clean, speech)
        if when.max() > 0
    ]
    sequences = len({when for _, when in rows})
    assert sequences <= 12 + 4 * 9 and len(rows) > 2 * sequences
    assert len({sound for sound, _ in rows}) > 1.3 * sequences  # some are another talker


def test_low_and_high_formants_of_another_voice_do_not_move_by_the_same_factor(store):
    rows, t = 200, np.arange(16000) / 16000
    tones = fbank_of(sum(0.1 * np.sin(2 * np.pi * hz * t) for hz in (600, 3000)).astype(np.float32))
    fbank = torch.from_numpy(tones[50:51])[None].repeat(rows, 1, 1)
    fbank = fbank.repeat(1, 8, 1)
    when = torch.arange(2.0).repeat(rows, 1)
    speech = when * (torch.arange(rows) % 2)[:, None]
    batch = Batch(fbank, fbank, when, when, speech, when, when)
    heard = load([talking()], NEUTRAL, store, 80, [], 0.0).in_another_voice(batch)
    noisy = heard.fbank
    assert torch.equal(noisy, heard.clean)
    assert 0.05 < (heard.landmarks != when).any(1).float().mean() < 0.2  # slow
    # a voice is the same all the time, a whisper is not; nobody whispers where nobody speaks
    voiced = noisy.std(1).amax(1) < 1e-3
    assert voiced[::2].all() and 0.85 < voiced[1::2].float().mean() < 0.99
    noisy, fbank = noisy[voiced, :1], fbank[voiced, :1]
    centres = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 8000 / 700), 82)[1:-1]
    hz = 700 * np.expm1(centres / 1127)
    split = int(np.searchsorted(hz, 1500))
    low = hz[noisy[:, 0, :split].argmax(-1)] / 600
    high = hz[split + noisy[:, 0, split:].argmax(-1).numpy()] / 3000
    same = (noisy - fbank).abs().amax((1, 2)).numpy() < 1e-3
    assert 0.15 < same.mean() < 0.35
    for factor in (low, high):
        assert 0.75 < factor.min() < 0.9 and 1.1 < factor.max() < 1.35
    assert np.corrcoef(low, high)[0, 1] > 0.5 and (high / low)[~same].std() > 0.03
