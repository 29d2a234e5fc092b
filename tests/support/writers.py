"""Writers without manners at the voice's socket; what they send can hardly be heard."""

import socket
import subprocess
import sys
import time

import numpy as np

from edgeface.core.clock import monotonic_ns
from edgeface.voice import HEADER, MAGIC

HUM = (100 * np.sin(np.arange(8000) * 0.1)).astype("<i2").tobytes()  # 0.5 s; -53 dBFS


def header(length, rate_hz=16000, flags=0, play_at_ns=0):
    """The header of a chunk."""
    return HEADER.pack(MAGIC, rate_hz, length, flags, play_at_ns)


def ahead(seconds):
    """A play-at time."""
    return monotonic_ns() + int(seconds * 1e9)


# what a connection sends before it stands still, and stays open
MUTE = {
    "nothing": lambda: b"",
    "half a header": lambda: header(16000)[:13],
    "a header alone": lambda: header(16000),
    "half a chunk": lambda: header(16000) + HUM[:160],
    "half a sample": lambda: header(16000) + HUM[:161],
    "empty chunks": lambda: 50 * header(0),
    "a play-at time in 50 s": lambda: header(16000, play_at_ns=ahead(50)) + bytes(16000),
    "a header with a play-at time": lambda: header(16000, play_at_ns=2**64 - 1),
    "a minute of silence": lambda: header(60 * 32000) + bytes(200_000),
}

# what is hung up on, and a part of the reason
ODD = {
    "http": (lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "not a chunk header"),
    "half samples": (lambda: header(441), "441 bytes are not whole samples"),
    "44 Hz": (lambda: header(16, rate_hz=44), "44 Hz"),
    "32 MiB": (lambda: header(1 << 25), "too many"),
    "unknown flags": (lambda: header(16, flags=6), "flags 6"),
    "a time of another clock": (
        lambda: header(320, play_at_ns=int(time.time() * 1e9)) + bytes(320),
        "play-at time",
    ),
    "the end of time": (lambda: header(320, play_at_ns=2**64 - 1) + bytes(320), "play-at time"),
}

FLOODS = (
    "empty",
    "interrupts",
    "interrupts with sound",
    "rates",
    "times",
    "high rate",
    "connections",
)
_FLOOD = """
import socket, struct, sys, time
path, kind = sys.argv[1:]
header = lambda rate, length, flags=0: struct.pack("<IIIIQ", 0x43504645, rate, length, flags, 0)
sample = bytes([1, 0])
pieces = {
    "empty": header(16000, 0),
    "interrupts": header(16000, 0, 1),
    "interrupts with sound": header(22050, 2, 1) + sample,
    "rates": b"".join(header(rate, 2) + sample for rate in (8001, 22050, 767999, 7999)),
    "times": b"".join(header(22050, 2)[:16] + struct.pack("<Q", k) + sample for k in (1, 2)),
    "high rate": header(768000, 65536) + bytes(65536),
}
print("flooding", flush=True)
while True:
    try:
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        if kind == "connections":
            client.send(header(16000, 0, 1))
            client.close()
            continue
        data = pieces[kind] * (1 + 65536 // len(pieces[kind]))
        while True:
            client.sendall(data)
    except OSError:
        time.sleep(0.001)
"""


def connect(path, data=b""):
    """A client that sends something and waits; as much of it as is taken. A socket."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.settimeout(0.2)
    try:
        client.sendall(data)
    except (socket.timeout, ConnectionError):
        pass  # nobody reads the rest, or it was hung up on: both by intent
    client.settimeout(5.0)
    return client


class Flood:
    """A process that writes as fast as it is read, and comes again when it is hung up on.

    :param path: of the socket
    :param kind: one of `FLOODS`
    """

    def __init__(self, path, kind):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FLOOD, path, kind],
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        assert self._process.stdout.readline() == "flooding\n"

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.communicate()
