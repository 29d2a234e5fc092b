"""MPEG audio: its frames, counted, so that no header and no decoder has to guess.

Frames: ISO 11172-3, section 2.4; the Xing, Info and VBRI frames that announce a length as LAME and
Fraunhofer's encoders write them; tags: id3.org.
"""

import struct
from typing import List, NamedTuple, Optional, Tuple

from .content import Content, Piece

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
# kbit/s by index, for (MPEG 1, layer), else (MPEG 2 and 2.5, layer)
_KBITS = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HAS_FRAMES = 1  # flag of a Xing or Info frame
_ID3V1_BYTES = 128


class Frame(NamedTuple):
    """What the header of a frame says."""

    version: int
    """3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5"""

    layer: int
    rate_hz: int
    mono: bool
    length: int
    """bytes, header included"""

    @property
    def form(self) -> Tuple[int, int, int, bool]:
        """What all frames of one stream have in common."""
        return self[:4]

    @property
    def announcement_at(self) -> int:
        """Where in the frame `Xing` or `Info` would be: after the side information."""
        if self.version == 3:
            return 4 + (17 if self.mono else 32)
        return 4 + (9 if self.mono else 17)


def parse(header: bytes) -> Optional[Frame]:
    """The frame of a header of 4 bytes, or None."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version = header[1] >> 3 & 3
    layer = 4 - (header[1] >> 1 & 3)
    kbits_index = header[2] >> 4
    rate_index = header[2] >> 2 & 3
    if version == 1 or layer == 4 or kbits_index in (0, 15) or rate_index == 3:
        return None
    rate_hz = _RATES[version][rate_index]
    bits = 1000 * _KBITS[version == 3, layer][kbits_index - 1]
    padding = header[2] >> 1 & 1
    if layer == 1:
        length = (12 * bits // rate_hz + padding) * 4
    else:
        slots = 72 if layer == 3 and version != 3 else 144
        length = slots * bits // rate_hz + padding
    return Frame(version, layer, rate_hz, header[3] >> 6 == 3, length)


def skip_tag(content: Content, at: int) -> int:
    """Where the tag that begins here ends; `at` where none does."""
    start = content.read(at, 32)
    if start[:3] == b"ID3" and len(start) >= 10:
        size = 0
        for byte in start[6:10]:
            size = size << 7 | byte & 0x7F
        footer = 10 if start[5] & 0x10 else 0
        return at + 10 + size + footer
    if start[:3] == b"TAG":
        return at + _ID3V1_BYTES
    if start[:8] == b"APETAGEX" and len(start) == 32:
        size, _items, flags = struct.unpack("<III", start[12:24])
        return at + 32 + (size if flags & 0x20000000 else 0)
    return at


def find_frame(content: Content, at: int, end: int) -> Optional[int]:
    """Where between here and there two frames of one form follow each other, or None."""
    for found in content.find(b"\xff", at, end):
        if _is_frame(content, found):
            return found
    return None


def _is_frame(content: Content, at: int) -> bool:
    first = parse(content.read(at, 4))
    if first is None:
        return False
    second = parse(content.read(at + first.length, 4))
    return second is not None and second.form == first.form


def is_start(content: Content, at: int) -> bool:
    """Whether MPEG audio begins here."""
    frame = parse(content.read(at, 4))
    if frame is None:
        return False
    after = at + frame.length
    return after >= content.size or skip_tag(content, after) > after or _is_frame(content, at)


def split(content: Content, start: int) -> Tuple[List[Piece], int]:
    """The MPEG audio that begins at `start`: one piece for each announced length, form and gap."""
    pieces: List[Piece] = []
    at = start
    while True:
        stream = _Stream(content, at)
        pieces += stream.pieces()
        at = stream.end
        if stream.fault:
            return pieces, content.size
        while skip_tag(content, at) > at:
            at = min(skip_tag(content, at), content.size)
        if is_start(content, at):
            continue
        return pieces, at


class _Stream:
    """Frames of one form that follow each other without a gap, from `at` on."""

    def __init__(self, content: Content, at: int) -> None:
        self._content = content
        self.fault = ""
        first = parse(content.read(at, 4))
        assert first is not None
        self._first = first
        self._header = content.read(at, 4)
        self._announced, skipped = _announcement(content, at, first)
        self._start = at + skipped
        # with an announcement that is of use, the frame that holds it counts as none
        self._frames = -1 if self._announced and not skipped else 0
        self._surplus_at: Optional[int] = None
        self.end = self._walk(self._start)

    def _walk(self, at: int) -> int:
        content = self._content
        form = self._first.form
        last = at
        while True:
            header = content.read(at, 4)
            frame = parse(header)
            if frame is None or frame.form != form:
                self._check(last, at, header)
                return at
            if at + frame.length > content.size:
                self.fault = self._broken()
                return content.size
            if at > self._start:
                if _announcement(content, at, frame) != (0, 0):
                    return at
                if self._frames == self._announced and self._announced:
                    self._surplus_at = at
            self._frames += 1
            last = at
            at += frame.length

    def _check(self, last: int, at: int, header: bytes) -> None:
        """Whether the last frame is whole, where none of this form follows it."""
        left = self._content.size - at
        if 0 < left < 4 and b"\xff\xff\xff".startswith(header[:1]):
            self.fault = self._broken()
        elif left > 0 and last < at:
            inside = find_frame(self._content, last + 4, at)
            if inside is not None:
                found = parse(self._content.read(inside, 4))
                if found is not None and found.form == self._first.form:
                    self.fault = self._broken()

    def _broken(self) -> str:
        seconds = max(0, self._frames) * self._frame_samples / self._first.rate_hz
        return f"damaged: breaks off amid a frame after {seconds:.2f} s; copy it again"

    @property
    def _frame_samples(self) -> int:
        if self._first.layer == 1:
            return 384
        return 576 if self._first.layer == 3 and self._first.version != 3 else 1152

    def pieces(self) -> List[Piece]:
        """These frames, with the number that there is of them announced before them."""
        announced, frames = self._announced, self._frames
        if frames <= 0 and not announced and not self.fault:
            return []  # nothing but an announcement of nothing
        if announced == 0:
            return [self._counted(self._start, self._header, frames)]
        if frames < announced - 1:
            self.fault = self.fault or (
                f"damaged: ends after {frames} of {announced} frames; copy it again"
            )
        if frames <= announced + 1 or self._surplus_at is None:
            return [Piece(self._start, self.end, b"", self.fault, True)]
        at = self._surplus_at
        surplus = self._counted(at, self._content.read(at, 4), frames - announced)
        return [Piece(self._start, at, b"", "", True), surplus]

    def _counted(self, start: int, header: bytes, frames: int) -> Piece:
        """The piece from `start` to the end, which has no announcement of use."""
        head = _announce(header, self._first, frames)
        samples = frames * self._frame_samples
        return Piece(start, self.end, b"", self.fault, True, samples, head)


def _announcement(content: Content, at: int, frame: Frame) -> Tuple[int, int]:
    """How many frames this one says that follow, and its length if the decoder is not to see it."""
    if frame.layer != 3:
        return 0, 0
    text = content.read(at + frame.announcement_at, 12)
    if text[:4] in (b"Xing", b"Info") and len(text) == 12:
        flags, frames = struct.unpack(">II", text[4:])
        if flags & _HAS_FRAMES and frames:
            return frames, 0
        return 0, frame.length
    text = content.read(at + 36, 4)
    if text == b"VBRI":
        return 0, frame.length
    return 0, 0


def _announce(header: bytes, frame: Frame, frames: int) -> bytes:
    """A frame that says how many follow; nothing for the layers that have no such frames.

    Behind it, libmpg123 skips the 529 samples by which every decoder is late.
    """
    if frame.layer != 3:
        return b""
    numbers = struct.pack(">II", _HAS_FRAMES, frames)
    text = bytes(frame.announcement_at - 4) + b"Info" + numbers
    for index in range(1, 15):
        fields = bytes((header[0], header[1] | 1, index << 4 | header[2] & 0x0C, header[3]))
        made = parse(fields)
        if made is not None and made.length >= 4 + len(text):
            return (fields + text).ljust(made.length, b"\0")
    return b""
