"""`monitor[:SINK]`: what the machine plays, recorded at the sound server."""

import shutil
from typing import Optional

from ..core.errors import UnavailableError
from ..core.rates import SAMPLE_RATE_HZ
from ..devices.bounded_call import BoundedCaller
from ..devices.changes import Search
from ..devices.pulse import ANSWER_S, MoveGuard, monitors
from .base import BLOCK_SAMPLES, Block, Source, SourceLost
from .complaints import Budget
from .program import Program

_RECORDER = (
    "parec",
    "--client-name=edgeface",
    "--format=s16le",
    f"--rate={SAMPLE_RATE_HZ}",
    "--channels=1",
    "--latency-msec=20",
)


class MonitorSource(Source):
    """Records a sink's monitor through `parec`: PortAudio does not list monitors.

    A child process can be killed when the server hangs; a stream of our own cannot.

    :param sink: name of the sink; None for the default one, whichever that is at the time
    """

    live = True
    pauses = True
    playback = True

    def __init__(self, sink: Optional[str] = None) -> None:
        super().__init__("monitor" if sink is None else f"monitor:{sink}")
        self._sink = sink
        self._caller = BoundedCaller(self.name)
        self._search = Search()
        self._budget = Budget(self.name)
        self._program: Optional[Program] = None
        self._guard: Optional[MoveGuard] = None
        self._moved = False

    def open(self) -> None:
        """Starts recording.

        :raises UnavailableError: no sound server, sink or `parec`
        """
        sink = self._search.call(self._find)
        arguments = [*_RECORDER, f"--device={sink}.monitor"]
        self._program = Program(self.name, arguments, self._budget, recorder=True)
        self._moved = False
        self._guard = MoveGuard(self._on_move, self._program.pid, default_sink=self._sink is None)

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Block:
        """The next block, or `base.EMPTY`.

        :raises SourceLost: the recording ended or hangs, or the server now records another device
        """
        assert self._program is not None, "open it first"
        if self._moved:
            raise SourceLost(f"{self.name}: the sound server switched to another device")
        delivered = self._program.delivered
        try:
            block = self._program.read(timeout_s, samples)
        except SourceLost as error:
            if not delivered:
                self._search.fail(str(error))
            raise
        if self._program.delivered and not delivered:
            self._search.found()
        return block

    def close(self) -> None:
        """Ends the recording."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        if self._program is not None:
            self._program.close()
            self._program = None

    def _find(self) -> str:
        """Name of the sink to record."""
        if shutil.which(_RECORDER[0]) is None:
            raise UnavailableError(f"{self.name}: parec is missing; apt install pulseaudio-utils")
        sinks = self._caller.call(ANSWER_S, monitors)
        # by its name: PipeWire records the microphone when asked for the default monitor
        sink = self._sink or (sinks[0] if sinks else None)
        if sink is None or sink not in sinks:
            raise UnavailableError(
                f"{self.name}: not found; `edgeface devices` lists what is available"
            )
        return sink

    def _on_move(self) -> None:
        self._moved = True
