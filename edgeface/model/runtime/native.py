"""TensorRT without ONNX Runtime, for JetPack 4, whose ONNX Runtime knows few of TensorRT's options.

What needs a GPU is in `cuda.py`, behind the methods that `NativeSession` and `open_native` call;
everything here is tested with a recording stand-in for them.
"""

import os
import tempfile
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ...core.errors import DataError, UnavailableError, one_line
from .compute import Engine
from .expanded import write_expanded
from .session import Session

if TYPE_CHECKING:
    from .cuda import Cuda

PLAN = "engine.plan"
# the parts of a layer normalisation that overflow or lose too much in half precision
_SINGLE = ("Pow", "ReduceMean", "Sqrt", "Div", "Softmax")


def single_precision(layer_name: str) -> bool:
    """Whether a layer, named by the parser after its ONNX node, must always compute in float32."""
    return layer_name.rpartition("/")[2].partition("_")[0] in _SINGLE


def open_native(
    path: str, engine: Optional[Engine], cuda: Optional["Cuda"] = None
) -> "NativeSession":
    """Opens an ONNX step graph with TensorRT.

    :param engine: the plan in its folder is used, or built and left there
    :param cuda: the real one by default
    :raises UnavailableError: no engine, tensorrt, pycuda or GPU here, or the plan cannot be built
    """
    if engine is None:
        raise UnavailableError("provider native: no engine is ready; run `edgeface model prepare`")
    if cuda is None:
        from .cuda import Cuda

        cuda = Cuda()
    plan_path = os.path.join(engine.folder, PLAN)
    if os.path.exists(plan_path):
        with open(plan_path, "rb") as file:
            plan = file.read()
    else:
        with tempfile.TemporaryDirectory(dir=engine.folder) as folder:
            expanded = write_expanded(path, folder)
            plan = cuda.build(expanded, engine.float16, single_precision)
        temporary = f"{plan_path}.tmp"
        with open(temporary, "wb") as file:
            file.write(plan)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, plan_path)
    return NativeSession(cuda, plan, plan_path)


class NativeSession(Session):
    """Runs an engine, with the caches in GPU memory.

    There are three sets of caches: one that was kept, and two between which the steps alternate, so
    that no step reads what it writes and nothing is copied. Arrays pass through page-locked memory
    and plain copies: on a Nano, which has no I/O coherency, the CPU reads mapped memory many times
    slower.

    :param plan: serialised engine
    :param name: what errors name
    :raises DataError: the engine does not load, or is not that of a step graph
    """

    provider = "tensorrt"

    def __init__(self, cuda: "Cuda", plan: bytes, name: str = "engine") -> None:
        self._cuda = cuda
        self._name = name
        try:
            tensors = cuda.load(plan)
        except RuntimeError as error:
            raise DataError(
                f"{name}: TensorRT does not load it ({one_line(error)}); edgeface model prepare"
            ) from None
        self._order = [tensor for tensor, _, _ in tensors]  # of the bindings
        shapes = {tensor: tuple(shape) for tensor, shape, _ in tensors}
        self.inputs = {tensor: shapes[tensor] for tensor, _, is_input in tensors if is_input}
        self._caches = [tensor for tensor in self.inputs if tensor != "fbank"]
        self._require_step_graph()
        new_caches = {f"new_{cache}" for cache in self._caches}
        self._results = [
            tensor
            for tensor in self._order
            if tensor not in self.inputs and tensor not in new_caches
        ]
        self._sizes = {tensor: 4 * int(np.prod(shape)) for tensor, shape in shapes.items()}
        self._sets = {side: self._allocate(self._caches) for side in ("ping", "pong", "kept")}
        copied = ["fbank", *self._results]
        self._device = self._allocate(copied)
        self._host = {tensor: cuda.page_locked(shapes[tensor]) for tensor in copied}

    def first_caches(self) -> str:
        """Fills a set with zeros; its name."""
        self._cuda.attach()
        for cache in self._caches:
            self._cuda.upload(self._sets["ping"][cache], np.zeros(self.inputs[cache], np.float32))
        self._cuda.synchronise()
        return "ping"

    def keep(self, caches: str) -> str:
        """Copies a set to where no step writes; the name of the copy."""
        self._cuda.attach()
        for cache in self._caches:
            self._cuda.copy(
                self._sets["kept"][cache], self._sets[caches][cache], self._sizes[cache]
            )
        self._cuda.synchronise()
        return "kept"

    def step(
        self, fbank: np.ndarray, caches: str, results: Sequence[str]
    ) -> Tuple[List[np.ndarray], str]:
        """Runs the engine once; see `Session.step`.

        :raises UnavailableError: TensorRT refused to run it
        :raises RuntimeError: the GPU failed; its context is lost, and a new session is needed
        """
        self._cuda.attach()
        after = "pong" if caches == "ping" else "ping"
        pointers = dict(self._device)
        for cache in self._caches:
            pointers[cache] = self._sets[caches][cache]
            pointers[f"new_{cache}"] = self._sets[after][cache]
        self._host["fbank"][...] = fbank
        try:
            self._cuda.upload(self._device["fbank"], self._host["fbank"])
            if not self._cuda.execute([pointers[tensor] for tensor in self._order]):
                raise UnavailableError(
                    f"{self._name}: TensorRT did not run it; see its messages above"
                )
            for tensor in results:
                self._cuda.download(self._host[tensor], self._device[tensor])
            self._cuda.synchronise()
        except RuntimeError as error:  # what pycuda's errors are
            raise RuntimeError(f"{self._name}: {one_line(error)}") from error
        return [self._host[tensor].copy() for tensor in results], after

    def _require_step_graph(self) -> None:
        missing = sorted({f"new_{cache}" for cache in self._caches} - set(self._order))
        if "fbank" not in self.inputs:
            missing = ["fbank"]
        if missing:
            raise DataError(f"{self._name}: no step graph (no {', '.join(missing)})")

    def _allocate(self, tensors: Sequence[str]) -> Dict[str, Any]:
        """GPU memory for each of these tensors."""
        return {tensor: self._cuda.allocate(self._sizes[tensor]) for tensor in tensors}
