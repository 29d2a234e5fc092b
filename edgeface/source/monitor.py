"""`monitor[:SINK]`: what the machine plays, tapped at the sound server."""

import shlex
import shutil

from ..core.errors import UnavailableError
from ..devices.bounded_call import Impatient
from ..devices.pulse import MoveGuard, monitors
from .block import SourceLost
from .command import CommandSource

_ANSWER_S = 4.0


class MonitorSource(CommandSource):
    """Records a sink's monitor through `parec`: PortAudio does not list monitors.

    The child can be killed when the server hangs, which a stream of our own cannot.

    :param sink: name of the sink; None for the default one, whichever that is at the time
    """

    def __init__(self, sink=None):
        super().__init__("", f"monitor{(f':{sink}' if sink else '')}")
        self._sink = sink
        self._impatient = Impatient(self.name)
        self._guard = None

    def open(self):
        """Starts recording.

        :raises UnavailableError: no sound server, no such sink, or no `parec`
        """
        if shutil.which("parec") is None:
            raise UnavailableError(f"{self.name}: parec is missing; apt install pulseaudio-utils")
        sinks = self._impatient.call(_ANSWER_S, monitors)
        # by its name: PipeWire hears the microphone when it is asked for the default monitor
        sink = self._sink or (sinks[0] if sinks else None)
        if sink not in sinks:
            raise UnavailableError(f"{self.name}: not there; `edgeface devices` lists what is")
        self._command = f"parec --client-name=edgeface --device={shlex.quote(sink)}.monitor --format=s16le --rate=16000 --channels=1 --latency-msec=20"
        super().open()
        self._moved = False
        self._guard = MoveGuard(self._mark_moved, self._child.pid, default_sink=self._sink is None)

    def read(self, timeout_s):
        """As `CommandSource.read`; also lost when the server taps another device."""
        if self._moved:
            raise SourceLost(f"{self.name}: the sound server put another device in its place")
        return super().read(timeout_s)

    def close(self):
        """Ends the recording."""
        if self._guard is not None:
            self._guard.close()
        super().close()

    def _mark_moved(self):
        self._moved = True
