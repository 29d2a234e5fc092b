"""Original checkpoints to a bundle that streams (`make test-torch`)."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from support.networks import VARIANTS, weights
from support.process import collect, edgeface, start, wait_for
from support.tensorrt import TENSORRT_8_2

from edgeface.build import build_pipeline, load_model, prepare_engine
from edgeface.config import MOUTH_ONLY, Model, Settings
from edgeface.features.f0 import F0
from edgeface.features.fbank import Fbank
from edgeface.importer.audio2motion import load_audio2motion
from edgeface.importer.fasthubert import load_fasthubert
from edgeface.importer.importer import voice_statistics
from edgeface.model.engines import ready_engine
from edgeface.model.runtime.providers import open_onnx
from edgeface.model.window import noise, pitch_bins
from edgeface.shm.reader import Reader

EYES_OF_BFM = 0.9


@pytest.fixture(scope="module")
def imported(checkpoints, tmp_path_factory):
    """A bundle of FastHuBERT and GeneFace."""
    folder = str(tmp_path_factory.mktemp("imported") / "bundle")
    first = edgeface("import", "fasthubert", checkpoints["fasthubert"], "-o", folder)
    assert first.returncode == 0 and "one half" in first.stdout
    half = edgeface("motion", "edgeface/voice.flac", "--bundle", folder, "-o", f"{folder}.npz")
    assert half.returncode == 65 and "edgeface import audio2motion" in half.stderr
    second = edgeface(
        "import",
        "audio2motion",
        checkpoints["v1_pitch"],
        "--adapter",
        checkpoints["adapter"],
        "-o",
        folder,
    )
    assert second.returncode == 0 and "deviates from one pass by" in second.stdout, second.stderr
    return folder


def stream(folder, samples, chunk=None):
    """Landmarks of the streaming pipeline."""
    settings = Settings(model=Model(bundle=folder), motion=MOUTH_ONLY)
    pipeline = build_pipeline(settings, load_model(folder))
    frames = []
    for at in range(0, len(samples), chunk or len(samples)):
        frames += pipeline.accept(samples[at : at + (chunk or len(samples))])
    return np.array([f.landmarks for f in frames + pipeline.finish()]), pipeline


def test_the_stream_is_what_pytorch_computes_on_the_sound_so_far(
    imported, numbers, checkpoints, clips
):
    """Frames 8 to 11, known after 20 frames of sound, equal the original on just this sound."""
    samples = (clips["samples"][0][16000:] / 32768).astype(
        np.float32
    )  # speech from the start: nothing rests
    streamed, pipeline = stream(imported, samples)
    assert pipeline.latency_ns == 440 * 10**6 and len(streamed) == 50
    known = 20
    rows = Fbank().accept(samples[: 640 * known + 800])[: 4 * known - 2]
    mean, std, _ = voice_statistics()
    encoder = load_fasthubert(weights(numbers, "fasthubert"), heads=4)
    state = weights(numbers, "v1_pitch")
    with np.load(checkpoints["adapter"]) as data:
        state["mel_encoder.0.weight"] = torch.einsum(
            "fdk,dc->fck", state["mel_encoder.0.weight"], torch.from_numpy(data["matrix"])
        )
    head = load_audio2motion(state)
    f0_hz = F0(lag=2).accept(samples[: 640 * known])[::2]
    f0_hz = np.concatenate((f0_hz, np.repeat(f0_hz[-1:], known - len(f0_hz))))
    z = 0.2 * np.stack([noise(0, slot) for slot in range(known // 4)], 1)[None]
    with torch.no_grad():
        features = encoder(torch.from_numpy((rows - mean) / std)[None])
        g = head.condition(
            features.transpose(1, 2), torch.from_numpy(pitch_bins(f0_hz))[None], None
        )
        motion = head.generate(g, torch.from_numpy(z.astype(np.float32)))[0].numpy()
    wanted = np.array(load_model("").neutral) + motion.reshape(known, 68, 3) / 10 / EYES_OF_BFM
    assert np.abs(streamed[8:12] - wanted[8:12]).max() < 1e-4
    assert np.abs(streamed[12:16] - wanted[12:16]).max() > 1e-3  # these know more


def test_any_chunking_gives_the_same_frames(imported, clips):
    samples = (clips["samples"][1] / 32768).astype(np.float32)
    whole, _ = stream(imported, samples)
    for chunk in (333, 640, 5000):
        assert (stream(imported, samples, chunk)[0] == whole).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_becomes_a_bundle_that_streams(checkpoints, tmp_path, variant, clips):
    folder = str(tmp_path / "bundle")
    extras = (
        ["--basis", checkpoints["basis"]] if variant.startswith("pp") else ["--smoothing", "0.2"]
    )
    first = edgeface(
        "import",
        "audio2motion",
        checkpoints[variant],
        "-o",
        folder,
        "--adapter",
        checkpoints["adapter"],
        "--database",
        checkpoints["database"],
        "--past",
        "8",
        "--hop",
        "8",
        "--future",
        "4",
        *extras,
    )
    assert first.returncode == 0, first.stderr
    other = edgeface(
        "import", "fasthubert", checkpoints["fine_tuned"], "-o", folder, "--past", "12"
    )
    assert other.returncode == 2 and "past 8" in other.stderr
    second = edgeface("import", "fasthubert", checkpoints["fine_tuned"], "-o", folder)
    assert second.returncode == 0, second.stderr
    assert edgeface("model", "verify", folder).returncode == 0
    landmarks, pipeline = stream(folder, (clips["samples"][0] / 32768).astype(np.float32))
    assert pipeline.latency_ns == 11 * 40 * 10**6
    assert np.isfinite(landmarks).all() and np.abs(np.diff(landmarks, axis=0)).max() > 0.001
    for path in Path(folder).glob("*.onnx"):
        model = onnx.load(str(path))
        assert model.ir_version <= 8 and [opset.version for opset in model.opset_import] == [13]
        assert {node.op_type for node in model.graph.node} <= TENSORRT_8_2 | {
            "Cast",
            "Clip",
            "ConvTranspose",
            "Tanh",
        }
        assert all(
            size.dim_value > 0
            for item in model.graph.input
            for size in item.type.tensor_type.shape.dim
        )


def test_engines_are_built_for_an_imported_model(imported, tmp_path):
    """On the CPU, whose engines are empty; the child runs the whole stream in both precisions."""
    engine = prepare_engine(load_model(imported), 440, lambda line: None, "cpu", root=str(tmp_path))
    assert ready_engine(load_model(imported), 440, "cpu", str(tmp_path)) == engine
    assert np.load(os.path.join(engine.folder, "frames.npy")).shape[1:] == (68, 3)
    native = edgeface(
        "motion",
        "edgeface/voice.flac",
        "--bundle",
        imported,
        "-o",
        str(tmp_path / "m.npz"),
        "--config",
        config(tmp_path, "native"),
    )
    assert native.returncode == 69 and native.stderr.count("\n") == 1


def config(folder, provider):
    path = folder / "edgeface.yaml"
    path.write_text(f"model: {{provider: {provider}}}")
    return str(path)


def test_digital_silence_is_a_resting_face(imported):
    landmarks, _ = stream(imported, np.zeros(32000, np.float32))
    assert (landmarks == np.array(load_model(imported).neutral, np.float32)).all()


def test_the_daemon_streams_an_imported_model(imported, shm_name):
    daemon = start(
        "run", "--bundle", imported, "--source", "file:edgeface/voice.flac", "--shm", shm_name
    )
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        frames = collect(reader, 3.0)
        header = reader.header()
    daemon.terminate()
    assert daemon.wait(5) == 0
    assert header["latency_ns"] == 440 * 10**6
    assert len(frames) > 60 and np.median(np.diff([f.publish_ns for f in frames])) == pytest.approx(
        40e6, rel=0.2
    )


@pytest.mark.parametrize("precision, cosine", [("float16", 0.9999), ("int8", 0.999)])
def test_reduced_precision_says_what_it_costs(checkpoints, tmp_path, precision, cosine):
    folder = str(tmp_path / "bundle")
    result = edgeface(
        "import", "fasthubert", checkpoints["fasthubert"], "-o", folder, "--precision", precision
    )
    assert result.returncode == 0 and "cosine" in result.stderr, result.stderr
    exact = str(tmp_path / "exact")
    assert edgeface("import", "fasthubert", checkpoints["fasthubert"], "-o", exact).returncode == 0
    rows = np.random.RandomState(0).standard_normal((1, 144, 80)).astype(np.float32) * 3 + 10
    feed = {"fbank": rows, "rows": np.array([144], np.float32)}
    got, wanted = (
        open_onnx(f"{name}/encoder_36.onnx").run(["features"], feed)[0] for name in (folder, exact)
    )
    similar = (
        (got * wanted).sum(-1) / np.linalg.norm(got, axis=-1) / np.linalg.norm(wanted, axis=-1)
    )
    assert cosine < similar.mean() and np.abs(got - wanted).max() > 0
    assert os.path.getsize(f"{folder}/encoder.bin") < 0.75 * os.path.getsize(f"{exact}/encoder.bin")
    graph = onnx.load(f"{folder}/encoder_36.onnx").graph
    weights_8 = [
        onnx.numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8
    ]
    assert bool(weights_8) == (precision == "int8")
    # beyond, pairs of products overflow where a processor has AVX2 but no VNNI
    assert all(np.abs(values.astype(int)).max() <= 64 for values in weights_8)


def test_what_is_no_such_checkpoint_is_one_line_and_65(checkpoints, tmp_path, numbers):
    torch.save({"model": {"weight": torch.zeros(3)}}, str(tmp_path / "foreign.pt"))
    state = weights(numbers, "fasthubert")
    state.pop("encoder.layers.1.fc2.bias")
    torch.save({"model": state}, str(tmp_path / "missing.pt"))
    torch.save(
        {"model": dict(weights(numbers, "fasthubert"), extra=torch.zeros(1))},
        str(tmp_path / "extra.pt"),
    )
    (tmp_path / "text.pt").write_text("no checkpoint")
    for name, word in (
        ("foreign", "subsample"),
        ("missing", "encoder.layers.1.fc2.bias"),
        ("extra", "extra"),
        ("text", "zip"),
    ):
        path = str(tmp_path / f"{name}.pt")
        result = edgeface("import", "fasthubert", path, "-o", str(tmp_path / "bundle"))
        assert result.returncode == 65 and word in result.stderr and path in result.stderr
        assert result.stderr.count("\n") == 1
    assert (
        edgeface(
            "import", "fasthubert", str(tmp_path / "absent.pt"), "-o", str(tmp_path / "b")
        ).returncode
        == 66
    )
    no_basis = edgeface(
        "import", "audio2motion", checkpoints["pp_pitch"], "-o", str(tmp_path / "b")
    )
    assert no_basis.returncode == 2 and "--basis" in no_basis.stderr
    for name, arrays, option in (
        ("basis", {"mean": np.zeros((67, 3))}, "--basis"),
        ("adapter", {"matrix": np.zeros((7, 64))}, "--adapter"),
        ("database", {"faces": np.zeros((50, 203))}, "--database"),
    ):
        np.savez(str(tmp_path / "wrong.npz"), **arrays)
        result = edgeface(
            "import",
            "audio2motion",
            checkpoints["v1_pitch"],
            "-o",
            str(tmp_path / "b"),
            option,
            str(tmp_path / "wrong.npz"),
        )
        assert result.returncode == 65 and name in result.stderr, result.stderr
    assert not (tmp_path / "bundle").exists()


def test_the_adapter_is_fitted_and_folded(tmp_path, checkpoints):
    rng = np.random.RandomState(1)
    matrix = rng.standard_normal((48, 64)).astype(np.float32)
    paths = []
    for i in range(3):
        fast = rng.standard_normal((200, 64)).astype(np.float32)
        slow = np.repeat(fast @ matrix.T, 2, 0) + 0.01 * rng.standard_normal((400, 48))
        paths.append(str(tmp_path / f"{i}.npz"))
        np.savez(paths[-1], fasthubert=fast, hubert=slow.astype(np.float32))
    result = edgeface("import", "adapter", *paths, "-o", str(tmp_path / "a.npz"))
    assert result.returncode == 0 and float(result.stdout.split(" values, ")[1].split()[0]) > 99.9
    with np.load(str(tmp_path / "a.npz")) as data:
        assert np.abs(data["matrix"] - matrix).max() < 0.05
    np.savez(paths[0], fasthubert=np.zeros((9, 64), np.float32))
    wrong = edgeface("import", "adapter", *paths, "-o", str(tmp_path / "a.npz"))
    assert wrong.returncode == 65 and "hubert" in wrong.stderr
