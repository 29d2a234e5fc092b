"""When it is worth while to look again for a device that is missing.

Asking PortAudio or the sound server costs tens of milliseconds and some memory, and a kiosk may
wait for a year. So what decides about the answer is watched, which costs next to nothing.
"""

import glob
import os
import re
import threading
import time
from typing import Any, Callable, Hashable, Optional, Tuple, TypeVar

from ..core.errors import UnavailableError
from .pulse import connect

CARDS_FILE = "/proc/asound/cards"
_DEVICE_FILES = "/dev/snd"
_STREAM_STATES = "/proc/asound/card*/pcm*/sub*/status"
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 3600.0
_POLL_S = 0.1
_LISTEN_S = 0.5
_WANTED_S = 10.0  # after somebody asked last
_NO_SERVER = ()
_SERVER = re.compile(r'^[^#\n]*\bserver\s+"?unix:([^"\s]+)', re.MULTILINE)
_HANGS_S = 1.0  # a server that has not answered for so long

Result = TypeVar("Result")


def read_text(path: str) -> str:
    """Contents of a small file; empty where it cannot be read."""
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def cards() -> Hashable:
    """What changes when a sound card comes, goes, becomes free or may be opened."""
    states = tuple(read_text(path).split("\n", 1)[0] for path in glob.glob(_STREAM_STATES))
    return read_text(CARDS_FILE), _device_files(), states


def _device_files() -> Hashable:
    try:
        names = sorted(os.listdir(_DEVICE_FILES))
    except OSError:
        return ()
    return tuple((name, os.access(os.path.join(_DEVICE_FILES, name), os.W_OK)) for name in names)


def _socket_paths() -> Tuple[str, ...]:
    """Where the sound server of this process may listen."""
    server = os.environ.get("PULSE_SERVER", "")
    if server:
        named = (server[len("unix:") :] if server.startswith("unix:") else server,)
        return named + _sockets_of_alsa()
    folders = [
        os.environ.get("PULSE_RUNTIME_PATH", ""),
        os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), "pulse"),
        f"/run/user/{os.getuid()}/pulse",
        "/var/run/pulse",
    ]
    usual = tuple(os.path.join(folder, "native") for folder in folders if folder)
    return usual + _sockets_of_alsa()


def _sockets_of_alsa() -> Tuple[str, ...]:
    """Sockets of sound servers that ALSA's configuration names, as `server "unix:PATH"` does."""
    files = [os.environ.get("ALSA_CONFIG_PATH", ""), "/etc/asound.conf"]
    files.append(os.path.expanduser("~/.asoundrc"))
    return tuple(path for file in files if file for path in _SERVER.findall(read_text(file)))


def _socket_stamp() -> Hashable:
    """What changes when a sound server begins to listen."""
    stamps = []
    for path in _socket_paths():
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            continue
        stamps.append((path, status.st_ino, status.st_ctime_ns))
    return tuple(stamps)


class ServerWatch:
    """Knows the sound server's devices, as long as somebody asks for them.

    One connection is kept, over which the server reports changes. A server that hangs costs
    this watch's thread and nobody else.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted_until_s = 0.0
        self._running = False
        self._state: Hashable = None  # not known yet
        self._asked_s: Optional[float] = None  # since when an answer is due

    @property
    def state(self) -> Hashable:
        """What changes when a device comes or goes, or the server starts, ends or hangs."""
        with self._lock:
            self._wanted_until_s = time.monotonic() + _WANTED_S
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="edgeface-search", daemon=True).start()
        if self._hangs():
            return "hangs"
        return self._state

    @property
    def devices(self) -> Hashable:
        """Names of the server's devices; None as long as they are not known."""
        return None if self.state == "hangs" else self._state

    def _hangs(self) -> bool:
        asked_s = self._asked_s
        return asked_s is not None and time.monotonic() - asked_s > _HANGS_S

    def _run(self) -> None:
        stamp: Hashable = ()
        pause_s = _FIRST_PAUSE_S
        next_s = time.monotonic()
        while self._goes_on():
            now_s, seen = time.monotonic(), _socket_stamp()
            if seen != stamp:  # a server that begins to listen may not answer at once
                stamp, pause_s, next_s = seen, _FIRST_PAUSE_S, now_s
            if now_s >= next_s:
                if self._follow():
                    pause_s = _FIRST_PAUSE_S
                next_s = time.monotonic() + pause_s
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            time.sleep(min(_POLL_S, max(0.0, next_s - time.monotonic())))

    def _goes_on(self) -> bool:
        """Whether somebody asked lately; if not, the thread ends."""
        with self._lock:
            self._running = time.monotonic() < self._wanted_until_s
            if not self._running:
                self._state = None
            return self._running

    def _follow(self) -> bool:
        """Connects and keeps the state up to date until the server ends; whether it answered."""
        self._asked_s = time.monotonic()
        try:
            pulse = connect("edgeface-search")
        except UnavailableError:
            self._asked_s = None
            self._state = _NO_SERVER
            return False
        import pulsectl

        def stop(_event: Any) -> None:
            raise pulsectl.PulseLoopStop

        try:
            with pulse:
                pulse.event_mask_set("sink", "source", "server")
                pulse.event_callback_set(stop)
                while time.monotonic() < self._wanted_until_s:
                    self._asked_s = time.monotonic()
                    self._state = _server_state(pulse)
                    self._asked_s = None
                    pulse.event_listen(timeout=_LISTEN_S)
        except (pulsectl.PulseError, pulsectl.PulseDisconnected):
            pass
        self._asked_s = None
        self._state = _NO_SERVER
        return True


def _server_state(pulse: Any) -> Hashable:
    info = pulse.server_info()
    sources = tuple(sorted(source.name for source in pulse.source_list()))
    sinks = tuple(sorted(sink.name for sink in pulse.sink_list()))
    return info.default_source_name, info.default_sink_name, sources, sinks


SERVER = ServerWatch()  # of this process, as its connection is


def fingerprint() -> Hashable:
    """What changes when a device may have appeared."""
    return cards(), _socket_stamp(), SERVER.state


class Search:
    """Repeats an attempt to open a device only when it may succeed.

    That is when something has changed since it failed, or after a pause that grows from 0.1 s
    to an hour.

    :param look: what changes when the attempt may succeed
    """

    def __init__(self, look: Callable[[], Hashable] = fingerprint) -> None:
        self._look = look
        self._error = ""  # of the last attempt; empty once the device was found
        self._seen: Hashable = None  # before the attempt that failed
        self._tried: Hashable = None  # before the attempt under way
        self._pause_s = _FIRST_PAUSE_S
        self._next_s = 0.0

    def call(self, attempt: Callable[[], Result]) -> Result:
        """The attempt's result; if it is too early for another one, the last error again.

        :raises UnavailableError: the attempt's
        """
        self._tried = None
        if self._error:
            self._tried = self._look()
            if self._tried != self._seen:
                self._pause_s = _FIRST_PAUSE_S
            elif time.monotonic() < self._next_s:
                raise UnavailableError(self._error)
        try:
            return attempt()
        except UnavailableError as error:
            self.fail(str(error))
            raise

    def fail(self, reason: str) -> None:
        """The attempt failed, perhaps only after `call`."""
        self._error = reason
        self._seen = self._tried
        self._next_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def found(self) -> None:
        """The device is there, and works."""
        self._error = ""
        self._pause_s = _FIRST_PAUSE_S
