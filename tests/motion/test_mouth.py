"""Blendshapes of the mouth: what the lips of two avatars make of them."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.rig import ICT, MAKEHUMAN

import edgeface
from edgeface.build import FilePipelines, build_pipeline
from edgeface.config import Settings
from edgeface.motion.face import BLENDSHAPES, MOUTH, lip_gap, mouth_width
from edgeface.motion.frame import SPEECH
from edgeface.motion.mouth import MouthShapes
from edgeface.pipeline import Pipeline
from edgeface.source.file import read_whole

JAW_OPEN = BLENDSHAPES.index("jawOpen")
MOUTH_CLOSE = BLENDSHAPES.index("mouthClose")
PAIRS = [
    (BLENDSHAPES.index(f"{name}Left"), BLENDSHAPES.index(f"{name}Right"))
    for name in ("mouthStretch", "mouthSmile", "mouthLowerDown", "mouthUpperUp")
]
DISPUTED = [
    i
    for i, name in enumerate(BLENDSHAPES)
    if name.startswith(("mouthRollUpper", "mouthPress", "mouthDimple"))
]
COMPUTED = [JAW_OPEN, MOUTH_CLOSE, *np.ravel(PAIRS)]
COMPUTED += [BLENDSHAPES.index(name) for name in ("mouthFunnel", "mouthPucker")]
LEFT_ALONE = [i for i in range(len(BLENDSHAPES)) if i not in (*DISPUTED, *COMPUTED)]
avatars = pytest.mark.parametrize("avatar", [ICT, MAKEHUMAN], ids=["ICT", "MakeHuman"])
moves = arrays.arrays(np.float32, (3, 68, 3), elements=st.floats(-0.5, 0.5, width=32))


@pytest.fixture(scope="module")
def mouth(bundle):
    return MouthShapes(bundle.neutral)


@pytest.fixture(scope="module")
def said(bundle, clips, mouth):
    """Of the held-out clips, and of a woman: landmarks, blendshapes published, raw, and speech."""
    network = Pipeline(FilePipelines(Settings(), bundle)._stepper, 80)
    found = []
    voice = read_whole(os.path.join(os.path.dirname(edgeface.__file__), "voice.flac"))
    for samples in [*(clips["samples"] / 32768.0).astype(np.float32), voice]:
        frames = network.accept(samples) + network.finish()
        landmarks = np.array([f.landmarks for f in frames])
        raw = np.array([f.blendshapes for f in frames])
        speech = np.array([bool(f.flags & SPEECH) for f in frames])
        found.append((landmarks, mouth.apply(landmarks, raw), raw, speech))
    return found


@pytest.fixture(scope="module", params=["talker", "stranger"])
def group(request, said):
    """The talker's clips, or what a woman says in German."""
    return said[:-1] if request.param == "talker" else said[-1:]


def correlation(a, b):
    return np.corrcoef(a, b)[0, 1]


def closed(gap, speech):
    return gap < 0.15 * np.percentile(gap[speech], 95)


def likeness(avatar, group, kind=1):
    """r of gap and of width, and the shares of closed and of open frames with closed lips."""
    gaps = [avatar.gap(clip[kind]) for clip in group]
    wanted = [lip_gap(clip[0]) for clip in group]
    speech = np.concatenate([clip[3] for clip in group])
    meant = closed(np.concatenate(wanted), speech)[speech]
    shown = closed(np.concatenate(gaps), speech)[speech]
    return (
        np.mean([correlation(*both) for both in zip(gaps, wanted)]),
        np.mean([correlation(avatar.width(clip[kind]), mouth_width(clip[0])) for clip in group]),
        shown[meant].mean(),
        shown[~meant].mean(),
    )


@avatars
def test_lips_of_avatars_follow_the_landmarks(avatar, group):
    gap, width, shut, stray = likeness(avatar, group)
    assert gap >= 0.99 and width >= 0.95
    assert shut >= 0.95 and stray <= 0.01


@avatars
def test_the_networks_own_blendshapes_do_not(avatar, group):
    """What the test above can find."""
    _, width, shut, _ = likeness(avatar, group, kind=2)
    assert width < 0.8 and shut < 0.8


@avatars
def test_lips_of_avatars_follow_real_ones_as_the_landmarks_do(avatar, said, clips):
    found = []
    for (landmarks, shapes, _, _), face in zip(said, clips["landmarks"].astype(np.float32)):
        real = (lip_gap(face), mouth_width(face))
        lips = (avatar.gap(shapes), avatar.width(shapes))
        own = (lip_gap(landmarks), mouth_width(landmarks))
        found.append([correlation(*pair) for pair in zip((*lips, *own), (*real, *real))])
    gap, width, best_gap, best_width = np.mean(found, axis=0)
    assert gap >= 0.99 * best_gap and width >= 0.95 * best_width


@avatars
def test_lips_of_avatars_are_no_faster_than_the_talkers(avatar, said, clips):
    for order in (1, 2):
        for measure, shown in ((lip_gap, avatar.gap), (mouth_width, avatar.width)):
            lips = [np.diff(shown(clip[1]), order) for clip in said[:-1]]
            real = [np.diff(measure(face), order) for face in clips["landmarks"].astype(np.float32)]
            fastest = [np.percentile(np.abs(np.concatenate(each)), 99.9) for each in (lips, real)]
            assert fastest[0] <= fastest[1]


def test_mouth_close_takes_back_what_the_jaw_opens(said):
    """Both are there behind closed lips, and the jaw is never less than what is taken back."""
    shapes = np.concatenate([clip[1] for clip in said])
    assert (shapes[:, MOUTH_CLOSE] <= shapes[:, JAW_OPEN]).all()
    gaps = np.concatenate([lip_gap(clip[0]) for clip in said])
    speech = np.concatenate([clip[3] for clip in said])
    shut = shapes[speech & (gaps < 0.008)]
    assert len(shut) > 20 and (shut[:, MOUTH_CLOSE] > 0.05).mean() > 0.8
    assert np.abs(ICT.gap(shut)).max() < 0.02


def test_pipelines_show_them_live_and_of_files(bundle, clips, said):
    for pipeline in (build_pipeline(Settings(), bundle), FilePipelines(Settings(), bundle).next()):
        frames = pipeline.accept((clips["samples"][0] / 32768.0).astype(np.float32))
        frames += pipeline.finish()
        for frame, landmarks, shapes in zip(frames, *said[0][:2]):
            assert np.abs(frame.landmarks[MOUTH] - landmarks[MOUTH]).max() < 1e-4
            assert np.abs(frame.blendshapes[COMPUTED] - shapes[COMPUTED]).max() < 1e-3


def test_a_resting_face_has_no_shapes(bundle, mouth):
    rest = np.array([bundle.neutral], np.float32)
    assert (mouth.apply(rest, np.zeros((1, 52), np.float32)) == 0).all()


@settings(max_examples=50, deadline=None)
@given(moves, arrays.arrays(np.float32, (3, 52), elements=st.floats(0, 1, width=32)))
def test_any_face_gives_shapes_from_0_to_1(bundle, mouth, moved, network):
    landmarks = np.array(bundle.neutral, np.float32) + moved
    before = (landmarks.copy(), network.copy())
    shapes = mouth.apply(landmarks, network)
    assert shapes.dtype == np.float32 and np.isfinite(shapes).all()
    assert shapes.min() >= 0 and shapes.max() <= 1
    assert (landmarks == before[0]).all() and (network == before[1]).all()
    assert (shapes[:, LEFT_ALONE] == network[:, LEFT_ALONE]).all()
    assert (shapes[:, DISPUTED] == 0).all()
    for left, right in PAIRS:
        assert (shapes[:, left] == shapes[:, right]).all()
    for i in range(len(moved)):
        one = mouth.apply(landmarks[i : i + 1], network[i : i + 1])
        assert np.abs(one[0] - shapes[i]).max() < 1e-5


@settings(max_examples=50, deadline=None)
@given(
    moves, arrays.arrays(np.float32, (3, 68, 3), elements=st.floats(-(2**-13), 2**-13, width=32))
)
def test_a_face_that_hardly_changes_hardly_changes_its_shapes(bundle, mouth, moved, little):
    landmarks = np.array(bundle.neutral, np.float32) + moved
    nothing = np.zeros((3, 52), np.float32)
    change = mouth.apply(landmarks + little, nothing) - mouth.apply(landmarks, nothing)
    assert np.abs(change).max() < 0.02
