"""`make run`: the daemon and the page together, with the microphone or with the bundled voice."""

import os
import signal
import subprocess
import sys
import time
import webbrowser
from typing import Any, Optional

from .core.child import edgeface_command
from .core.errors import UnavailableError
from .core.resources import BUNDLED_VOICE
from .devices import portaudio
from .devices.bounded_call import BoundedCaller

PORT = "8068"
_PAUSE_S = 1.5  # before the bundled voice is repeated
_PAGE_START_S = 0.5


def main() -> int:
    """Runs both until Ctrl-C; the bundled voice is repeated. Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    spec = "mic"
    if _has_microphone():
        print("edgeface: listening to the microphone", flush=True)
    else:
        spec = f"file:{BUNDLED_VOICE}"
        print("edgeface: no microphone found; playing the bundled voice", flush=True)
    view = _start("view", "--port", PORT)
    daemon: Optional[Any] = None
    try:
        time.sleep(_PAGE_START_S)
        if view.poll() is not None:
            return int(view.returncode)
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            webbrowser.open(f"http://127.0.0.1:{PORT}/")
        while True:
            daemon = _start("run", "--source", spec)
            if daemon.wait() != 0:
                return int(daemon.returncode)
            time.sleep(_PAUSE_S)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in (daemon, view):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()


def _has_microphone() -> bool:
    """Whether there is a default microphone."""
    try:
        BoundedCaller("microphone").call(
            portaudio.ANSWER_S, lambda: portaudio.DEVICES.find(None, "input")
        )
    except (UnavailableError, OSError):
        return False
    return True


def _start(*arguments: str) -> Any:
    return subprocess.Popen(edgeface_command(*arguments))


if __name__ == "__main__":
    sys.exit(main())
