"""Files and programs as on the boards."""

import stat


def script(tmp_path, text):
    path = tmp_path / "tegrastats"
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(stat.S_IRWXU)
    return [str(path)]


def files(root, **contents):
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")


NANO = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/"
ORIN = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/"
RAPL = "sys/class/powercap/intel-rapl:0/"


def nano(root):
    files(
        root,
        **{
            f"{NANO}rail_name_0": "POM_5V_IN",
            f"{NANO}in_power0_input": "1750",
            f"{NANO}rail_name_1": "POM_5V_GPU",
            f"{NANO}in_power1_input": "0",
            f"{NANO}rail_name_2": "POM_5V_CPU",
            f"{NANO}in_power2_input": "366",
        },
    )


RELEASES = {
    "nano": (
        "NVIDIA Jetson Nano Developer Kit",
        "# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref, "
        "EABI: aarch64, DATE: Sat Feb 19 17:05:08 UTC 2022",
        "32.7.1",
        "4.6.1",
    ),
    "xavier-nx": (
        "NVIDIA Jetson Xavier NX Developer Kit",
        "# R35 (release), REVISION: 2.1, GCID: 32413640, BOARD: "
        "t186ref, EABI: aarch64, DATE: Tue Jan 24 23:38:33 UTC 2023",
        "35.2.1",
        "5.1",
    ),
    "orin-nano": (
        "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
        "# R36 (release), REVISION: "
        "4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025",
        "36.4.3",
        "6.2",
    ),
    "thor": (
        "NVIDIA Jetson AGX Thor Developer Kit",
        "# R38 (release), REVISION: 2.0, GCID: 41844464, BOARD: generic, "
        "EABI: aarch64, DATE: Fri Aug 22 00:55:42 UTC 2025",
        "38.2.0",
        "7.0",
    ),
}
