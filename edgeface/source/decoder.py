"""Decodes one piece of a sound file, in order, with libsndfile."""

import numpy as np
import soundfile

from ..core.chatter import silence_libraries
from ..core.errors import DataError, one_line
from ..core.rates import SAMPLE_RATE_HZ
from .containers.content import Content, Excerpt, Piece
from .convert import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, Converter

_BLOCK_S = 1.0
_MOST_BLOCK_BYTES = 1 << 24  # a header can claim a thousand channels
# some programs mark several pages of an Ogg file as the last one: libsndfile reads the first
# of them and leaves the others, at most so much sound
_UNREAD_OGG_S = 1.0
_LONGEST_REASON = 80


class _Stream(soundfile.SoundFile):
    """A sound file that is read from its beginning to its end.

    `soundfile` seeks after every read of what it takes for seekable, which makes decoders of MPEG
    begin again amid their memory, and fails where the length is unknown.
    """

    def seekable(self) -> bool:
        """It is not."""
        return False


class NotSound(Exception):
    """libsndfile cannot read it; the text says why."""


class Decoder:
    """16 kHz mono sound of a piece.

    :param name: how messages name the file
    :raises NotSound: libsndfile cannot read it
    :raises DataError: it is damaged, or of an impossible rate
    """

    def __init__(self, name: str, content: Content, piece: Piece) -> None:
        silence_libraries()
        self._name = name
        self._estimated = piece.estimated
        if piece.fault:
            raise DataError(f"{name}: {piece.fault}")
        self._file = _open(content, piece)
        if self._file.frames < piece.samples and piece.count_head:
            self._file.close()
            self._file = _open(content, piece._replace(head=piece.count_head))
        self.frames = self._file.frames
        rate_hz = self._file.samplerate
        if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
            raise DataError(
                f"{name}: {rate_hz} Hz is outside {LOWEST_RATE_HZ}..{HIGHEST_RATE_HZ} Hz;"
                " resample it"
            )
        frame_bytes = 4 * self._file.channels
        self._block_frames = max(1, min(int(rate_hz * _BLOCK_S), _MOST_BLOCK_BYTES // frame_bytes))
        self._converter = Converter(rate_hz, name)
        self._read_frames = 0
        self._samples = 0
        self.finished = False

    def read(self) -> np.ndarray:
        """The next samples, float32 [n]; n may be 0, and the last ones set `finished`.

        :raises DataError: the piece breaks off or holds values that are not finite
        """
        try:
            sound = self._file.read(self._block_frames, dtype="float32", always_2d=True)
        except RuntimeError as error:
            raise DataError(
                f"{self._name}: damaged after {self._read_s:.2f} s ({_reason(error)});"
                " copy it again"
            ) from None
        if not len(sound):
            self._check_end()
            self.finished = True
            return self._fill_up(self._converter.finish())
        if not np.isfinite(sound).all():
            raise DataError(
                f"{self._name}: contains values that are not finite near {self._read_s:.2f} s;"
                " write it again"
            )
        self._read_frames += len(sound)
        samples = self._converter.accept(sound)
        self._samples += len(samples)
        return samples

    def close(self) -> None:
        """Frees the decoder's memory."""
        self._file.close()

    @property
    def _read_s(self) -> float:
        """Seconds that were read."""
        return self._read_frames / self._file.samplerate

    def _fill_up(self, samples: np.ndarray) -> np.ndarray:
        """The last samples, so many that each one of the file lies within the whole.

        The resampler rounds: one sample of 48 kHz would be none of 16 kHz.
        """
        whole = -(-self._read_frames * SAMPLE_RATE_HZ // self._file.samplerate)
        missing = whole - self._samples - len(samples)
        if missing > 0:
            samples = np.concatenate((samples, np.zeros(missing, np.float32)))
        self._samples += len(samples)
        return samples

    def _check_end(self) -> None:
        if self._estimated:
            return
        unread = _UNREAD_OGG_S * self._file.samplerate if self._file.format == "OGG" else 0
        if self._read_frames < self.frames - unread:
            raise DataError(
                f"{self._name}: damaged: ends after {self._read_frames} of {self.frames} samples;"
                " copy it again"
            )


def _open(content: Content, piece: Piece) -> _Stream:
    try:
        return _Stream(Excerpt(content, piece))
    except (RuntimeError, OSError, TypeError, ValueError) as error:
        raise NotSound(_reason(error)) from None


def _reason(error: Exception) -> str:
    """What libsndfile says, without the name that it was given."""
    return one_line(getattr(error, "error_string", error))[-_LONGEST_REASON:]
