"""ONNX Runtime sessions: which provider computes, and what the session really got."""

import os

# before the import: what is heard here is nobody else's business, and nor is that it is
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from ..errors import DataError, UnavailableError

_PROVIDERS = {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider",
              "cpu": "CPUExecutionProvider"}


def open_session(path, provider="cpu"):
    """Opens an ONNX file.

    :param provider: `cpu`, `cuda` or `tensorrt`. ONNX Runtime falls back in
        silence; this does not.
    :raises UnavailableError: the provider asked for is not the one that computes
    :raises DataError: the file does not load
    """
    wanted = _PROVIDERS[provider]
    if wanted not in onnxruntime.get_available_providers():
        raise UnavailableError("provider %s: this onnxruntime %s has only %s; install one that has it"
                               % (provider, onnxruntime.__version__,
                                  ", ".join(onnxruntime.get_available_providers())))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a frame is too small to share, and a browser needs the other cores
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # costs no time at this size and saves memory
    try:
        session = onnxruntime.InferenceSession(path, options, providers=[wanted])
    except Exception as error:  # the binding raises a class of its own per failure
        raise DataError("%s: ONNX Runtime does not load it (%s)"
                        % (path, " ".join(str(error).split())[:160])) from None
    if session.get_providers()[0] != wanted:
        raise UnavailableError("provider %s: ONNX Runtime fell back to %s; see its messages above"
                               % (provider, session.get_providers()[0]))
    return session
