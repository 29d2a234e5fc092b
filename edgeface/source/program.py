"""A child process that writes raw sound or WAV to its standard output."""

import logging
import os
import subprocess
import uuid
from typing import Optional, Sequence

from ..core.clock import monotonic_ns
from ..core.errors import DataError, UnavailableError
from ..core.rates import MS_NS, SAMPLE_RATE_HZ, SECOND_NS
from .base import BLOCK_SAMPLES, Block, SourceLost
from .complaints import Budget, Complaints
from .descendants import MARK, end_all
from .pcm import Pcm
from .raw import RawReader

_LOG = logging.getLogger(__name__)
_END_S = 1.0  # how long to wait for a program that is killed
_BREATH_NS = 200 * MS_NS  # whoever pauses for longer is not in the midst of recording
_RECORDER_SAMPLES = 10 * SAMPLE_RATE_HZ
_HANGS_NS = 3 * SECOND_NS
_FIRST_NS = 10 * SECOND_NS


class Program:
    """Starts a program, without a shell, and reads what it writes.

    A program that delivered for 10 s without a pause is taken for a recorder: if nothing comes
    from it any more, it hangs.

    :param name: what messages name
    :param arguments: the program and its arguments
    :param budget: takes what it writes to stderr
    :param recorder: whether it is known to deliver all the time; None: found out
    :param pcm: what it writes, if that is raw sound
    :raises UnavailableError: it cannot be started
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        budget: Budget,
        recorder: Optional[bool] = None,
        pcm: Pcm = Pcm(),
    ) -> None:
        self.delivered = False
        self.hung = False  # it was given up
        self._name = name
        self._mark = uuid.uuid4().hex
        self._recorder = recorder
        self._started_ns = self._last_ns = monotonic_ns()
        self._steady_samples = 0  # without a pause
        try:
            # in a session of its own, so that whatever it starts ends with it
            self._child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env=dict(os.environ, **{MARK: self._mark}),
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UnavailableError(f"{name}: {reason}; check the command line") from None
        assert self._child.stdout is not None and self._child.stderr is not None
        self._reader = RawReader(self._child.stdout.fileno(), playback=True, name=name, pcm=pcm)
        self._complaints = Complaints(self._child.stderr, budget)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def read(self, timeout_s: float, samples: int = BLOCK_SAMPLES) -> Block:
        """The next block, or `base.EMPTY`.

        :raises SourceLost: the program ended, hangs, or writes encoded sound
        """
        try:
            block = self._reader.read(timeout_s, samples)
        except DataError as error:
            raise SourceLost(str(error)) from None
        if block is None:
            raise SourceLost(f"{self._name}: {self._how_it_ended()}")
        now = monotonic_ns()
        if len(block.samples):
            pause_ns = now - self._last_ns
            self._steady_samples = 0 if pause_ns > _BREATH_NS else self._steady_samples
            self._steady_samples += len(block.samples)
            self._last_ns = now
            self.delivered = True
        elif self._hangs(now):
            self.hung = True
            raise SourceLost(f"{self._name}: hangs, no sound for {_HANGS_NS // SECOND_NS} s")
        return block

    def is_late(self) -> bool:
        """Whether a recorder would have delivered its first sound long ago."""
        return not self.delivered and monotonic_ns() - self._started_ns > _FIRST_NS

    def close(self) -> None:
        """Kills the program and whatever it started; never fails, and takes a second at most."""
        left = end_all(self._child.pid, self._mark, _END_S)
        if left:
            _LOG.warning(
                "%s: process %s cannot be ended; it may belong to another user",
                self._name,
                ", ".join(map(str, left)),
            )
        self._child.poll()
        self._complaints.close()
        assert self._child.stdout is not None
        self._child.stdout.close()

    def _hangs(self, now: int) -> bool:
        if not self.delivered:
            return bool(self._recorder) and self.is_late()
        recorder = self._recorder
        if recorder is None:
            recorder = self._steady_samples >= _RECORDER_SAMPLES
        return recorder and now - self._last_ns > _HANGS_NS

    def _how_it_ended(self) -> str:
        """Exit status and the last line on stderr of a program that closed its output."""
        try:
            status = self._child.wait(0.1)
        except subprocess.TimeoutExpired:
            return "closed its output"
        how = f"ended with {status}" if status > 0 else "ended"
        if status < 0:
            how = f"ended by signal {-status}"
        last = self._complaints.last_line()
        return f"{how} ({last})" if last else how
