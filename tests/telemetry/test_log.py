import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from support.process import edgeface

from edgeface.telemetry.log import LogWriter, log_files, newest_object, read_log


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
def test_a_full_disk_costs_lines_and_one_warning(tmp_path):
    code = """
import logging, sys
logging.basicConfig(level=logging.INFO)
from edgeface.telemetry.log import LogWriter, read_log
log = LogWriter(sys.argv[1], 100000, 1000000)
print([log.write({"time_s": k, "x": "y" * 2000}) for k in range(30)].count(False))
import os
for name in os.listdir(sys.argv[1]): os.unlink(sys.argv[1] + "/" + name)
print(log.write({"time_s": 99}), read_log(sys.argv[1])[0])
"""
    folder = str(tmp_path / "disk")
    os.mkdir(folder)
    mounted = 'mount -t tmpfs -o size=32k tmpfs "$2" && exec "$0" -c "$1" "$2"'
    command = ["unshare", "-m", "sh", "-c", mounted, sys.executable, code, folder]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True
    )
    lost, written = result.stdout.split(None, 1)
    assert int(lost) > 5 and written.startswith("True [{'time_s': 99")
    assert f"written again; {lost} lines lost" in result.stderr
    assert result.stderr.count("WARNING") == 1


@pytest.mark.system
def test_a_full_disk_leaves_no_trail_of_empty_files(tmp_path):
    code = """
import os, sys
from edgeface.telemetry.log import LogWriter, log_files, read_log
folder = sys.argv[1]
open(folder + "/other", "wb").write(b"x" * 60000)
log = LogWriter(folder, 16000, 1000000)
for k in range(25):
    log.write({"time_s": k, "x": "y" * 2000})
print(len(log_files(folder)), read_log(folder)[1])
os.unlink(folder + "/other")
print(log.write({"time_s": 99}), read_log(folder)[1])
log.close()
"""
    mounted = 'mount -t tmpfs -o size=64k tmpfs "$2" && exec "$0" -c "$1" "$2"'
    command = ["unshare", "-m", "sh", "-c", mounted, sys.executable, code, str(tmp_path)]
    output = subprocess.check_output(command, universal_newlines=True, stderr=subprocess.PIPE)
    assert output.splitlines() == ["1 0", "True 0"]  # no damaged line, before and after


@pytest.mark.parametrize("removed", ["file", "folder", "moved"])
def test_what_was_removed_is_there_again_with_the_next_line(tmp_path, removed):
    folder = tmp_path / "log"
    log = LogWriter(str(folder), 10000, 100000)
    log.write({"time_s": 1})
    if removed == "file":
        os.unlink(log_files(str(folder))[0])
    elif removed == "folder":
        shutil.rmtree(str(folder))
    else:
        folder.rename(tmp_path / "old")
    assert log.write({"time_s": 2})
    log.close()
    assert read_log(str(folder)) == ([{"time_s": 2}], 0)


def test_a_log_that_got_no_line_leaves_no_file(tmp_path):
    log = LogWriter(str(tmp_path), 10000, 100000)
    log._file = log._begin()
    log.close()
    assert log_files(str(tmp_path)) == []


def test_only_regular_files_are_read(tmp_path):
    """A FIFO would hang, a device never end; a folder of that name keeps nobody from writing."""
    os.mkfifo(str(tmp_path / "telemetry-00000002-x.jsonl"))
    os.symlink("/dev/zero", str(tmp_path / "telemetry-00000003-x.jsonl"))
    os.symlink("/nowhere", str(tmp_path / "telemetry-00000004-x.jsonl"))
    os.mkdir(str(tmp_path / "telemetry-00000000-x.jsonl"))
    log = LogWriter(str(tmp_path), 100, 200)
    for k in range(20):
        assert log.write({"time_s": k, "text": "x" * 50})
    log.close()
    assert read_log(str(tmp_path))[0][-1]["time_s"] == 19
    assert newest_object(str(tmp_path))["time_s"] == 19
    assert edgeface("report", str(tmp_path), timeout=20).returncode == 0


DAMAGE = {
    "infinity": '"latency_bins_ms": {"10": Infinity}',
    "large": '"latency_bins_ms": {"10": 1e999}',
    "negative": '"frames": 1e999, "interval_s": -1e999',
    "no number": '"power_total_mw": NaN',
    "digits": f'"frames": 1{"0" * 400}',
    "deep digits": f'"latency_ms": {{"end_to_end": {{"p50": 1{"0" * 400}}}}}',
    "long": f'"x": "{"y" * (1 << 21)}"',
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_values_that_are_no_measurement_do_not_end_the_report(tmp_path, damage):
    good = '{"time_s": 1795478400, "frames": 1500, "interval_s": 60}\n'
    bad = f'{{"time_s": 1795478460, {DAMAGE[damage]}}}\n'
    (tmp_path / "telemetry-00000001-x.jsonl").write_text(good + bad)
    result = edgeface("report", str(tmp_path), "-o", str(tmp_path / "r.html"))
    assert result.returncode == 0, result.stderr
    assert "inf" not in result.stdout and "nan" not in result.stdout
    assert edgeface("top", "-n", "1", "--log", str(tmp_path), "--shm", "none").returncode == 0


@pytest.mark.slow
def test_reader_and_report_survive_ten_million_bytes(tmp_path):
    rng = np.random.RandomState(11)
    values = {"time_s": 1.0, "frames": 1500, "latency_ms": {"end_to_end": {"p50": 120.0}}}
    good = f"{json.dumps(values)}\n".encode()
    written = 0
    while written < 10000000:
        with open(str(tmp_path / f"telemetry-{written:08}-x.jsonl"), "wb") as file:
            piece = (
                good
                + rng.bytes(100000)
                + b"\n"
                + bytes(rng.choice(list(good), 100000).tolist())
                + b"\n"
                + good
            )
            file.write(piece)
            written += len(piece)
    objects, damaged = read_log(str(tmp_path))
    assert len(objects) >= 2 * len(log_files(str(tmp_path)))
    assert damaged > 0
    assert edgeface("report", str(tmp_path), "-o", str(tmp_path / "r.html")).returncode == 0


def test_what_is_no_file_is_no_log(tmp_path):
    """A named pipe would be waited for, and a device would never end."""
    LogWriter(str(tmp_path), 10**6, 10**7).write({"time_s": 1.0})
    os.mkfifo(str(tmp_path / "telemetry-00000000-fifo.jsonl"))
    os.symlink("/dev/zero", str(tmp_path / "telemetry-99999999-zero.jsonl"))
    (tmp_path / "telemetry-99999999-folder.jsonl").mkdir()
    assert read_log(str(tmp_path)) == ([{"time_s": 1.0}], 0)
    assert newest_object(str(tmp_path)) == {"time_s": 1.0}
