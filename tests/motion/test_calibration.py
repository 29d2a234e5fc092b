"""More or less motion for an avatar: what changes, and that lips that are closed stay closed."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.faces import DATA
from support.rig import rig_gap

from edgeface.build import build_pipeline, calibration_of
from edgeface.config import MOUTH_ONLY, Motion, Settings, Shape
from edgeface.motion.calibration import Calibration, ShapeRange
from edgeface.motion.face import BLENDSHAPES, EYES, lip_gap

JAW_OPEN = BLENDSHAPES.index("jawOpen")
MOUTH_CLOSE = BLENDSHAPES.index("mouthClose")
PARTING = [
    i
    for i, name in enumerate(BLENDSHAPES)
    if name.startswith(("mouthFunnel", "mouthLowerDown", "mouthUpperUp", "mouthShrugUpper"))
]
SHUT = 0.01  # gap of lips that touch, in distances of the outer corners of the eyes

percent = st.integers(0, 100)
ranges = st.builds(
    lambda gain, offset, limits: ShapeRange(gain / 100, offset / 100, *sorted(limits)),
    st.integers(0, 400),
    st.integers(-100, 100),
    st.tuples(percent.map(lambda p: p / 100), percent.map(lambda p: p / 100)),
)
any_shapes = st.dictionaries(st.sampled_from(BLENDSHAPES), ranges, max_size=12)
mouth_shapes = st.dictionaries(
    st.sampled_from([name for name in BLENDSHAPES if name.startswith(("jaw", "mouth"))]), ranges
)
strengths = st.integers(0, 200).map(lambda p: p / 100)
shares = st.floats(0, 1, width=32)
blendshapes = arrays.arrays(np.float32, 52, elements=shares)


@pytest.fixture(scope="module")
def neutral(bundle):
    return np.array(bundle.neutral, np.float32)


@pytest.fixture(scope="module")
def spoken(bundle, clips):
    """Uncalibrated landmarks [T, 68, 3] and blendshapes [T, 52] of held-out clips; with blinks."""
    pipeline = build_pipeline(Settings(), bundle)
    frames = []
    for samples in clips["samples"][:8]:
        frames += pipeline.accept((samples / 32768.0).astype(np.float32)) + pipeline.finish()
    return np.array([f.landmarks for f in frames]), np.array([f.blendshapes for f in frames])


def calibrated(calibration, spoken):
    faces = [calibration.apply(*face) for face in zip(*spoken)]
    return np.array([face[0] for face in faces]), np.array([face[1] for face in faces])


def test_the_default_settings_leave_every_bit_as_it_is(bundle, neutral, spoken, clips):
    calibration = calibration_of(Motion(), bundle.neutral)
    for landmarks, shapes in zip(*spoken):
        same = calibration.apply(landmarks, shapes)
        assert same[0] is landmarks and same[1] is shapes
    still = build_pipeline(Settings(motion=MOUTH_ONLY), bundle)
    samples = (clips["samples"][0] / 32768.0).astype(np.float32)
    frames = still.accept(samples) + still.finish()
    still.calibration = None
    plain = still.accept(samples) + still.finish()
    with np.load(os.path.join(DATA, "reference.npz")) as reference:
        for frame, unchanged, landmarks in zip(frames, plain, reference["landmarks"]):
            assert frame.landmarks.tobytes() == unchanged.landmarks.tobytes()
            assert frame.blendshapes.tobytes() == unchanged.blendshapes.tobytes()
            assert np.abs(frame.landmarks - landmarks).max() < 1e-4


def test_a_shape_alone_leaves_the_others_as_they_are(neutral, spoken):
    calibration = Calibration(neutral, 1.0, {"eyeBlinkLeft": ShapeRange(gain=1.3, high=0.9)})
    landmarks, shapes = calibrated(calibration, spoken)
    at = BLENDSHAPES.index("eyeBlinkLeft")
    assert (landmarks == spoken[0]).all()
    assert np.allclose(shapes[:, at], np.minimum(1.3 * spoken[1][:, at], 0.9), atol=1e-6)
    assert shapes[:, at].max() == np.float32(0.9)
    assert np.abs(np.delete(shapes - spoken[1], at, axis=1)).max() < 1e-6


def test_strength_moves_landmarks_away_from_the_neutral_face_and_leaves_blinks_alone(
    neutral, spoken
):
    eye_shapes = [i for i, name in enumerate(BLENDSHAPES) if name.startswith("eye")]
    jaw = slice(0, 17)
    for strength in (0.0, 0.5, 1.5):
        landmarks, shapes = calibrated(Calibration(neutral, strength), spoken)
        wanted = neutral + strength * (spoken[0] - neutral)
        assert np.abs(landmarks[:, jaw] - wanted[:, jaw]).max() < 1e-6
        opened = lip_gap(spoken[0]) > 0.04
        assert np.abs((landmarks - wanted)[opened][:, 48:]).max() < 1e-6
        assert (landmarks[:, EYES] == spoken[0][:, EYES]).all()
        assert (shapes[:, eye_shapes] == spoken[1][:, eye_shapes]).all()
    assert spoken[1][:, eye_shapes].max() == 1.0  # there are blinks


@settings(max_examples=50, deadline=None)
@given(strengths, any_shapes, blendshapes, st.floats(0, 0.3))
def test_blendshapes_stay_in_their_range(neutral, strength, shapes, face, gap):
    landmarks = parted(neutral, gap)
    _, result = Calibration(neutral, strength, shapes).apply(landmarks, face)
    assert result.dtype == np.float32
    for i, name in enumerate(BLENDSHAPES):
        low, high = shapes.get(name, ShapeRange())[2:]
        assert result[i] <= high + 1e-6
        if i != JAW_OPEN and i not in PARTING and not name.startswith("noseSneer"):
            assert result[i] >= low - 1e-6  # closing comes before the least of what opens
    assert result.min() >= 0.0


@settings(max_examples=100, deadline=None)
@given(strengths, mouth_shapes, blendshapes, shares, st.floats(0, 0.03), st.floats(0, 0.3))
def test_no_setting_opens_closed_lips_of_blendshapes(
    neutral, strength, shapes, face, jaw, opening, gap
):
    """Closed by mouthClose, which answers jawOpen, or by the landmarks."""
    face[JAW_OPEN] = jaw
    if gap > SHUT:
        face[MOUTH_CLOSE] = max(0.0, jaw - opening)
    _, result = Calibration(neutral, strength, shapes).apply(parted(neutral, gap), face)
    before = max(0.0, face[JAW_OPEN] - face[MOUTH_CLOSE])
    assert result[JAW_OPEN] - result[MOUTH_CLOSE] <= before + 1e-6
    assert (result[PARTING] <= face[PARTING] + 1e-6).all()


@settings(max_examples=50, deadline=None)
@given(strengths, mouth_shapes, blendshapes)
def test_a_mouth_opens_at_most_as_far_as_its_gain_says(neutral, strength, shapes, face):
    _, result = Calibration(neutral, strength, shapes).apply(parted(neutral, 0.2), face)
    opening = max(0.0, float(face[JAW_OPEN]) - float(face[MOUTH_CLOSE]))
    gain = max(1.0, strength * shapes.get("jawOpen", ShapeRange()).gain)
    assert result[JAW_OPEN] - result[MOUTH_CLOSE] <= gain * opening + 1e-6


@settings(max_examples=50, deadline=None)
@given(strengths, st.integers(0, 10**6), st.floats(0, SHUT))
def test_no_strength_parts_closed_lips_of_landmarks(neutral, strength, seed, gap):
    moved = neutral + 0.1 * np.random.RandomState(seed).randn(68, 3).astype(np.float32)
    landmarks = parted(moved, gap)
    result, _ = Calibration(neutral, strength).apply(landmarks, np.zeros(52, np.float32))
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        assert np.allclose(
            result[upper] - result[lower], landmarks[upper] - landmarks[lower], atol=1e-5
        )


def parted(landmarks, gap):
    """The face with its inner lips so far apart."""
    landmarks = landmarks.copy()
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        middle = (landmarks[upper] + landmarks[lower]) / 2
        landmarks[upper] = middle + [0, gap / 2, 0]
        landmarks[lower] = middle - [0, gap / 2, 0]
    return landmarks.astype(np.float32)


ALL_PARTING = {BLENDSHAPES[i]: ShapeRange(4.0, 0.5) for i in PARTING}


@pytest.mark.parametrize(
    "strength, shapes",
    [
        (0.5, {}),
        (1.5, {}),
        (2.0, {}),
        (1.0, {"jawOpen": ShapeRange(gain=0.5)}),
        (1.0, {"jawOpen": ShapeRange(gain=2.0)}),
        (1.0, {"jawOpen": ShapeRange(gain=4.0)}),
        (1.0, {"jawOpen": ShapeRange(offset=0.3)}),
        (1.0, {"jawOpen": ShapeRange(low=0.3)}),
        (1.0, {"jawOpen": ShapeRange(high=0.2)}),
        (1.0, {"mouthClose": ShapeRange(high=0.05)}),
        (1.5, {"mouthClose": ShapeRange(gain=0.0), "jawOpen": ShapeRange(gain=3.0)}),
        (1.0, ALL_PARTING),
        (2.0, dict(ALL_PARTING, jawOpen=ShapeRange(4.0, 0.3))),
    ],
)
def test_lips_of_spoken_sentences_close_as_before(neutral, spoken, strength, shapes):
    """In the landmarks, and in the rig of an avatar that is given the blendshapes."""
    landmarks, result = calibrated(Calibration(neutral, strength, shapes), spoken)
    shut = lip_gap(spoken[0]) < SHUT
    assert shut.sum() > 100 and (~shut).sum() > 100
    assert lip_gap(landmarks[shut]).max() < SHUT + 1e-6
    before, after = rig_gap(spoken[1][shut]), rig_gap(result[shut])
    print(f"closed lips of {shut.sum()} frames: {before.max():.4f}, then {after.max():.4f}")
    more = after - before
    assert more.max() < 0.01  # mouthClose closes this rig a little more than jawOpen opens it
    assert np.median(after) < 0.01


def test_a_plain_gain_would_open_them(spoken):
    """What the tests above can find."""
    naive = spoken[1].copy()
    naive[:, JAW_OPEN] = np.minimum(1.0, 4 * naive[:, JAW_OPEN])
    shut = lip_gap(spoken[0]) < SHUT
    assert (rig_gap(naive[shut]) > rig_gap(spoken[1][shut]) + 0.005).mean() > 0.2
    print(f"closed lips with a plain gain: {rig_gap(naive[shut]).max():.4f}")
    assert rig_gap(naive[shut]).max() > 0.08


def test_more_of_a_shape_is_more_of_it_where_the_mouth_is_open(neutral, spoken):
    opened = lip_gap(spoken[0]) > 0.06
    for gain in (0.5, 2.0):
        calibration = Calibration(neutral, 1.0, {"jawOpen": ShapeRange(gain=gain)})
        _, shapes = calibrated(calibration, spoken)
        jaw = spoken[1][opened, JAW_OPEN]
        assert np.allclose(shapes[opened, JAW_OPEN], np.minimum(1, gain * jaw), atol=1e-5)
        wider = rig_gap(shapes[opened]) - rig_gap(spoken[1][opened])
        assert (np.sign(wider) == np.sign(gain - 1)).all()


def test_a_pipeline_shows_what_its_settings_say(bundle, neutral, clips):
    shapes = (("jawOpen", Shape(gain=80, max=30)),)
    motion = replace(MOUTH_ONLY, strength=140, shapes=shapes)
    pipeline = build_pipeline(Settings(motion=motion), bundle)
    plain = build_pipeline(Settings(motion=MOUTH_ONLY), bundle)
    samples = (clips["samples"][0] / 32768.0).astype(np.float32)
    calibration = Calibration(neutral, 1.4, {"jawOpen": ShapeRange(0.8, 0.0, 0.0, 0.3)})
    for frame, before in zip(pipeline.accept(samples), plain.accept(samples)):
        landmarks, shapes = calibration.apply(before.landmarks, before.blendshapes)
        assert (frame.landmarks == landmarks).all() and (frame.blendshapes == shapes).all()
        assert frame.flags == before.flags
