"""Measures what a day of frames leaves behind in a bridge whose targets come and go.

bridge_soak.py [HOURS]   so many hours of frames (default 24), as fast as possible; of each kind

`make reliability` runs it, from the root of a clone.
"""

import logging
import os
import socket
import sys
import threading
import time

import numpy as np

from edgeface.bridge import ifacialmocap, kinds
from edgeface.bridge.command_line import parse
from edgeface.core.rates import FRAME_RATE_HZ
from edgeface.motion.frame import Frame
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer
from edgeface.telemetry.bridges import ReportFile, read_reports

CHANGE_EVERY_S = 300  # of frames: a target goes, or comes back
REPORT_EVERY_S = 1
WRITER_EVERY_S = 3600  # a new segment
PHONE = "127.1.0.2"


class Events(logging.Handler):
    """Counts what is said."""

    def __init__(self):
        super().__init__()
        self.counts = {}

    def emit(self, record):
        name = getattr(record, "event", "other")
        self.counts[name] = self.counts.get(name, 0) + 1


class Receiver:
    """A program that is started and stopped again and again; it reads what it gets."""

    def __init__(self, address):
        self._address, self._socket, self.datagrams = address, None, 0

    def change(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            return
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self._address)

    def read(self):
        try:
            while self._socket is not None:
                self._socket.recv(4096)
                self.datagrams += 1
        except OSError:
            pass


class Client(Receiver):
    """One that asks for frames when it is started, each time from another host."""

    def __init__(self, number):
        super().__init__(None)
        self._number, self._starts = number, 0

    def change(self):
        self._starts += 1
        self._address = (f"127.{self._number}.{self._starts % 200}.9", ifacialmocap.PORT)
        super().change()
        if self._socket is not None:
            self._socket.sendto(ifacialmocap._HELLO, (PHONE, ifacialmocap.PORT))


def soak(hours):
    """Runs one bridge of each kind on the same frames."""
    name = f"edgeface-bridge-soak-{os.getpid()}"
    events = Events()
    logging.basicConfig(handlers=[events])
    ports = [49900 + number for number in range(3)]
    commands = [f"livelink localhost:{ports[0]}", f"vmc 127.0.0.1:{ports[1]}"]
    commands += [f"osc 127.0.0.1:{ports[2]}", f"ifacialmocap {PHONE}"]
    receivers = [Receiver(("127.0.0.1", port)) for port in ports] + [
        Client(n) for n in range(3, 10)
    ]
    bridges = [kinds.open_bridge(parse(command), name) for command in commands]
    rng, file, reader, writer = np.random.RandomState(1), ReportFile(), Reader(name), None
    faces = [(rng.rand(52) * (rng.rand(52) < 0.2)).astype(np.float32) for _ in range(100)]
    landmarks, rows, began = np.zeros((68, 3), np.float32), [], time.monotonic()
    frame = None
    for k in range(int(3600 * hours * FRAME_RATE_HZ)):
        if k % (WRITER_EVERY_S * FRAME_RATE_HZ) == 0:
            if writer is not None:
                writer.close()
            writer = Writer(name, 1, 0)
            writer.open()
        if k % (CHANGE_EVERY_S * FRAME_RATE_HZ // len(receivers)) == 0:
            receivers[rng.randint(len(receivers))].change()
        writer.publish(Frame(k, landmarks, faces[k % 100], 0.0, 0.0, 1), 640 * k, 0)
        frame = reader.read() or frame  # None where this process had to rest for half a second
        reader.read_at(frame.publish_ns)
        for bridge in bridges:
            bridge._route.send(frame, k / FRAME_RATE_HZ)
        for receiver in receivers if k % 8 == 0 else ():
            receiver.read()
        if k % (REPORT_EVERY_S * FRAME_RATE_HZ) == 0:
            for bridge in bridges:
                file.write(bridge.report())
            read_reports()
        if k % int(150 * hours * FRAME_RATE_HZ) == 0:
            rows.append(look(k, began))
    file.remove()
    writer.close()
    for bridge in bridges:
        bridge._route.close()
        last = bridge.report()
        print(f"  {last.name:28} {last.packets} packets, {last.refused} refused")
    print(f"  events {events.counts}, received {sum(r.datagrams for r in receivers)}")
    report(np.array(rows[2:]))


def look(k, began):
    """Prints and returns hours of frames, memory in MB, descriptors and threads."""
    with open("/proc/self/statm") as file:
        memory_mb = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    row = (
        k / FRAME_RATE_HZ / 3600,
        memory_mb,
        len(os.listdir("/proc/self/fd")),
        threading.active_count(),
    )
    print(
        f"  {row[0]:5.1f} h  {row[1]:7.2f} MB  {row[2]:3} descriptors  {row[3]:2} threads"
        f"  {time.monotonic() - began:6.0f} s",
        flush=True,
    )
    return row


def report(rows):
    """Prints what grew, without the first hours, in which caches fill."""
    slope = np.polyfit(rows[:, 0], rows[:, 1], 1)[0]
    print(
        f"after the warm-up: memory {24 * slope:+.3f} MB in 24 h"
        f" (largest {rows[:, 1].max():.2f}, smallest {rows[:, 1].min():.2f} MB),"
        f" descriptors at most {rows[:, 2].max():.0f}, threads at most {rows[:, 3].max():.0f}"
    )


if __name__ == "__main__":
    soak(float((sys.argv + ["24"])[1]))
