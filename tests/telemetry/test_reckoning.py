"""Logs of boards without a clock that runs while they are off."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import edgeface
from telemetry.test_report import JSON, START_S, minute

from edgeface.commands.top import screen
from edgeface.core.clock import boot_id, since_boot_s
from edgeface.telemetry.reckoning import reckoned
from edgeface.telemetry.report import Figures, rows
from edgeface.telemetry.report_page import report_page


def boot(name, count, clock_s, set_at=None, step_s=0.0, began=30.0):
    """Minutes of a boot whose clock starts at `clock_s` and is set at minute `set_at`."""
    objects = []
    for k in range(count):
        boot_s = began + 60.0 * (k + 1)
        stepped = set_at is not None and k >= set_at
        time_s = clock_s + boot_s + (step_s if stepped else 0.0)
        objects.append(dict(minute(k), time_s=time_s, boot_id=name, boot_s=boot_s))
    return objects


def times(objects):
    return [o["time_s"] for o in reckoned(objects)]


def test_a_clock_that_is_set_later_sets_the_whole_boot():
    figures = Figures(reckoned(boot("a", 60, 0.0, set_at=5, step_s=START_S)))
    assert figures.from_s == START_S + 30 and figures.to_s == START_S + 30 + 3600
    assert figures.uptime_percent == 100 and figures.holes == []


def test_steps_within_a_boot_change_nothing():
    for step_s in (3600.0, -3600.0):
        objects = boot("a", 60, START_S, set_at=30, step_s=step_s)
        assert times(objects) == pytest.approx([START_S + step_s + 90 + 60 * k for k in range(60)])


def test_boots_whose_clock_was_never_set_stay_beside_their_neighbours():
    first, second = boot("a", 30, START_S), boot("b", 20, 0.0)
    third = boot("c", 30, START_S + 7200)
    for order in ([first, second, third], [second, first, third], [first, third, second]):
        result = times([values for objects in order for values in objects])
        assert result == sorted(result)
        assert result[-1] - result[0] < 4 * 3600
    assert times(first + second)[30] - times(first + second)[29] == pytest.approx(60)
    assert times(second + first)[20] == first[0]["time_s"]


def test_a_clock_that_stood_still_while_the_board_was_off():
    """It was saved at shutdown, or is that of the system's build: later than 2020, yet wrong."""
    good, stale = boot("a", 300, START_S), boot("b", 20, START_S - 3 * 365 * 86400.0)
    result = times(good + stale)
    assert result[:300] == [o["time_s"] for o in good]
    assert result[300] - result[299] == pytest.approx(60)
    future = boot("c", 20, START_S + 10 * 365 * 86400.0)
    result = times(future + good)
    assert result[20:] == [o["time_s"] for o in good]


def test_nothing_is_known_but_1970():
    figures = Figures(reckoned(boot("a", 60, 0.0) + boot("b", 60, 0.0)))
    assert figures.uptime_percent == 100 and figures.holes == []


def test_logs_of_older_releases():
    """Without boot times: minutes of a process in 1970 are joined by their intervals."""
    early = [dict(minute(k), time_s=100.0 + 60 * k) for k in range(10)]
    late = [minute(k) for k in range(10, 60)]
    figures = Figures(reckoned(early + late))
    assert figures.uptime_percent == 100 and figures.holes == []
    assert figures.to_s - figures.from_s == pytest.approx(3600)


def test_a_restart_within_a_boot_leaves_its_hole():
    objects = boot("a", 60, 0.0, set_at=59, step_s=START_S)
    del objects[20:40]
    figures = Figures(reckoned(objects))
    assert len(figures.holes) == 1 and figures.uptime_percent == pytest.approx(100 * 2 / 3, abs=0.1)


def test_the_report_of_a_board_without_a_clock(tmp_path):
    lines = boot("a", 30, 0.0, set_at=10, step_s=START_S) + boot("b", 30, 0.0)
    text = "".join(f"{json.dumps(o)}\n" for o in lines)
    (tmp_path / "telemetry-00000001-19700101T000000Z.jsonl").write_text(text)
    result = edgeface("report", str(tmp_path), "-o", str(tmp_path / "r.html"))
    assert "1970" not in result.stdout and "100.00" in result.stdout
    since = edgeface("report", str(tmp_path), "--since", "2026-11-01")
    assert since.stdout == result.stdout


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"time_s": st.floats(0, 9e10)},
            **{
                "optional": {
                    "boot_id": st.sampled_from("abc") | JSON,
                    "boot_s": st.floats(0, 1e6) | JSON,
                    "interval_s": JSON,
                    "pid": JSON,
                }
            },
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_log_is_reckoned(objects):
    result = reckoned(objects)
    assert [dict(o, time_s=0) for o in result] == [dict(o, time_s=0) for o in objects]
    assert rows(Figures(result)) and report_page([Figures(result)])


# -- what is unknown stays unknown ----------------------------------------------------


def test_null_stays_null():
    unknown = dict.fromkeys(minute(0))
    unknown.update(time_s=START_S, host="vm")
    shown = dict(rows(Figures([unknown])))
    for name in (
        "throttled, minutes",
        "not running, minutes",
        "frames",
        "frames per second",
        "dropped samples",
        "source restarts",
        "mean power, W",
        "energy, Wh",
        "hottest, C",
        "largest memory, MB",
    ):
        assert shown[name] == "-", name
    assert shown["late frames: capture/ring/compute"] == "-/-/-"
    top = screen(None, None, None, dict(unknown, temperatures_c={"CPU": None}, power_source="none"))
    assert "None" not in top and "none" not in top and "0.0" not in top
    assert "no power source on vm" in top and "throttled -" in top and "CPU - C" in top
    known = dict(rows(Figures([minute(0)])))
    assert known["throttled, minutes"] == "0.0" and known["dropped samples"] == "0"


def test_top_says_how_old_its_figures_are():
    logged = dict(minute(0), time="1970-01-01T00:01:00Z", boot_id=boot_id())
    logged["boot_s"] = since_boot_s() - 12.0
    assert "12 s ago" in screen(None, None, None, logged)
    assert "ago" not in screen(None, None, None, dict(logged, boot_id="another"))
