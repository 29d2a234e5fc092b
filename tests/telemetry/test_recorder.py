import json
import logging
import socket

import pytest
from support.boards import nano
from support.process import edgeface, start, wait_for

from edgeface.daemon.journal import JournalHandler
from edgeface.daemon.loop import Loop
from edgeface.daemon.parts import Parts
from edgeface.daemon.stats import Stats
from edgeface.life.life import Life, Strengths
from edgeface.shm import layout
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer
from edgeface.source.spec import make_selector
from edgeface.telemetry import bridges
from edgeface.telemetry.bridges import BridgeReport, ReportFile
from edgeface.telemetry.latency import STAGES
from edgeface.telemetry.log import LogWriter, read_log
from edgeface.telemetry.power import Ina3221, PowerSource, Reading, find_power_source
from edgeface.telemetry.recorder import Recorder
from edgeface.telemetry.system import System


class Meter(PowerSource):
    name = "meter"

    def __init__(self, *readings):
        self.readings = list(readings)

    def read(self):
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(reading, Exception):
            raise reading
        return reading


def test_a_log_object_holds_what_the_contract_lists():
    now, stats = [0.0], Stats()
    stats.state = layout.RUNNING
    meter = Meter(Reading({"VDD_IN": 3000.0, "X": None}, 3000.0, {"CPU": 50.0}))
    recorder = Recorder(stats, None, 60, power_source=meter, clock=lambda: now[0])
    for _ in range(60):
        now[0] += 1
        stats.published += 25
        stats.latency.block(10**7, 10**6)
        for stage in ("features", "encoder", "motion"):
            stats.latency.stage(stage)
        stats.latency.published(int(now[0] * 1e9), int(now[0] * 1e9) - 122000000)
        recorder.sample()
    values = recorder.flush()
    assert (values["frames"], values["fps"], values["state"]) == (1500, 25.0, "running")
    assert values["latency_ms"]["end_to_end"]["p95"] == pytest.approx(122, rel=0.01)
    assert set(values["latency_ms"]) == set(STAGES)
    assert values["power_mw"] == {"VDD_IN": 3000.0, "X": None}
    assert values["energy_j"] == pytest.approx(177.0)  # 59 intervals between 60 readings
    assert values["j_per_audio_minute"] == pytest.approx(177.0)
    assert values["temperatures_c"] == {"CPU": 50.0}
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    now[0] += 1
    assert recorder.flush()["frames"] == 0


def test_the_log_counts_what_bridges_send(monkeypatch, tmp_path):
    monkeypatch.setattr(bridges, "runtime_folder", lambda: str(tmp_path))
    report = BridgeReport("vmc desk:39540", 1, 1, 100, 9000, 3, "no", 0.0, 0.0)
    file = ReportFile()
    file.write(report)
    recorder = Recorder(Stats(), None, 60, power_source=Meter(Reading({}, None, {})))
    entry = {"packets": 100, "bytes": 9000, "refused": 3, "error": "no"}
    assert recorder.flush()["bridges"] == {report.name: entry}
    file.write(report._replace(packets=150))
    entry = {"packets": 50, "bytes": 0, "refused": 0, "error": "no"}
    assert recorder.flush()["bridges"] == {report.name: entry}
    file.remove()
    assert recorder.flush()["bridges"] == {}


def test_bytes_a_day(monkeypatch, tmp_path):
    """The README's figure: a minute's object of a Nano, once a minute."""
    monkeypatch.setattr(bridges, "runtime_folder", lambda: str(tmp_path))  # none of this machine
    recorder = Recorder(
        Stats(),
        None,
        60,
        power_source=Meter(
            Reading(
                {"POM_5V_IN": 1750.0, "POM_5V_GPU": 0.0, "POM_5V_CPU": 366.0},
                1750.0,
                {"CPU": 40.0, "GPU": 40.0},
            )
        ),
    )
    for k in range(1500):
        recorder._stats.latency.block(10**7, 10**6)
        recorder._stats.latency.published(k * 40000000, k * 40000000 - 122000000)
    recorder.sample()
    assert 1440 * len(json.dumps(recorder.flush(), separators=(",", ":"))) < 1.8e6


def test_a_sensor_that_goes_is_replaced_by_nothing_and_looked_for_again(caplog):
    now = [0.0]
    recorder = Recorder(
        Stats(),
        None,
        60,
        power_source=Meter(Reading({"A": 1.0}, 1.0), OSError("unplugged")),
        clock=lambda: now[0],
    )
    recorder.sample()
    recorder.sample()
    recorder.sample()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "unplugged" in caplog.text
    now[0] += 61
    recorder.sample()
    assert recorder.flush()["power_source"] == find_power_source().name


def test_removing_every_sensor_while_running_changes_nothing_in_the_frames(
    pipeline, shm_name, speech_wav, tmp_path
):
    def run(root):
        pipeline.life = Life(Strengths(0.0, 0.0, 0.0, False))
        writer = Writer(shm_name, 1, 80 * 10**6)
        try:
            source = make_selector([f"file:{speech_wav}"], 0.0, fast=True)
            source.open(required=True)
            stats = Stats()
            loop = Loop(Parts(None, None, source, pipeline, writer), stats, keep=True)
            recorder = None
            if root is not None:
                nano(root)
                recorder = Recorder(
                    stats,
                    LogWriter(str(root / "log"), 10000, 100000),
                    1,
                    power_source=Ina3221(str(root)),
                    system=System(str(root)),
                )
                recorder.sample()

            def remove():
                for path in sorted(root.rglob("*"), reverse=True):
                    if path.is_file() and "log" not in path.parts:
                        path.unlink()
                recorder.sample()
                recorder.flush()

            loop.run(lambda: False, remove if recorder else lambda: None)
            return b"".join(f.landmarks.tobytes() + f.blendshapes.tobytes() for f in loop.kept)
        finally:
            writer.close()

    assert run(tmp_path / "root") == run(None) != b""
    pipeline.life = Life()


def test_run_writes_log_and_metrics(tmp_path, shm_name, speech_wav):
    configuration = tmp_path / "edgeface.yaml"
    configuration.write_text(
        f"telemetry:\n  log: {tmp_path / 'log'}\n  interval_s: 1\n"
        f"  prometheus: {tmp_path / 'edgeface.prom'}\n"
    )
    assert (
        edgeface(
            "run", "--config", str(configuration), "--source", speech_wav, "--shm", shm_name
        ).returncode
        == 0
    )
    objects, damaged = read_log(str(tmp_path / "log"))
    assert damaged == 0 and len(objects) >= 3
    assert sum(o["frames"] for o in objects) == 75
    assert 119 < objects[1]["latency_ms"]["end_to_end"]["p50"] < 200
    top = edgeface("top", "-n", "1", "--shm", shm_name, "--log", str(tmp_path / "log"))
    assert top.returncode == 0 and "no writer" in top.stdout and "end_to_end" in top.stdout


@pytest.mark.system
def test_a_read_only_log_folder_does_not_stop_the_face(tmp_path, shm_name, speech_wav):
    configuration = tmp_path / "edgeface.yaml"
    configuration.write_text("telemetry:\n  log: /proc/nowhere\n  interval_s: 1\n")
    daemon = start("run", "--config", str(configuration), "--source", speech_wav, "--shm", shm_name)
    with Reader(shm_name) as reader:
        wait_for(lambda: (reader.header() or {}).get("latest", 0) > 60)
    assert daemon.wait() == 0
    assert daemon.stderr.read().count("\n") == 1


def test_events_reach_the_journal_with_fields(tmp_path):
    path = str(tmp_path / "socket")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(path)
    logger = logging.Logger("test")
    logger.addHandler(JournalHandler(path))
    logger.warning("mic: gone\nfor now", extra={"event": "source_lost"})
    message = server.recv(65536)
    assert b"PRIORITY=4\n" in message and b"EDGEFACE_EVENT=source_lost\n" in message
    assert b"SYSLOG_IDENTIFIER=edgeface\n" in message
    assert b"MESSAGE\n\x11\0\0\0\0\0\0\0mic: gone\nfor now\n" in message
    server.close()
    logger.warning("nobody listens")
    pytest.raises(OSError, JournalHandler, str(tmp_path / "none"))


def test_no_frame_falls_between_two_objects():
    stats = Stats()

    class Busy(System):
        def own_memory_mb(self):  # read late in the summary: the face goes on meanwhile
            stats.published += 1

    recorder = Recorder(stats, None, 60, power_source=Meter(Reading({}, None)), system=Busy())
    assert sum(recorder.flush()["frames"] for _ in range(10)) == stats.published - 1
