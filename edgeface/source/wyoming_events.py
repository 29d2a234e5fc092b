"""Events of the Wyoming protocol: JSON on a line, more JSON, and a payload, all of bounded size.

The protocol: https://github.com/OHF-Voice/wyoming, "Format".
"""

import json
from typing import Any, Dict, NamedTuple, Optional, Tuple

from .chunks import ProtocolError

LONGEST_LINE_BYTES = 8192
LONGEST_DATA_BYTES = 65536
LONGEST_PAYLOAD_BYTES = 1 << 24


class Event(NamedTuple):
    """An event without its payload."""

    type: str
    data: Dict[str, Any]
    payload_bytes: int


class EventReader:
    """Turns bytes into events; the bytes may be cut anywhere."""

    def __init__(self) -> None:
        self._received = b""  # not taken yet
        self._at = 0
        self._begun: Optional[Tuple[Event, int]] = None  # and the bytes of data still to come
        self.payload_bytes = 0  # of the event that was taken last, still to come

    @property
    def between_events(self) -> bool:
        """Whether whole events were received and nothing of the next one."""
        return not self.payload_bytes and self._begun is None and self._at == len(self._received)

    def put(self, data: bytes) -> None:
        """Takes bytes; call `take` and `payload` until more are needed before the next ones."""
        self._received = self._received[self._at :] + data
        self._at = 0

    def payload(self, frame_bytes: int, most_bytes: int) -> bytes:
        """The next bytes of the payload, whole frames; none when more are needed."""
        available = min(self.payload_bytes, len(self._received) - self._at, most_bytes)
        count = available // frame_bytes * frame_bytes
        self._at += count
        self.payload_bytes -= count
        return self._received[self._at - count : self._at]

    def take(self) -> Optional[Event]:
        """The next event, whose payload follows; None when more bytes are needed.

        :raises ProtocolError: it is invalid, or too long
        """
        assert not self.payload_bytes, "read the payload first"
        if self._begun is None:
            line = self._line()
            if line is None:
                return None
            self._begun = _parsed(line)
        event, data_bytes = self._begun
        if len(self._received) - self._at < data_bytes:
            return None
        if data_bytes:
            data = self._received[self._at : self._at + data_bytes]
            event = event._replace(data=dict(event.data, **_object(data, "data")))
            self._at += data_bytes
        self._begun = None
        self.payload_bytes = event.payload_bytes
        return event

    def _line(self) -> Optional[bytes]:
        end = self._received.find(b"\n", self._at, self._at + LONGEST_LINE_BYTES)
        if end < 0:
            if len(self._received) - self._at >= LONGEST_LINE_BYTES:
                raise ProtocolError(
                    f"not a Wyoming event: a line of over {LONGEST_LINE_BYTES} bytes"
                )
            return None
        line = self._received[self._at : end]
        self._at = end + 1
        return line


def encode(kind: str, data: Dict[str, Any]) -> bytes:
    """An event without payload."""
    body = json.dumps(data).encode()
    return json.dumps({"type": kind, "data_length": len(body)}).encode() + b"\n" + body


def _parsed(line: bytes) -> Tuple[Event, int]:
    """What a line announces, and how many bytes of data follow."""
    header = _object(line, "line")
    kind = header.get("type")
    data = header.get("data") or {}
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise ProtocolError("not a Wyoming event: no type, or data that is no object")
    payload_bytes = _length(header, "payload_length", LONGEST_PAYLOAD_BYTES)
    return Event(kind, data, payload_bytes), _length(header, "data_length", LONGEST_DATA_BYTES)


def _object(text: bytes, what: str) -> Dict[str, Any]:
    try:
        parsed = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ProtocolError(f"not a Wyoming event: its {what} is no JSON object")
    return parsed


def _length(header: Dict[str, Any], name: str, most: int) -> int:
    length = header.get(name)
    if length is None:
        return 0
    if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= most:
        raise ProtocolError(f"not a Wyoming event: its {name} is no number from 0 to {most}")
    return length
