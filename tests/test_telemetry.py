import json
import math
import os
import socket
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import DATA, edgeface, start, wait_for
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.bench.power import costs, mean_mw
from edgeface.daemon.journal import JournalHandler
from edgeface.daemon.loop import Loop
from edgeface.errors import UnavailableError
from edgeface.shm.reader import Reader
from edgeface.shm.writer import Writer
from edgeface.source.file import FileSource
from edgeface.telemetry.child import TegrastatsChild
from edgeface.telemetry.energy import Energy
from edgeface.telemetry.histogram import Histogram
from edgeface.telemetry.latency import STAGES, Latency
from edgeface.telemetry.log import LogWriter, log_files, newest_object, read_log
from edgeface.telemetry.power import Ina3221, NoPower, NvidiaSmi, Rapl, Reading, find_power_source
from edgeface.telemetry.prometheus import metrics
from edgeface.telemetry.recorder import Recorder
from edgeface.telemetry.system import System
from edgeface.telemetry.tegrastats import Tegrastats, parse_tegrastats, total_mw

# -- tegrastats -----------------------------------------------------------------------

with open(os.path.join(DATA, "tegrastats.txt")) as _file:
    _text = _file.read().split("\n")
LINES = {name[2:]: line for name, line in zip(_text[::2], _text[1::2])}

# read by eye from the lines: RAM used, swap used, cores, EMC %, GPU %, GPU MHz, total mW, rails, some temperatures
EXPECTED = {
    "Nano, JetPack 4.6.1, root": (1923, 191, [5, 4, 3, 6], 0, 0, 76, 1750, 3, {"CPU": 40.0, "PMIC": None}),
    "Nano, JetPack 4, user": (330, 0, [0] * 4, 0, 0, None, 933, 3, {"PLL": 20.5, "PMIC": None}),
    "TX1, root": (388, None, [0] * 4, 0, 0, 998, None, 0, {"Tdiode": 28.5}),
    "TX2": (707, None, [0] * 6, None, None, None, 1038, 6, {"BCPU": 30.0, "thermal": 29.4}),
    "TX2, older form": (4722, 149, [0] * 6, 2, 0, 1300, 14025, 6, {"BCPU": -45.0, "GPU": -51.0, "AO": 47.5}),
    "TX2, VDD_SYS names": (3276, 1626, [44, 49, 67, 17, 25, 8], 1, 0, 114, 5297, 6, {"Tdiode": 39.25, "PMIC": None}),
    "AGX Xavier, JetPack 4, root": (408, 0, [0] * 8, 0, 0, 1377, 6926, 6, {"iwlwifi": 30.0, "CPU": 28.0}),
    "Xavier NX, JetPack 4": (5246, 983, [47, 23, 32, 22, 31, 96], 2, 0, 1109, 6140, 3, {"GPU": 31.5}),
    "Xavier NX, cores off": (2673, 0, [12, 8, 4, None, None, None], 7, 33, None, 3902, 3, {"CPU": 35.0}),
    "Xavier NX, JetPack 5.1.2": (3168, 161, [23, 17, 16, 13, 23, 10], 2, 0, 114, 2763, 3, {"PMIC": None, "CPU": 46.5}),
    "AGX Orin, JetPack 5, root": (2257, 0, [0] * 12, 0, 0, 0, 7009, 4, {"CV0": None, "GPU": None, "tj": 41.656}),
    "Orin NX, JetPack 6, root": (6185, 851, [15, 11, 14, 13, 11, 8], 43, 63, 621, 12479, 3, {"gpu": 53.343}),
    "Orin Nano, JetPack 6, user": (3452, 1518, [1, 2, 0, 2, 2, 1], None, 0, None, 4824, 3, {"soc0": 50.0}),
    "Orin Nano, JetPack 6.2.1": (775, 0, [1, 0, 0, 0, 0, 0], None, 0, None, 4761, 3, {"tj": 49.156}),
    "AGX Orin, JetPack 7.2": (20642, None, [23, 10, 4, 14, 30, 18, 10, 10, 33, 7, 5, 27], 3, 12, 1300, 13907, 3,
                              {"cpu": 52.968}),
    "Thor, loaded": (8353, None, [90, 75, None, 7], 34, 87, 1574, 124486, 4, {"soc012": 55.375}),
    "Thor, idle": (3429, None, [0, 5, None], None, None, 1574, 28906, 2, {"tj": 51.218}),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_sample_line(name):
    values = parse_tegrastats(LINES[name])
    ram, swap, cores, emc, gpu, mhz, total, rails, temperatures = EXPECTED[name]
    assert (values.ram_used_mb, values.swap_used_mb, values.cpu_percent) == (ram, swap, cores)
    assert (values.emc_percent, values.gpu_percent, values.gpu_mhz) == (emc, gpu, mhz)
    assert total_mw(values.power_mw) == total
    assert len(values.power_mw) == rails and "NC" not in values.power_mw
    assert {zone: values.temperatures_c[zone] for zone in temperatures} == temperatures
    assert values.unknown == []


def test_all_samples_are_expected():
    assert set(LINES) == set(EXPECTED)


@pytest.mark.parametrize("line, check", [
    ("", lambda v: v == parse_tegrastats("   ")),
    ("CPU [N/A,5%,off,abc]", lambda v: v.cpu_percent == [None, 5, None, None]),
    ("GR3D_FREQ 20%@N/A", lambda v: (v.gpu_percent, v.gpu_mhz) == (20, None)),
    ("GR3D_FREQ @[N/A,200,,400,off]", lambda v: (v.gpu_percent, v.gpu_mhz) == (None, 200)),
    ("VDD_GPU 1.5W/2W", lambda v: v.power_mw == {"VDD_GPU": 1500.0}),
    ("VDD_GPU N/A/N/A", lambda v: v.power_mw == {} and v.unknown == ["VDD_GPU", "N/A/N/A"]),
    ("VDD_IN NaN/NaN GPU@NaNC", lambda v: v.power_mw == {} and v.temperatures_c == {} and len(v.unknown) == 3),
    ("RAM 1/2MB future_field RAM 3/4GB", lambda v: v.unknown == ["future_field"] and v.ram_used_mb == 3072),
    ("RAM 12/34", lambda v: v.ram_used_mb is None and v.unknown == ["RAM", "12/34"]),
])
def test_forms_nobody_has_captured(line, check):
    assert check(parse_tegrastats(line)), parse_tegrastats(line)


def finite(values):
    assert isinstance(values, Tegrastats)
    numbers = list(values.power_mw.values()) + [t for t in values.temperatures_c.values() if t is not None]
    assert all(math.isfinite(n) for n in numbers)
    assert all(n >= 0 for n in values.power_mw.values())


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300),
                 st.lists(st.sampled_from(" ".join(LINES.values()).split()), max_size=60).map(" ".join)))
def test_any_line_is_parsed_and_nothing_is_lost(line):
    values = parse_tegrastats(line)
    finite(values)
    assert parse_tegrastats(line) == values
    assert all(token in line for token in values.unknown)


@given(st.sampled_from(sorted(LINES)), st.data())
@settings(max_examples=300, deadline=None)
def test_a_cut_line_never_invents_values(name, data):
    line = LINES[name]
    whole, part = parse_tegrastats(line), parse_tegrastats(line[:data.draw(st.integers(0, len(line)))])
    assert len(part.unknown) <= 4
    for rail, mw in list(part.power_mw.items())[:-1]:
        assert whole.power_mw[rail] == mw


@pytest.mark.slow
def test_parser_and_log_reader_survive_ten_million_bytes(tmp_path):
    rng, lines = np.random.RandomState(11), list(LINES.values())
    fed = 0
    while fed < 5000000:
        line = bytearray(lines[rng.randint(len(lines))].encode())
        for _ in range(rng.randint(1, 12)):
            at = rng.randint(len(line))
            line[at:at + rng.randint(3)] = rng.bytes(rng.randint(3))
        finite(parse_tegrastats(line.decode("latin-1")))
        fed += len(line)
    good = (json.dumps({"time_s": 1.0, "frames": 1500, "latency_ms": {"end_to_end": {"p50": 120.0}}}) + "\n").encode()
    written = 0
    while written < 5000000:
        with open(str(tmp_path / ("telemetry-%09d.jsonl" % written)), "wb") as file:
            piece = good + rng.bytes(100000) + b"\n" + bytes(rng.choice(list(good), 100000).tolist()) + b"\n" + good
            file.write(piece)
            written += len(piece)
    objects, damaged = read_log(str(tmp_path))
    assert len(objects) >= 2 * len(log_files(str(tmp_path)))
    assert damaged > 0
    assert edgeface("report", str(tmp_path), "-o", str(tmp_path / "r.html")).returncode == 0


def script(tmp_path, text):
    path = tmp_path / "tegrastats"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(stat.S_IRWXU)
    return [str(path)]


@pytest.mark.parametrize("text", [
    "while :; do echo '%s'; sleep 0.1; done", "echo '%s'; exit 3", "echo '%s'; echo '%s'; kill -9 $$",
    "echo '%s'; head -c 300000 /dev/urandom; sleep 5"])
def test_a_child_that_dies_or_floods_is_restarted(tmp_path, text):
    line = LINES["Nano, JetPack 4.6.1, root"]
    child = TegrastatsChild(script(tmp_path, text.replace("%s", line)), pauses_s=(0.05, 0.1))
    try:
        values = wait_for(child.latest)
        assert values.power_mw["POM_5V_IN"] == 1750
        if "while" not in text:
            wait_for(lambda: child.restarts >= 3)
            assert wait_for(child.latest).power_mw["POM_5V_IN"] == 1750
        else:
            time.sleep(0.3)
            assert child.restarts == 0
    finally:
        child.close()


@pytest.mark.parametrize("text", ["sleep 60", "while :; do echo garbage; sleep 0.05; done"])
def test_a_child_without_values_gives_none_and_ends_with_us(tmp_path, text):
    child = TegrastatsChild(script(tmp_path, text), pauses_s=(0.05, 0.1))
    time.sleep(0.3)
    assert child.latest() is None
    began = time.monotonic()
    child.close()
    assert time.monotonic() - began < 2
    pids = subprocess.run(["pgrep", "-f", str(tmp_path)], stdout=subprocess.PIPE).stdout.split()
    assert pids == []


def test_a_child_that_cannot_start():
    child = TegrastatsChild(["/nowhere/tegrastats"], pauses_s=(0.02, 0.05))
    wait_for(lambda: child.restarts > 2)
    assert child.latest() is None
    child.close()


# -- power sources ----------------------------------------------------------------------

def files(root, **contents):
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")


NANO = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/"
ORIN = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/"
RAPL = "sys/class/powercap/intel-rapl:0/"


def nano(root):
    files(root, **{NANO + "rail_name_0": "POM_5V_IN", NANO + "in_power0_input": "1750",
                   NANO + "rail_name_1": "POM_5V_GPU", NANO + "in_power1_input": "0",
                   NANO + "rail_name_2": "POM_5V_CPU", NANO + "in_power2_input": "366"})


def test_ina3221_of_a_nano(tmp_path):
    nano(tmp_path)
    source = Ina3221(str(tmp_path))
    assert source.read() == Reading({"POM_5V_IN": 1750, "POM_5V_GPU": 0, "POM_5V_CPU": 366}, 1750)
    (tmp_path / NANO / "in_power1_input").unlink()
    assert source.read().power_mw == {"POM_5V_IN": 1750, "POM_5V_GPU": None, "POM_5V_CPU": 366}
    for k in (0, 2):
        (tmp_path / NANO / ("in_power%d_input" % k)).unlink()
    pytest.raises(OSError, source.read)


def test_ina3221_of_an_orin(tmp_path):
    files(tmp_path, **{
        ORIN + "in1_label": "VDD_IN", ORIN + "in1_input": "4960", ORIN + "curr1_input": "1000",
        ORIN + "in2_label": "VDD_CPU_GPU_CV", ORIN + "in2_input": "4960", ORIN + "curr2_input": "104",
        ORIN + "in3_label": "NC", ORIN + "in3_input": "0", ORIN + "curr3_input": "0",
        ORIN + "in7_label": "sum of shunt voltages", ORIN + "in7_input": "7"})
    reading = Ina3221(str(tmp_path)).read()
    assert reading.power_mw == {"VDD_IN": 4960.0, "VDD_CPU_GPU_CV": 515.84}
    assert reading.total_mw == 4960.0


def test_rapl_counts_and_wraps(tmp_path):
    now = [100.0]
    files(tmp_path, **{RAPL + "name": "package-0", RAPL + "energy_uj": "1000000",
                       RAPL + "max_energy_range_uj": "9000000",
                       "sys/class/powercap/intel-rapl:0:0/name": "core",
                       "sys/class/powercap/intel-rapl:0:0/energy_uj": "5"})
    source = Rapl(str(tmp_path), clock=lambda: now[0])
    assert source.read() == Reading({"package-0": None}, None)
    now[0] += 2
    files(tmp_path, **{RAPL + "energy_uj": "7000000"})
    assert source.read().total_mw == pytest.approx(3000)
    now[0] += 1
    files(tmp_path, **{RAPL + "energy_uj": "500000"})
    assert source.read().total_mw == pytest.approx(2500)


@pytest.mark.parametrize("line, power, heat, load", [
    ("52.31, 61, 17", {"GPU0": 52310.0}, {"GPU0": 61.0}, 17),
    ("[N/A], 45, [N/A]", {"GPU0": None}, {"GPU0": 45.0}, None),
    ("nan, 45", {"GPU0": None}, {"GPU0": 45.0}, None)])
def test_nvidia_smi(tmp_path, line, power, heat, load):
    command, = script(tmp_path, "echo '%s'" % line)
    assert NvidiaSmi(command).read() == Reading(power, power["GPU0"], heat, load)


@pytest.mark.parametrize("text", ["exit 9", "sleep 10", "true"])
def test_nvidia_smi_that_fails_is_not_taken(tmp_path, text):
    command, = script(tmp_path, text)
    pytest.raises(OSError, NvidiaSmi, command)


def test_the_first_source_that_works_is_taken(tmp_path):
    nano(tmp_path)
    found = find_power_source((lambda: Rapl(str(tmp_path)), lambda: Ina3221(str(tmp_path)), NoPower))
    assert found.name == "ina3221"
    assert find_power_source((lambda: Rapl(str(tmp_path)),)).name == "none"


def test_system_tells_what_the_kernel_tells(tmp_path):
    files(tmp_path, **{
        "proc/stat": "cpu  100 0 100 800 0 0 0 0", "proc/meminfo": "MemTotal: 4096000 kB\nMemAvailable: 1024000 kB",
        "sys/class/thermal/thermal_zone0/type": "CPU-therm", "sys/class/thermal/thermal_zone0/temp": "41500",
        "sys/class/thermal/thermal_zone1/type": "cv0", "sys/class/thermal/thermal_zone1/temp": "-256000",
        "sys/class/thermal/cooling_device0/type": "thermal-cpufreq-0",
        "sys/class/thermal/cooling_device0/cur_state": "2",
        "sys/class/thermal/cooling_device1/type": "pwm-fan", "sys/class/thermal/cooling_device1/cur_state": "3"})
    system = System(str(tmp_path))
    assert system.cpu_percent() is None
    files(tmp_path, **{"proc/stat": "cpu  200 0 100 900 0 0 0 0"})
    assert system.cpu_percent() == 50.0
    assert system.memory_mb() == 3000
    assert system.temperatures_c() == {"CPU-therm": 41.5, "cv0": None}
    assert system.throttled() is True
    empty = System(str(tmp_path / "empty"))
    assert (empty.cpu_percent(), empty.memory_mb(), empty.own_memory_mb(), empty.temperatures_c(), empty.throttled()) \
        == (None, None, None, {}, None)


# -- histograms and energy ----------------------------------------------------------------

@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10 ** 12), min_size=1, max_size=200), st.sampled_from([1, 50, 95, 99, 100]))
def test_percentiles_are_within_one_percent(values, percent):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    exact = sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]
    summary = histogram.take()
    assert summary.count == len(values)
    assert summary.percentile_ns(percent) == pytest.approx(exact, rel=0.01, abs=0.5)
    assert sum(summary.bins_ms().values()) == len(values)
    assert histogram.take().as_ms() == {"p50": None, "p95": None, "p99": None, "max": None}


def test_a_histogram_holds_any_duration_in_fixed_memory():
    histogram = Histogram()
    size = len(histogram._counts)
    for value in (-5, 0, 1, 63, 64, 2 ** 39, 2 ** 40 - 1, 2 ** 40, 2 ** 70):
        histogram.record(value)
    assert len(histogram._counts) == size < 3000
    assert histogram.take().count == 9


def test_energy_is_integrated_and_gaps_are_marked():
    energy = Energy()
    for second in range(11):
        energy.add(float(second), 2000.0)
    energy.add(11.0, None)
    energy.add(12.0, 2000.0)
    energy.add(100.0, 2000.0)
    energy.add(101.0, 4000.0)
    assert energy.take() == (pytest.approx(23.0), pytest.approx(11.0), pytest.approx(90.0))
    assert energy.take() == (None, 0.0, 0.0)


def test_late_frames_have_a_cause():
    latency = Latency(late_ns=220000000)
    for capture_ms, ring_ms, late in ((10, 1, False), (200, 1, True), (10, 90, True), (10, 1, True)):
        latency.block(capture_ms * 10 ** 6, ring_ms * 10 ** 6)
        assert latency.published(10 ** 12, 10 ** 12 - (300 if late else 120) * 10 ** 6) == late
    assert latency.late == {"capture": 1, "ring": 1, "compute": 1}


# -- log ------------------------------------------------------------------------------------

def test_log_rotates_within_its_total_and_survives_a_cut(tmp_path):
    folder = str(tmp_path / "log")
    log = LogWriter(folder, file_bytes=2000, total_bytes=7000, clock=lambda: 1e9)
    for k in range(500):
        assert log.write({"time_s": k, "text": "x" * 100})
        assert sum(os.path.getsize(path) for path in log_files(folder)) <= 7000
    log.close()
    with open(log_files(folder)[-1], "r+b") as file:
        file.truncate(os.path.getsize(log_files(folder)[-1]) - 10)  # a crash
    again = LogWriter(folder, 2000, 7000, clock=lambda: 1e9 + 1)
    again.write({"time_s": 500})
    again.close()
    objects, damaged = read_log(folder)
    assert damaged == 1
    assert [o["time_s"] for o in objects][-3:] == [497, 498, 500]
    assert newest_object(folder) == {"time_s": 500}


@pytest.mark.system
def test_a_full_or_read_only_disk_costs_lines_and_one_warning(tmp_path):
    code = """
import logging, sys
logging.basicConfig(level=logging.WARNING)
from edgeface.telemetry.log import LogWriter, read_log
log = LogWriter(sys.argv[1], 100000, 1000000)
print([log.write({"time_s": k, "x": "y" * 2000}) for k in range(30)].count(False), log.lost > 0)
import os
for name in os.listdir(sys.argv[1]): os.unlink(sys.argv[1] + "/" + name)
print(log.write({"time_s": 99}), read_log(sys.argv[1])[0])
"""
    folder = str(tmp_path / "disk")
    os.mkdir(folder)
    mounted = 'mount -t tmpfs -o size=32k tmpfs "$2" && exec "$0" -c "$1" "$2"'
    command = ["unshare", "-m", "sh", "-c", mounted, sys.executable, code, folder]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    lost, counted, written = result.stdout.split(None, 2)
    assert int(lost) > 5 and counted == "True" and written.startswith("True [{'time_s': 99")
    assert result.stderr.count("WARNING") == 1


def test_prometheus_text():
    text = metrics({"fps": 25.0, "throttled": True, "power_mw": {"VDD_IN": 4824.0, "NC": None},
                    "latency_ms": {"publish": {"p50": 0.1}}, "host": "kiosk"})
    assert 'edgeface_fps 25.0\n' in text
    assert 'edgeface_throttled 1.0\n' in text
    assert 'edgeface_power_mw{name="VDD_IN"} 4824.0\n' in text
    assert 'edgeface_latency_ms{name="publish",k1="p50"} 0.1\n' in text
    assert "NC" not in text and "kiosk" not in text


# -- recorder ---------------------------------------------------------------------------------

class Counting:
    """What the recorder sees of a loop."""

    def __init__(self):
        self.published = self.dropped = self.restarts = 0
        self.state = 1
        self.latency = Latency(10 ** 9)


class Meter:
    name = "meter"

    def __init__(self, *readings):
        self.readings = list(readings)

    def read(self):
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(reading, Exception):
            raise reading
        return reading

    def close(self):
        pass


def test_a_log_object_holds_what_the_contract_lists():
    now, loop = [0.0], Counting()
    meter = Meter(Reading({"VDD_IN": 3000.0, "X": None}, 3000.0, {"CPU": 50.0}))
    recorder = Recorder(loop, None, 60, power_source=meter, clock=lambda: now[0])
    for _ in range(60):
        now[0] += 1
        loop.published += 25
        loop.latency.block(10 ** 7, 10 ** 6)
        for stage in ("features", "encoder", "motion"):
            loop.latency.stage(stage)
        loop.latency.published(int(now[0] * 1e9), int(now[0] * 1e9) - 122000000)
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


def test_bytes_a_day():
    """The README's figure: a minute's object of a Nano, once a minute."""
    recorder = Recorder(Counting(), None, 60, power_source=Meter(
        Reading({"POM_5V_IN": 1750.0, "POM_5V_GPU": 0.0, "POM_5V_CPU": 366.0}, 1750.0, {"CPU": 40.0, "GPU": 40.0})))
    for k in range(1500):
        recorder._loop.latency.block(10 ** 7, 10 ** 6)
        recorder._loop.latency.published(k * 40000000, k * 40000000 - 122000000)
    recorder.sample()
    assert 1440 * len(json.dumps(recorder.flush(), separators=(",", ":"))) < 1.8e6


def test_a_sensor_that_goes_is_replaced_by_nothing_and_looked_for_again(caplog):
    now = [0.0]
    recorder = Recorder(Counting(), None, 60, power_source=Meter(Reading({"A": 1.0}, 1.0), OSError("unplugged")),
                        clock=lambda: now[0])
    recorder.sample()
    recorder.sample()
    recorder.sample()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "unplugged" in caplog.text
    now[0] += 61
    recorder.sample()
    assert recorder.flush()["power_source"] == find_power_source().name


def test_removing_every_sensor_while_running_changes_nothing_in_the_frames(pipeline, shm_name, speech_wav, tmp_path):
    def run(root):
        pipeline._blinker.__init__(False)
        writer = Writer(shm_name, 1, 0.08)
        try:
            loop = Loop(FileSource(speech_wav, fast=True), pipeline, writer, keep=True)
            recorder = None
            if root is not None:
                nano(root)
                recorder = Recorder(loop, LogWriter(str(root / "log"), 10000, 100000), 1,
                                    power_source=Ina3221(str(root)), system=System(str(root)))
                recorder.sample()

            def remove():
                for path in sorted(root.rglob("*"), reverse=True):
                    if path.is_file() and "log" not in path.parts:
                        path.unlink()
                recorder.sample()
                recorder.flush()

            loop.run(remove if recorder else None)
            return b"".join(f.landmarks.tobytes() + f.blendshapes.tobytes() for f in loop.kept)
        finally:
            writer.close()

    assert run(tmp_path / "root") == run(None) != b""
    pipeline._blinker.__init__(True)


def test_run_writes_log_and_metrics(tmp_path, shm_name, speech_wav):
    configuration = tmp_path / "edgeface.yaml"
    configuration.write_text("telemetry:\n  log: %s\n  interval_s: 1\n  prometheus: %s\n"
                             % (tmp_path / "log", tmp_path / "edgeface.prom"))
    assert edgeface("run", "--config", str(configuration), "--source", speech_wav, "--shm", shm_name).returncode == 0
    objects, damaged = read_log(str(tmp_path / "log"))
    assert damaged == 0 and len(objects) >= 3
    assert sum(o["frames"] for o in objects) == 75
    assert 119 < objects[1]["latency_ms"]["end_to_end"]["p50"] < 200
    assert "edgeface_fps" in (tmp_path / "edgeface.prom").read_text()
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
    import logging
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


def test_bench_power_on_a_meter(tmp_path):
    nano(tmp_path)
    assert mean_mw(Ina3221(str(tmp_path)), 0.1, 0.02) == 1750
    assert costs(1500.0, 1750.0) == pytest.approx({
        "at rest, W": 1.5, "with the face, W": 1.75, "the face, W": 0.25, "the face, J a frame": 0.01,
        "the face, J per minute of audio": 15.0})
    pytest.raises(UnavailableError, mean_mw, NoPower(), 0.05, 0.01)
