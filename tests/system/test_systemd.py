"""The service under a real systemd as PID 1."""

import json
import os
import re
import subprocess
import time

import pytest
from support.machine import SOURCES, Machine, fetch_wheels, install
from support.process import wait_for

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(600)]

SOUND = "/run/sound"
SOUND_SERVER = """
[Service]
ExecStart=/usr/bin/pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 \
  --realtime=no --high-priority=no \
  -L "module-native-protocol-unix socket=%s/native auth-anonymous=1" \
  -L "module-null-sink sink_name=spk rate=16000 channels=1 format=s16le norewinds=1" \
  -L "module-remap-source master=spk.monitor source_name=mic remix=no"
Environment=PULSE_RUNTIME_PATH=%s/own PULSE_STATE_PATH=%s/own HOME=%s/own
RuntimeDirectory=sound
RuntimeDirectoryMode=0755
""" % ((SOUND,) * 4)
ASOUND = """
pcm.edgemic { type pulse; server "unix:%s/native"; device mic; hint.description "virtual" }
pcm.!default { type pulse; server "unix:%s/native"; device mic }
ctl.!default { type pulse; server "unix:%s/native" }
""" % ((SOUND,) * 3)
CONFIG = """
audio: {sources: ["unix:/run/edgeface/voice", "mic"]}
telemetry: {log: /var/log/edgeface}
"""


@pytest.fixture(scope="module")
def machine():
    machine = Machine("edgeface-test")
    yield machine
    machine.stop()


@pytest.fixture(scope="module")
def service(machine):
    """The machine with the service running; its microphone hears what is played to `spk`."""
    fetch_wheels()
    before = files(machine)
    machine.write("/etc/systemd/system/sound.service", SOUND_SERVER)
    machine.write("/etc/asound-test.conf", ASOUND)
    machine.output("mkdir", "-p", "/etc/systemd/system/edgeface.service.d")
    machine.write(
        "/etc/systemd/system/edgeface.service.d/test.conf",
        "[Service]\nEnvironment=ALSA_CONFIG_PATH=/etc/asound-test.conf\n",
    )
    installed = install(machine)
    assert installed.returncode == 0, installed.stdout
    machine.files_before = before
    return machine


def files(machine):
    """Everything below the folders that an installation may touch."""
    listing = machine.output("find", "/usr/local", "/etc", "/var", "-xdev")
    return {
        line
        for line in listing.splitlines()
        if not re.match(
            "/var/(cache/(ldconfig|apt|man)|lib/(systemd|dpkg|apt)|log/(journal|wtmp|lastlog|faillog)"
            "|tmp)|/etc/(passwd|group|g?shadow|subu?g?id|\\.pwd|machine-id|systemd/system/"
            "(sound|edgeface.service.d)|asound-test|ld.so.cache)",
            line,
        )
    }


def header(machine):
    """What `edgeface read` of a member of the group sees, or None."""
    result = machine.run(
        "runuser", "-u", "edgeface", "--", "/usr/local/bin/edgeface", "read", "-n", "1", "--json"
    )
    return json.loads(result.stdout.splitlines()[-1]) if result.returncode == 0 else None


def state(machine):
    frame = header(machine)
    return frame["state"] if frame else None


def main_pid(machine):
    return int(machine.show("edgeface", "MainPID"))


def test_the_service_is_ready_without_a_microphone_and_waits_for_it(service):
    assert service.output("systemctl", "is-active", "edgeface") == "active"
    assert (
        service.output("systemctl", "is-enabled", "edgeface", "edgeface-view") == "enabled\nenabled"
    )
    assert state(service) == "waiting"
    assert "waiting: mic" in service.show("edgeface", "StatusText")
    service.output("systemctl", "start", "sound")
    began = time.monotonic()
    wait_for(lambda: "running: mic" in service.show("edgeface", "StatusText"), 5.0, poll=0.05)
    print(f"microphone there {time.monotonic() - began:.2f} s after its sound server was started")
    assert main_pid(service) and service.show("edgeface", "NRestarts") == "0"


def test_frames_are_for_members_of_the_group_and_for_nobody_else(service):
    assert service.output("stat", "-c", "%U %G %a", "/dev/shm/edgeface") == "edgeface edgeface 640"
    assert (
        service.output("stat", "-c", "%U %G %a", "/run/edgeface/voice") == "edgeface edgeface 660"
    )
    for user in ("member", "stranger"):
        service.output("useradd", "--system", user)
    service.output("usermod", "-aG", "edgeface", "member")
    read = ["/usr/local/bin/edgeface", "read", "-n", "2", "--json"]
    member = service.run("runuser", "-u", "member", "--", *read)
    assert member.returncode == 0 and member.stdout.count("landmarks") == 2, member.stdout
    assert service.run("runuser", "-u", "stranger", "--", *read).returncode == 69
    assert (
        service.run("runuser", "-u", "stranger", "--", "cat", "/dev/shm/edgeface").returncode != 0
    )
    assert service.run("runuser", "-u", "stranger", "--", "ls", "/run/edgeface").returncode != 0


def test_a_lost_sound_server_is_waited_for_and_comes_back(service):
    for signal in ("SIGKILL", "SIGSTOP"):
        service.output("systemctl", "kill", "-s", signal, "sound")
        # a stream that has not delivered yet, as after the first round, counts as lost after 3 s
        wait_for(lambda: "waiting" in service.show("edgeface", "StatusText"), 5.0, poll=0.05)
        assert state(service) == "waiting"
        if signal == "SIGSTOP":
            service.output("systemctl", "kill", "-s", "SIGCONT", "sound")
        else:
            service.output("systemctl", "restart", "sound")
        began = time.monotonic()
        wait_for(lambda: "running" in service.show("edgeface", "StatusText"), 5.0, poll=0.05)
        print(f"{signal}: back after {time.monotonic() - began:.2f} s")
    assert service.show("edgeface", "NRestarts") == "0"


def test_events_are_found_in_the_journal_by_their_field(service):
    entries = [
        json.loads(line)
        for line in service.output(
            "journalctl", "EDGEFACE_EVENT=source_lost", "-o", "json", "-q", "--no-pager"
        ).splitlines()
    ]
    entry = entries[-1]
    assert (entry["_SYSTEMD_UNIT"], entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]) == (
        "edgeface.service",
        "4",
        "edgeface",
    )
    assert entry["MESSAGE"].startswith("mic: ")
    assert service.output(
        "journalctl", "EDGEFACE_EVENT=source_back", "-o", "cat", "-q", "--no-pager"
    )


def test_a_daemon_that_hangs_is_restarted(service):
    pid = main_pid(service)
    service.output("kill", "-STOP", str(pid))
    began = time.monotonic()
    wait_for(
        lambda: (
            main_pid(service) not in (0, pid)
            and "running" in service.show("edgeface", "StatusText")
        ),
        30.0,
    )
    print(f"SIGSTOP to frames again: {time.monotonic() - began:.1f} s")
    assert service.show("edgeface", "NRestarts") == "1"
    assert state(service) == "running"


def test_the_configuration_is_reloaded_and_a_wrong_one_is_not(service):
    pid = main_pid(service)
    service.write("/etc/edgeface/edgeface.yaml", "audio: {sorces: [mic]}\n")
    service.output("systemctl", "reload", "edgeface")
    entry = wait_for(
        lambda: service.output(
            "journalctl", "EDGEFACE_EVENT=reload_failed", "-o", "cat", "-q", "--no-pager"
        )
    )
    assert "audio.sorces" in entry and "'sources'" in entry
    service.write("/etc/edgeface/edgeface.yaml", f"{CONFIG}output: {{shm: other}}\n")
    service.output("systemctl", "reload", "edgeface")
    wait_for(lambda: service.run("test", "-e", "/dev/shm/other").returncode == 0)
    assert service.run("test", "-e", "/dev/shm/edgeface").returncode != 0
    service.write("/etc/edgeface/edgeface.yaml", CONFIG)
    service.output("systemctl", "reload", "edgeface")
    wait_for(lambda: state(service) == "running")
    assert main_pid(service) == pid


def test_hardening_is_in_force(service):
    """What the daemon's own place in the machine lets it do, tried from a shell in that place."""
    score = service.run("systemd-analyze", "security", "--threshold=20", "edgeface")
    assert score.returncode == 0, score.stdout
    print(score.stdout.splitlines()[-1])
    assert (
        service.run("systemd-analyze", "verify", "edgeface.service", "edgeface-view.service").stdout
        == ""
    )
    pid = main_pid(service)
    status = dict(
        line.split(":\t", 1)
        for line in service.output("cat", f"/proc/{pid}/status").splitlines()
        if ":\t" in line
    )
    assert (
        status["NoNewPrivs"],
        status["Seccomp"],
        int(status["CapEff"], 16),
        int(status["CapBnd"], 16),
    ) == ("1", "2", 0, 0)
    uid = service.output("id", "-u", "edgeface")
    inside = ["nsenter", "-t", str(pid), "-m", "-n", "--setuid", uid, "--setgid", uid, "--"]
    assert (
        service.run(*inside, "sh", "-c", "echo x > /etc/x || echo x > /usr/local/x").returncode != 0
    )
    assert service.run(*inside, "ls", "/root").returncode != 0
    interfaces = service.output(*inside, "cat", "/proc/net/dev")
    assert [line.split(":")[0].strip() for line in interfaces.splitlines()[2:]] == ["lo"]
    assert service.run(*inside, "sh", "-c", "echo x > /var/log/edgeface/x").returncode == 0
    devices = service.show("edgeface", "DevicePolicy") + service.show("edgeface", "DeviceAllow")
    assert devices == "closedchar-alsa rw"


def test_the_view_shows_the_face_and_does_not_hold_the_service_up(service):
    page = (
        "import urllib.request as u;"
        " print(u.urlopen('http://127.0.0.1:8068/frames').readline()[:40])"
    )
    assert "data: {" in service.output("/usr/bin/python3", "-c", page)
    service.output("systemctl", "kill", "-s", "SIGKILL", "edgeface-view")
    assert state(service) == "running"
    service.output("systemctl", "mask", "--runtime", "--now", "edgeface-view")
    service.output("systemctl", "restart", "edgeface")
    assert state(service) is not None
    service.output("systemctl", "unmask", "--runtime", "edgeface-view")


def test_the_log_is_written_and_the_doctor_content(service):
    service.output("systemctl", "stop", "edgeface")
    began = time.monotonic()
    service.output("systemctl", "start", "edgeface")
    print(f"start to READY: {time.monotonic() - began:.2f} s")
    assert service.output("ls", "/var/log/edgeface")
    report = json.loads(service.run("/usr/local/bin/edgeface", "doctor", "--json").stdout)
    findings = {finding["check"]: finding for finding in report["findings"]}
    assert findings["service"]["state"] == "ok", findings["service"]
    assert [name for name, finding in findings.items() if finding["state"] == "bad"] == []


def test_stop_is_swift_and_clean(service):
    wait_for(lambda: "running" in service.show("edgeface", "StatusText"))
    began = time.monotonic()
    service.output("systemctl", "stop", "edgeface")
    print(f"stopped in {time.monotonic() - began:.2f} s")
    assert time.monotonic() - began < 2.0
    assert service.show("edgeface", "Result") == "success"
    for path in ("/dev/shm/edgeface", "/run/edgeface"):
        assert service.run("test", "-e", path).returncode != 0
    assert service.run("pgrep", "-u", "edgeface", "-f", "edgeface run").returncode != 0


def test_an_upgrade_keeps_the_configuration_and_an_uninstallation_leaves_nothing(service):
    service.write("/etc/edgeface/edgeface.yaml", f"{CONFIG}# mine\n")
    again = install(service)
    assert again.returncode == 0, again.stdout
    assert "# mine" in service.output("cat", "/etc/edgeface/edgeface.yaml")
    assert service.output("systemctl", "is-active", "edgeface") == "active"
    service.output("make", "-C", SOURCES, "uninstall")
    assert files(service) - service.files_before == set()
    assert service.run("getent", "passwd", "edgeface").returncode != 0
    assert service.run("systemctl", "cat", "edgeface-view").returncode != 0
    service.output("make", "-C", SOURCES, "uninstall")  # again: nothing to do, no failure


def test_a_staged_installation_is_files_only(tmp_path):
    result = subprocess.run(
        ["make", "-C", SOURCES, "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    assert result.returncode == 0, result.stdout
    unit = (tmp_path / "usr/lib/systemd/system/edgeface.service").read_text()
    assert "ExecStart=/usr/bin/edgeface run" in unit and "@PREFIX@" not in unit
    launcher = (tmp_path / "usr/bin/edgeface").read_text()
    assert "exec /usr/lib/edgeface/venv/bin/python" in launcher
    moved = str(tmp_path / "usr/lib/edgeface/venv/bin/python")
    assert subprocess.check_output([moved, "-m", "edgeface", "--version"], cwd="/").startswith(
        b"edgeface "
    )
    assert not os.path.exists("/etc/edgeface")
    subprocess.check_call(
        ["make", "-C", SOURCES, "uninstall", f"DESTDIR={tmp_path}", "PREFIX=/usr"]
    )
    assert [name for _, _, names in os.walk(str(tmp_path)) for name in names] == []
