"""Voices of RHVoice and SVOX Pico, which do not say when which phone is spoken."""

import os
import subprocess
import tempfile
from errno import ENOENT
from pathlib import Path
from typing import List, Optional

import numpy as np
import soundfile
import soxr

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

_VOICES = Path("/usr/share/RHVoice/voices")
_PICO = "pico"  # "pico-" and a language; all other names are RHVoice's
_MARKED = "<pitch level='%.0f'><speed level='%.0f'>%s</speed></pitch>"


def is_installed(voice: str) -> bool:
    """Whether RHVoice has a voice."""
    return (_VOICES / voice).exists()


def program_of(voice: str) -> str:
    """`pico` or `rhvoice`, whichever has a voice."""
    return _PICO if voice.startswith(f"{_PICO}-") else "rhvoice"


def read(voice: str, text: str, pitch: float = 1.0, speed: float = 1.0) -> np.ndarray:
    """A voice reads `text`.

    :param voice: of RHVoice; or of SVOX Pico, such as `pico-en-GB`
    :param pitch: factor on F0, as `speed` on the rate
    :return: float32 [N] at 16 kHz
    :raises UnavailableError: the voice, or its program, is not installed
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "said.wav")
        try:
            if program_of(voice) == _PICO:
                language = voice[len(_PICO) + 1 :]
                marked = _MARKED % (100 * pitch, 100 * speed, text)
                _run(["pico2wave", "-l", language, "-w", path, marked])
            else:
                _read_by_rhvoice(voice, text, pitch, speed, path)
        except FileNotFoundError as error:
            raise UnavailableError(
                f"{error.filename} is not installed; it is in Debian's rhvoice, rhvoice-*, or "
                "libttspico-utils of non-free"
            ) from None
        samples, rate_hz = soundfile.read(path, dtype="float32")
    return soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)


def _read_by_rhvoice(voice: str, text: str, pitch: float, speed: float, path: str) -> None:
    if not is_installed(voice):  # it would read in another one
        raise FileNotFoundError(ENOENT, "no voice", str(_VOICES / voice))
    command = ["RHVoice-test", "-p", voice, "-t", f"{100 * pitch:.0f}"]
    _run(command + ["-r", f"{100 * speed:.0f}", "-o", path], text)


def _run(command: List[str], text: Optional[str] = None) -> None:
    given = None if text is None else text.encode()
    subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True)
