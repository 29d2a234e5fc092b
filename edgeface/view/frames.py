"""The frames of a segment as events for all clients: one look at it, and one encoding."""

import contextlib
import json
import threading
import time
from typing import Any, Dict, Iterator, Optional, Tuple

from ..core.rates import MS_NS
from ..shm.layout import state_name
from ..shm.reader import Reader, ReadFrame

_KEEP_ALIVE_S = 1.0  # a browser that left is noticed at the next event
_POLL_S = 0.004
_REST_S = 0.028  # after a frame, whose successor takes 40 ms


class Frames:
    """Reads a segment in a thread, as long as there is a client.

    :param shm: name of the segment
    """

    def __init__(self, shm: str) -> None:
        self._shm = shm
        self._changed = threading.Condition()
        self._number = 0
        self._event = b""
        self._clients = 0
        self._thread: Optional[threading.Thread] = None

    @contextlib.contextmanager
    def client(self) -> Iterator[None]:
        """Counts a client while the block runs."""
        with self._changed:
            self._clients += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._clients -= 1

    def after(self, number: int) -> Tuple[int, bytes]:
        """Waits for the newest event if it is not this one; its number and text."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number)
            return self._number, self._event

    @property
    def newest(self) -> int:
        """Number of the newest event."""
        return self._number

    def _run(self) -> None:
        seen = None
        told_s = 0.0
        with Reader(self._shm) as reader:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._clients > 0)
                frame = reader.read()
                if frame is not None and (frame.index, frame.publish_ns) != seen:
                    seen = (frame.index, frame.publish_ns)
                    self._publish(_message(frame, reader.header()))
                    time.sleep(_REST_S)
                elif frame is None and time.monotonic() - told_s > _KEEP_ALIVE_S:
                    told_s = time.monotonic()
                    self._publish(None)
                time.sleep(_POLL_S)

    def _publish(self, message: Optional[Dict[str, Any]]) -> None:
        event = f"data: {json.dumps(message, separators=(',', ':'))}\n\n".encode()
        with self._changed:
            self._number += 1
            self._event = event
            self._changed.notify_all()


def _message(frame: ReadFrame, header: Optional[Dict[str, int]]) -> Dict[str, Any]:
    latency_ns = frame.publish_ns - frame.audio_ns
    return {
        "index": frame.index,
        "flags": frame.flags,
        "level": round(frame.rms_dbfs, 1),
        "latency": round(latency_ns / MS_NS, 1),
        "state": state_name(header["state"]) if header else "gone",
        "landmarks": [[round(float(v), 4) for v in point] for point in frame.landmarks],
    }
