"""ONNX Runtime: one graph on one provider, and proof that it is this one that computes."""

import contextlib
import json
import logging
import os
import re
import tempfile
from collections import Counter
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ...core.chatter import caught_output
from ...core.errors import DataError, UnavailableError, one_line
from ...core.text import utf8_path
from .compute import Compute
from .library import FATAL, onnxruntime
from .options import cuda_options, tensorrt_options, threads
from .session import Session

_LOG = logging.getLogger(__name__)
PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_SHORT = {name: short for short, name in PROVIDERS.items()}

_ERROR = 3  # severity of what ONNX Runtime logs
# in its log, where a line may hold colours: why something failed, the best reason first
_REASONS = tuple(
    re.compile(reason)
    for reason in (r"with error: ([^\n\x1b]+)", r"EP Error ([^\n]+)", r": (FAIL.+)")
)
_LONGEST_REASON = 160  # characters

_Arrays = Dict[str, np.ndarray]


def available_providers() -> List[str]:
    """Those that this ONNX Runtime was compiled with, of `tensorrt`, `cuda` and `cpu`.

    It proves nothing: their libraries may be missing.
    """
    return [_SHORT[name] for name in onnxruntime.get_available_providers() if name in _SHORT]


class OnnxSession(Session):
    """A graph that ONNX Runtime runs.

    :param session: `onnxruntime.InferenceSession`
    :param provider: `tensorrt`, `cuda` or `cpu`, the one that computes
    :param placement: kernels of one run by provider; None where that is not known
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        provider: str,
        placement: Optional[Dict[str, int]] = None,
    ) -> None:
        self._session = session
        self.provider = provider
        self.placement = placement
        self.inputs = {item.name: tuple(item.shape) for item in session.get_inputs()}

    def run(self, outputs: Sequence[str], feed: _Arrays) -> List[np.ndarray]:
        """Runs any graph once, from arrays to arrays.

        :param outputs: names of the outputs to return
        :param feed: the inputs by name
        """
        return self._session.run(list(outputs), feed)

    def first_caches(self) -> Dict[str, Any]:
        """Zeros by the names of the inputs, on the device that computes."""
        zeros = {
            name: np.zeros(shape, np.float32)
            for name, shape in self.inputs.items()
            if name != "fbank"
        }
        return zeros if self.provider == "cpu" else self._on_device(zeros, "cuda")

    def step(
        self, fbank: np.ndarray, caches: Dict[str, Any], results: Sequence[str]
    ) -> Tuple[List[np.ndarray], Dict[str, Any]]:
        """Runs a step graph once; see `Session.step`."""
        names = [f"new_{name}" for name in caches]
        if self.provider == "cpu":  # binding costs more than the copies that it saves
            values = self._session.run([*results, *names], dict(caches, fbank=fbank))
        else:
            values = self._bound(fbank, caches, results, names, "cuda")
        new = dict(zip(caches, values[len(results) :]))
        if self.provider == "cpu":
            new = {name: _end(new[name], old) for name, old in caches.items()}
        return values[: len(results)], new

    def keep(self, caches: Dict[str, Any]) -> Dict[str, Any]:
        """The same: no step changes what it was given."""
        return caches

    @staticmethod
    def _on_device(arrays: _Arrays, device: str) -> Dict[str, Any]:
        return {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)
            for name, array in arrays.items()
        }

    def _bound(
        self,
        fbank: np.ndarray,
        caches: Dict[str, Any],
        results: Sequence[str],
        names: Sequence[str],
        device: str,
    ) -> List[Any]:
        """A step whose caches stay on the device: the results as arrays, then the new caches."""
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


def _end(cache: np.ndarray, old: np.ndarray) -> np.ndarray:
    """A new cache without what a graph for the CPU leaves in front of it, as a view."""
    if cache.size == old.size:
        return cache
    return cache.reshape(-1)[-old.size :].reshape(old.shape)


def require_provider(provider: str) -> None:
    """Raises UnavailableError if this ONNX Runtime was built without a provider."""
    available = onnxruntime.get_available_providers()
    if PROVIDERS[provider] not in available:
        raise UnavailableError(
            f"provider {provider}: this onnxruntime {onnxruntime.__version__} has only "
            f"{', '.join(available)}; install one that has it"
        )


def open_on(path: str, compute: Compute) -> OnnxSession:
    """Opens an ONNX file on `cpu`, `cuda` or `tensorrt`, and nowhere else.

    :raises UnavailableError: this provider is not the one that computes
    :raises DataError: the file does not load
    """
    provider = compute.provider
    wanted = PROVIDERS[provider]
    require_provider(provider)
    options = _session_options(path, compute.keep_memory)
    profile = None
    if provider != "cpu":
        profile = tempfile.mkdtemp()
        options.enable_profiling = True
        options.profile_file_prefix = os.path.join(profile, "run")
    session, said = _load(path, options, compute)
    session.disable_fallback()  # of a run that fails, to the CPU
    if session.get_providers()[0] != wanted:
        if profile is not None:
            os.unlink(session.end_profiling())
            os.rmdir(profile)
        raise UnavailableError(
            f"provider {provider}: ONNX Runtime fell back to {session.get_providers()[0]}"
            f"{_reason(said)}; see `edgeface doctor`"
        )
    if profile is None:
        return OnnxSession(session, provider)
    return OnnxSession(session, provider, require_kernels(placement(session, profile), provider))


def _load(
    path: str, options: onnxruntime.SessionOptions, compute: Compute
) -> Tuple[onnxruntime.InferenceSession, str]:
    """The session, and what ONNX Runtime said where it may not be on the wanted provider.

    :raises DataError: the file does not load
    """
    try:
        with contextlib.ExitStack() as stack:
            name = stack.enter_context(utf8_path(path))
            said = None
            if compute.provider != "cpu":
                onnxruntime.set_default_logger_severity(_ERROR)
                stack.callback(onnxruntime.set_default_logger_severity, FATAL)
                said = stack.enter_context(caught_output())
            session = onnxruntime.InferenceSession(name, options, **_provider_options(compute))
    except Exception as error:  # the binding raises a class of its own per failure
        reason = one_line(error, _LONGEST_REASON)
        raise DataError(f"{path}: ONNX Runtime does not load it ({reason})") from None
    return session, said.read() if said is not None else ""


def _reason(said: str) -> str:
    """Why, in brackets, as far as ONNX Runtime has said it."""
    for reason in _REASONS:
        found = reason.search(said)
        if found is not None:
            return f" ({one_line(found.group(1), _LONGEST_REASON)})"
    return ""


def placement(session: onnxruntime.InferenceSession, folder: str) -> Dict[str, int]:
    """Runs a profiled session once with zeros and counts the kernels of each provider.

    `get_providers` names a provider also when most nodes run elsewhere.

    :param folder: where its profile goes; removed
    :return: such as {"cuda": 180, "cpu": 3}
    """
    feed = {}
    for item in session.get_inputs():
        kind = np.int64 if "int64" in item.type else np.float32
        feed[item.name] = np.zeros(item.shape, kind)
    session.run(None, feed)
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


def require_kernels(kernels: Dict[str, int], provider: str) -> Dict[str, int]:
    """The same kernels by provider; UnavailableError if the required one has none."""
    if not kernels.get(provider):
        raise UnavailableError(
            f"provider {provider}: it is available, but every node runs elsewhere ({kernels})"
        )
    if len(kernels) > 1:
        _LOG.warning(
            "provider %s: some nodes run elsewhere: %s",
            provider,
            kernels,
            extra={"event": "placement"},
        )
    return kernels


def _session_options(path: str, keep_memory: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads(weight_bytes(path), os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL  # what is less comes as an exception, too
    # a step needs so little that this costs no time, and saves memory
    options.enable_cpu_mem_arena = keep_memory
    return options


def _provider_options(compute: Compute) -> Dict[str, Any]:
    """Arguments of `InferenceSession` that choose this provider alone."""
    if compute.provider == "tensorrt":
        engine = compute.engine
        cache = engine.folder if engine else ""
        float16 = engine.float16 if engine else False
        return {
            "providers": [PROVIDERS["tensorrt"], PROVIDERS["cuda"]],
            "provider_options": [
                tensorrt_options(onnxruntime.__version__, cache, float16),
                cuda_options(),
            ],
        }
    return {
        "providers": [PROVIDERS[compute.provider]],
        "provider_options": [cuda_options() if compute.provider == "cuda" else {}],
    }


def weight_bytes(path: str) -> int:
    """Size of a graph and the weights beside it; 0 where it is missing, which loading reports."""
    if not os.path.exists(path):
        return 0
    folder = os.path.dirname(path) or "."
    external = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".bin")]
    return os.path.getsize(path) + sum(os.path.getsize(name) for name in external)
