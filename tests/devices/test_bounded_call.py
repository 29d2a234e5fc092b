import threading

import pytest
from support.process import wait_for

from edgeface.core.errors import UnavailableError
from edgeface.devices import bounded_call
from edgeface.devices.bounded_call import BoundedCaller


def test_results_and_exceptions_come_back():
    assert BoundedCaller("x").call(1.0, lambda: 42) == 42
    with pytest.raises(KeyError):
        BoundedCaller("x").call(1.0, lambda: {}["nothing"])


def test_a_call_that_hangs_is_abandoned_and_its_late_result_discarded():
    go, discarded = threading.Event(), []
    caller = BoundedCaller("server")
    with pytest.raises(UnavailableError, match="server: the sound server does not answer"):
        caller.call(0.05, lambda: go.wait() and "late", discarded.append)
    with pytest.raises(UnavailableError):
        caller.call(1.0, lambda: 1)  # at once: the other one still hangs
    go.set()
    wait_for(lambda: discarded == ["late"])
    wait_for(lambda: not caller._hanging[0][0].is_alive())
    assert caller.call(1.0, lambda: 1) == 1


def test_a_call_that_never_returns_does_not_block_the_next_ones_and_threads_stay_few(
    monkeypatch,
):
    monkeypatch.setattr(bounded_call, "ABANDONED_S", 0.01)
    go, caller, before = threading.Event(), BoundedCaller("server"), threading.active_count()
    for _ in range(30):
        with pytest.raises(UnavailableError):
            caller.call(0.02, go.wait)
    assert threading.active_count() - before == 8
    go.set()
    wait_for(lambda: threading.active_count() == before)
    assert caller.call(1.0, lambda: 1) == 1
