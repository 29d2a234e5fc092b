"""The idle layer: never a jump, within what filmed people do, and never the mouth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edgeface
from edgeface.build import build_pipeline, strengths_of
from edgeface.config import MOUTH_ONLY, Motion, Settings
from edgeface.core.resources import BUNDLED_VOICE
from edgeface.life.life import Life, Strengths
from edgeface.life.sound import Sound
from edgeface.motion.face import BLENDSHAPES, MOUTH
from edgeface.motion.frame import BLINKING
from edgeface.pipeline import Pipeline
from edgeface.source.file import read_whole

FPS = 25
MOUTH_SHAPES = [
    i for i, name in enumerate(BLENDSHAPES) if name.startswith(("mouth", "jaw", "tongue", "cheek"))
]
JAW_POINTS = slice(0, 17)
NOBODY = Sound(-120.0, 0.0, False)
LEFT_YAW, LEFT_PITCH, RIGHT_YAW, RIGHT_PITCH = range(4)


def run(pipeline, samples, sizes=(), heard=False):
    frames, at = [], 0
    for size in sizes:
        frames += pipeline.accept(samples[at : at + size], heard)
        at += size
    return frames + pipeline.accept(samples[at:], heard) + pipeline.finish()


@pytest.fixture(scope="module")
def voice():
    """Sentences with pauses between them, 16 kHz."""
    sentence = read_whole(BUNDLED_VOICE)
    pause = np.zeros(24000, np.float32)
    return np.concatenate([sentence, pause, sentence[::-1][::-1] * 0.6, pause])


def spoken(bundle, samples, heard=False, **motion):
    pipeline = build_pipeline(Settings(motion=Motion(**motion)), bundle)
    return run(pipeline, samples, heard=heard)


@pytest.fixture(scope="module")
def speaking(bundle, voice):
    return spoken(bundle, voice)


def arrays(frames):
    """Head [T, 6] in degrees and units, gaze [T, 4] in degrees."""
    head = np.array([frame.head for frame in frames], np.float64)
    head[:, :3] = np.degrees(head[:, :3])
    return head, np.degrees(np.array([frame.gaze for frame in frames], np.float64))


def figures_of(head):
    """What `docs/figures.md` tells of head motion [T, 6], in degrees and degrees a second."""
    speeds = np.linalg.norm(np.diff(head[:, :3], axis=0), axis=1) * FPS
    windows = [head[at : at + 75, :3].std(axis=0) for at in range(0, len(head) - 75, 75)]
    spread = " / ".join(f"{value:.2f}" for value in np.mean(windows, axis=0))
    quantiles = " / ".join(f"{value:.1f}" for value in np.percentile(speeds, (50, 95, 99, 99.9)))
    return f"pitch, yaw, roll {spread}; speed p50, p95, p99, p99.9 {quantiles}"


def lived(life, sounds, neutral=None):
    """Head, gaze, landmarks and blendshapes of a layer that is given sounds."""
    found = []
    for sound in sounds:
        landmarks = np.zeros((68, 3), np.float32) if neutral is None else neutral.copy()
        blendshapes = np.zeros(52, np.float32)
        head, gaze, _ = life.apply(landmarks, blendshapes, sound)
        found.append((head, gaze, landmarks, blendshapes))
    return [np.array(part, np.float64) for part in zip(*found)]


def babble(seconds, heard=False, seed=1):
    """Sound of somebody who speaks and pauses."""
    rng = np.random.RandomState(seed)
    frames = np.arange(FPS * seconds)
    speech = frames % 90 < 65
    level = np.where(speech, -22 + 7 * np.sin(frames / 2.3) + rng.randn(len(frames)), -70)
    f0 = np.where(speech & (frames % 5 > 0), 130 * 2 ** (0.3 * np.sin(frames / 9)), 0)
    return [Sound(*values, heard) for values in zip(level.tolist(), f0.tolist(), speech.tolist())]


def test_the_mouth_is_bit_identical_with_and_without(bundle, voice, speaking):
    without = run(build_pipeline(Settings(motion=MOUTH_ONLY), bundle), voice)
    for a, b in zip(speaking, without):
        assert (a.landmarks[MOUTH] == b.landmarks[MOUTH]).all()
        assert (a.landmarks[JAW_POINTS] == b.landmarks[JAW_POINTS]).all()
        assert (a.blendshapes[MOUTH_SHAPES] == b.blendshapes[MOUTH_SHAPES]).all()
        assert a.flags & ~BLINKING == b.flags
        assert not b.head.any() and not b.gaze.any()
    assert any(a.head.any() for a in speaking) and any(a.gaze.any() for a in speaking)


def test_landmarks_hold_no_head_motion(bundle, voice, speaking):
    still = spoken(bundle, voice, head=0)
    assert not any(frame.head.any() for frame in still)
    nose = slice(27, 36)
    for a, b in zip(speaking, still):
        assert (a.landmarks[nose] == b.landmarks[nose]).all()


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=20), st.booleans())
def test_any_chunking_gives_the_same_bits(built_pipeline, voice, sizes, heard):
    samples = voice[10000:30000]

    def bits(chunks):
        frames = run(Pipeline(built_pipeline._stepper, 80), samples, chunks, heard)
        return b"".join(
            part.tobytes()
            for f in frames
            for part in (f.landmarks, f.blendshapes, f.head, f.gaze, np.int64(f.flags))
        )

    assert bits(sizes) == bits(())


def test_who_is_heard_belongs_to_the_sound_not_to_the_call(bundle):
    """A frame is as its first sample is, also where blocks are cut anywhere."""

    def heard_frames(sizes):
        pipeline = build_pipeline(Settings(), bundle)
        seen = []
        apply = pipeline.life.apply
        pipeline.life.apply = lambda *face: seen.append(face[2].heard) or apply(*face)
        for count, heard in sizes:
            pipeline.accept(np.zeros(count, np.float32), heard)
        pipeline.finish()
        return seen[: sum(count for count, _ in sizes) // 640]

    expected = [True] * 6 + [False] * 4
    assert heard_frames([(3300, True), (3100, False)]) == expected
    assert heard_frames([(1, True)] * 3300 + [(700, False), (2400, False)]) == expected


def test_a_seed_is_a_person_and_no_seed_is_chance():
    sounds = babble(20)
    same = [np.concatenate(lived(Life(seed=3), sounds)[:2], axis=1) for _ in range(2)]
    other = np.concatenate(lived(Life(seed=4), sounds)[:2], axis=1)
    assert (same[0] == same[1]).all()
    assert np.abs(same[0] - other).max() > 0.01


def test_the_head_moves_as_filmed_people_do(speaking):
    """Bounds around those of the GRID talker and of conversation, `docs/figures.md`."""
    head, _ = arrays(speaking)
    print("speaking:", figures_of(head))
    speeds = np.linalg.norm(np.diff(head[:, :3], axis=0), axis=1) * FPS
    assert np.percentile(speeds, 99.9) < 30.0
    assert 1.5 < np.percentile(speeds, 50) < 8.0
    windows = [head[at : at + 75, :3].std(axis=0) for at in range(0, len(head) - 75, 75)]
    pitch, yaw, roll = np.mean(windows, axis=0)
    assert 0.3 < pitch < 2.0 and 0.3 < yaw < 3.0 and 0.15 < roll < 1.5
    assert np.abs(head[:, :3]).max() < 12.0
    assert np.abs(head[:, 3:]).max() < 0.15
    steps = np.linalg.norm(np.diff(head[:, 3:], axis=0), axis=1)
    assert steps.max() < 0.006  # half a millimetre a frame


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("heard", [False, True])
def test_the_head_never_jumps(seed, heard):
    head = np.degrees(lived(Life(seed=seed), babble(240, heard, seed))[0][:, :3])
    assert np.abs(np.diff(head, axis=0)).max() * FPS < 30.0
    assert np.abs(np.diff(head, 2, axis=0)).max() * FPS**2 < 500.0


def test_in_silence_the_head_is_nearly_at_rest_but_never_frozen():
    head, _, landmarks, blendshapes = lived(Life(), [NOBODY] * FPS * 300)
    angles = np.degrees(head[:, :3])
    speeds = np.linalg.norm(np.diff(angles, axis=0), axis=1) * FPS
    assert np.abs(angles).max() < 8.0 and speeds.max() < 12.0
    assert np.percentile(speeds, 50) < 1.0
    assert np.abs(angles.mean(axis=0)).max() < 1.0
    for at in range(0, len(head) - FPS, FPS):
        assert np.ptp(head[at : at + FPS], axis=0).max() > 1e-4
    assert not blendshapes[:, MOUTH_SHAPES].any() and not landmarks[:, MOUTH].any()


def test_between_sentences_the_head_comes_to_rest():
    quiet, loud = [], []
    for seed in range(8):
        heads = lived(Life(seed=seed), babble(18) + [NOBODY] * 3 * FPS)[0]
        speeds = np.abs(np.diff(heads[:, :3], axis=0))
        quiet.append(speeds[-FPS:].mean())
        loud.append(speeds[: -3 * FPS].mean())
    assert np.mean(quiet) < 0.35 * np.mean(loud)


def test_listening_looks_different_from_speaking_and_from_waiting():
    sounds = {
        "speaking": babble(400),
        "listening": babble(400, heard=True),
        "waiting": [NOBODY] * FPS * 400,
    }
    away, motion, brows = {}, {}, {}
    for name, heard in sounds.items():
        head, gaze, _, shapes = lived(Life(), heard)
        degrees = np.concatenate([np.degrees(head[:, :3]), head[:, 3:]], axis=1)
        print(f"{name}:", figures_of(degrees))
        turned = np.degrees((gaze[:, LEFT_YAW] + gaze[:, RIGHT_YAW]) / 2 + head[:, 1])
        away[name] = float((np.abs(turned) > 3.0).mean())
        motion[name] = float(np.abs(np.diff(head[:, :3], axis=0)).mean())
        brows[name] = float(np.median(shapes[:, BLENDSHAPES.index("browInnerUp")]))
    assert away["listening"] < 0.5 * min(away["speaking"], away["waiting"])
    assert motion["waiting"] < 0.7 * motion["listening"] < 0.7 * motion["speaking"]
    assert brows["waiting"] < 0.001 and brows["listening"] > 0.03


def test_a_heard_phrase_is_answered_by_a_nod():
    pitch = np.degrees(lived(Life(seed=2), babble(300, heard=True))[0][:, 0])
    nods = 0
    for end in range(65 + 7, len(pitch) - 30, 90):
        nods += pitch[end : end + 25].max() - pitch[end] > 0.8
    assert 30 < nods < 84  # of 83


def test_eyes_stay_on_the_viewer_whatever_the_head_does():
    """What they make up for is exact: where they look is independent of the head's strength."""
    sounds = babble(60)
    moved = lived(Life(Strengths(head=1.0)), sounds)
    still = lived(Life(Strengths(head=0.0)), sounds)
    for yaw in (LEFT_YAW, RIGHT_YAW):
        assert np.allclose(moved[1][:, yaw] + moved[0][:, 1], still[1][:, yaw], atol=1e-5)
    assert np.allclose(moved[1][:, LEFT_PITCH] - moved[0][:, 0], still[1][:, LEFT_PITCH], atol=1e-5)


def test_fixations_and_saccades_are_those_of_people():
    _, gaze, _, _ = lived(Life(Strengths(head=0.0)), babble(600))
    yaw = np.degrees(gaze[:, LEFT_YAW] + gaze[:, RIGHT_YAW]) / 2
    pitch = np.degrees(gaze[:, LEFT_PITCH])
    steps = np.hypot(np.diff(yaw), np.diff(pitch))
    # one frame takes no more than the main sequence does in 40 ms
    assert steps.max() <= (40 - 21) / 2.2 + 0.1
    starts = np.flatnonzero((steps[1:] > 0.05) & (steps[:-1] <= 0.05))
    seconds = np.diff(starts) / FPS
    assert np.percentile(seconds, 5) > 0.25 and np.percentile(seconds, 99) < 3.2
    off = np.hypot(yaw, pitch)
    assert np.abs(yaw).max() < 20 and np.abs(pitch).max() < 12
    assert 0.1 < (off > 3.0).mean() < 0.4  # of the time, while speaking


def test_eyes_converge_on_a_viewer():
    gaze = np.degrees(lived(Life(), babble(60))[1])
    vergence = gaze[:, RIGHT_YAW] - gaze[:, LEFT_YAW]
    assert vergence.min() > 1.0 and vergence.max() < 4.0  # 2.5 m .. 1 m
    assert np.abs(np.diff(vergence)).max() < 0.5
    assert (gaze[:, LEFT_PITCH] == gaze[:, RIGHT_PITCH]).all()


def test_look_shapes_say_what_the_angles_say():
    shape = {name: i for i, name in enumerate(BLENDSHAPES)}
    _, gaze, _, shapes = lived(Life(Strengths(blink=False)), babble(120))
    left = shapes[:, shape["eyeLookOutLeft"]] - shapes[:, shape["eyeLookInLeft"]]
    right = shapes[:, shape["eyeLookInRight"]] - shapes[:, shape["eyeLookOutRight"]]
    up = shapes[:, shape["eyeLookUpLeft"]] - shapes[:, shape["eyeLookDownLeft"]]
    assert np.allclose(left, gaze[:, LEFT_YAW] / 0.5, atol=1e-5)
    assert np.allclose(right, gaze[:, RIGHT_YAW] / 0.5, atol=1e-5)
    assert np.allclose(up, gaze[:, LEFT_PITCH] / 0.5, atol=1e-5)


def test_lids_follow_the_gaze(bundle):
    neutral = np.asarray(bundle.neutral, np.float32)
    life = Life(Strengths(head=0.0, blink=False))
    _, gaze, landmarks, _ = lived(life, babble(300), neutral)
    opening = landmarks[:, [37, 38, 43, 44], 1] - landmarks[:, [41, 40, 47, 46], 1]
    assert np.corrcoef(gaze[:, LEFT_PITCH], opening.mean(axis=1))[0, 1] > 0.9
    assert opening.min() > 0.03
    corners = [36, 39, 42, 45]
    assert (landmarks[:, corners] == neutral[corners].astype(np.float64)).all()


def test_a_blink_shuts_the_eyes_wherever_they_look():
    lids = lived(Life(), babble(120), np.random.RandomState(0).randn(68, 3).astype(np.float32))
    shut = lids[3][:, BLENDSHAPES.index("eyeBlinkLeft")] == 1.0
    assert shut.sum() > 10
    upper, lower = lids[2][shut][:, [37, 38, 43, 44]], lids[2][shut][:, [41, 40, 47, 46]]
    assert np.abs(upper - lower).max() < 1e-5


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-120, 0), st.floats(0, 1000), st.booleans(), st.booleans()),
        min_size=1,
        max_size=80,
    ),
    st.integers(0, 10),
)
def test_any_sound_gives_values_in_range(sounds, seed):
    life = Life(Strengths(2.0, 2.0, 2.0, True), seed)
    head, gaze, landmarks, shapes = lived(life, [Sound(*sound) for sound in sounds])
    for part in (head, gaze, landmarks, shapes):
        assert np.isfinite(part).all()
    assert shapes.min() >= 0.0 and shapes.max() <= 1.0
    assert np.abs(np.degrees(head[:, :3])).max() < 25.0 and np.abs(gaze).max() < 0.9


def test_another_strength_is_eased_into():
    life = Life(Strengths(blink=False))
    before = lived(life, babble(20))[0]
    life.strengths = strengths_of(replace(MOUTH_ONLY, head=0))
    after = lived(life, babble(8))[0]
    angles = np.degrees(np.concatenate([before[-5:], after])[:, :3])
    assert np.abs(np.diff(angles, axis=0)).max() * FPS < 30.0
    assert not after[-1].any()


def test_the_package_speaks_with_a_living_face_by_default():
    assert edgeface.__version__ and strengths_of(Settings().motion) == Strengths()
