"""The metrics file, as Prometheus' own parser reads it."""

import os
import stat

import pytest
from support.process import start, wait_for
from telemetry.test_recorder import Meter

from edgeface.daemon.stats import Stats
from edgeface.telemetry.power import Reading
from edgeface.telemetry.prometheus import Counters, MetricsFile, metrics
from edgeface.telemetry.recorder import Recorder

COUNTERS = Counters(1e9, 1500, 640, 2, 0, {"capture": 1, "ring": 0, "compute": 3}, None)
VALUES = {
    "host": "kiosk",
    "version": "0.2.0",
    "state": "waiting",
    "provider": "cpu",
    "fps": 25.0,
    "throttled": True,
    "cpu_percent": None,
    "power_mw": {"VDD_IN": 4824.0, 'odd "\\\n name': 1.0, "lost": None},
    "latency_ms": {"publish": {"p50": 0.1, "p95": 0.2, "p99": None, "max": 3.0}},
    "latency_bins_ms": {"120": 5},
    "temperatures_c": {"CPU": 50.0},
}


def parsed(text):
    """(name, labels as a sorted tuple) to value; checks that every family has HELP and TYPE."""
    parser = pytest.importorskip("prometheus_client.parser")
    samples, families = {}, list(parser.text_string_to_metric_families(text))
    for family in families:
        assert family.documentation and family.type in ("gauge", "counter"), family
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples
            samples[key] = sample.value
    assert len(samples) == sum(not line.startswith("#") for line in text.splitlines())
    return samples


def test_what_prometheus_reads():
    samples = parsed(metrics(VALUES, COUNTERS, 2e9))
    assert samples["edgeface_fps", ()] == 25.0
    assert samples["edgeface_throttled", ()] == 1
    assert samples["edgeface_frames_total", ()] == 1500
    assert samples["edgeface_late_frames_total", (("cause", "compute"),)] == 3
    assert samples["edgeface_power_mw", (("rail", "VDD_IN"),)] == 4824
    assert samples["edgeface_power_mw", (("rail", 'odd "\\\n name'),)] == 1
    assert samples["edgeface_latency_ms", (("quantile", "0.95"), ("stage", "publish"))] == 0.2
    assert samples["edgeface_latency_ms", (("quantile", "1"), ("stage", "publish"))] == 3
    assert samples["edgeface_temperatures_c", (("sensor", "CPU"),)] == 50
    states = {labels[0][1]: v for (name, labels), v in samples.items() if name == "edgeface_state"}
    assert states == {"starting": 0, "running": 0, "waiting": 1, "degraded": 0, "stopped": 0}
    assert samples["edgeface_timestamp_seconds", ()] == 2e9
    unknown = ("cpu_percent", "energy_joules", "lost", "bins", "0.99")
    assert not [key for key in samples if any(word in str(key) for word in unknown)]


def test_an_empty_object_is_a_valid_file():
    samples = parsed(metrics({}, COUNTERS, 2e9))
    assert samples["edgeface_frames_total", ()] == 1500


def test_counters_count_up_while_gauges_are_of_the_interval(tmp_path):
    path, now, stats = tmp_path / "edgeface.prom", [0.0], Stats()
    meter = Meter(Reading({"VDD_IN": 3000.0}, 3000.0))
    recorder = Recorder(
        stats, None, 60, prometheus=str(path), power_source=meter, clock=lambda: now[0]
    )
    frames, joules = [], []
    for _ in range(3):
        for _ in range(10):
            now[0] += 1
            stats.published += 25
            recorder.sample()
        recorder.flush()
        samples = parsed(path.read_text())
        frames.append(samples["edgeface_frames_total", ()])
        joules.append(samples["edgeface_energy_joules_total", ()])
        assert samples["edgeface_fps", ()] == 25
    assert frames == [250, 500, 750]
    assert joules == pytest.approx([27, 57, 87])
    recorder.close()
    assert not path.exists()


def test_the_file_is_for_node_exporter_whatever_the_umask(tmp_path):
    file = MetricsFile(str(tmp_path / "x.prom"))
    before = os.umask(0o027)
    try:
        file.write(VALUES, COUNTERS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o644
    os.chmod(file.path, 0o600)  # what an operator has decided stays
    file.write(VALUES, COUNTERS)
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600
    file.remove()
    assert os.listdir(str(tmp_path)) == []


def test_a_planted_link_is_not_followed_and_a_folder_leaves_nothing(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    os.symlink(str(victim), str(tmp_path / f"x.prom.{os.getpid()}.tmp"))
    file = MetricsFile(str(tmp_path / "x.prom"))
    file.write(VALUES, COUNTERS)
    assert victim.read_text() == "mine"
    (tmp_path / "folder.prom").mkdir()
    before = sorted(os.listdir(str(tmp_path)))
    with pytest.raises(OSError):
        MetricsFile(str(tmp_path / "folder.prom")).write(VALUES, COUNTERS)
    assert sorted(os.listdir(str(tmp_path))) == before


def test_a_running_daemon_has_a_file_and_one_that_ended_has_none(tmp_path, shm_name):
    path = tmp_path / "edgeface.prom"
    configuration = tmp_path / "edgeface.yaml"
    configuration.write_text(f"telemetry: {{prometheus: {path}, interval_s: 1}}\n")
    words = ("run", "--config", str(configuration), "--source", "cmd:cat /dev/zero")
    daemon = start(*words, "--shm", shm_name)
    wait_for(lambda: path.exists() and "edgeface_fps" in path.read_text())
    text = path.read_text()
    daemon.terminate()
    assert daemon.wait(10) == 0
    assert not path.exists()
    samples = parsed(text)
    assert samples["edgeface_state", (("state", "running"),)] == 1
    assert samples["edgeface_frames_total", ()] > 0
