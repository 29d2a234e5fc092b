"""One voice assistant at a Wyoming port: its events, and its sound in turn."""

import socket
from typing import Any, Dict, List, Optional

import numpy as np

from .. import __version__
from ..core.clock import monotonic_ns
from ..core.rates import SAMPLE_RATE_HZ, SECOND_NS
from .base import EMPTY
from .chunks import Chunk, ProtocolError
from .connection import Connection
from .convert import Converter
from .pcm import Pcm
from .wyoming_events import Event, EventReader, encode

_RECEIVED_BYTES = 16384
_PIECES_PER_S = 10  # sound is converted in pieces of 0.1 s, or of so many bytes at high rates
_PIECE_BYTES = 16384
_LOOKED_AT = 4  # events at once, while it is not its turn
_STALL_NS = 10 * SECOND_NS  # so long the rest of an event may take
_ENCODINGS = {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}  # by width in bytes
_INFO = {
    "name": "edgeface",
    "attribution": {"name": "edgeface", "url": ""},
    "installed": True,
    "description": "A face that speaks what it plays",
    "version": __version__,
    # what needs no conversion; any other is played, too
    "snd_format": {"rate": SAMPLE_RATE_HZ, "width": 2, "channels": 1},
}
_OTHER_SERVICES = ("asr", "tts", "handle", "intent", "wake", "mic")


class WyomingConnection(Connection):
    """An assistant: it announces sound, sends it, and is told when it was played."""

    def __init__(self, connection: socket.socket, ahead_ns: int) -> None:
        super().__init__(connection, ahead_ns)
        self._ahead_ns = ahead_ns
        self._events = EventReader()
        self._held: Optional[Event] = None  # concerns sound, and waits for its turn
        self._pcm: Optional[Pcm] = None  # of the payload; None where it is passed over
        self._converted = Pcm()  # what the converter takes
        self._converter: Optional[Converter] = None
        self._ending = False  # all sound of an utterance was sent, not all was heard
        self._silent = True  # between two utterances
        self._stalled_ns: Optional[int] = None  # since when the rest of an event is awaited

    @property
    def peer(self) -> str:
        """The address that writes, for messages."""
        try:
            host, port = self._socket.getpeername()[:2]
        except OSError:
            return "an address"
        return f"{host} port {port}"

    @property
    def is_speaking(self) -> bool:
        """Whether a part of its sound is queued or still to come."""
        return bool(self.queue.samples) or self._has_sound

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost but the connection itself, or an incomplete event."""
        return not self.is_speaking

    @property
    def listens(self) -> bool:
        """Whether bytes that come now would be read, were it its turn."""
        return not self.ended and not self._ending

    @property
    def _has_sound(self) -> bool:
        return self._held is not None or self._pcm is not None

    def look(self, now: int) -> bool:
        """Answers what needs no turn, and reads on until there is sound."""
        self._settle(now)
        self._watch(now)
        for _ in range(_LOOKED_AT):
            if not self.listens or self._has_sound:
                return True
            event = self._next_event()
            if event is not None:
                self._handle(event)
            elif not self._receive():
                return True
        return False

    def wants(self, now: int) -> bool:
        """Whether it has something to say: sound that is due, or bytes of it to be read."""
        if self.queue.samples:
            return self.queue.begins(now)
        if self._ending or self.ended:
            return False
        return self._held is not None or (self._pcm is not None and self.is_readable())

    def lose_patience(self, now: int, others_want: bool) -> bool:
        """As `Connection.lose_patience`; after an utterance it is the next one's turn at once."""
        return super().lose_patience(now, others_want) or (
            self._silent and not self.queue.samples and not self._has_sound
        )

    def receive(self) -> bool:
        """Reads some bytes; whether there may be more."""
        self._watch(monotonic_ns())
        return self.listens and self._receive()

    def take(self) -> Optional[Chunk]:
        """The next part of what was received: bounded work; None when more bytes are needed."""
        if self._ending:
            return None
        if self._pcm is not None:
            return self._piece(self._pcm)
        event = self._held or self._next_event()
        self._held = None
        if event is None:
            return None
        rest = EMPTY.samples
        if event.type == "audio-chunk":
            rest = self._begin(event)
        elif event.type == "audio-stop":
            rest = self._finish()
            self._ending = self._silent = True
        else:
            self._handle(event)
        return Chunk(0, False, rest)

    def rest(self, now: int) -> None:
        """Nothing is queued: the sound of before comes out whole, if nothing follows."""
        super().rest(now)
        self._settle(now)

    def _settle(self, now: int) -> None:
        """Says that an utterance was played, when it was."""
        if self._ending and not self.queue.samples and now >= self.queue.end_ns + self._ahead_ns:
            self._ending = False
            self._send(encode("played", {}))

    def _watch(self, now: int) -> None:
        """Does not wait for the rest of an event for ever."""
        if self._ending or self._events.between_events or self._held or self.is_readable():
            self._stalled_ns = None
        elif self._stalled_ns is None:
            self._stalled_ns = now
        elif now - self._stalled_ns > _STALL_NS:
            raise ProtocolError(f"half an event, and nothing for {_STALL_NS // SECOND_NS} s")

    def _receive(self) -> bool:
        try:
            data = self._socket.recv(_RECEIVED_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self.ended = True
            self.queue.append(self._finish())
            return False
        self._events.put(data)
        return True

    def _next_event(self) -> Optional[Event]:
        """The next one, when what is passed over has come."""
        self._events.payload(1, _RECEIVED_BYTES)
        return None if self._events.payload_bytes else self._events.take()

    def _handle(self, event: Event) -> None:
        """Answers, or holds what concerns sound; what is not known is passed over."""
        if event.type in ("audio-chunk", "audio-stop"):
            self._held = event
        elif event.type == "audio-start":
            _format_of(event.data)
        elif event.type == "describe":
            services: Dict[str, Any] = {name: [] for name in _OTHER_SERVICES}
            self._send(encode("info", dict(services, snd=[_INFO])))
        elif event.type == "ping":
            text = event.data.get("text")
            self._send(encode("pong", {"text": text if isinstance(text, str) else None}))

    def _begin(self, event: Event) -> np.ndarray:
        """The rest of the sound before a chunk, if that was of another format; float32 [n]."""
        pcm = _format_of(event.data)
        if event.payload_bytes % pcm.frame_bytes:
            raise ProtocolError(
                f"audio-chunk: {event.payload_bytes} bytes are not whole samples of"
                f" {pcm.frame_bytes} bytes"
            )
        rest = self._finish() if pcm != self._converted else EMPTY.samples
        if event.payload_bytes:
            self._pcm = self._converted = pcm
            self._silent = False
        return rest

    def _piece(self, pcm: Pcm) -> Optional[Chunk]:
        """Some sound of a chunk."""
        most_bytes = min(_PIECE_BYTES, pcm.rate_hz // _PIECES_PER_S * pcm.frame_bytes)
        data = self._events.payload(pcm.frame_bytes, most_bytes)
        if not data:
            return None
        if not self._events.payload_bytes:
            self._pcm = None
        if self._converter is None:
            self._converter = Converter(pcm.rate_hz)
        return Chunk(0, False, self._converter.accept(pcm.decode(data)))

    def _finish(self) -> np.ndarray:
        if self._converter is None:
            return EMPTY.samples
        samples = self._converter.finish()
        self._converter = None
        return samples

    def _farewell(self, reason: str) -> bytes:
        return encode("error", {"text": reason})


def _format_of(data: Dict[str, Any]) -> Pcm:
    """What audio-start and audio-chunk say of the sound.

    :raises ProtocolError: it cannot be
    """
    values: List[Any] = [data.get(name) for name in ("rate", "width", "channels")]
    if not all(type(value) is int for value in values):
        raise ProtocolError("sound without rate, width and channels")
    rate_hz, width, channels = values
    try:
        return Pcm(rate_hz, channels, _ENCODINGS.get(width, "")).check()
    except ValueError as error:
        raise ProtocolError(
            f"sound of {rate_hz} Hz, {width} bytes and {channels} channels: {error}"
        ) from None
