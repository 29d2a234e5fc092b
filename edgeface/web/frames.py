"""The frames of a segment as events for all clients: one look at it, and one encoding."""

import contextlib
import threading
import time
from typing import Callable, Dict, Iterator, Optional

from ..shm.reader import Reader
from ..shm.slot import ReadFrame
from .message import frame_message
from .streams import Event, encode

Message = Callable[[Optional[ReadFrame], Optional[Dict[str, int]]], str]
"""Makes the JSON of a frame and its segment's header, see `message.frame_message`."""

_KEEP_ALIVE_S = 1.0  # a browser that left is noticed at the next event
_POLL_S = 0.002
_REST_S = 0.03  # after a frame, whose successor takes 40 ms; and where there is no writer


class Frames:
    """Reads a segment in a thread, as long as there is a client.

    :param shm: name of the segment
    :param message: what is sent of it
    """

    def __init__(self, shm: str, message: Message = frame_message) -> None:
        self._shm = shm
        self._message = message
        self._changed = threading.Condition()
        self._newest = encode(0, "")
        self._clients = 0
        self._thread: Optional[threading.Thread] = None

    @contextlib.contextmanager
    def client(self) -> Iterator[None]:
        """Counts a client while the block runs."""
        with self._changed:
            self._clients += 1
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="edgeface-frames", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._clients -= 1

    @property
    def clients(self) -> int:
        """How many there are."""
        return self._clients

    @property
    def newest(self) -> int:
        """Number of the newest event."""
        return self._newest.number

    def after(self, number: int) -> Event:
        """Waits for an event with a higher number: the newest one, whatever came between."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest.number > number)
            return self._newest

    def _run(self) -> None:
        seen = None
        told_s = 0.0
        with Reader(self._shm) as reader:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._clients > 0)
                frame = reader.read()
                if frame is not None and (frame.index, frame.publish_ns) == seen:
                    time.sleep(_POLL_S)
                    continue
                if frame is not None:
                    seen = (frame.index, frame.publish_ns)
                    self._publish(self._message(frame, reader.header()))
                elif time.monotonic() - told_s > _KEEP_ALIVE_S:
                    told_s = time.monotonic()
                    self._publish(self._message(None, reader.header()))
                time.sleep(_REST_S)

    def _publish(self, message: str) -> None:
        event = encode(self._newest.number + 1, message)
        with self._changed:
            self._newest = event
            self._changed.notify_all()
