"""Signals at any moment of start and reload: a swift end, nothing left, no abort, no traceback."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

SIGNALS = 500
LONGEST_END_S = 2.0
_PER_PROCESS = 5  # of which the last one ends it
_AT_ONCE = 2


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_hundred_signals_at_random_moments(tmp_path, shm_name):
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # a process mostly waits
        futures = [
            pool.submit(signal_at_random_moments, number, tmp_path, f"{shm_name}-{number}")
            for number in range(SIGNALS // _PER_PROCESS)
        ]
        for future in futures:
            future.result()


def signal_at_random_moments(number, folder, shm_name):
    rng = random.Random(20261129 + number)
    config = folder / f"edgeface-{number}.yaml"
    settings = f"output: {{shm: {shm_name}}}\naudio: {{sources: ['fifo:{folder}/f{number}']}}\n"
    config.write_text(settings)
    daemon = subprocess.Popen(
        [sys.executable, "-m", "edgeface", "run", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    wait_until_handled(daemon.pid)
    for _ in range(_PER_PROCESS - 1):
        time.sleep(rng.choice((0.0, 0.01, 0.1, 0.5)) * rng.random())
        if rng.random() < 0.5:  # a reload that builds a model
            config.write_text(f"{settings}motion: {{lookahead_ms: {rng.choice((0, 40, 160))}}}\n")
        daemon.send_signal(signal.SIGHUP)
    time.sleep(rng.choice((0.0, 0.1, 1.5)) * rng.random())
    daemon.send_signal(rng.choice((signal.SIGTERM, signal.SIGINT)))
    began = time.monotonic()
    _, errors = daemon.communicate(timeout=30)
    assert time.monotonic() - began < LONGEST_END_S * busy(), number
    assert daemon.returncode == 0, (number, errors)
    assert "Traceback" not in errors and "terminate" not in errors, (number, errors)
    assert [name for name in os.listdir("/dev/shm") if shm_name in name] == [], number


def wait_until_handled(pid):
    """Until the process has passed the first line of `main`: before it, the interpreter answers."""
    mask = 1 << (signal.SIGHUP - 1)
    while True:
        with open(f"/proc/{pid}/status") as file:
            caught = next(line for line in file if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) & mask:
            return
        time.sleep(0.001)


def busy():
    """How many times longer than alone a process may take on this machine now."""
    return max(1.0, os.getloadavg()[0] / os.cpu_count())
