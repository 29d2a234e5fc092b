import pytest
from support.boards import NANO, ORIN, RAPL, files, nano, script

from edgeface.bench.power import costs, mean_mw
from edgeface.core.errors import UnavailableError
from edgeface.telemetry.power import Ina3221, NoPower, NvidiaSmi, Rapl, Reading, find_power_source
from edgeface.telemetry.system import System


def test_ina3221_of_a_nano(tmp_path):
    nano(tmp_path)
    source = Ina3221(str(tmp_path))
    assert source.read() == Reading({"POM_5V_IN": 1750, "POM_5V_GPU": 0, "POM_5V_CPU": 366}, 1750)
    (tmp_path / NANO / "in_power1_input").unlink()
    assert source.read().power_mw == {"POM_5V_IN": 1750, "POM_5V_GPU": None, "POM_5V_CPU": 366}
    for k in (0, 2):
        (tmp_path / NANO / f"in_power{k}_input").unlink()
    pytest.raises(OSError, source.read)


def test_ina3221_of_an_orin(tmp_path):
    files(
        tmp_path,
        **{
            f"{ORIN}in1_label": "VDD_IN",
            f"{ORIN}in1_input": "4960",
            f"{ORIN}curr1_input": "1000",
            f"{ORIN}in2_label": "VDD_CPU_GPU_CV",
            f"{ORIN}in2_input": "4960",
            f"{ORIN}curr2_input": "104",
            f"{ORIN}in3_label": "NC",
            f"{ORIN}in3_input": "0",
            f"{ORIN}curr3_input": "0",
            f"{ORIN}in7_label": "sum of shunt voltages",
            f"{ORIN}in7_input": "7",
        },
    )
    reading = Ina3221(str(tmp_path)).read()
    assert reading.power_mw == {"VDD_IN": 4960.0, "VDD_CPU_GPU_CV": 515.84}
    assert reading.total_mw == 4960.0


THOR = {
    "proc/device-tree/model": "NVIDIA Jetson AGX Thor Developer Kit",
    f"{ORIN}in1_label": "VDD_GPU",
    f"{ORIN}in1_input": "8000",
    f"{ORIN}curr1_input": "4000",
    f"{ORIN}in2_label": "VIN_SYS_5V0",
    f"{ORIN}in2_input": "5000",
    f"{ORIN}curr2_input": "1000",
}
INA238 = "sys/bus/i2c/drivers/ina238/2-0044/hwmon/hwmon5/power1_input"


def test_the_total_of_a_thor_is_that_of_its_other_chip_or_unknown(tmp_path):
    files(tmp_path, **THOR)
    without = Ina3221(str(tmp_path))
    assert without.read().total_mw is None and not without.has_total
    files(tmp_path, **{INA238: "124486000"})
    source = Ina3221(str(tmp_path))
    assert source.has_total and source.read().total_mw == 124486
    assert set(source.read().power_mw) == {"VDD_GPU", "VIN_SYS_5V0", "VIN"}
    (tmp_path / INA238).unlink()
    assert source.read().total_mw is None
    assert find_power_source((lambda: without,)) is without

    class Whole(NoPower):
        name = "whole"

    assert find_power_source((lambda: without, Whole)).name == "whole"


def test_a_rail_that_fails_makes_the_total_unknown(tmp_path):
    nano(tmp_path)
    source = Ina3221(str(tmp_path))
    (tmp_path / NANO / "in_power0_input").write_text("")
    assert source.read() == Reading({"POM_5V_IN": None, "POM_5V_GPU": 0, "POM_5V_CPU": 366}, None)


def test_two_processors_with_memory_of_their_own(tmp_path):
    now = [100.0]
    zones = (("0", "package-0"), ("0:0", "dram"), ("1", "package-1"), ("1:0", "dram"))
    for number, name in zones:
        folder = f"sys/class/powercap/intel-rapl:{number}"
        files(
            tmp_path,
            **{
                f"{folder}/name": name,
                f"{folder}/energy_uj": "0",
                f"{folder}/max_energy_range_uj": "9",
            },
        )
    source = Rapl(str(tmp_path), clock=lambda: now[0])
    source.read()
    now[0] += 1
    for number, _ in zones:
        files(tmp_path, **{f"sys/class/powercap/intel-rapl:{number}/energy_uj": "1000000"})
    assert source.read().total_mw == pytest.approx(4000)
    now[0] += 1
    (tmp_path / "sys/class/powercap/intel-rapl:1:0/energy_uj").unlink()
    assert source.read().total_mw is None


def test_rapl_counts_and_wraps(tmp_path):
    now = [100.0]
    files(
        tmp_path,
        **{
            f"{RAPL}name": "package-0",
            f"{RAPL}energy_uj": "1000000",
            f"{RAPL}max_energy_range_uj": "9000000",
            "sys/class/powercap/intel-rapl:0:0/name": "core",
            "sys/class/powercap/intel-rapl:0:0/energy_uj": "5",
        },
    )
    source = Rapl(str(tmp_path), clock=lambda: now[0])
    assert source.read() == Reading({"package-0": None}, None)
    now[0] += 2
    files(tmp_path, **{f"{RAPL}energy_uj": "7000000"})
    assert source.read().total_mw == pytest.approx(3000)
    now[0] += 1
    files(tmp_path, **{f"{RAPL}energy_uj": "500000"})
    assert source.read().total_mw == pytest.approx(2500)


@pytest.mark.parametrize(
    "line, power, heat, load",
    [
        ("52.31, 61, 17", {"GPU0": 52310.0}, {"GPU0": 61.0}, 17),
        ("[N/A], 45, [N/A]", {"GPU0": None}, {"GPU0": 45.0}, None),
        ("52,31, 61, 17", {"GPU0": 52310.0}, {"GPU0": 61.0}, 17),
        ("nan, 45", {"GPU0": None}, {"GPU0": 45.0}, None),
    ],
)
def test_nvidia_smi(tmp_path, line, power, heat, load):
    (command,) = script(tmp_path, f"echo '{line}'")
    assert NvidiaSmi(command).has_total == (power["GPU0"] is not None)
    assert NvidiaSmi(command).read() == Reading(power, power["GPU0"], heat, load)


@pytest.mark.parametrize("text", ["exit 9", "sleep 10", "true"])
def test_nvidia_smi_that_fails_is_not_taken(tmp_path, text):
    (command,) = script(tmp_path, text)
    pytest.raises(OSError, NvidiaSmi, command)


def test_the_first_source_that_works_is_taken(tmp_path):
    nano(tmp_path)
    found = find_power_source(
        (lambda: Rapl(str(tmp_path)), lambda: Ina3221(str(tmp_path)), NoPower)
    )
    assert found.name == "ina3221"
    assert find_power_source((lambda: Rapl(str(tmp_path)),)).name == "none"


def test_system_tells_what_the_kernel_tells(tmp_path):
    files(
        tmp_path,
        **{
            "proc/stat": "cpu  100 0 100 800 0 0 0 0",
            "proc/meminfo": "MemTotal: 4096000 kB\nMemAvailable: 1024000 kB",
            "sys/class/thermal/thermal_zone0/type": "CPU-therm",
            "sys/class/thermal/thermal_zone0/temp": "41500",
            "sys/class/thermal/thermal_zone1/type": "cv0",
            "sys/class/thermal/thermal_zone1/temp": "-256000",
            "sys/class/thermal/cooling_device0/type": "thermal-cpufreq-0",
            "sys/class/thermal/cooling_device0/cur_state": "2",
            "sys/class/thermal/cooling_device1/type": "pwm-fan",
            "sys/class/thermal/cooling_device1/cur_state": "3",
        },
    )
    system = System(str(tmp_path))
    assert system.cpu_percent() is None
    files(tmp_path, **{"proc/stat": "cpu  200 0 100 900 0 0 0 0"})
    assert system.cpu_percent() == 50.0
    assert system.memory_mb() == 3000
    assert system.temperatures_c() == {"CPU-therm": 41.5, "cv0": None}
    assert system.throttled() is True
    empty = System(str(tmp_path / "empty"))
    assert (
        empty.cpu_percent(),
        empty.memory_mb(),
        empty.own_memory_mb(),
        empty.temperatures_c(),
        empty.throttled(),
    ) == (None, None, None, {}, None)


def test_bench_power_on_a_meter(tmp_path):
    nano(tmp_path)
    assert mean_mw(Ina3221(str(tmp_path)), 0.1, 0.02) == 1750
    assert costs(1500.0, 1750.0) == pytest.approx(
        {
            "at rest, W": 1.5,
            "with the face, W": 1.75,
            "the face, W": 0.25,
            "the face, J a frame": 0.01,
            "the face, J per minute of audio": 15.0,
        }
    )
    pytest.raises(UnavailableError, mean_mw, NoPower(), 0.05, 0.01)
