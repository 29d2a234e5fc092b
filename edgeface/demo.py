"""`make run`: the daemon and the page together, on the microphone or on the bundled voice."""

import os
import signal
import subprocess
import sys
import time
import webbrowser

from .core.errors import UnavailableError
from .core.resources import BUNDLED_VOICE
from .devices import portaudio
from .devices.bounded_call import Impatient

PORT = "8068"
_PAUSE_S = 1.5  # between two turns of the bundled voice


def _microphone():
    """Whether there is a default microphone."""
    try:
        Impatient("microphone").call(
            portaudio.ANSWER_S, lambda: portaudio.find_device(None, "input")
        )
    except (UnavailableError, OSError):
        return False
    return True


def _edgeface(*arguments):
    return subprocess.Popen([sys.executable, "-m", "edgeface", *arguments])


def main():
    """Runs both until Ctrl-C; the bundled voice is repeated."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    spec = "mic" if _microphone() else f"file:{BUNDLED_VOICE}"
    print(
        f"edgeface: listening to {'the microphone' if spec == 'mic' else 'the bundled voice; no microphone here'}",
        flush=True,
    )
    view = _edgeface("view", "--port", PORT)
    daemon = None
    try:
        time.sleep(0.5)
        if view.poll() is not None:
            return view.returncode
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            webbrowser.open(f"http://127.0.0.1:{PORT}/")
        while True:
            daemon = _edgeface("run", "--source", spec)
            if daemon.wait() != 0:
                return daemon.returncode
            time.sleep(_PAUSE_S)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in (daemon, view):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
