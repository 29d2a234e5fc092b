"""PortAudio under many owners at once: devices that come and go while others are opened."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.system

# the device list is made again for every search, as if cards were plugged in and out all the time
CHURN = """
import itertools, sys, threading, time
from edgeface.core.errors import UnavailableError
from edgeface.devices import portaudio
from edgeface.playback.output import Output
from edgeface.source.mic import MicSource

cards, opened = itertools.count(), []
portaudio.fingerprint = lambda: next(cards)
end = time.monotonic() + float(sys.argv[1])

def churn(make):
    while time.monotonic() < end:
        part = make()
        try:
            part.open()
            opened.append(part)
            time.sleep(0.02)
        except UnavailableError:
            pass
        part.close()

makers = (
    lambda: Output("edgespk"),
    lambda: Output("Nowhere"),
    lambda: MicSource("edgemic"),
    lambda: MicSource("Nothing"),
)
threads = [threading.Thread(target=churn, args=(make,)) for make in makers]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(opened))
"""


def test_searching_for_one_device_never_crashes_the_other(server):
    """It did within ten seconds: PortAudio was ended while a stream was being opened."""
    result = subprocess.run(
        [sys.executable, "-c", CHURN, "6"],
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 20 and result.stderr == ""
