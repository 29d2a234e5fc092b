"""What a PulseAudio server (or PipeWire in its place) knows and nobody else says."""

import os
import threading

from ..core.errors import UnavailableError

_MONITOR = ".monitor"


def connect(name="edgeface"):
    """A connection, `pulsectl.Pulse`, to be closed by the caller. A server that hangs never answers.

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
            "sound server: none answers; start PulseAudio or PipeWire, or set PULSE_SERVER"
        ) from None
    return pulse


def monitors():
    """Sinks whose sound can be tapped, the default one first: list of str. Errors as `connect`."""
    with connect() as pulse:
        default = pulse.server_info().default_sink_name
        names = {source.name for source in pulse.source_list()}
    sinks = sorted(name[: -len(_MONITOR)] for name in names if name.endswith(_MONITOR))
    return sorted(sinks, key=lambda sink: sink != default)


class MoveGuard:
    """Notices that the server gave a recording stream another device, which it does without a word.

    Where there is no such server there is nothing to notice.

    :param moved: called once, from another thread
    :param pid: the process whose streams are watched; this one by default
    :param default_sink: whether another default sink counts as well
    """

    def __init__(self, moved, pid=None, default_sink=False):
        self._moved, self._pid, self._default_sink = moved, str(pid or os.getpid()), default_sink
        self._closed = threading.Event()
        self._event = False
        threading.Thread(target=self._watch, name="edgeface-guard", daemon=True).start()

    def close(self):
        """Ends the watch."""
        self._closed.set()

    def _watch(self):
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

    def _listen(self, pulse, pulsectl):
        def stop(_event):
            self._event = True
            raise pulsectl.PulseLoopStop

        pulse.event_mask_set("source_output", "server")
        pulse.event_callback_set(stop)
        before = self._devices(pulse)
        while not self._closed.is_set():
            pulse.event_listen(timeout=0.5)
            if not self._event:
                continue
            self._event = False
            now = self._devices(pulse)
            if any(now.get(stream, device) != device for stream, device in before.items()):
                if not self._closed.is_set():
                    self._moved()
                return
            before.update(now)

    def _devices(self, pulse):
        """What each stream of the process, and the default, stand for now."""
        devices = {
            stream.index: stream.source
            for stream in pulse.source_output_list()
            if stream.proplist.get("application.process.id") == self._pid
        }
        if self._default_sink:
            devices["default"] = pulse.server_info().default_sink_name
        return devices
