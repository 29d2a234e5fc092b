"""ONNX Runtime: which provider computes, and what the session really got."""

import json
import logging
import os
import tempfile
from collections import Counter

import numpy as np

# before the import: what is heard here is nobody else's business, and nor is that it is
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from ..core.errors import DataError, UnavailableError
from .native import open_native
from .options import cuda_options, tensorrt_options, threads

_LOG = logging.getLogger(__name__)
PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_SHORT = {name: short for short, name in PROVIDERS.items()}


class Session:
    """An ONNX Runtime session and what is known of it.

    `provider`: `tensorrt`, `cuda` or `cpu`, the one that computes; `placement`:
    kernels of one run by provider, None where only the CPU was asked for;
    `fallback`: why it is not the one that was hoped for, or "".
    """

    def __init__(self, session, provider, placement=None, fallback=""):
        self._session = session
        self.provider, self.placement, self.fallback = provider, placement, fallback
        self.inputs = {item.name: tuple(item.shape) for item in session.get_inputs()}

    def run(self, outputs, feed):
        """Numpy arrays in and out."""
        return self._session.run(outputs, feed)

    def step(self, fbank, caches, results):
        """One call with caches that stay where the provider computes.

        :param fbank: float32 [1, 4, 80]
        :param caches: input name to value, of `first_caches` or of the call before
        :param results: names of the outputs to be returned as arrays
        :return: (list of arrays, caches for the next call)
        """
        names = [f"new_{name}" for name in caches]
        if self.provider == "cpu":  # binding costs more than the copies that it saves
            values = self._session.run(results + names, dict(caches, fbank=fbank))
        else:
            values = self._bound(fbank, caches, results, names, "cuda")
        return values[: len(results)], dict(zip(caches, values[len(results) :]))

    def first_caches(self):
        """Caches of zeros."""
        zeros = {
            name: np.zeros(shape, np.float32)
            for name, shape in self.inputs.items()
            if name != "fbank"
        }
        return zeros if self.provider == "cpu" else self._on_device(zeros, "cuda")

    def keep(self, caches):
        """Caches to which the stream can return; here no step changes what it was given."""
        return caches

    @staticmethod
    def _on_device(arrays, device):
        return {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)
            for name, array in arrays.items()
        }

    def _bound(self, fbank, caches, results, names, device):
        binding = self._session.io_binding()
        binding.bind_cpu_input("fbank", fbank)
        for name, value in caches.items():
            binding.bind_ortvalue_input(name, value)
        for name in results:
            binding.bind_output(name, "cpu")
        for name in names:
            binding.bind_output(name, device)
        self._session.run_with_iobinding(binding)
        values = binding.get_outputs()
        return [value.numpy() for value in values[: len(results)]] + values[len(results) :]


def open_session(path, policy="cpu", cache=None, float16=False):
    """Opens an ONNX file.

    ONNX Runtime falls back in silence; this never does: a provider that was
    demanded is the one that computes, and under `auto` a fallback is said aloud.

    :param policy: `cpu`; `cuda`, `tensorrt` or `native`, demanded; `auto`, the fastest that works
    :param cache: folder of engines that `engines.prepare` built; `native` must have it, and without it `auto` does not
        use TensorRT, since building takes minutes
    :return: `Session`
    :raises UnavailableError: the provider demanded is not the one that computes
    :raises DataError: the file does not load
    """
    if policy == "native":
        return open_native(path, cache, float16)
    if policy != "auto":
        return _open(path, policy, cache, float16)
    available, failures = available_providers(), []
    for provider in ("tensorrt", "cuda"):
        if provider == "tensorrt" and cache is None:
            if provider in available:
                failures.append("no engine is ready, build it with `edgeface model prepare`")
        elif provider in available:
            try:
                session = _open(path, provider, cache, float16)
            except UnavailableError as error:
                failures.append(str(error))
            else:
                session.fallback = _announce(failures, provider)
                return session
    session = _open(path, "cpu", cache, float16)
    session.fallback = _announce(failures, "cpu")
    return session


def available_providers():
    """What this build of ONNX Runtime was compiled with, which proves nothing: list of `tensorrt`, `cuda`, `cpu`."""
    return [_SHORT[name] for name in onnxruntime.get_available_providers() if name in _SHORT]


def _announce(failures, provider):
    text = "; ".join(failures)
    if text:
        _LOG.warning(
            "%s computes, not what was hoped for: %s",
            provider,
            text,
            extra={"event": "provider_fallback"},
        )
    return text


def _open(path, provider, cache, float16):
    wanted = PROVIDERS[provider]
    if wanted not in onnxruntime.get_available_providers():
        raise UnavailableError(
            f"provider {provider}: this onnxruntime {onnxruntime.__version__} has only {', '.join(onnxruntime.get_available_providers())}; install one that has it"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads(_weight_bytes(path), os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # costs no time at this size and saves memory
    profile = None
    if provider != "cpu":
        profile = tempfile.mkdtemp()
        options.enable_profiling, options.profile_file_prefix = True, os.path.join(profile, "run")
    try:
        session = onnxruntime.InferenceSession(path, options, **_choice(provider, cache, float16))
    except Exception as error:  # the binding raises a class of its own per failure
        raise DataError(
            f"{path}: ONNX Runtime does not load it ({' '.join(str(error).split())[:160]})"
        ) from None
    if session.get_providers()[0] != wanted:
        raise UnavailableError(
            f"provider {provider}: ONNX Runtime fell back to {session.get_providers()[0]}; see its messages above, and `edgeface doctor`"
        )
    return Session(
        session, provider, _checked(placement(session, profile), provider) if profile else None
    )


def _checked(kernels, provider):
    """Kernels by provider, unless the demanded one has none."""
    if not kernels.get(provider):
        raise UnavailableError(
            f"provider {provider}: it is there, but every node runs elsewhere ({kernels})"
        )
    if len(kernels) > 1:
        _LOG.warning(
            "provider %s: some nodes run elsewhere: %s",
            provider,
            kernels,
            extra={"event": "placement"},
        )
    return kernels


def _choice(provider, cache, float16):
    if provider == "tensorrt":
        return {
            "providers": [PROVIDERS["tensorrt"], PROVIDERS["cuda"]],
            "provider_options": [
                tensorrt_options(onnxruntime.__version__, cache or "", float16),
                cuda_options(),
            ],
        }
    return {
        "providers": [PROVIDERS[provider]],
        "provider_options": [cuda_options() if provider == "cuda" else {}],
    }


def _weight_bytes(path):
    folder = os.path.dirname(path)
    external = [
        os.path.join(folder, name) for name in os.listdir(folder or ".") if name.endswith(".bin")
    ]
    return (
        os.path.getsize(path) + sum(map(os.path.getsize, external)) if os.path.exists(path) else 0
    )


def placement(session, folder):
    """Runs a profiled session once with zeros; kernels by provider, such as {"cuda": 180, "cpu": 3}.

    `get_providers` names a provider also when most nodes run elsewhere.
    """
    session.run(
        None,
        {
            item.name: np.zeros(item.shape, np.int64 if "int64" in item.type else np.float32)
            for item in session.get_inputs()
        },
    )
    path = session.end_profiling()
    with open(path) as file:
        events = json.load(file)
    os.unlink(path)
    os.rmdir(folder)
    names = [
        (event.get("args") or {}).get("provider")
        for event in events
        if event.get("cat") == "Node" and event.get("name", "").endswith("kernel_time")
    ]
    return dict(Counter(_SHORT.get(name, name) for name in names if name))
