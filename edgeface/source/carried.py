"""The sound that a pipe carries: raw, in the format that was announced, or in WAV."""

from typing import List, Optional

import numpy as np

from ..core.errors import DataError
from .base import EMPTY
from .containers.piped import (
    HEAD_BYTES,
    Refused,
    Start,
    chunk_bytes,
    first_head,
    head_may_begin,
    recognise,
)
from .convert import Converter
from .pcm import Pcm

_CONVERTER = "ffmpeg -loglevel error -i - -f wav -"


class CarriedSound:
    """Bytes in pieces of any size to 16 kHz mono; each writer begins anew.

    :param name: how messages name the pipe
    :param pcm: of raw sound; a WAV file says its own
    """

    def __init__(self, name: str, pcm: Pcm) -> None:
        self.pcm = pcm  # of what comes now
        self.refused = False  # what comes is passed over until its writer ends
        self._name = name
        self._announced = pcm
        self._data = b""  # that was not decoded yet
        self._start: Optional[Start] = None  # None: it is not known yet how the sound begins
        self._left_bytes: Optional[int] = None  # of the sound of a WAV file, where it is known
        self._unheard_bytes = 0  # to come behind that
        self._ends_with_head = False  # of another file: this one's sound is of unknown length
        self._converter: Optional[Converter] = None

    def accept(self, data: bytes) -> np.ndarray:
        """Takes bytes.

        :return: what can be resampled by now, float32 [n], 16 kHz mono, -1..1
        :raises DataError: the sound is encoded; what the writer sends is passed over then
        """
        if self.refused:
            return EMPTY.samples
        self._data += data
        parts: List[np.ndarray] = []
        while self._start is not None or self._begin():
            parts.append(self._decode())
            if self._left_bytes != 0 or not self._pass_over_chunks():
                break
            if self._start is None:
                parts.append(self.rest())
        return np.concatenate(parts) if parts else EMPTY.samples

    def rest(self) -> np.ndarray:
        """The sound that the resampler holds back, float32 [n]: a pause follows."""
        if self._converter is None:
            return EMPTY.samples
        samples = self._converter.finish()
        self._converter = None
        return samples

    def finish(self) -> np.ndarray:
        """The writer has ended: the last samples, float32 [n]; the next one begins anew."""
        samples = EMPTY.samples
        if self._ends_with_head:  # none does
            self._ends_with_head = False
            samples = self._decode()
        if self._start is None and not self.refused:  # it was too short to be anything but raw
            self._use(Start())
            samples = self._decode()
        samples = np.concatenate((samples, self.rest()))
        self._data = b""
        self._start = None
        self.refused = False
        return samples

    def change(self, data: bytes, most_lost: int) -> np.ndarray:
        """Takes bytes amid which the writer changes, nobody knows where; the next one goes on.

        Nothing is lost where both wrote whole samples, or the next one a file. Otherwise the
        beginning is, up to whole samples of the next one, who has written nothing else.

        :param most_lost: so many bytes at most, but for half a sample
        :return: as `accept`
        :raises DataError: as `accept`
        """
        frame_bytes = self._announced.frame_bytes
        whole = not self.refused and self.pcm == self._announced
        whole = whole and (len(self._data) + len(data)) % frame_bytes == 0
        begins = heard = first_head(data)
        if begins is None:
            begins = len(data) if whole else 0
            kept = len(data) if whole else min(len(data), most_lost)
            heard = kept + (len(data) - kept) % frame_bytes
        samples = EMPTY.samples
        if begins:
            samples = self.accept(data[:begins])
        samples = np.concatenate((samples, self.finish()))
        return np.concatenate((samples, self.accept(data[heard:])))

    def _begin(self) -> bool:
        """Looks how the sound begins; whether that is known."""
        try:
            start = recognise(self._data)
        except Refused as refused:
            self.refused = True
            self._data = b""
            raise DataError(
                f"{self._name}: {refused} cannot be read from a pipe; send it through"
                f" `{_CONVERTER}`"
            ) from None
        if start is not None:
            self._use(start)
        return start is not None

    def _use(self, start: Start) -> None:
        """Begins with a format."""
        pcm = start.pcm or self._announced
        if pcm != self.pcm:
            self._converter = None
        self.pcm = pcm
        self._start = start
        self._left_bytes = None
        self._ends_with_head = start.pcm is not None and start.sound_bytes is None
        if start.sound_bytes is not None:
            # half a sample, and the byte that fills an odd number up, are none
            self._unheard_bytes = start.sound_bytes % pcm.frame_bytes + start.sound_bytes % 2
            self._left_bytes = start.sound_bytes // pcm.frame_bytes * pcm.frame_bytes
        self._data = self._data[start.head_bytes :]

    def _decode(self) -> np.ndarray:
        """What of the sound can be resampled by now, float32 [n]."""
        available = len(self._data)
        if self._ends_with_head:
            available = self._before_head()
        if self._left_bytes is not None:
            available = min(available, self._left_bytes)
        size = available // self.pcm.frame_bytes * self.pcm.frame_bytes
        sound = self.pcm.decode(self._data[:size])
        self._data = self._data[size:]
        if self._left_bytes is not None:
            self._left_bytes -= size
        if self.pcm == Pcm():
            return sound[:, 0]
        if self._converter is None:
            self._converter = Converter(self.pcm.rate_hz, self._name)
        return self._converter.accept(sound)

    def _before_head(self) -> int:
        """How many bytes are certainly sound; where another file begins, the sound ends there."""
        head = first_head(self._data)
        if head is None:
            return head_may_begin(self._data)
        self._ends_with_head = False
        self._unheard_bytes = head % self.pcm.frame_bytes
        self._left_bytes = head - self._unheard_bytes
        return head

    def _pass_over_chunks(self) -> bool:
        """Behind the sound of a WAV file: whether more of it follows, or another file."""
        while True:
            passed_over = min(self._unheard_bytes, len(self._data))
            self._data = self._data[passed_over:]
            self._unheard_bytes -= passed_over
            size = chunk_bytes(self._data)
            if size is None:
                return False
            if first_head(self._data[:HEAD_BYTES]) == 0:
                self._start = None
                return True
            if not size:
                self._left_bytes = None  # its size was wrong: all that follows is sound
                return True
            self._unheard_bytes = size
