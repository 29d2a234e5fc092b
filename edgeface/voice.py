"""What a text-to-speech program needs to speak through edgeface: standard library only."""

import socket
import struct
from typing import Any

DEFAULT_PATH = "/run/edgeface/voice"
HEADER = struct.Struct("<IIIIQ")  # magic, rate in Hz, bytes of sound, flags, play-at in ns
MAGIC = 0x43504645  # "EFPC"
INTERRUPT = 1
LONGEST_BYTES = 1 << 24  # of the sound of one chunk


class Voice:
    """Writes to the socket of a `unix:PATH` source.

    A chunk is a header of 24 bytes, little endian - u32 magic `EFPC`, u32 sampling rate in
    Hz, u32 length of the sound in bytes, u32 flags, u64 play-at time in ns - and the sound,
    signed 16-bit mono. Flag 1: all earlier chunks that are still queued are dropped.

    :param path: the socket
    :raises OSError: nobody listens there
    """

    def __init__(self, path: str = DEFAULT_PATH) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)

    def __enter__(self) -> "Voice":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def say(self, pcm: bytes, rate_hz: int, play_at_ns: int = 0, interrupt: bool = False) -> None:
        """Sends sound; waits while more than about 2 s of it are queued.

        :param pcm: signed 16-bit little-endian mono
        :param rate_hz: its sampling rate, 2000 to 768000
        :param play_at_ns: CLOCK_MONOTONIC at which its first sample is heard, at least the
            latency of the face from now; 0: right after the chunk before, or at once
        :param interrupt: drop what is still queued; on a new connection, which then has
            priority over all others, also what the others wrote
        :raises OSError: the daemon is gone
        """
        flags = INTERRUPT if interrupt else 0
        for at in range(0, max(1, len(pcm)), LONGEST_BYTES):
            part = pcm[at : at + LONGEST_BYTES]
            header = HEADER.pack(MAGIC, rate_hz, len(part), flags, play_at_ns)
            self._socket.sendall(header + part)
            # only the first part of a long sound interrupts and has a time
            flags = 0
            play_at_ns = 0

    def close(self) -> None:
        """Ends the connection; what was sent is still played."""
        self._socket.close()
