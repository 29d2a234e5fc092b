"""What only a PulseAudio server, or PipeWire in its place, knows."""

import os
import threading
from typing import Any, Callable, Dict, List, Optional

from ..core.errors import UnavailableError

ANSWER_S = 4.0  # a server that hangs never answers
_MONITOR = ".monitor"
_DEFAULT = "default"
_LISTEN_S = 0.5


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
    pulse = pulsectl.Pulse(name, connect=False)
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
        self._pid = str(pid or os.getpid())
        self._default_sink = default_sink
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
        before = self._devices(pulse)
        while not self._closed.is_set():
            pulse.event_listen(timeout=_LISTEN_S)
            if not self._changed:
                continue
            self._changed = False
            now = self._devices(pulse)
            if any(now.get(stream, device) != device for stream, device in before.items()):
                if not self._closed.is_set():
                    self._on_move()
                return
            before.update(now)

    def _devices(self, pulse: Any) -> Dict[Any, Any]:
        """The device that each stream of the process records, and the default sink."""
        devices: Dict[Any, Any] = {
            stream.index: stream.source
            for stream in pulse.source_output_list()
            if stream.proplist.get("application.process.id") == self._pid
        }
        if self._default_sink:
            devices[_DEFAULT] = pulse.server_info().default_sink_name
        return devices
