"""What `edgeface bridge web` costs: processor time, bytes, latency and memory.

    PYTHONPATH=.:tests .venv/bin/python tests/web/figures.py

A daemon's frames of the bundled voice are published again and again; clients are in processes of
their own.
"""

import contextlib
import json
import multiprocessing
import os
import random
import selectors
import socket
import threading
import time

import numpy as np
from support.process import start, wait_for
from support.web import WebSocket, events, free_port, handshake, is_open, request

from edgeface.build import build_pipeline, load_model
from edgeface.config import Settings
from edgeface.core.resources import BUNDLED_VOICE
from edgeface.shm.writer import Writer
from edgeface.source.file import read_whole

SHM = f"edgeface-figures-{os.getpid()}"
SECONDS = 15.0


def publish(ended):
    pipeline = build_pipeline(Settings(), load_model())
    frames = pipeline.accept(read_whole(BUNDLED_VOICE)) + pipeline.finish()
    with Writer(SHM, 0, 0) as writer:
        due_s = time.monotonic()
        for k in range(1 << 30):
            due_s += 0.04
            if ended.wait(max(0.0, due_s - time.monotonic())):
                return
            writer.publish(frames[k % len(frames)], 640 * k, 0)


def cpu_ms(pid):
    """How long all threads of a process have run."""
    total_ns = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total_ns += int(file.read().split()[0])
    return total_ns / 1e6


def resident_mb(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def connect(port, kind):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(handshake() if kind == "WebSocket" else request())
    return connection


def listen(port, kind, results):
    """Sends back the latency of each frame in ms, and the mean size of a frame in bytes."""
    connection = connect(port, kind)
    latencies, sizes = [], []
    end_s = time.monotonic() + SECONDS
    for message in WebSocket(connection).messages() if kind == "WebSocket" else events(connection):
        now_ms = time.monotonic() * 1000
        frame = json.loads(message)
        if "index" in frame:
            latencies.append(now_ms - frame["publish_ms"])
            # a frame of a WebSocket has a header of 4 bytes; an event `data: ` and a line feed more
            sizes.append(len(message) + (4 if kind == "WebSocket" else 7))
        if time.monotonic() > end_s:
            break
    results.put((latencies, np.mean(sizes)))


def drain(port, kind, count, ended):
    """Reads what other clients are sent."""
    selector = selectors.DefaultSelector()
    for _ in range(count):
        selector.register(connect(port, kind), selectors.EVENT_READ)
    while not ended.is_set():
        for key, _ in selector.select(0.1):
            key.fileobj.recv(1 << 16)


def measure(pid, port, kind, count):
    time.sleep(0.5)  # until the clients before are forgotten
    results, ended = multiprocessing.Queue(), multiprocessing.Event()
    others = multiprocessing.Process(target=drain, args=(port, kind, count - 1, ended))
    others.start()
    time.sleep(1)
    client = multiprocessing.Process(target=listen, args=(port, kind, results))
    began_s, began_ms = time.monotonic(), cpu_ms(pid)
    client.start()
    latencies, size = results.get()
    share = (cpu_ms(pid) - began_ms) / 1000 / (time.monotonic() - began_s)
    ended.set()
    for process in (client, others):
        process.join()
    p50, p99 = np.percentile(latencies, (50, 99))
    print(
        f"{count:3} x {kind:10} {size:6.0f} bytes a frame, {1000 * share / 25:6.3f} ms of a core"
        f" ({100 * share:4.1f} %), p50 {p50:5.2f} p99 {p99:6.2f} ms,"
        f" {len(latencies)} frames, {resident_mb(pid):.1f} MB",
        flush=True,
    )


def come_and_go(pid, port, count):
    """Thirty clients at a time that ask, lie, read or not, and leave without a word."""
    rng = random.Random(1)
    hostile = (b"GET /fr", b"\xff" * 50, handshake("Origin: https://evil.example"))
    asked = (request(), handshake(), request(path="/x"), *hostile)
    clients = []
    for k in range(count + 1):
        if k % (count // 4) == 0:
            for client in clients:
                client.close()
            clients = []
            time.sleep(1.5)  # until the server has noticed
            files, threads = (len(os.listdir(f"/proc/{pid}/{kind}")) for kind in ("fd", "task"))
            print(f"{k:6} clients: {resident_mb(pid):.1f} MB, {files} files, {threads} threads")
        client = socket.create_connection(("127.0.0.1", port))
        with contextlib.suppress(OSError):
            client.sendall(rng.choice(asked) + os.urandom(rng.choice((0, 0, 20))))
            if rng.random() < 0.3:
                client.settimeout(0.05)
                client.recv(3000)
        clients.append(client)
        if len(clients) > 30:
            clients.pop(rng.randrange(30)).close()


def main():
    ended = threading.Event()
    publisher = threading.Thread(target=publish, args=(ended,))
    publisher.start()
    port = free_port()
    bridge = start("bridge", "web", "--listen", f"127.0.0.1:{port}", "--shm", SHM)
    wait_for(lambda: is_open(port))
    try:
        for count in (1, 40):
            for kind in ("SSE", "WebSocket"):
                measure(bridge.pid, port, kind, count)
        come_and_go(bridge.pid, port, 12000)
    finally:
        bridge.terminate()
        bridge.wait()
        ended.set()
        publisher.join()


if __name__ == "__main__":
    main()
