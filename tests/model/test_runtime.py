"""Providers, engines and boards: everything that can be proven without an accelerator."""

import json
import logging
import os
import sys

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.boards import RELEASES
from support.process import edgeface

from edgeface.build import prepare_engine
from edgeface.core.board import this_board
from edgeface.core.errors import DataError, UnavailableError
from edgeface.model import engines
from edgeface.model.engines import choose, engine_key, prepare, ready_engine
from edgeface.model.runtime import onnx_session
from edgeface.model.runtime.compute import Compute, Engine
from edgeface.model.runtime.onnx_session import available_providers, placement, require_kernels
from edgeface.model.runtime.options import tensorrt_options, threads, version_tuple
from edgeface.model.runtime.providers import open_session

RESULTS = ["landmarks", "blendshapes", "speech"]


@pytest.fixture
def step(bundle):
    return bundle.step_file(80)


def test_each_release_gets_only_options_that_it_knows():
    """JetPack 4's knows no timing cache and no fallback of normalisation; booleans are booleans."""
    old, new = tensorrt_options("1.10.0", "/c", True), tensorrt_options("1.23.2", "/c", True)
    assert set(old) == {
        "device_id",
        "trt_max_workspace_size",
        "trt_fp16_enable",
        "trt_engine_cache_enable",
        "trt_engine_cache_path",
    }
    assert set(new) - set(old) == {
        "trt_context_memory_sharing_enable",
        "trt_layer_norm_fp32_fallback",
        "trt_timing_cache_enable",
        "trt_timing_cache_path",
    }
    assert "trt_layer_norm_fp32_fallback" in tensorrt_options("1.14.1", "/c", True)
    assert "trt_timing_cache_path" not in tensorrt_options("1.16.3", "/c", True)
    for options in (old, new):
        assert options["trt_fp16_enable"] is True and options["trt_max_workspace_size"] == 1 << 28


@given(
    st.integers(0, 9),
    st.integers(0, 99),
    st.sampled_from(["", ".0", ".3", "rc1", ".0.dev2", "+cu12"]),
)
def test_versions_of_any_form(major, minor, rest):
    assert version_tuple(f"{major}.{minor}{rest}")[0] == major


def test_four_small_cores_also_feed_a_browser():
    assert (
        threads(9e6, 4) == 1
        and threads(400e6, 4) == 2
        and threads(400e6, 1) == 1
        and threads(400e6, 12) == 2
    )


@pytest.mark.skipif(len(available_providers()) > 1, reason="this ONNX Runtime may have a GPU")
def test_a_required_provider_is_never_replaced(step, shm_name, tmp_path):
    for provider in ("cuda", "tensorrt"):
        with pytest.raises(UnavailableError) as caught:
            open_session(step, Compute(provider))
        assert provider in str(caught.value)
        config = tmp_path / "edgeface.yaml"
        config.write_text(f"model: {{provider: {provider}}}\n")
        result = edgeface("run", "--config", str(config), "--source", "-", "--shm", shm_name)
        assert (
            result.returncode == 78 and provider in result.stderr and result.stderr.count("\n") == 1
        )
    session = open_session(step, Compute("auto"))
    assert (session.provider, session.fallback) == ("cpu", "")  # there is nothing faster here


# what onnxruntime-gpu 1.31 says without CUDA's libraries, to the descriptor and with Python
ORT_SAYS = """\x1b[1;31m2026-11-30 12:49:34.723419996 [E:onnxruntime:Default, \
provider_bridge_ort.cc:2458 operator()] /onnxruntime_src/onnxruntime/core/session/\
provider_bridge_ort.cc:2043 Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library \
libonnxruntime_providers_cuda.so with error: \
libcublasLt.so.13: cannot open shared object file: No such file or directory
\x1b[m
"""
ORT_PRINTS = (
    "*************** EP Error ***************\nEP Error of [2]\nFalling back and retrying.\n"
)


def test_auto_logs_what_it_fell_back_from(step, monkeypatch, caplog, capfd):
    """A GPU build without a GPU: the library lists what cannot work, and uses the CPU."""
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: list(onnx_session.PROVIDERS.values())
    )
    real = onnxruntime.InferenceSession

    def talkative(path, options, providers, provider_options):
        if providers != ["CPUExecutionProvider"]:
            os.write(2, ORT_SAYS.encode())
            print(ORT_PRINTS)
        return real(path, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", talkative)
    with caplog.at_level(logging.WARNING):
        session = open_session(step, Compute("auto", Engine("/c")))
    assert session.provider == "cpu" and "fell back" in session.fallback
    assert [record.event for record in caplog.records] == ["provider_fallback"]
    assert "no engine is ready" in open_session(step, Compute("auto")).fallback
    for provider in ("cuda", "tensorrt"):
        with pytest.raises(UnavailableError) as caught:
            open_session(step, Compute(provider))
        assert "fell back to CPU" in str(caught.value) and "\n" not in str(caught.value)
        assert "(libcublasLt.so.13: cannot open shared object file: No such" in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_placement_counts_the_kernels_of_each_provider(step, tmp_path):
    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "run")
    session = onnxruntime.InferenceSession(step, options, providers=["CPUExecutionProvider"])
    kernels = placement(session, str(tmp_path))
    assert set(kernels) == {"cpu"} and kernels["cpu"] > 50
    assert not tmp_path.exists()


def test_a_provider_that_is_listed_but_computes_nothing_is_refused():
    with pytest.raises(UnavailableError, match="every node runs elsewhere"):
        require_kernels({"cpu": 180}, "tensorrt")
    assert require_kernels({"tensorrt": 3, "cpu": 1}, "tensorrt") == {"tensorrt": 3, "cpu": 1}


def test_bound_caches_give_the_same_frames(step):
    """The way that a GPU takes, on the CPU."""
    session, random = open_session(step), np.random.RandomState(0)
    plain = session.first_caches()
    bound = session._on_device(plain, "cpu")
    for _ in range(30):
        fbank = random.standard_normal((1, 4, 80)).astype(np.float32)
        wanted, plain = session.step(fbank, plain, RESULTS)
        names = [f"new_{name}" for name in bound]
        values = session._bound(fbank, bound, RESULTS, names, "cpu")
        got, bound = values[:3], dict(zip(bound, values[3:]))
        assert all((a == b).all() for a, b in zip(wanted, got))


@pytest.mark.gpu
def test_cuda_computes_what_the_cpu_does(step):
    session, reference = open_session(step, Compute("cuda")), open_session(step)
    there, here, random = session.first_caches(), reference.first_caches(), np.random.RandomState(0)
    for _ in range(100):
        fbank = random.standard_normal((1, 4, 80)).astype(np.float32)
        got, there = session.step(fbank, there, RESULTS)
        wanted, here = reference.step(fbank, here, RESULTS)
        assert np.abs(got[0] - wanted[0]).max() < 1e-3


# engines


def test_an_engine_is_built_in_a_child_sealed_and_found_again(bundle, tmp_path):
    """The real worker, on the provider that is here."""
    lines = []
    engine = prepare_engine(bundle, 80, lines.append, "cpu", root=str(tmp_path))
    assert engine.float16 and "taken" in engine.reason  # the CPU computes the same twice
    assert ready_engine(bundle, 80, "cpu", root=str(tmp_path)) == engine
    assert ready_engine(bundle, 40, "cpu", root=str(tmp_path)) is None
    assert os.listdir(str(tmp_path)) == [os.path.basename(engine.folder)]
    assert any("float16" in line for line in lines)


def test_an_engine_that_was_changed_or_cut_is_none(bundle, tmp_path):
    engine = prepare_engine(bundle, 80, lambda line: None, "cpu", root=str(tmp_path))
    path = os.path.join(engine.folder, "frames.npy")
    whole = open(path, "rb").read()
    for damaged in (whole[:-1], whole[:-1] + b"x", b""):
        with open(path, "wb") as file:
            file.write(damaged)
        assert ready_engine(bundle, 80, "cpu", root=str(tmp_path)) is None
    os.unlink(path)
    assert ready_engine(bundle, 80, "cpu", root=str(tmp_path)) is None
    for manifest in (
        "",
        "[]",
        "{}",
        '{"files": []}',
        '{"files": {"../x": "y"}, "float16": 1, "reason": ""}',
    ):
        with open(os.path.join(engine.folder, engines.MANIFEST), "w") as file:
            file.write(manifest)
        assert ready_engine(bundle, 80, "cpu", root=str(tmp_path)) is None
    again = prepare_engine(bundle, 80, lambda line: None, "cpu", root=str(tmp_path))
    assert ready_engine(bundle, 80, "cpu", root=str(tmp_path)) == again


def test_an_engine_depends_on_everything_that_could_spoil_it(bundle):
    board = this_board()
    keys = {
        engine_key(bundle, 80, "tensorrt", board, "1.10.0"),
        engine_key(bundle, 80, "native", board, "1.10.0"),
    }
    for changed in (
        board._replace(tensorrt="8.2.1"),
        board._replace(l4t="32.7.1"),
        board._replace(model="Nano"),
        board._replace(machine="aarch64"),
    ):
        keys.add(engine_key(bundle, 80, "tensorrt", changed, "1.10.0"))
    keys |= {
        engine_key(bundle, 80, "tensorrt", board, "1.11.0"),
        engine_key(bundle, 40, "tensorrt", board, "1.10.0"),
    }
    assert len(keys) == 8


@pytest.mark.parametrize(
    "program, word",
    [
        ("import sys; sys.exit('no device')", "no device"),
        ("import os; os.kill(os.getpid(), 9)", "-9"),
        ("pass", "no frames"),
        ("import time; time.sleep(60)", "not built within"),
    ],
)
def test_a_builder_that_fails_leaves_nothing(bundle, tmp_path, monkeypatch, program, word):
    monkeypatch.setattr(engines, "_PROGRESS_EVERY_S", 0.2)
    with pytest.raises((UnavailableError, DataError)) as caught:
        prepare(
            bundle,
            80,
            "tensorrt",
            [sys.executable, "-c", program],
            lambda line: None,
            root=str(tmp_path),
            longest_s=0.5,
            available_mb=4000,
        )
    assert word in str(caught.value) and "\n" not in str(caught.value)
    assert os.listdir(str(tmp_path)) == []


def test_too_little_memory_is_said_before_anything_is_built(bundle, tmp_path):
    with pytest.raises(UnavailableError, match="900 MB"):
        prepare(bundle, 80, "tensorrt", ["no-worker"], print, root=str(tmp_path), available_mb=900)


def test_half_precision_must_not_be_seen():
    wanted = np.zeros((10, 68, 3), np.float32)
    assert choose(wanted, wanted + 0.004) == (
        True,
        "taken: landmarks differ by at most 0.0040, the bound is 0.0050",
    )
    assert choose(wanted, wanted + 0.006)[0] is False
    nan = wanted.copy()
    nan[3] = np.nan
    assert "no numbers" in choose(wanted, nan)[1] and not choose(wanted, nan)[0]
    assert not choose(wanted, wanted[:9])[0]


def test_prepare_without_tensorrt_says_so(tmp_path):
    if "tensorrt" in available_providers():
        pytest.fail("here is a build with TensorRT: test it")
    result = edgeface("model", "prepare")
    assert (
        result.returncode == 69
        and "no TensorRT" in result.stderr
        and result.stderr.count("\n") == 1
    )


# boards


@pytest.mark.parametrize("name", sorted(RELEASES))
def test_boards_are_recognised_by_their_release_files(tmp_path, name):
    model, release, l4t, jetpack = RELEASES[name]
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "usr/lib/aarch64-linux-gnu").mkdir(parents=True)
    (tmp_path / "etc/nv_tegra_release").write_text(f"{release}\n")
    (tmp_path / "proc/device-tree/model").write_text(f"{model}\x00")
    for file in ("libnvinfer.so.8", "libnvinfer.so.8.2.1"):
        (tmp_path / "usr/lib/aarch64-linux-gnu" / file).write_text("")
    board = this_board(str(tmp_path))
    assert board[:5] == (name, model, l4t, jetpack, "8.2.1")


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_release_file_is_some_board(tmp_path_factory, release, model):
    root = tmp_path_factory.getbasetemp() / "board"
    for path, text in (("etc/nv_tegra_release", release), ("proc/device-tree/model", model)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, errors="replace")
    board = this_board(str(root))
    assert all(isinstance(value, str) for value in board)


def test_the_doctor_reports_as_json():
    report = json.loads(edgeface("doctor", "--json", "--config", "").stdout)
    findings = {finding["check"]: finding for finding in report["findings"]}
    assert findings["model"]["state"] == findings["bundle"]["state"] == "ok"
    assert "moves the lips" in findings["model"]["found"]
    assert all(set(finding) == {"check", "state", "found", "fix"} for finding in report["findings"])


def test_the_doctor_names_what_is_wrong_and_its_mend(tmp_path):
    config = tmp_path / "edgeface.yaml"
    config.write_text("audio: {sources: [mice]}\nmodel: {bundle: /nowhere}\n")
    result = edgeface("doctor", "--config", str(config))
    assert result.returncode == 69
    for word in ("bad   bundle", "/nowhere", "bad   sources", "'mice'"):
        assert word in result.stdout, result.stdout
    config.write_text("audio: {sorces: [mic]}\n")
    assert "did you mean 'sources'" in edgeface("doctor", "--config", str(config)).stdout
