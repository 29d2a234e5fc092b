import math
import os
import subprocess
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.boards import script
from support.faces import DATA
from support.process import wait_for

from edgeface.telemetry.child import TegrastatsChild
from edgeface.telemetry.power import Tegrastats as PowerTegrastats
from edgeface.telemetry.tegrastats import Tegrastats, parse_tegrastats, total_mw

with open(os.path.join(DATA, "tegrastats.txt")) as _file:
    _text = _file.read().split("\n")
LINES = {name[2:]: line for name, line in zip(_text[::2], _text[1::2])}

# read by eye from the lines: RAM used, swap used, cores, EMC %, GPU %, GPU MHz, total mW, rails,
# some temperatures
EXPECTED = {
    "Nano, JetPack 4.6.1, root": (
        1923,
        191,
        [5, 4, 3, 6],
        0,
        0,
        76,
        1750,
        3,
        {"CPU": 40.0, "PMIC": None},
    ),
    "Nano, JetPack 4, user": (330, 0, [0] * 4, 0, 0, None, 933, 3, {"PLL": 20.5, "PMIC": None}),
    "TX1, root": (388, None, [0] * 4, 0, 0, 998, None, 0, {"Tdiode": 28.5}),
    "TX2": (707, None, [0] * 6, None, None, None, 1038, 6, {"BCPU": 30.0, "thermal": 29.4}),
    "TX2, older form": (
        4722,
        149,
        [0] * 6,
        2,
        0,
        1300,
        14025,
        6,
        {"BCPU": -45.0, "GPU": -51.0, "AO": 47.5},
    ),
    "TX2, VDD_SYS names": (
        3276,
        1626,
        [44, 49, 67, 17, 25, 8],
        1,
        0,
        114,
        5297,
        6,
        {"Tdiode": 39.25, "PMIC": None},
    ),
    "AGX Xavier, JetPack 4, root": (
        408,
        0,
        [0] * 8,
        0,
        0,
        1377,
        6926,
        6,
        {"iwlwifi": 30.0, "CPU": 28.0},
    ),
    "Xavier NX, JetPack 4": (
        5246,
        983,
        [47, 23, 32, 22, 31, 96],
        2,
        0,
        1109,
        6140,
        3,
        {"GPU": 31.5},
    ),
    "Xavier NX, cores off": (
        2673,
        0,
        [12, 8, 4, None, None, None],
        7,
        33,
        None,
        3902,
        3,
        {"CPU": 35.0},
    ),
    "Xavier NX, JetPack 5.1.2": (
        3168,
        161,
        [23, 17, 16, 13, 23, 10],
        2,
        0,
        114,
        2763,
        3,
        {"PMIC": None, "CPU": 46.5},
    ),
    "AGX Orin, JetPack 5, root": (
        2257,
        0,
        [0] * 12,
        0,
        0,
        0,
        7009,
        4,
        {"CV0": None, "GPU": None, "tj": 41.656},
    ),
    "Orin NX, JetPack 6, root": (
        6185,
        851,
        [15, 11, 14, 13, 11, 8],
        43,
        63,
        621,
        12479,
        3,
        {"gpu": 53.343},
    ),
    "Orin Nano, JetPack 6, user": (
        3452,
        1518,
        [1, 2, 0, 2, 2, 1],
        None,
        0,
        None,
        4824,
        3,
        {"soc0": 50.0},
    ),
    "Orin Nano, JetPack 6.2.1": (
        775,
        0,
        [1, 0, 0, 0, 0, 0],
        None,
        0,
        None,
        4761,
        3,
        {"tj": 49.156},
    ),
    "AGX Orin, JetPack 7.2": (
        20642,
        None,
        [23, 10, 4, 14, 30, 18, 10, 10, 33, 7, 5, 27],
        3,
        12,
        1300,
        13907,
        3,
        {"cpu": 52.968},
    ),
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


def test_a_total_is_right_or_unknown_never_too_low():
    xavier = parse_tegrastats(LINES["AGX Xavier, JetPack 4, root"]).power_mw
    assert total_mw(xavier) == 6926
    for rail in xavier:
        assert total_mw(dict(xavier, **{rail: None})) is None
        assert total_mw({name: mw for name, mw in xavier.items() if name != rail}) is None
    thor = parse_tegrastats(LINES["Thor, loaded"]).power_mw
    assert total_mw(thor) == 124486
    assert total_mw(dict(thor, VIN=None)) is None
    assert total_mw({name: mw for name, mw in thor.items() if name != "VIN"}) is None


def test_a_rail_that_vanishes_makes_the_total_unknown(tmp_path):
    line = LINES["AGX Orin, JetPack 5, root"]
    without = line.replace("VDDQ_VDD2_1V8AO 301mW/301mW", "")
    source = PowerTegrastats(
        script(
            tmp_path,
            f"for i in 1 2 3 4 5 6 7 8 9 10; do echo '{line}'; sleep 0.1; done\n"
            f"while :; do echo '{without}'; sleep 0.1; done",
        )
    )
    try:
        for _ in range(5):
            assert wait_for(lambda: source.read().total_mw) == 7009
        wait_for(lambda: source.read().total_mw is None)
        assert source.read().power_mw["VDDQ_VDD2_1V8AO"] is None
    finally:
        source.close()


def test_all_samples_are_expected():
    assert set(LINES) == set(EXPECTED)


@pytest.mark.parametrize(
    "line, check",
    [
        ("", lambda v: v == parse_tegrastats("   ")),
        ("CPU [N/A,5%,off,abc]", lambda v: v.cpu_percent == [None, 5, None, None]),
        ("GR3D_FREQ 20%@N/A", lambda v: (v.gpu_percent, v.gpu_mhz) == (20, None)),
        ("GR3D_FREQ @[N/A,200,,400,off]", lambda v: (v.gpu_percent, v.gpu_mhz) == (None, 200)),
        ("VDD_GPU 1.5W/2W", lambda v: v.power_mw == {"VDD_GPU": 1500.0}),
        ("VDD_GPU N/A/N/A", lambda v: v.power_mw == {"VDD_GPU": None} and v.unknown == []),
        ("VDD_IN 4,8W/5,1W CPU@41,437C", lambda v: v.power_mw == {"VDD_IN": 4800.0}),
        ("cpu@41,437C/42,5C", lambda v: v.temperatures_c == {"cpu": 41.437}),
        *[
            (f"APE {engine} RAM 1/2MB", lambda v: v.unknown == [] and v.ram_used_mb == 1)
            for engine in ("1%@115", "1%", "@115", "115", "off", "5%@[115,230]", "0%@N/A")
        ],
        (
            "NVENC 1%@115 NVDEC0 2%@[115,115] NVJPG1 off VIC 12%@115 OFA 0%@115 SE 1%@115",
            lambda v: v.unknown == [],
        ),
        (
            "VDD_IN NaN/NaN GPU@NaNC",
            lambda v: v.power_mw == {"VDD_IN": None} and v.temperatures_c == {},
        ),
        (
            "RAM 1/2MB future_field RAM 3/4GB",
            lambda v: v.unknown == ["future_field"] and v.ram_used_mb == 3072,
        ),
        ("RAM 12/34", lambda v: v.ram_used_mb is None and v.unknown == ["RAM", "12/34"]),
    ],
)
def test_forms_nobody_has_captured(line, check):
    assert check(parse_tegrastats(line)), parse_tegrastats(line)


def finite(values):
    assert isinstance(values, Tegrastats)
    power = [n for n in values.power_mw.values() if n is not None]
    temperatures = [t for t in values.temperatures_c.values() if t is not None]
    assert all(math.isfinite(n) for n in power + temperatures)
    assert all(n >= 0 for n in power)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(st.sampled_from(" ".join(LINES.values()).split()), max_size=60).map(" ".join),
    )
)
def test_any_line_is_parsed_and_nothing_is_lost(line):
    values = parse_tegrastats(line)
    finite(values)
    assert parse_tegrastats(line) == values
    assert all(token in line for token in values.unknown)


@pytest.mark.parametrize("name", sorted(LINES))
def test_a_line_cut_anywhere_never_invents_power(name):
    whole = parse_tegrastats(LINES[name])
    for length in range(len(LINES[name])):
        part = parse_tegrastats(LINES[name][:length])
        assert len(part.unknown) <= 5  # the longest field, MTS, has so many words
        assert part.power_mw == {rail: whole.power_mw[rail] for rail in part.power_mw}
        assert part.ram_used_mb in (None, whole.ram_used_mb)


@pytest.mark.slow
def test_the_parser_survives_ten_million_bytes():
    rng, lines = np.random.RandomState(11), list(LINES.values())
    fed = 0
    while fed < 10000000:
        line = bytearray(lines[rng.randint(len(lines))].encode())
        for _ in range(rng.randint(1, 12)):
            at = rng.randint(len(line))
            line[at : at + rng.randint(3)] = rng.bytes(rng.randint(3))
        finite(parse_tegrastats(line.decode("latin-1")))
        fed += len(line)


@pytest.mark.parametrize(
    "text",
    [
        "while :; do echo '%s'; sleep 0.1; done",
        "echo '%s'; exit 3",
        "echo '%s'; echo '%s'; kill -9 $$",
        "echo '%s'; head -c 300000 /dev/urandom; sleep 5",
    ],
)
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


def test_the_source_reads_the_child_and_notes_its_health(tmp_path):
    source = PowerTegrastats(
        script(
            tmp_path,
            f"while :; do echo '{LINES['Orin Nano, JetPack 6, user']} new_field'; sleep 0.1; done",
        )
    )
    try:
        reading = wait_for(lambda: source.read() if source.read().total_mw else None)
        assert (
            reading.total_mw == 4824
            and reading.gpu_percent == 0
            and reading.temperatures_c["tj"] == 50.25
        )
        assert source.notes()["restarts"] == 0 and source.notes()["unknown_tokens"] >= 1
    finally:
        source.close()


def test_a_child_that_cannot_start():
    child = TegrastatsChild(["/nowhere/tegrastats"], pauses_s=(0.02, 0.05))
    wait_for(lambda: child.restarts > 2)
    assert child.latest() is None
    child.close()
