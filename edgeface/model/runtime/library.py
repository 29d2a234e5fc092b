"""ONNX Runtime itself: every module imports it from here, with its telemetry off and quietly."""

import os

from ...core.chatter import quiet_stderr
from ...core.errors import InstallationError, one_line

FATAL = 4  # what is less than fatal reaches the caller as an exception

# It reads this once, while it is loaded: otherwise it keeps a device id and a database in the home
# folder and reports to its maker. Child processes inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
try:
    with quiet_stderr():  # its search for GPUs, and numpy's complaints about an old one
        import onnxruntime
except Exception as error:  # also an AttributeError, beside a numpy that it was not built for
    reason = one_line(error) or "not built for this numpy"
    raise InstallationError(
        f"onnxruntime cannot be imported: {reason}; see `edgeface doctor`"
    ) from None
onnxruntime.set_default_logger_severity(FATAL)

__all__ = ["FATAL", "onnxruntime"]
