"""Which provider computes: the required one or none; under `auto` the fastest that works."""

import importlib.util
import logging
from typing import List

from ...core.errors import UnavailableError
from .compute import Compute
from .native import open_native
from .onnx_session import OnnxSession, available_providers, open_on, require_provider
from .session import Session

_LOG = logging.getLogger(__name__)
_FASTEST_FIRST = ("tensorrt", "cuda")


def open_session(path: str, compute: Compute = Compute("cpu"), cpu_path: str = "") -> Session:
    """Opens a step graph.

    ONNX Runtime falls back silently; this never does: a required provider is the one that computes,
    and under `auto` a fallback is logged.

    :param path: of an ONNX file
    :param cpu_path: of the one that the CPU runs instead, if there is one
    :raises UnavailableError: the required provider is not the one that computes
    :raises DataError: the file does not load
    """
    if compute.provider == "native":
        return open_native(path, compute.engine)
    return open_onnx(path, compute, cpu_path)


def require_installed(provider: str) -> None:
    """Whether the libraries of a provider are there, with or without the GPU they want.

    :raises UnavailableError: one is missing
    """
    if provider == "native":
        for library in ("tensorrt", "pycuda"):
            if importlib.util.find_spec(library) is None:
                raise UnavailableError(
                    f"provider native: {library} is not installed; it needs python3-libnvinfer and"
                    " pycuda"
                )
    elif provider != "auto":
        require_provider(provider)


def open_onnx(path: str, compute: Compute = Compute("cpu"), cpu_path: str = "") -> OnnxSession:
    """Opens any graph in ONNX Runtime; otherwise as `open_session`.

    :raises UnavailableError: also for `native`, which runs step graphs only
    """
    if compute.provider == "native":
        raise UnavailableError(
            f"{path}: provider native runs step graphs only; choose model.provider: tensorrt"
        )
    cpu_path = cpu_path or path
    if compute.provider != "auto":
        return open_on(cpu_path if compute.provider == "cpu" else path, compute)
    failures: List[str] = []
    available = available_providers()
    for provider in _FASTEST_FIRST:
        if provider not in available:
            continue
        if provider == "tensorrt" and compute.engine is None:
            failures.append("no engine is ready, build it with `edgeface model prepare`")
            continue
        try:
            session = open_on(path, compute._replace(provider=provider))
        except UnavailableError as error:
            failures.append(str(error))
        else:
            return _with_fallback(session, failures)
    return _with_fallback(open_on(cpu_path, Compute("cpu")), failures)


def _with_fallback(session: OnnxSession, failures: List[str]) -> OnnxSession:
    session.fallback = "; ".join(failures)
    if session.fallback:
        _LOG.warning(
            "%s computes instead of a faster provider: %s",
            session.provider,
            session.fallback,
            extra={"event": "provider_fallback"},
        )
    return session
