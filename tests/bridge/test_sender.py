"""The life of a bridge, and what others learn about it."""

import json
import logging
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bridge_frames import frame_of
from support.process import wait_for

from edgeface.bridge import reporter
from edgeface.bridge.account import Account
from edgeface.bridge.reporter import Reporter
from edgeface.bridge.route import Route
from edgeface.bridge.sender import Sender
from edgeface.core.errors import UnavailableError
from edgeface.telemetry import bridges
from edgeface.telemetry.bridges import BridgeCounts, BridgeReport, ReportFile, read_reports


class Feed:
    """Frames without end."""

    def __init__(self):
        self.closed = False

    def next(self):
        return frame_of(jawOpen=0.5)

    def neutral(self):
        return frame_of(flags=2)

    def close(self):
        self.closed = True


class Kept(Route):
    """Keeps what it is given."""

    targets = 1

    def __init__(self, account):
        self.account, self.frames, self.closed = account, [], False

    def send(self, frame, time_s):
        self.frames.append(frame)
        self.account.sent(100)

    def close(self):
        self.closed = True


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(bridges, "runtime_folder", lambda: str(tmp_path))
    return tmp_path


def run(sender, stopped, worked=lambda: None):
    """Runs a bridge as the command does."""
    with Reporter(sender.report):
        sender.run(stopped, worked)


REPORT = BridgeReport("osc robot:9001", os.getpid(), 1, 10, 1000, 2, "no", 0.5, 1.5)


def test_the_last_frame_is_neutral_and_everything_is_closed(folder):
    feed, account = Feed(), Account("bridge")
    route, worked = Kept(account), []
    run(Sender(feed, route, account), lambda: len(worked) == 5, lambda: worked.append(1))
    assert [frame.flags for frame in route.frames] == [1] * 5 + [2]
    assert feed.closed and route.closed
    assert list(folder.iterdir()) == []


def test_a_report_is_renewed_while_it_runs_and_removed_at_the_end(folder, caplog, monkeypatch):
    monkeypatch.setattr(reporter, "_REPORT_S", 0.01)
    monkeypatch.setattr(reporter, "_LOG_S", 0.05)
    caplog.set_level(logging.INFO)
    account, stop = Account("bridge"), []
    route = Kept(account)
    sender = Sender(Feed(), route, account)
    thread = threading.Thread(
        target=run, args=(sender, lambda: bool(stop) or account.packets > 10**6)
    )
    thread.start()
    first = wait_for(lambda: read_reports([str(folder)]))[0]
    assert (first.name, first.pid, first.targets) == ("bridge", os.getpid(), 1)
    wait_for(lambda: read_reports([str(folder)])[0].packets > first.packets)
    wait_for(lambda: len(caplog.records) > 2)
    stop.append(1)
    thread.join()
    assert read_reports([str(folder)]) == []
    assert {record.event for record in caplog.records} == {"bridge_sent"}
    assert caplog.records[0].getMessage().startswith("bridge: ")


def test_without_a_folder_for_reports_the_frames_go_on(monkeypatch, caplog):
    def no_folder():
        raise UnavailableError("none")

    monkeypatch.setattr(bridges, "runtime_folder", no_folder)
    account = Account("bridge")
    route = Kept(account)
    run(Sender(Feed(), route, account), lambda: len(route.frames) > 5)
    assert len(route.frames) == 7
    assert "no report" in wait_for(lambda: caplog.records)[0].getMessage()
    assert read_reports() == []


def test_reports_of_dead_processes_are_ignored_and_cleaned(folder, monkeypatch):
    monkeypatch.setattr(bridges.os, "getpid", lambda: 999999)
    ReportFile().write(REPORT)
    monkeypatch.undo()
    assert read_reports([str(folder)]) == [REPORT]
    later = bridges.monotonic_ns() + 10 * 10**9
    monkeypatch.setattr(bridges, "monotonic_ns", lambda: later)
    monkeypatch.setattr(bridges, "runtime_folder", lambda: str(folder))
    assert read_reports([str(folder)]) == []
    (folder / "edgeface.lock").write_text("")
    file = ReportFile()
    file.write(REPORT)
    assert sorted(os.listdir(str(folder))) == [os.path.basename(file.path), "edgeface.lock"]
    monkeypatch.setattr(bridges, "monotonic_ns", lambda: 10)  # after a boot
    assert read_reports([str(folder)]) == []
    file.remove()
    file.remove()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(
    content=st.binary(max_size=100)
    | st.dictionaries(st.sampled_from(REPORT._fields + ("written_ns",)), json_values).map(
        lambda values: json.dumps(dict(values, written_ns=bridges.monotonic_ns())).encode()
    )
)
def test_any_file_is_a_report_or_none(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("reports")
    (folder / "bridge-1.json").write_bytes(content)
    for report in read_reports([str(folder)]):
        assert isinstance(report.name, str) and isinstance(report.packets, int)


def test_counts_are_those_of_the_interval():
    counts = BridgeCounts()
    first = counts.take([REPORT])
    assert first == {
        "osc robot:9001": {"packets": 10, "bytes": 1000, "refused": 2, "error": "no"},
    }
    later = REPORT._replace(packets=15, bytes=1500)
    assert counts.take([later])["osc robot:9001"]["packets"] == 5
    again = REPORT._replace(packets=3, bytes=300, refused=0, error="")  # another with its number
    other = again._replace(pid=1)
    entry = counts.take([again, other])["osc robot:9001"]
    assert entry == {"packets": 6, "bytes": 600, "refused": 0, "error": None}
    assert counts.take([]) == {}
