"""How well a source keeps up with real time, so that the face moves 25 times a second anyway."""

from ..core.rates import MS_NS, SAMPLE_NS, SECOND_NS

_LATE_NS = 60 * MS_NS  # sound that is later is replaced
_LATEST_NS = 200 * MS_NS  # nobody hurries to catch up after a longer stall
_DRIFT = 0.005  # a clock that differs by less is not slow
_PAUSE_NS = 500 * MS_NS  # silence that is longer is a pause, not a slow writer
_WINDOW_NS = 2 * SECOND_NS
_SLOW_SHARE = 0.05  # of a window that was filled with silence
_FEWEST_GAPS = 4  # a single late block is no slow source
_SLOW_WINDOWS = 2  # in a row: a busy machine holds everybody up now and then


class Flow:
    """Compares what was delivered with the time that passed.

    :param now: CLOCK_MONOTONIC in ns
    """

    def __init__(self, now: int) -> None:
        self.slow = False  # whether the source delivers less than real time
        self._covered_ns = now  # until when there is sound for the face
        self._gap_ns = 0  # silence since the last sound
        self._slow_windows = 0  # in a row
        self._begin_window()

    def _begin_window(self) -> None:
        self._sound_ns = 0
        self._silence_ns = 0
        self._gaps = 0

    def sound(self, samples: int, now: int) -> None:
        """Sound was delivered."""
        if self._gap_ns:
            self._gaps += 1
            self._gap_ns = 0
        duration_ns = samples * SAMPLE_NS
        self._cover(duration_ns + int(duration_ns * _DRIFT), now)
        self._sound_ns += duration_ns
        if self._sound_ns + self._silence_ns >= _WINDOW_NS:
            self._end_window()

    def _end_window(self) -> None:
        filled = self._silence_ns > _SLOW_SHARE * _WINDOW_NS
        is_slow = filled and self._gaps >= _FEWEST_GAPS
        self._slow_windows = self._slow_windows + 1 if is_slow else 0
        self.slow = self._slow_windows >= _SLOW_WINDOWS
        self._begin_window()

    def pause(self, samples: int, now: int) -> None:
        """Silence was delivered in real time: however late the sound before was, that is over."""
        self.silence(samples, now)
        self._covered_ns = now

    def silence(self, samples: int, now: int) -> None:
        """Silence was delivered in place of sound."""
        duration_ns = samples * SAMPLE_NS
        self._cover(duration_ns, now)
        self._silence_ns += duration_ns
        self._gap_ns += duration_ns
        if self._gap_ns > _PAUSE_NS:
            self.slow = False
            self._slow_windows = 0
            self._begin_window()

    @property
    def late_ns(self) -> int:
        """Until when sound must come: after that the face would stand still."""
        return self._covered_ns + _LATE_NS

    def is_late(self, now: int) -> bool:
        """Whether the face would stand still."""
        return now > self.late_ns

    def _cover(self, duration_ns: int, now: int) -> None:
        covered_ns = max(self._covered_ns, now - _LATEST_NS) + duration_ns
        self._covered_ns = min(covered_ns, now)
