"""Imported models as streams: windows, hops, refined faces, and invalid descriptions."""

import hashlib
import os
import random

import numpy as np
import pytest
import yaml
from support.faces import DATA

from edgeface.build import load_model
from edgeface.core.errors import DataError, UnavailableError
from edgeface.features.fbank import Fbank
from edgeface.life.life import Life, Strengths
from edgeface.model.description import WindowNetwork
from edgeface.model.step_model import require_step_model
from edgeface.model.window import WindowStepper, noise, pitch_bins
from edgeface.motion.face import BLENDSHAPES, ShapeMap, lip_gap
from edgeface.motion.refine import Refiner, embed
from edgeface.pipeline import Pipeline

NEUTRAL = np.array(load_model().neutral, np.float32)


class Recorded:
    """A window whose landmarks say which frame they are, and that notes what it was given."""

    provider = "cpu"

    def __init__(self, network):
        self.frames, self.calls = network.frames, []

    def run(self, rows, f0_hz, first):
        count = -(-len(rows) // 4)
        assert 0 < count <= self.frames and first % 4 == 0
        self.calls.append((rows.copy(), list(f0_hz), first))
        return NEUTRAL + np.arange(first, first + count, dtype=np.float32)[:, None, None]


def network(past, hop, future):
    return WindowNetwork(
        past,
        hop,
        future,
        encoders={},
        heads={},
        temperature=0.2,
        seed=0,
        share=0.0,
        smoothing=0.0,
        database=None,
    )


def stream(lengths, samples, chunk):
    window = Recorded(lengths)
    pipeline = Pipeline(
        WindowStepper(window, lengths, Refiner(NEUTRAL)),
        40 * (lengths.hop_frames - 1 + lengths.future_frames),
        life=Life(Strengths(0.0, 0.0, 0.0, False)),
    )
    frames = []
    for at in range(0, len(samples), chunk):
        frames += pipeline.accept(samples[at : at + chunk])
    return window, frames + pipeline.finish()


@pytest.fixture
def speech(clips):
    return (clips["samples"][0][16000:] / 32768).astype(np.float32)


@pytest.mark.parametrize("past, hop, future", [(16, 4, 8), (0, 4, 0), (8, 8, 4), (24, 12, 0)])
def test_every_frame_comes_once_from_its_hop(speech, past, hop, future):
    lengths = network(past, hop, future)
    for chunk in (777, len(speech)):
        window, frames = stream(lengths, speech, chunk)
        assert [frame.index for frame in frames] == list(range(50))
        shown = [float(frame.landmarks[0, 0] - NEUTRAL[0, 0]) for frame in frames]
        assert shown[5:] == pytest.approx(range(5, 50), abs=1e-4)  # the first ones wake up
        # the Fbank of each window is that of its own frames, from the first sample on
        whole = np.concatenate(
            (Fbank().accept(np.concatenate((speech, np.zeros(40000, np.float32)))), [[0] * 80])
        )
        for number, (rows, f0_hz, first) in enumerate(window.calls):
            known = hop * (number + 1) + future
            assert first == max(0, known - lengths.frames) and len(rows) == 4 * (known - first) - 2
            assert (rows == whole[4 * first : 4 * known - 2]).all()
            assert len(rows) <= 4 * lengths.frames and 0 <= known - first - len(f0_hz) <= 2


def test_the_latent_belongs_to_the_moment_not_to_the_window():
    assert (noise(3, 17) == noise(3, 17)).all() and (noise(3, 17) != noise(3, 18)).any()
    assert (noise(3, 17) != noise(4, 17)).any()
    many = np.array([noise(0, slot) for slot in range(4000)])
    assert abs(many.mean()) < 0.02 and abs(many.std() - 1) < 0.02


def test_pitch_bins_are_those_of_the_original():
    with np.load(os.path.join(DATA, "study.npz")) as data:
        f0_hz, wanted = data["coarse/f0"], data["coarse/torch"]
    assert (pitch_bins(f0_hz) == wanted).all()
    assert pitch_bins(np.array([0.0, 80.0, 120.0, 200.0, 750.0])).tolist() == [1, 12, 27, 54, 192]


def test_the_embedding_is_that_of_the_original():
    """Without a ridge; with one, one frame and equal neighbours are no trouble."""
    with np.load(os.path.join(DATA, "postprocess.npz")) as data:
        database, faces, fused = data["database"], data["faces"], data["fused"]
    assert np.abs(embed(faces, database, ridge=0.0) - fused).max() < 1e-3
    assert np.abs(embed(faces, database) - fused).max() < 0.05 * np.abs(fused).max()
    assert embed(faces[:1], database).shape == (1, 204)
    equal = np.repeat(database[:1], 20, 0)
    assert np.abs(embed(faces[:1], equal) - database[0]).max() < 1e-3


def test_faces_are_drawn_to_the_subjects_kept_in_their_range_and_smoothed():
    rng = np.random.RandomState(0)
    database = (NEUTRAL.reshape(204) + 0.01 * rng.standard_normal((500, 204))).astype(np.float32)
    loud, far = [-10.0], NEUTRAL + 1.0
    refiner = Refiner(NEUTRAL, database, share=0.5)
    for _ in range(6):
        face = refiner.apply(far.astype(np.float32), loud, True)[0]
    assert (face.reshape(204) <= np.percentile(database, 97, axis=0) + 1e-5).all()
    smooth = Refiner(NEUTRAL, smoothing=0.5)
    for _ in range(6):
        smooth.apply(NEUTRAL, loud, True)
    steps = [float(smooth.apply(far, loud, True)[0][0, 0] - NEUTRAL[0, 0]) for _ in range(3)]
    assert steps == pytest.approx([0.5, 0.75, 0.875], abs=1e-5)


def test_the_face_rests_after_a_pause_and_wakes_within_200_ms():
    refiner, moved = Refiner(NEUTRAL), NEUTRAL + np.float32(0.1)

    def shown(level):
        return float(refiner.apply(moved, [level], level > -50)[0][0, 0] - NEUTRAL[0, 0])

    waking = [shown(-20.0) for _ in range(6)]
    assert waking == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1, 0.1], abs=1e-5)
    pausing = [shown(-90.0) for _ in range(14)]
    assert pausing[:7] == pytest.approx([0.1] * 7, abs=1e-5) and pausing[-1] == 0.0
    assert np.diff(pausing).min() > -0.021
    face, shapes, speech = refiner.apply(moved, [-90.0], False)
    assert (face == NEUTRAL).all() and (shapes == 0).all() and speech == 0.0


def test_an_open_mouth_is_an_open_jaw(clips):
    shapes = np.array([ShapeMap().shapes(face - NEUTRAL) for face in clips["landmarks"][0]])
    gap = lip_gap(clips["landmarks"][0])
    assert np.corrcoef(shapes[:, BLENDSHAPES.index("jawOpen")], gap)[0, 1] > 0.9
    assert shapes.min() >= 0.0 and shapes.max() <= 1.0


def description():
    return {
        "name": "imported",
        "version": "1",
        "licence": "theirs",
        "origin": "tests",
        "sample_rate_hz": 16000,
        "frame_rate_hz": 25,
        "latency_ms": 440,
        "window": {"past": 24, "hop": 4, "future": 8},
        "encoder": {"graphs": {36: "e.onnx"}},
        "motion": {
            "graphs": {36: "m.onnx"},
            "temperature": 0.2,
            "seed": 0,
            "share": 0.2,
            "smoothing": 0.0,
            "database": "faces.npy",
        },
        "neutral": NEUTRAL.tolist(),
        "files": {},
    }


def written(folder, fields):
    for name in ("e.onnx", "m.onnx", "faces.npy"):
        path = folder / name
        if not path.exists():
            path.write_bytes(b"x")
        fields["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "bundle.yaml").write_text(yaml.safe_dump(fields, sort_keys=False))
    return load_model(str(folder))


def test_descriptions_of_imported_models_that_make_no_sense(tmp_path):
    assert written(tmp_path, description()).network.frames == 36
    changes = [
        ("window", "past", 25),
        ("window", "hop", 0),
        ("window", "past", -4),
        ("window", "future", 8.0),
        ("window", "past", 1 << 20),
        ("encoder", "graphs", {}),
        ("encoder", "graphs", None),
        ("motion", "graphs", {36: "../m.onnx"}),
        ("motion", "graphs", {128: "m.onnx"}),
        ("motion", "temperature", "hot"),
        ("motion", "temperature", float("nan")),
        ("motion", "smoothing", 1.5),
        ("motion", "seed", None),
        ("motion", "database", 3),
        ("motion", "database", "other.npy"),
        ("motion", "share", -1),
    ]
    for section, name, value in changes:
        fields = description()
        fields["files"] = {}
        fields[section][name] = value
        with pytest.raises(DataError) as caught:
            written(tmp_path, fields)
        assert "bundle.yaml" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "neutral", [[], [[0.0, 0.0, 0.0]] * 67, [[0.0, 0.0]] * 68, [[0.0, 0.0, None]] * 68, [1.0] * 68]
)
def test_a_resting_face_that_is_none_is_refused(tmp_path, neutral):
    with pytest.raises(DataError, match="'neutral' is not 68 points"):
        written(tmp_path, dict(description(), neutral=neutral))


def test_damaged_descriptions_of_imported_models_end_in_one_error(tmp_path):
    written(tmp_path, description())
    text = (tmp_path / "bundle.yaml").read_text()
    rng, refused = random.Random(5), 0
    for _ in range(300):
        broken = list(text)
        for _ in range(rng.randint(1, 5)):
            broken[rng.randrange(len(broken))] = chr(rng.randrange(1, 128))
        (tmp_path / "bundle.yaml").write_text("".join(broken))
        try:
            load_model(str(tmp_path)).make_refiner()
        except DataError:
            refused += 1
    assert refused > 200


def test_an_imported_model_says_what_it_is_not_for(tmp_path):
    model = written(tmp_path, description())
    with pytest.raises(UnavailableError, match="ONNX Runtime only"):
        model.check_provider("native")
    with pytest.raises(UnavailableError, match="no step graph"):
        require_step_model(model)
    assert require_step_model(load_model()).network.context_frames > 0


def test_an_imported_model_has_the_look_ahead_of_its_window(tmp_path):
    model = written(tmp_path, description())
    assert [model.lookahead_ms(wanted_ms) for wanted_ms in (0, 80)] == [440, 440]
    assert model.lookahead_text() == "440 ms: every 160 ms a window of 1440 ms"
    assert model.streaming_files(440) == ["e.onnx", "m.onnx"]
    assert model.graphs == [str(tmp_path / "e.onnx"), str(tmp_path / "m.onnx")]


def test_faces_of_the_subject_that_are_none(tmp_path):
    for content in (
        np.zeros((50, 203), np.float32),
        np.zeros((9, 204), np.float32),
        np.zeros((50, 204), np.int64),
        np.full((50, 204), np.nan, np.float32),
    ):
        np.save(str(tmp_path / "faces.npy"), content)
        with pytest.raises(DataError) as caught:
            written(tmp_path, description()).make_refiner()
        assert "faces.npy" in str(caught.value)
    (tmp_path / "faces.npy").write_bytes(b"rubbish")
    with pytest.raises(DataError):
        written(tmp_path, description()).make_refiner()
    np.save(str(tmp_path / "faces.npy"), np.zeros((50, 204), np.float32))
    written(tmp_path, description()).make_refiner()
