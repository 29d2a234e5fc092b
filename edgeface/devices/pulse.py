"""What only a PulseAudio server, or PipeWire in its place, knows."""

import os
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from ..core.errors import UnavailableError

ANSWER_S = 4.0  # a server that hangs never answers
_MONITOR = ".monitor"
_LISTEN_S = 0.5
_NO_INDEX = 0xFFFFFFFF
# what PipeWire calls the device that a stream has asked for
_TARGETS = ("target.object", "node.target")


def connect(name: str = "edgeface") -> Any:
    """A connection, `pulsectl.Pulse`, which the caller closes. A server that hangs never answers.

    :raises UnavailableError: no libpulse, or no server
    """
    try:
        import pulsectl
    except (ImportError, OSError) as error:
        raise UnavailableError(
            f"sound server: libpulse is missing ({error}); apt install libpulse0"
        ) from None
    try:
        pulse = pulsectl.Pulse(name, connect=False)
    except Exception:  # of a private class; in a child of a process that used libpulse
        raise UnavailableError(
            "sound server: libpulse makes no connection; start the command again"
        ) from None
    try:
        pulse.connect()
    except pulsectl.PulseError:
        pulse.close()
        raise UnavailableError(
            "sound server: not running; start PulseAudio or PipeWire, or set PULSE_SERVER"
        ) from None
    return pulse


def monitors() -> List[str]:
    """Sinks whose sound can be recorded, the default one first; raises as `connect` does."""
    with connect() as pulse:
        default = pulse.server_info().default_sink_name
        names = {source.name for source in pulse.source_list()}
    sinks = sorted(name[: -len(_MONITOR)] for name in names if name.endswith(_MONITOR))
    return sorted(sinks, key=lambda sink: sink != default)


class Recording(NamedTuple):
    """What a recording stream of a process is linked to."""

    stream: int
    """the server's number of the stream"""

    source: str
    """name of the device that it records"""

    target: str
    """name of the device that it asked for; empty where it asked for the default one, or the
    server does not say"""

    is_monitor: bool
    """whether the device is what a loudspeaker plays"""


def recordings(pulse: Any, pid: int) -> List[Recording]:
    """All recording streams of a process that are linked to a device.

    A stream that is not linked yet, or suspended, records nothing, and is not among them.

    :param pulse: a connection
    """
    sources = {source.index: source for source in pulse.source_list()}
    found = []
    for stream in pulse.source_output_list():
        source = sources.get(stream.source)
        if source is None or stream.proplist.get("application.process.id") != str(pid):
            continue
        wanted = next((stream.proplist[key] for key in _TARGETS if key in stream.proplist), "")
        if wanted.isdigit():  # a number instead of a name
            wanted = ""
        is_monitor = source.monitor_of_sink not in (None, _NO_INDEX)
        found.append(Recording(stream.index, source.name, wanted, is_monitor))
    return found


def replacement() -> str:
    """Name of the device that this process records instead of a microphone; empty: none does.

    Where there is no microphone, the server's default source is what the loudspeaker plays. A
    server without the device that was asked for may give another one.
    """
    try:
        with connect("edgeface-check") as pulse:
            default = pulse.server_info().default_source_name
            for recording in recordings(pulse, os.getpid()):
                asked_for = (recording.source, recording.source[: -len(_MONITOR)])
                if recording.is_monitor and recording.source == default:
                    return recording.source
                if recording.target and recording.target not in asked_for:
                    return recording.source
    except UnavailableError:
        pass  # no such server: the device is the sound card's own
    return ""


class MoveGuard:
    """Notices when the server moves a recording stream to another device, which it does silently.

    Without such a server there is nothing to notice.

    :param on_move: called once, from another thread
    :param pid: the process whose streams are watched; this one by default
    :param default_sink: whether another default sink counts as well
    """

    def __init__(
        self, on_move: Callable[[], None], pid: Optional[int] = None, default_sink: bool = False
    ) -> None:
        self._on_move = on_move
        self._pid = pid or os.getpid()
        self._default_sink = default_sink
        self._sources: Dict[int, str] = {}  # the first device of each stream
        self._first_sink = ""
        self._closed = threading.Event()
        self._changed = False
        threading.Thread(target=self._watch, name="edgeface-guard", daemon=True).start()

    def close(self) -> None:
        """Ends the watch."""
        self._closed.set()

    def _watch(self) -> None:
        try:
            pulse = connect("edgeface-guard")
        except UnavailableError:
            return
        import pulsectl

        try:
            with pulse:
                self._listen(pulse, pulsectl)
        except (pulsectl.PulseError, pulsectl.PulseDisconnected):
            pass  # the server is gone, and the stream with it: the source notices

    def _listen(self, pulse: Any, pulsectl: Any) -> None:
        def stop(_event: Any) -> None:
            self._changed = True
            raise pulsectl.PulseLoopStop

        pulse.event_mask_set("source_output", "server")
        pulse.event_callback_set(stop)
        self._changed = True
        while not self._closed.is_set():
            if self._changed:
                self._changed = False
                if self._has_moved(pulse):
                    if not self._closed.is_set():
                        self._on_move()
                    return
            pulse.event_listen(timeout=_LISTEN_S)

    def _has_moved(self, pulse: Any) -> bool:
        """Whether a stream records another device than at first, compared by name."""
        for recording in recordings(pulse, self._pid):
            first = self._sources.setdefault(recording.stream, recording.source)
            if first != recording.source:
                return True
        if not self._default_sink:
            return False
        sink = pulse.server_info().default_sink_name or ""
        self._first_sink = self._first_sink or sink
        return sink not in ("", self._first_sink)
