import threading

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.devices.ring import Ring


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30))
def test_keeps_the_newest_and_counts_the_rest(capacity, steps):
    ring = Ring(capacity)
    written = got = lost_in_all = 0
    for write, read in steps:
        ring.write(np.arange(written, written + write, dtype=np.float32)[:, None])
        written += write
        assert ring.waiting == min(capacity, written - got - lost_in_all)
        position, block, lost = ring.read(read)
        assert block[:, 0].tolist() == list(range(position, position + len(block)))
        assert len(block) == min(read, capacity, written - position)
        got += len(block)
        lost_in_all += lost
        assert position + len(block) == got + lost_in_all
        assert lost == 0 or position >= written - capacity


def test_channels_stay_together():
    ring = Ring(8, 2)
    ring.write(np.array([[1, -1], [2, -2]], np.float32))
    assert ring.read(10)[1].tolist() == [[1, -1], [2, -2]]


def test_a_fast_writer_never_hands_out_torn_sound():
    ring, stop = Ring(997), threading.Event()

    def write():
        at = 0
        while not stop.is_set():
            ring.write(np.arange(at, at + 64, dtype=np.float32)[:, None] % 65536)
            at += 64

    thread = threading.Thread(target=write)
    thread.start()
    try:
        seen = 0
        for _ in range(3000):
            position, block, _ = ring.read(500)
            assert (block[:, 0] == np.arange(position, position + len(block)) % 65536).all()
            seen += len(block)
        assert seen > 0
    finally:
        stop.set()
        thread.join()
