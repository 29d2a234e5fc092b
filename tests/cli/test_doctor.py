"""`edgeface doctor` on machines that are broken in every way it is called for."""

import errno
import faulthandler
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support.process import edgeface

from edgeface import cli, config
from edgeface.config import Audio, Settings
from edgeface.core.resources import PACKAGE
from edgeface.doctor import examine, libraries, machine, outputs, sound
from edgeface.doctor.finding import BAD, OK, WARN, Finding
from edgeface.doctor.isolated import Task, isolated
from edgeface.telemetry.power import PowerSource, Reading

LIBRARIES = examine._LIBRARIES


def with_library(folder, name, code):
    """Environment in which a library is this code."""
    (folder / f"{name}.py").write_text(code)
    above = os.path.dirname(PACKAGE)
    return dict(os.environ, PYTHONPATH=f"{folder}:{above}")


def report(**options):
    result = edgeface("doctor", "--json", **options)
    assert result.returncode in (0, 69) and result.stderr == "", result.stderr
    return {finding["check"]: finding for finding in json.loads(result.stdout)["findings"]}


BROKEN = {
    "missing": "raise ModuleNotFoundError('No module named x')",
    "a missing .so": "raise ImportError('libfoo.so.8: cannot open shared object file')",
    "another numpy": "import sys; sys.stderr.write('A module\\n' * 60); raise ImportError('')",
    "an attribute": "raise AttributeError('_ARRAY_API not found')",
    "illegal instruction": "import os; os.kill(os.getpid(), 4)",
    "an end": "import os; os._exit(3)",
    "no memory": "raise MemoryError",
}


@pytest.mark.parametrize("damage", sorted(BROKEN))
def test_a_library_that_cannot_be_imported_is_a_finding(tmp_path, damage):
    found = report(env=with_library(tmp_path, "onnxruntime", BROKEN[damage]))
    assert found["onnxruntime"]["state"] == BAD and found["onnxruntime"]["fix"]
    assert found["numpy"]["state"] == OK  # before it
    assert found["yaml"]["state"] == OK  # after it
    assert found["bundle"]["state"] == BAD or found["providers"]["state"] == BAD
    assert found["shared memory"]["state"] == OK
    assert "SIGILL" in found["onnxruntime"]["found"] or damage != "illegal instruction"


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "onnxruntime"])
def test_every_other_library_may_be_missing(tmp_path, library):
    found = report(env=with_library(tmp_path, library, BROKEN["missing"]))
    assert found[library]["state"] == (WARN if library == "pulsectl" else BAD)
    assert "pip install" in found[library]["fix"]
    assert len(found) > 12


def test_other_verbs_then_fail_with_one_line(tmp_path):
    for library in ("numpy", "yaml", "onnxruntime"):
        environment = with_library(tmp_path, library, BROKEN["another numpy"])
        for verb in (["model", "verify"], ["run"]):
            result = edgeface(*verb, env=environment)
            assert result.returncode == 78, result.stderr  # which systemd does not restart
            assert result.stderr.count("\n") == 1 and "edgeface doctor" in result.stderr
        (tmp_path / f"{library}.py").unlink()


def test_chatter_of_onnx_runtime_does_not_come_before_our_line(tmp_path):
    """Its search for GPUs writes to the file descriptor while it is imported."""
    import onnxruntime

    code = (
        "import os, sys; os.write(2, b'GPU device discovery failed\\n'); sys.path.pop(0);"
        f"sys.path.insert(0, {os.path.dirname(os.path.dirname(onnxruntime.__file__))!r});"
        "del sys.modules['onnxruntime']; import onnxruntime"
    )
    environment = with_library(tmp_path, "onnxruntime", code)
    result = edgeface("motion", "missing.wav", "-o", "x.npz", env=environment)
    assert result.stderr.count("\n") == 1, result.stderr


def test_a_check_that_crashes_hangs_or_fails_does_not_stop_the_others():
    def fine():
        yield Finding("fine", OK, "yes")

    def die():
        yield Finding("half", OK, "yes")
        faulthandler.disable()  # pytest's, which would write the traceback to the terminal
        os.write(2, b"the last words\n")
        os.kill(os.getpid(), signal.SIGSEGV)

    child = ["sleep", f"77.{os.getpid()}"]  # other Pythons may run this test at the same time

    def hang():
        subprocess.Popen(child)
        time.sleep(60)

    tasks = [Task("a", fine), Task("b", die), Task("c", hang), Task("d", lambda: 1 // 0)]
    tasks += [Task("e", lambda: sys.exit(5)), Task("f", fine)]
    began = time.monotonic()
    found = list(isolated(tasks, longest_s=1.0))
    assert time.monotonic() - began < 10
    assert [finding.check for finding in found] == ["fine", "half", "b", "c", "d", "e", "fine"]
    assert "SIGSEGV" in found[2].found and "the last words" in found[2].found
    assert "no answer" in found[3].found and "ZeroDivisionError" in found[4].found
    processes = subprocess.check_output(["ps", "-eo", "args"]).decode()
    assert " ".join(child) not in processes


# -- shared memory, log, power, configuration -----------------------------------------


def shared_memory_under(mount):
    """The finding with a /dev/shm of its own."""
    code = (
        "from edgeface.config import Settings; from edgeface.doctor.outputs import shared_memory;"
        "print(next(shared_memory(Settings())))"
    )
    command = ["unshare", "-m", "sh", "-c", f'{mount} && exec "$0" -c "$1"', sys.executable, code]
    return subprocess.check_output(command, universal_newlines=True)


@pytest.mark.system
@pytest.mark.parametrize(
    "mount, words",
    [
        ("mount -t tmpfs -o ro tmpfs /dev/shm", ("read-only", "remount,rw")),
        ("mount -t tmpfs -o nr_inodes=1 tmpfs /dev/shm", ("inodes", "remove files")),
        ("mount -t tmpfs -o size=4k tmpfs /dev/shm", ("full",)),
    ],
)
def test_shared_memory_that_cannot_be_written(mount, words):
    found = shared_memory_under(mount)
    assert "state='bad'" in found and all(word in found for word in words), found


def test_shared_memory_without_rights(monkeypatch):
    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(outputs.tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (finding,) = outputs.shared_memory(config.Settings())
    assert finding.state == BAD and "may not create" in finding.found
    assert finding.fix == "sudo chmod 1777 /dev/shm"


class Sensor(PowerSource):
    name = "nvidia-smi"

    def __init__(self, reading):
        self.reading = reading

    def read(self):
        return self.reading


def test_a_sensor_without_a_value_is_not_ok(monkeypatch):
    monkeypatch.setattr(machine, "_READING_S", 0.1)
    for reading, state in (
        (Reading({"GPU0": None}, None, {"GPU0": 45.0}), WARN),
        (Reading({}, None), WARN),
        (Reading({"VDD_IN": 1500.0}, 1500.0), OK),
    ):
        monkeypatch.setattr(machine, "find_power_source", lambda r=reading: Sensor(r))
        (finding,) = machine.power(config.Settings())
        assert finding.state == state, finding


def test_no_sudo_for_root(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert outputs.as_root("reboot") == "reboot"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert outputs.as_root("reboot") == "sudo reboot"
    for _, _, files in os.walk(os.path.dirname(libraries.__file__)):
        for name in files:
            if name.endswith(".py"):
                with open(os.path.join(os.path.dirname(libraries.__file__), name)) as file:
                    assert "sudo" not in file.read(), name


def test_log_and_metrics(tmp_path):
    def states(**values):
        settings = config.Settings(telemetry=config.Telemetry(**values))
        return [finding.state for finding in (*outputs.log(settings), *outputs.metrics(settings))]

    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    assert states() == [OK]
    assert states(log=str(tmp_path / "none")) == [OK]
    assert states(log=str(tmp_path / "file")) == [BAD]
    assert states(prometheus=str(tmp_path / "folder")) == [OK, BAD]
    assert states(prometheus=str(tmp_path / "none" / "x.prom")) == [OK, BAD]
    assert states(prometheus=str(tmp_path / "x.prom")) == [OK, OK]


def test_all_verbs_read_the_installed_configuration_and_say_which(
    tmp_path, monkeypatch, capfd, shm_name
):
    installed = tmp_path / "edgeface.yaml"
    installed.write_text(f"output: {{shm: {shm_name}}}\ntelemetry: {{log: {tmp_path}/log}}\n")
    monkeypatch.setattr(config.file, "INSTALLED", str(installed))
    says = f"edgeface: settings of {installed}\n"

    def output(*words, code=0):
        assert cli.main(words) == code
        return capfd.readouterr()

    assert shm_name in output("run", "--print-config").out
    assert shm_name not in output("run", "--print-config", "--config", "").out
    read = output("read", code=69).err
    assert read.startswith(says) and f"/dev/shm/{shm_name}" in read
    assert output("read", "--shm", "elsewhere", code=69).err.count("\n") == 1
    top = output("top", "-n", "1")
    assert top.err == says and "no telemetry log" in top.out
    assert f"{tmp_path}/log: not a folder" in output("report", code=66).err
    doctor = output("doctor", code=0)
    assert str(installed) in doctor.out
    installed.write_text("output: {sh: x}\n")
    for words in (("read",), ("top",), ("view", "--port", "0"), ("run",), ("report",)):
        assert "did you mean 'shm'" in output(*words, code=78).err


def test_a_named_configuration_must_be_there():
    result = edgeface("doctor", "--config", "/nowhere")
    assert result.returncode == 69 and "/nowhere: No such file" in result.stdout


def test_a_port_for_assistants_that_others_reach_is_warned_of():
    near = ("wyoming", "wyoming:127.0.0.1:10601", "wyoming:[::1]:10601", "wyoming:localhost:10601")
    far = ("wyoming:0.0.0.0:10601", "wyoming:[::]:10601", "wyoming:kiosk:10601")
    for spec in near + far:
        found = list(sound.sources(Settings(audio=Audio(sources=(spec,)))))
        warned = [finding for finding in found if finding.state == WARN]
        assert len(warned) == (spec in far)
        assert all(finding.check == spec and "firewall" in finding.fix for finding in warned)
