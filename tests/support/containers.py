"""Sound files as other programs leave them: made by libsndfile, then rewritten byte by byte."""

import io
import struct

import numpy as np
import soundfile

RATE_HZ = 16000


def speechlike(seconds=1.0, rate_hz=RATE_HZ, seed=1):
    """A chirp with noise, float64 [n], as 16 bits hold it."""
    count = int(seconds * rate_hz)
    time_s = np.arange(count) / rate_hz
    noise = np.random.default_rng(seed).normal(0, 0.02, count)
    sound = 0.4 * np.sin(2 * np.pi * (200 + 150 * time_s) * time_s) + noise
    return np.round(sound * 32768) / 32768


def encoded(sound, kind, rate_hz=RATE_HZ, **options):
    """A file's bytes; `kind` and `options` as soundfile's format."""
    file = io.BytesIO()
    soundfile.write(file, sound, rate_hz, format=kind, **options)
    return file.getvalue()


def samples_of(content):
    """What libsndfile reads from a file that is whole, int16 bytes."""
    return (soundfile.read(io.BytesIO(content), dtype="int16")[0]).astype("<i2").tobytes()


def chunk(name, body, size=None, pad=True):
    """A chunk of RIFF that claims to be of a size."""
    claimed = len(body) if size is None else size
    return name + struct.pack("<I", claimed) + body + bytes(len(body) % 2 if pad else 0)


def wav(data, before=b"", after=b"", size=None, magic=b"RIFF", riff_size=None, rate_hz=RATE_HZ):
    """A WAV file of 16-bit mono sound with whatever around it, and sizes that may be wrong."""
    fmt = struct.pack("<HHIIHH", 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    body = b"WAVE" + before + chunk(b"fmt ", fmt) + chunk(b"data", data, size) + after
    return magic + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


def mpeg_frames(content):
    """The frames of an MPEG layer III file by libsndfile, whose first one announces the others."""
    rates = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
    high = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    low = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    frames = []
    at = 0
    while at < len(content):
        version, kbits, rate = content[at + 1] >> 3 & 3, content[at + 2] >> 4, content[at + 2] >> 2
        slots = 144 if version == 3 else 72
        bits = 1000 * (high if version == 3 else low)[kbits]
        length = slots * bits // rates[version][rate & 3] + (content[at + 2] >> 1 & 1)
        frames.append(content[at : at + length])
        at += length
    return frames


def streamed_mpeg(sound, rate_hz=24000):
    """As speech synthesis over the network sends it: nothing says how long it is."""
    return b"".join(mpeg_frames(encoded(sound, "MP3", rate_hz))[1:])
