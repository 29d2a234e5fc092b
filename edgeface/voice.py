"""What a text-to-speech program needs to speak through edgeface: standard library only."""

import os
import socket
import struct
import tempfile
import threading
import time
from typing import Any, Optional

SERVICE_PATH = "/run/edgeface/voice"  # where the service listens
HEADER = struct.Struct("<IIIIQ")  # magic, rate in Hz, bytes of sound, flags, play-at in ns
MAGIC = 0x43504645  # "EFPC"
INTERRUPT = 1  # a flag
STOP = 2  # another
FADE_MS = 100  # of what is stopped
LONGEST_BYTES = 1 << 24  # of the sound of one chunk
LOWEST_RATE_HZ = 2000
HIGHEST_RATE_HZ = 768000
FURTHEST_S = 60  # how far ahead a play-at time may be
_SAMPLE_BYTES = 2
_UNREAD_BYTES = 32768  # at most about so much is under way: `say` waits where it says it waits
_REASON_BYTES = 1024


def own_path() -> str:
    """Where a daemon of this user listens whose source is `unix`, without a path."""
    if os.geteuid() == 0:
        return SERVICE_PATH
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isdir(runtime):
        return os.path.join(runtime, "edgeface", "voice")
    return os.path.join(tempfile.gettempdir(), f"edgeface-{os.geteuid()}", "voice")


def default_path() -> str:
    """The socket of this user's daemon if there is one, else that of the service."""
    own = own_path()
    return own if os.path.exists(own) else SERVICE_PATH


class Voice:
    """Writes to the socket of a `unix` source.

    A chunk is a header of 24 bytes, little endian - u32 magic `EFPC`, u32 sampling rate in
    Hz, u32 length of the sound in bytes, u32 flags, u64 play-at time in ns - and the sound,
    signed 16-bit mono. Flag 1: all earlier chunks that are still queued are dropped. Flag 2: so are
    they, what is heard fades out, and all other connections that speak or wait are closed. A
    daemon that closes the connection says why first, in one line of text.

    :param path: the socket; by default `default_path()`
    :raises OSError: nobody listens there, or this user may not
    """

    def __init__(self, path: Optional[str] = None) -> None:
        self._path = default_path() if path is None else path
        self._half_sample = b""
        self._half_rate_hz = 0
        self._stopped = False  # while another thread speaks
        self._speaking = threading.Lock()
        self._socket = _connected(self._path)

    def __enter__(self) -> "Voice":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def say(self, pcm: bytes, rate_hz: int, play_at_ns: int = 0, interrupt: bool = False) -> None:
        """Sends sound; waits while more than about 2 s of it are queued, or others speak.

        The bytes may be cut anywhere, as those of a download: half a sample at the end is
        kept, and completed by the next call.

        :param pcm: signed 16-bit little-endian mono
        :param rate_hz: its sampling rate, 2000 to 768000
        :param play_at_ns: CLOCK_MONOTONIC at which its first sample is heard, at least the
            latency of the face and at most 60 s from now; 0: right after the chunk before, or
            at once
        :param interrupt: drop what is still queued; on a new connection, which then has
            priority over all others, also what the others wrote
        :raises ValueError: a rate or time out of range
        :raises OSError: the daemon is gone, or closed the connection, or `stop` was called
            meanwhile; the message says why
        """
        _check(rate_hz, play_at_ns)
        with self._speaking:
            self._say(pcm, rate_hz, play_at_ns, interrupt)

    def stop(self) -> None:
        """Ends the voice, whoever speaks: sound and mouth fade out, and nothing queued is heard.

        The daemon closes all connections that speak or wait for their turn; this one is made
        anew. Another thread may call it: the `say` that it ends raises an error.

        :raises OSError: the daemon is gone
        """
        fresh = _connected(self._path)
        self._stopped = True
        try:
            fresh.sendall(HEADER.pack(MAGIC, LOWEST_RATE_HZ, 0, STOP, 0))
            self._socket.shutdown(socket.SHUT_RDWR)  # whoever speaks with it now ends
        except OSError:
            pass  # the daemon closed it before
        with self._speaking:
            self._socket.close()
            self._socket = fresh
            self._half_sample = b""
            self._stopped = False

    def close(self) -> None:
        """Ends the connection; what was sent is still played."""
        self._socket.close()

    def _say(self, pcm: bytes, rate_hz: int, play_at_ns: int, interrupt: bool) -> None:
        if interrupt or rate_hz != self._half_rate_hz:
            self._half_sample = b""  # what it began will not be completed
        pcm = self._half_sample + pcm
        whole = len(pcm) // _SAMPLE_BYTES * _SAMPLE_BYTES
        self._half_sample = pcm[whole:]
        self._half_rate_hz = rate_hz
        flags = INTERRUPT if interrupt else 0
        self._fail_if_refused()
        for at in range(0, max(1, whole), LONGEST_BYTES):
            part = pcm[at : min(at + LONGEST_BYTES, whole)]
            self._send(HEADER.pack(MAGIC, rate_hz, len(part), flags, play_at_ns) + part)
            # only the first part of a long sound interrupts and has a time
            flags = 0
            play_at_ns = 0

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except ConnectionError:
            self._fail_if_refused()
            raise

    def _fail_if_refused(self) -> None:
        """Raises what the daemon wrote before it closed the connection, if it did."""
        if self._stopped:
            raise ConnectionAbortedError(f"{self._path}: stopped")
        try:
            reason = self._socket.recv(_REASON_BYTES, socket.MSG_DONTWAIT)
        except OSError:
            return  # it wrote nothing
        text = reason.decode("utf-8", "replace").strip() or "the daemon closed the connection"
        raise ConnectionError(f"{self._path}: {text}")


def _connected(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD_BYTES)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise _explained(error, path) from None
    return connection


def _check(rate_hz: int, play_at_ns: int) -> None:
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise ValueError(
            f"rate_hz {rate_hz}: out of range; {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz"
        )
    furthest_s = time.clock_gettime(time.CLOCK_MONOTONIC) + FURTHEST_S
    if not 0 <= play_at_ns <= furthest_s * 1e9:
        raise ValueError(
            f"play_at_ns {play_at_ns}: out of range; CLOCK_MONOTONIC in ns, at most"
            f" {FURTHEST_S} s from now"
        )


def _explained(error: OSError, path: str) -> OSError:
    """The same error with what to do about it."""
    if isinstance(error, PermissionError):
        fix = "this user may not write there; add it to the socket's group (`usermod -aG edgeface`)"
    elif isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
        fix = (
            f"no daemon listens at {path}; start `edgeface run --source unix:{path}`, or name the"
            " socket of the daemon that runs (`unix:PATH` in its configuration)"
        )
    else:
        fix = f"{error.strerror or error}; check the path of the socket"
    return OSError(error.errno, f"{path}: {fix}")
