"""What a frame of speech costs in each protocol; `pytest -s` prints it."""

import time

import pytest

from edgeface.bridge.ifacialmocap import IFacialMocap
from edgeface.bridge.livelink import LiveLink
from edgeface.bridge.osc import Osc
from edgeface.bridge.vmc import Vmc
from edgeface.bridge.vrchat import VrChat

DEVICE = "2b1f0c3e-6a57-4d0e-9d6b-0f1e2d3c4b5a"


@pytest.mark.parametrize(
    "name, encoder, most_bytes",
    [
        ("livelink", LiveLink("edgeface", DEVICE, 25), 314),
        ("vmc, 52 shapes", Vmc("arkit"), 2700),
        ("vmc, vowels", Vmc("vrm0"), 450),
        ("osc", Osc("/edgeface"), 1200),
        ("osc, VRChat", VrChat(), 6000),
        ("ifacialmocap", IFacialMocap(), 900),
    ],
)
def test_cost_of_a_frame(spoken, name, encoder, most_bytes):
    start_s = time.process_time()
    datagrams = [encoder.encode(frame, 0.04 * frame.index) for frame in spoken]
    cpu_us = 1e6 * (time.process_time() - start_s) / len(spoken)
    size = sum(len(item) for items in datagrams for item in items) / len(spoken)
    packets = sum(map(len, datagrams)) / len(spoken)
    print(f"\n{name}: {size:.0f} bytes, {packets:.2f} packets, {cpu_us:.0f} us of CPU a frame")
    assert 0 < size <= most_bytes
