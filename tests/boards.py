"""Files and programs laid out as on the boards."""

import stat


def script(tmp_path, text):
    path = tmp_path / "tegrastats"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(stat.S_IRWXU)
    return [str(path)]


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
