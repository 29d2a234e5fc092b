"""TensorRT without ONNX Runtime, for JetPack 4, whose ONNX Runtime knows few of TensorRT's options.

What needs a GPU is in `cuda.py`, behind the methods that `NativeSession` and
`build_engine` call; everything here is tested with a recording stand-in for them.
"""

import os

import numpy as np

from ..core.errors import DataError, UnavailableError

PLAN = "engine.plan"
# the parts of a layer normalisation that overflow or lose too much in half precision
_SINGLE = ("Pow", "ReduceMean", "Sqrt", "Div", "Softmax")
_SIDES = ("ping", "pong")


def single_precision(layer_name):
    """Whether a layer, named by the parser after its ONNX node, must compute in float32 whatever the rest does."""
    return layer_name.split("/")[-1].split("_")[0] in _SINGLE


def open_native(path, cache, float16, cuda=None):
    """Opens an ONNX step graph with TensorRT; the engine in the folder `cache` is used, or built and left there.

    :param cuda: a `cuda.Cuda`; the real one by default
    :return: `NativeSession`
    :raises UnavailableError: no tensorrt, pycuda or GPU here, or the engine cannot be built
    """
    if cuda is None:
        from .cuda import Cuda

        cuda = Cuda()
    plan_path = os.path.join(cache, PLAN)
    if os.path.exists(plan_path):
        with open(plan_path, "rb") as file:
            plan = file.read()
    else:
        plan = cuda.build(path, float16, single_precision)
        temporary = plan_path + ".tmp"
        with open(temporary, "wb") as file:
            file.write(plan)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, plan_path)
    return NativeSession(cuda, plan, plan_path)


class NativeSession:
    """Runs an engine, with the caches in GPU memory; the interface of `runtime.Session`.

    There are three sets of caches: one that was kept, and two between which the
    steps alternate, so that no step reads what it writes and nothing is copied.
    Arrays pass through page-locked memory and plain copies: on a Nano, which has
    no I/O coherency, the CPU reads mapped memory many times slower.

    :param cuda: a `cuda.Cuda`
    :param plan: serialised engine, bytes
    :param name: what errors name
    """

    provider = "tensorrt"
    placement = None
    fallback = ""

    def __init__(self, cuda, plan, name="engine"):
        self._cuda, self._name = cuda, name
        try:
            tensors = cuda.load(
                plan
            )  # [(name, shape, whether it is an input)] in the order of the bindings
        except RuntimeError as error:
            raise DataError(
                f"{name}: TensorRT does not load it ({error}); edgeface model prepare"
            ) from None
        self._order = [tensor for tensor, _, _ in tensors]
        self.inputs = {tensor: tuple(shape) for tensor, shape, is_input in tensors if is_input}
        shapes = {tensor: tuple(shape) for tensor, shape, _ in tensors}
        self._caches = [tensor for tensor in self.inputs if tensor != "fbank"]
        missing = sorted({"new_" + cache for cache in self._caches} - set(self._order))
        if "fbank" not in self.inputs or missing:
            raise DataError(
                "{}: no step graph ({})".format(
                    name, "no " + ", ".join(missing) if missing else "no fbank"
                )
            )
        self._results = [
            tensor
            for tensor in self._order
            if tensor not in self.inputs and tensor[len("new_") :] not in self._caches
        ]
        self._sets = {
            side: {cache: cuda.allocate(4 * int(np.prod(shapes[cache]))) for cache in self._caches}
            for side in _SIDES + ("kept",)
        }
        self._device = {
            tensor: cuda.allocate(4 * int(np.prod(shapes[tensor])))
            for tensor in ["fbank"] + self._results
        }
        self._host = {
            tensor: cuda.page_locked(shapes[tensor]) for tensor in ["fbank"] + self._results
        }

    def first_caches(self):
        """Caches of zeros: the name of a set."""
        self._cuda.attach()
        for cache in self._caches:
            self._cuda.upload(self._sets["ping"][cache], np.zeros(self.inputs[cache], np.float32))
        self._cuda.synchronise()
        return "ping"

    def keep(self, caches):
        """Copies caches to where no step writes; returns them."""
        self._cuda.attach()
        for cache in self._caches:
            self._cuda.copy(
                self._sets["kept"][cache],
                self._sets[caches][cache],
                4 * int(np.prod(self.inputs[cache])),
            )
        self._cuda.synchronise()
        return "kept"

    def step(self, fbank, caches, results):
        """As `runtime.Session.step`."""
        self._cuda.attach()
        after = "pong" if caches == "ping" else "ping"
        pointers = dict(self._device)
        for cache in self._caches:
            pointers[cache] = self._sets[caches][cache]
            pointers["new_" + cache] = self._sets[after][cache]
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
        except (
            RuntimeError
        ) as error:  # pycuda's errors: the context is lost, and a new session is due
            raise RuntimeError("{}: {}".format(self._name, " ".join(str(error).split()))) from error
        return [self._host[tensor].copy() for tensor in results], after
