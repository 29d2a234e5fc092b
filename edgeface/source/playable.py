"""A sound file for a program that takes containers at their word, such as ffmpeg."""

import contextlib
import shutil
import tempfile
import wave
from typing import IO, Iterator

import numpy as np

from ..core.files import open_regular
from ..core.rates import SAMPLE_RATE_HZ
from .containers.content import Content, Excerpt
from .containers.split import split
from .file import read_whole


@contextlib.contextmanager
def playable(path: str) -> Iterator[str]:
    """A file with all the sound that is heard in another: that file itself, or a temporary one.

    A header that says a wrong length is replaced; of files that were joined, the sound is
    decoded, to 16 kHz.

    :raises DataError: as `FileSource`
    """
    with open_regular(path) as file:
        content = Content(file)
        pieces = split(content)
        if len(pieces) == 1 and not pieces[0].head:
            yield path
            return
        with tempfile.NamedTemporaryFile(suffix=".wav") as copy:
            if len(pieces) == 1:
                shutil.copyfileobj(Excerpt(content, pieces[0]), copy)
            else:
                _write_wav(copy, read_whole(path))
            copy.flush()
            yield copy.name


def _write_wav(file: IO[bytes], samples: np.ndarray) -> None:
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE_HZ)
        sound.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
