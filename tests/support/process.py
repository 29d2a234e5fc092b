"""Runs edgeface as a user would, and waits for what it does."""

import contextlib
import subprocess
import sys
import time


def edgeface(*arguments, timeout=120, **options):
    """Runs the command line to its end; CompletedProcess with text output."""
    return subprocess.run(
        [sys.executable, "-m", "edgeface"] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=timeout,
        **options,
    )


_started = []


def start(*arguments, **options):
    """Starts the command line; Popen."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeface"] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        **options,
    )
    _started.append(process)
    return process


@contextlib.contextmanager
def ending_what_is_left():
    """Ends the processes that the block has started and, when a test failed, not ended."""
    before = len(_started)
    yield
    for process in _started[before:]:
        if process.poll() is None:
            process.kill()
            process.wait()
    del _started[before:]


def wait_for(condition, seconds=20.0, poll=0.02):
    """The first true value of `condition()` within `seconds`; fails the test otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(poll)
    raise AssertionError(f"not within {seconds:g} s")


def collect(reader, seconds):
    """Every frame that comes within the given seconds."""
    frames, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        frame = reader.read()
        if frame is not None and (not frames or frame.index != frames[-1].index):
            frames.append(frame)
        time.sleep(0.002)
    return frames
