"""The native TensorRT session with a recording stand-in for the GPU, which is ONNX Runtime."""

import os

import numpy as np
import onnx
import onnxruntime
import pytest
from support.process import edgeface

from edgeface.core.errors import DataError, UnavailableError
from edgeface.life.life import Life, Strengths
from edgeface.model.runtime.compute import Compute, Engine
from edgeface.model.runtime.native import PLAN, NativeSession, open_native, single_precision
from edgeface.model.runtime.providers import open_onnx, open_session
from edgeface.model.stepper import CachedStepper
from edgeface.pipeline import Pipeline

pytestmark = pytest.mark.system  # needs the package onnx

RESULTS = ["landmarks", "blendshapes", "speech"]


class Memory:
    """GPU memory: may only be reached through the copies."""

    def __init__(self, size):
        self.bytes = bytearray(size)


class FakeCuda:
    """Records every call; its engine is the graph it was given, which ONNX Runtime runs."""

    def __init__(self, fail=None):
        self.calls, self.fail, self.allocated = [], fail, []

    def _call(self, name):
        self.calls.append(name)
        if self.fail == name:
            raise RuntimeError(
                "cuMemcpyHtoDAsync failed:\n an illegal memory access was encountered"
            )

    def attach(self):
        self._call("attach")

    def build(self, path, float16, single):
        self._call("build")
        model = onnx.load(path)
        self.layers = [node.name or node.op_type for node in model.graph.node]
        self.float16, self.single = float16, [name for name in self.layers if single(name)]
        self.types = {tensor.data_type for tensor in model.graph.initializer}
        return model.SerializeToString()

    def load(self, plan):
        self._call("load")
        self._session = onnxruntime.InferenceSession(plan, providers=["CPUExecutionProvider"])
        self.tensors = [
            (item.name, tuple(item.shape), True) for item in self._session.get_inputs()
        ] + [(item.name, tuple(item.shape), False) for item in self._session.get_outputs()]
        return self.tensors

    def allocate(self, size):
        self.allocated.append(Memory(size))
        return self.allocated[-1]

    def page_locked(self, shape):
        return np.full(shape, np.nan, np.float32)

    def upload(self, target, array):
        self._call("upload")
        assert array.dtype == np.float32 and array.nbytes == len(target.bytes)
        target.bytes[:] = array.tobytes()

    def download(self, array, source):
        self._call("download")
        array[...] = np.frombuffer(bytes(source.bytes), np.float32).reshape(array.shape)

    def copy(self, target, source, size):
        self._call("copy")
        target.bytes[:size] = source.bytes[:size]

    def execute(self, pointers):
        self._call("execute")
        assert len(pointers) == len(self.tensors)
        inputs, outputs = {}, {}
        for (name, shape, is_input), memory in zip(self.tensors, pointers):
            assert len(memory.bytes) == 4 * int(np.prod(shape)), name
            if is_input:
                inputs[name] = np.frombuffer(bytes(memory.bytes), np.float32).reshape(shape)
            else:
                outputs[name] = memory
        read = {id(memory) for (_, _, is_input), memory in zip(self.tensors, pointers) if is_input}
        assert not read & {id(memory) for memory in outputs.values()}, "a step reads what it writes"
        for name, value in zip(outputs, self._session.run(list(outputs), inputs)):
            outputs[name].bytes[:] = np.ascontiguousarray(value).tobytes()
        return self.fail != "refuse"

    def synchronise(self):
        self._call("synchronise")


@pytest.fixture
def step(bundle):
    return bundle.step_file(80)


def test_the_same_frames_as_onnx_runtime_also_after_a_reset(step, bundle, tmp_path, clips):
    samples = (clips["samples"][0] / 32768.0).astype(np.float32)
    frames = []
    native = open_native(step, Engine(str(tmp_path)), FakeCuda())
    for session in (native, open_session(step)):
        stepper = CachedStepper(session, bundle.network.context_frames)
        pipeline = Pipeline(stepper, 80, life=Life(Strengths(0.0, 0.0, 0.0, False)))
        for _ in range(2):  # finish() resets: the stream begins with what silence left behind
            frames.append(
                np.array(
                    [frame.landmarks for frame in pipeline.accept(samples) + pipeline.finish()]
                )
            )
    for other in frames[1:]:
        assert np.abs(frames[0] - other).max() < 1e-5


def test_nothing_is_allocated_or_copied_for_a_step_but_its_arrays(step, tmp_path):
    cuda = FakeCuda()
    session = open_native(step, Engine(str(tmp_path)), cuda)
    caches, allocated = session.first_caches(), len(cuda.allocated)
    for _ in range(5):
        cuda.calls.clear()
        _, caches = session.step(np.zeros((1, 4, 80), np.float32), caches, RESULTS)
        assert cuda.calls == [
            "attach",
            "upload",
            "execute",
            "download",
            "download",
            "download",
            "synchronise",
        ]
    assert len(cuda.allocated) == allocated
    weights = sum(
        4 * int(np.prod(shape)) for name, shape in session.inputs.items() if name != "fbank"
    )
    assert sum(len(memory.bytes) for memory in cuda.allocated) < 3 * weights + 10000


def test_an_engine_is_built_once_and_read_afterwards(step, tmp_path):
    first, second = FakeCuda(), FakeCuda()
    open_native(step, Engine(str(tmp_path), float16=True), first)
    assert first.calls[:2] == ["build", "load"] and first.float16
    assert os.listdir(str(tmp_path)) == [PLAN]
    open_native(step, Engine(str(tmp_path), float16=True), second)
    assert second.calls[:1] == ["load"] and "build" not in second.calls


def test_normalisation_and_softmax_stay_in_single_precision(step, tmp_path):
    cuda = FakeCuda()
    open_native(step, Engine(str(tmp_path), float16=True), cuda)
    nodes = onnx.load(step, load_external_data=False).graph.node
    wanted = {
        node.name
        for node in nodes
        if node.op_type in ("Pow", "ReduceMean", "Sqrt", "Div", "Softmax")
    }
    assert set(cuda.single) == wanted & set(cuda.layers) and len(cuda.single) > 40
    assert onnx.TensorProto.INT8 not in cuda.types  # its parser is given ordinary weights
    for name, single in (
        ("Pow_12", True),
        ("/layer_norm/ReduceMean_1", True),
        ("Softmax_3", True),
        ("MatMul_4", False),
        ("(Unnamed Layer* 12) [ElementWise]", False),
        ("", False),
    ):
        assert single_precision(name) is single


def test_failures_are_one_line_that_names_the_engine(step, tmp_path):
    session = open_native(step, Engine(str(tmp_path)), FakeCuda("refuse"))
    with pytest.raises(UnavailableError, match=PLAN):
        session.step(np.zeros((1, 4, 80), np.float32), session.first_caches(), RESULTS)
    cuda = FakeCuda()
    session = open_native(step, Engine(str(tmp_path)), cuda)
    caches, cuda.fail = session.first_caches(), "upload"
    with pytest.raises(RuntimeError) as caught:  # the loop builds the model again after it
        session.step(np.zeros((1, 4, 80), np.float32), caches, RESULTS)
    assert (
        PLAN in str(caught.value)
        and "illegal memory access" in str(caught.value)
        and "\n" not in str(caught.value)
    )
    with pytest.raises(DataError, match="does not load it"):
        NativeSession(FakeCuda("load"), b"plan of another TensorRT")


def test_an_engine_that_is_no_step_graph_is_refused(bundle, tmp_path):
    with pytest.raises(DataError, match="no step graph"):
        cuda = FakeCuda()
        cuda.load = lambda plan: [
            ("fbank", (1, 4, 80), True),
            ("keys", (1, 8), True),
            ("landmarks", (1, 68, 3), False),
        ]
        NativeSession(cuda, b"")
    with pytest.raises(DataError, match="no fbank"):
        cuda.load = lambda plan: [("x", (1, 4, 80), True), ("new_x", (1, 4, 80), False)]
        NativeSession(cuda, b"")


def test_without_an_engine_and_for_other_graphs_it_says_so(bundle, step):
    with pytest.raises(UnavailableError, match="no engine is ready"):
        open_session(step, Compute("native"))
    with pytest.raises(UnavailableError, match="step graphs only"):
        open_onnx(bundle.whole_file(80), Compute("native"))


def test_without_the_libraries_it_says_so(shm_name, tmp_path):
    config = tmp_path / "edgeface.yaml"
    config.write_text("model: {provider: native}\n")
    result = edgeface(
        "run",
        "--config",
        str(config),
        "--source",
        "-",
        "--shm",
        shm_name,
        env=dict(os.environ, CACHE_DIRECTORY=str(tmp_path)),
    )
    assert result.returncode == 78 and "python3-libnvinfer" in result.stderr


@pytest.mark.gpu
def test_the_real_engine_computes_what_onnx_runtime_does(step, tmp_path):
    session, reference = open_native(step, Engine(str(tmp_path))), open_session(step)
    there, here, random = session.first_caches(), reference.first_caches(), np.random.RandomState(0)
    for _ in range(100):
        fbank = random.standard_normal((1, 4, 80)).astype(np.float32)
        got, there = session.step(fbank, there, RESULTS)
        wanted, here = reference.step(fbank, here, RESULTS)
        assert np.abs(got[0] - wanted[0]).max() < 1e-3
