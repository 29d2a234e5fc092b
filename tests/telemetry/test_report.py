import json
import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import edgeface

from edgeface.commands.top import screen
from edgeface.core.errors import UsageError
from edgeface.telemetry.log import read_log
from edgeface.telemetry.report import Figures, holes, parse_since, rows, table
from edgeface.telemetry.report_page import report_page

START_S = 1795478400  # 2026-11-24 00:00 UTC


def minute(k, host="kiosk-1", pid=400, **changes):
    """A minute of a simulated Nano: warm in the afternoon."""
    heat = 45 + 15 * math.sin(math.pi * k / 1440) ** 2
    watts = 3.2 + 0.8 * math.sin(math.pi * k / 1440) + 0.1 * math.sin(k)
    p50 = 128 + 3 * math.sin(k / 50)
    values = {
        "time": "",
        "time_s": START_S + 60 * (k + 1),
        "host": host,
        "version": "0",
        "pid": pid,
        "interval_s": 60.0,
        "state": "running",
        "frames": 1500,
        "fps": 25.0,
        "latency_ms": {
            "end_to_end": {"p50": p50, "p95": p50 + 8, "p99": p50 + 15, "max": p50 + 40}
        },
        "latency_bins_ms": {"120": 1400, "130": 80, "140": 18, "160": 2},
        "dropped_samples": 0,
        "source_restarts": 0,
        "late_frames": {"capture": 0, "ring": 0, "compute": 0},
        "power_source": "ina3221",
        "power_mw": {"POM_5V_IN": 1000 * watts, "POM_5V_CPU": 400 * watts},
        "power_total_mw": 1000 * watts,
        "energy_j": 60 * watts,
        "energy_known_s": 60.0,
        "energy_gap_s": 0.0,
        "temperatures_c": {"CPU": heat, "GPU": heat - 2},
        "throttled": False,
        "cpu_percent": 20.0,
        "gpu_percent": None,
        "memory_mb": 900,
        "own_memory_mb": 90.0,
    }
    values.update(changes)
    return values


def day(host="kiosk-1"):
    """24 h: microphone unplugged from 09:00 to 09:12, throttling from 14:00 to 14:30, 20 minutes
    without power before a restart at 18:00."""
    objects = []
    for k in range(1440):
        changes = {}
        if 840 <= k < 870:
            changes = {
                "throttled": True,
                "fps": 23.5,
                "frames": 1410,
                "dropped_samples": 57600,
                "state": "degraded",
                "temperatures_c": {"CPU": 97.5, "GPU": 95.0},
                "late_frames": {"capture": 0, "ring": 0, "compute": 90},
                "latency_ms": {
                    "end_to_end": {"p50": 160.0, "p95": 320.0, "p99": 410.0, "max": 640.0}
                },
                "latency_bins_ms": {"160": 900, "320": 400, "640": 110},
            }
        elif 540 <= k < 552:
            changes = {"state": "waiting", "source_restarts": int(k == 551)}
        elif 1080 <= k < 1100:
            continue
        objects.append(minute(k, host, pid=400 if k < 1080 else 731, **changes))
    return objects


def write(folder, objects, damage=b""):
    os.makedirs(str(folder))
    lines = [f"{json.dumps(o)}\n".encode() for o in objects]
    with open(str(folder / "telemetry-00000001-a.jsonl"), "wb") as file:
        file.write(b"".join(lines[:700]) + damage)
    with open(str(folder / "telemetry-00000002-b.jsonl"), "wb") as file:
        file.write(b"".join(lines[700:]))


def test_a_day_with_throttling_unplugging_and_a_restart(tmp_path):
    write(tmp_path / "log", day(), damage=b'{"time_s": 17954')
    objects, damaged = read_log(str(tmp_path / "log"))
    figures = Figures(objects, damaged)
    assert damaged == 1
    assert figures.frames == 1390 * 1500 + 30 * 1410
    assert figures.throttled_min == 30
    assert figures.not_running_min == 42
    assert (figures.restarts, figures.source_restarts) == (1, 1)
    assert figures.holes == [(START_S + 60 * 1080, START_S + 60 * 1100)]
    assert figures.uptime_percent == pytest.approx(100 * 1420 / 1440)
    assert figures.latency == {"p50": 160.0, "p95": 320.0, "p99": 410.0, "max": 640.0}
    assert figures.late == {"capture": 0, "ring": 0, "compute": 2700}
    assert figures.hottest_c == 97.5
    assert figures.joules == pytest.approx(sum(o["energy_j"] for o in objects))
    assert figures.mean_w == pytest.approx(figures.joules / (1420 * 60))
    assert figures.j_per_audio_minute == pytest.approx(figures.joules / (figures.frames / 1500))


def test_table_and_page_of_two_machines(tmp_path):
    for host in ("kiosk-1", "kiosk <2>"):
        write(tmp_path / host[-2:].strip(">"), day(host))
    folders = sorted(str(path) for path in tmp_path.iterdir())
    out = str(tmp_path / "report.html")
    result = edgeface("report", *(folders + ["-o", out]))
    assert result.returncode == 0, result.stderr
    assert "kiosk-1" in result.stdout and "kiosk <2>" in result.stdout
    throttled = next(
        line for line in result.stdout.splitlines() if line.startswith("throttled, minutes")
    )
    assert throttled.split()[-2:] == ["30.0", "30.0"]
    html = open(out, encoding="utf-8").read()
    assert html.count("<svg") == 10
    assert "kiosk &lt;2&gt;" in html and "kiosk <2>" not in html
    assert "http" not in html and "src=" not in html  # self-contained
    assert len(html) < 2000000


def test_since_cuts_the_beginning(tmp_path):
    write(tmp_path / "log", day())
    result = edgeface("report", str(tmp_path / "log"), "--since", "2026-11-24T12:00")
    assert "2026-11-24 12:00" not in result.stdout.splitlines()[0]
    assert "frames" in result.stdout and str(1390 * 1500 + 30 * 1410) not in result.stdout
    late = edgeface("report", str(tmp_path / "log"), "--since", "2027-01-01")
    assert late.returncode == 65 and "since then" in late.stderr


def test_errors_are_one_line(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "telemetry-1.jsonl").write_bytes(b"\xff\x00garbage\n{}\n")
    for folder, code, word in (
        (tmp_path / "none", 66, "not a folder"),
        (tmp_path, 65, "no readable line"),
        (tmp_path / "bad", 65, "2 are damaged"),
    ):
        result = edgeface("report", str(folder))
        assert (
            result.returncode == code and result.stderr.count("\n") == 1 and word in result.stderr
        )


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("90m", 1e9 - 5400),
        ("24h", 1e9 - 86400),
        ("7d", 1e9 - 7 * 86400),
        ("2001-09-09", 999993600),
        ("2001-09-09T01:00", 999997200),
    ],
)
def test_times(text, seconds):
    assert parse_since(text, 1e9) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "5", "5w", "2026-13-01"])
def test_no_times(text):
    pytest.raises(UsageError, parse_since, text, 1e9)


def test_holes_ignore_jitter():
    assert holes([minute(0), minute(1), minute(2)]) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats(0, 1e9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(sorted(minute(0))), JSON), min_size=1, max_size=4))
def test_any_objects_make_a_report(tmp_path_factory, changes):
    """Fields of any kind, as an older or newer version might have written them."""
    objects = [dict(minute(k), **change) for k, change in enumerate(changes)]
    for k, o in enumerate(objects):
        if (
            not isinstance(o["time_s"], (int, float))
            or isinstance(o["time_s"], bool)
            or not 0 <= o["time_s"] < 1e11
        ):
            o["time_s"] = START_S + 60 * k
    figures = Figures(objects)
    assert len(rows(figures)) == len(rows(Figures([minute(0)])))
    assert table([figures, figures])
    assert report_page([figures]).endswith("</html>\n")
    assert screen(None, None, None, objects[-1])
