"""`unix:PATH`: a socket into which a text-to-speech program writes its voice, see `voice.Voice`."""

import os
import select
import socket
import stat
from collections import deque

import numpy as np

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import SAMPLE_RATE_HZ
from ..voice import HEADER, INTERRUPT, LONGEST_BYTES, MAGIC
from .block import EMPTY, Block
from .convert import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, Converter

_BLOCK = SAMPLE_RATE_HZ // 100
_QUEUED = 2 * SAMPLE_RATE_HZ  # the writer waits when so many samples are queued
_SAMPLE_NS = 1000000000 // SAMPLE_RATE_HZ
_PAUSE_NS = 50 * 1000 * 1000  # after so long the resampler's last samples come out
_STALL_NS = 100 * 1000 * 1000  # a process held up for less catches up
_WAITING = 8  # writers


class ProtocolError(ValueError):
    """What came is no chunk."""


class Chunks:
    """Turns bytes into 16 kHz sound with its times; the bytes may be cut anywhere.

    :raises ProtocolError: (from `accept`) a header is wrong
    """

    def __init__(self):
        self._rest = b""
        self._missing = 0  # bytes of the current chunk
        self._rate_hz = self._converter = None
        self._play_at_ns = 0

    def accept(self, data):
        """Takes bytes; returns a list of (play-at ns or 0, whether to interrupt, float32 [n])."""
        data, found = self._rest + data, []
        at = 0
        while True:
            if self._missing:
                whole = min(self._missing, len(data) - at) // 2 * 2
                if not whole:
                    break
                if self._converter is None:  # the writer paused in the middle of a chunk
                    self._converter = Converter(self._rate_hz)
                sound = (
                    np.frombuffer(data[at : at + whole], "<i2").astype(np.float32)[:, None]
                    / 32768.0
                )
                at, self._missing = at + whole, self._missing - whole
                found.append((self._play_at_ns, False, self._converter.accept(sound)))
                self._play_at_ns = 0
            elif len(data) - at >= HEADER.size:
                interrupt = self._begin(*HEADER.unpack_from(data, at))
                at += HEADER.size
                if interrupt:
                    found.append((0, True, EMPTY.samples))
            else:
                break
        self._rest = data[at:]
        return found

    def finish(self):
        """Sound that the resampler still holds back, float32 [n]."""
        if self._converter is None:
            return EMPTY.samples
        converter, self._converter = self._converter, None
        return converter.accept(np.zeros((0, 1), np.float32), last=True)

    def _begin(self, magic, rate_hz, length, flags, play_at_ns):
        if (
            magic != MAGIC
            or not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ
            or length % 2
            or length > LONGEST_BYTES
            or flags & ~INTERRUPT
        ):
            raise ProtocolError(
                f"no chunk header (magic {magic:08x}, {rate_hz} Hz, {length} bytes, flags {flags})"
            )
        if rate_hz != self._rate_hz or play_at_ns or flags & INTERRUPT or self._converter is None:
            self._rate_hz, self._converter = rate_hz, Converter(rate_hz)
        self._missing, self._play_at_ns = length, play_at_ns
        return flags & INTERRUPT


class UnixSource:
    """A listening socket; one writer at a time, the next ones wait, but for one that interrupts.

    :param path: place of the socket
    :param ahead_ns: how long before it is heard sound must be read, so that the face is in time
    """

    live = True
    playback = True
    pauses = True

    def __init__(self, path, ahead_ns=0):
        self.name = f"unix:{path}"
        self._path, self._ahead_ns = path, ahead_ns
        self._listener = self._writer = None
        self._waiting = []  # writers whose turn has not come

    def open(self):
        """Starts listening.

        :raises UnavailableError: the place is taken or not to be written
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            if _is_abandoned(self._path):
                os.unlink(self._path)
            listener.bind(self._path)
            os.chmod(self._path, 0o660)
            listener.listen(8)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise UnavailableError(
                f"{self.name}: {error.strerror or error}; choose a place that the service can write and nobody else listens at"
            ) from None
        self._listener = listener
        self._queue, self._queued = deque(), 0
        self._next_ns = 0  # when the sample after the last one read is due
        self._paused = True
        self._chunks = None

    def close(self):
        """Stops listening and removes the socket."""
        for writer in self._waiting:
            writer.close()
        self._waiting = []
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            try:
                os.unlink(self._path)
            except OSError:
                pass  # somebody else removed it

    def read(self, timeout_s):
        """The next `Block`, when it is due; an empty one if none is within `timeout_s`."""
        end_ns = monotonic_ns() + int(timeout_s * 1e9)
        while True:
            self._receive()
            now = monotonic_ns()
            if not self._queue:
                self._pause(now)
            due_ns = self._due_ns(now) if self._queue else end_ns
            if self._queue and due_ns <= now:
                return self._take(due_ns)
            if now >= end_ns:
                return EMPTY
            self._wait((min(end_ns, due_ns) - now) / 1e9)

    def _pause(self, now):
        """Nothing is queued: what comes next begins when it comes."""
        self._paused = True
        if self._chunks is not None and now > self._next_ns + _PAUSE_NS:
            self._append(0, False, self._chunks.finish())

    def _due_ns(self, now):
        """When the end of the block at the head of the queue is due; fixes when its start is."""
        play_at_ns, samples = self._queue[0]
        first = max(self._next_ns, play_at_ns - self._ahead_ns)
        if self._paused or first < now - _STALL_NS:
            first = max(first, now)
        self._paused = False
        self._next_ns = first
        return first + min(_BLOCK, len(samples)) * _SAMPLE_NS

    def _take(self, due_ns):
        _, samples = self._queue.popleft()
        block, rest = samples[:_BLOCK], samples[_BLOCK:]
        if len(rest):
            self._queue.appendleft((0, rest))
        self._queued -= len(block)
        first_ns, self._next_ns = self._next_ns, due_ns
        return Block(block, first_ns, 0, playback=True)

    def _wait(self, seconds):
        heard = [self._listener] if len(self._waiting) < _WAITING else []
        if self._writer is not None and self._queued < _QUEUED:
            heard.append(self._writer)
        select.select(heard, [], [], seconds)

    def _receive(self):
        """Takes what has been written, as long as there is room."""
        self._choose_writer()
        if self._writer is None:
            return
        try:
            while self._queued < _QUEUED:
                data = self._writer.recv(16384)
                if not data:
                    self._append(0, False, self._chunks.finish())
                    self._hang_up()
                    return
                for chunk in self._chunks.accept(data):
                    self._append(*chunk)
        except BlockingIOError:
            pass
        except (ProtocolError, ConnectionError):
            self._hang_up()  # the writer notices: its next write fails

    def _choose_writer(self):
        """Whoever interrupts, else whoever speaks, else whoever came first."""
        try:
            while len(self._waiting) < _WAITING:
                writer, _ = self._listener.accept()
                writer.setblocking(False)
                self._waiting.append(writer)
        except BlockingIOError:
            pass
        chosen = next(filter(_interrupts, self._waiting), None)
        if chosen is not None:
            self._hang_up()
            self._append(0, True, EMPTY.samples)
        elif self._writer is None and self._waiting:
            chosen = self._waiting[0]
        if chosen is not None:
            self._waiting.remove(chosen)
            self._writer, self._chunks = chosen, Chunks()

    def _append(self, play_at_ns, interrupt, samples):
        if interrupt:
            self._queue.clear()
            self._queued, self._next_ns = 0, 0
        if len(samples):
            self._queue.append((play_at_ns, samples))
            self._queued += len(samples)

    def _hang_up(self):
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _interrupts(writer):
    """Whether the first chunk that a writer has sent, and that nobody has read yet, interrupts."""
    try:
        first = writer.recv(HEADER.size, socket.MSG_PEEK)
    except OSError:
        return False
    return len(first) == HEADER.size and HEADER.unpack(first)[3] & INTERRUPT


def _is_abandoned(path):
    """Whether a socket lies there at which nobody listens any more."""
    if not os.path.exists(path) or not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        probe.connect(path)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    finally:
        probe.close()
    return False
