"""`make run`: the daemon and the page together, with the microphone or with the bundled voice."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from typing import Any, List, Tuple

import soundfile

from .core.child import edgeface_command
from .core.errors import UnavailableError
from .core.resources import BUNDLED_VOICE
from .devices import portaudio
from .devices.bounded_call import BoundedCaller
from .voice import Voice

PORT = "8068"
_PAUSE_S = 1.5  # before the bundled voice is repeated
_POLL_S = 0.1
_BROWSER_AFTER_S = 0.5  # the page answers by then


def main() -> int:
    """Runs both until Ctrl-C; the bundled voice is repeated. Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = tempfile.mkdtemp(prefix="edgeface-")
    processes: List[Any] = []
    try:
        processes.append(_start("view", "--shm", "edgeface", "--port", PORT))
        if _has_device("input"):
            print("edgeface: listening to the microphone", flush=True)
            processes.append(_start("run", "--config", "", "--source", "mic"))
        else:
            print("edgeface: no microphone found; playing the bundled voice", flush=True)
            processes.append(_start_voice(folder))
        threading.Timer(_BROWSER_AFTER_S, _open_page).start()
        while all(process.poll() is None for process in processes):
            time.sleep(_POLL_S)
        return next(int(process.returncode) for process in processes if process.poll() is not None)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _has_device(direction: str) -> bool:
    """Whether there is a default microphone (`input`) or loudspeaker (`output`)."""
    try:
        BoundedCaller(direction).call(
            portaudio.ANSWER_S, lambda: portaudio.DEVICES.find(None, direction)
        )
    except (UnavailableError, OSError):
        return False
    return True


def _start_voice(folder: str) -> Any:
    """Starts a daemon that is spoken to, and that plays what it is told; Popen."""
    path = os.path.join(folder, "voice")
    playback = "default" if _has_device("output") else ""
    configuration = os.path.join(folder, "edgeface.yaml")
    with open(configuration, "w") as file:
        file.write(f"audio: {{sources: ['unix:{path}'], playback: '{playback}'}}\n")
    daemon = _start("run", "--config", configuration)
    threading.Thread(target=_speak, args=(path,), name="edgeface-demo", daemon=True).start()
    return daemon


def _speak(path: str) -> None:
    """Says the bundled voice again and again, with pauses."""
    pcm, rate_hz, duration_s = _bundled_voice()
    while True:
        try:
            with Voice(path) as voice:
                while True:
                    began_s = time.monotonic()
                    voice.say(pcm, rate_hz)
                    ends_s = began_s + duration_s + _PAUSE_S
                    time.sleep(max(0.0, ends_s - time.monotonic()))
        except OSError:
            time.sleep(_POLL_S)  # the daemon does not listen yet


def _bundled_voice() -> Tuple[bytes, int, float]:
    """Signed 16-bit mono, its rate in Hz, and its length in s."""
    samples, rate_hz = soundfile.read(BUNDLED_VOICE, dtype="int16")
    return samples.astype("<i2").tobytes(), rate_hz, len(samples) / rate_hz


def _open_page() -> None:
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(f"http://127.0.0.1:{PORT}/")


def _start(*arguments: str) -> Any:
    return subprocess.Popen(edgeface_command(*arguments))


if __name__ == "__main__":
    sys.exit(main())
