"""The service under a real systemd as PID 1."""

import base64
import json
import os
import random
import re
import subprocess
import time

import pytest
from support.glb import write_glb
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
VOICE = "/run/edgeface/voice"
SEGMENT = "/dev/shm/edgeface"
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
    for user in ("member", "speaker", "stranger"):
        machine.output("useradd", "--system", user)
    # whoever comes first takes the name, before the service is there
    assert machine.run_as("stranger", "touch", "/dev/shm/edgeface").returncode == 0
    machine.write("/etc/systemd/system/sound.service", SOUND_SERVER)
    machine.write("/etc/asound-test.conf", ASOUND)
    machine.output("mkdir", "-p", "/etc/systemd/system/edgeface.service.d")
    machine.write(
        "/etc/systemd/system/edgeface.service.d/test.conf",
        "[Service]\nEnvironment=ALSA_CONFIG_PATH=/etc/asound-test.conf\n",
    )
    installed = install(machine, umask="077")
    assert installed.returncode == 0, installed.stdout
    machine.output("usermod", "-aG", "edgeface", "member")
    machine.output("usermod", "-aG", "edgeface-voice", "speaker")
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


def speak(path):
    """The command line that says something to a voice socket."""
    python = "/usr/local/lib/edgeface/venv/bin/python"
    code = f"from edgeface import Voice; Voice({path!r}).say(bytes(3200), 16000)"
    return [python, "-I", "-c", code]


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
    read = ["/usr/local/bin/edgeface", "read", "-n", "2", "--json"]
    member = service.run_as("member", *read)
    assert member.returncode == 0 and member.stdout.count("landmarks") == 2, member.stdout
    for user in ("stranger", "speaker"):
        assert service.run_as(user, *read).returncode == 69
        assert service.run_as(user, "cat", "/dev/shm/edgeface").returncode != 0


def test_the_voice_is_for_the_group_that_speaks_and_not_for_readers(service):
    assert service.output("stat", "-c", "%U %G %a", VOICE) == "edgeface edgeface-voice 660"
    config = f"{CONFIG}".replace('"mic"]', '"fifo:/run/edgeface/pipe", "mic"]')
    service.write("/etc/edgeface/edgeface.yaml", config)
    service.output("systemctl", "reload", "edgeface")
    pipe = "/run/edgeface/pipe"
    wait_for(lambda: service.run("test", "-p", pipe).returncode == 0)
    wait_for(
        lambda: service.output("stat", "-c", "%U %G %a", pipe) == "edgeface edgeface-voice 660"
    )
    write = ["sh", "-c", f"head -c 3200 /dev/zero > {pipe}"]
    assert service.run_as("speaker", *speak(VOICE)).returncode == 0
    assert service.run_as("speaker", *write).returncode == 0
    for user in ("member", "stranger"):
        assert "PermissionError" in service.run_as(user, *speak(VOICE)).stdout
        assert service.run_as(user, *write).returncode != 0
        assert service.run_as(user, "ls", "/run/edgeface").returncode != 0
        assert service.run_as(user, "ls", "/var/log/edgeface").returncode != 0
    service.write("/etc/edgeface/edgeface.yaml", CONFIG)
    service.output("systemctl", "reload", "edgeface")


def test_whoever_takes_the_page_over_can_read_frames_and_nothing_else(service):
    """Tried from a process in the page's place, with its user, its groups and its mounts."""
    wait_for(lambda: service.show("edgeface-view", "MainPID") != "0")
    page, daemon = service.show("edgeface-view", "MainPID"), main_pid(service)
    status = service.output("cat", f"/proc/{page}/status")
    uid, gid = (re.search(rf"{name}:\t(\d+)", status).group(1) for name in ("Uid", "Gid"))
    groups = ",".join(re.search(r"Groups:\t(.*)", status).group(1).split())
    assert uid not in ("0", service.output("id", "-u", "edgeface"))
    assert service.output("getent", "group", "edgeface").split(":")[2] in groups.split(",")
    place = ["nsenter", "-t", page, "-m", "-n", "setpriv", f"--reuid={uid}", f"--regid={gid}"]
    place += [f"--groups={groups}", "--no-new-privs", "--"]
    assert service.run(*place, "wc", "-c", "/dev/shm/edgeface").returncode == 0
    for deed in (
        "echo x >> /dev/shm/edgeface",
        "rm -f /dev/shm/edgeface",
        "mv /dev/shm/edgeface /dev/shm/other",
        f"kill -0 {daemon}",
        f"cat /proc/{daemon}/environ",
        "ls /run/edgeface",
        "ls /var/log/edgeface",
        "ls /var/cache/edgeface",
        "echo x > /etc/edgeface/edgeface.yaml",
        "ls /root",
    ):
        assert service.run(*place, "sh", "-c", deed).returncode != 0, deed
    assert "PermissionError" in service.run(*place, *speak(VOICE)).stdout
    for unit in ("edgeface", "edgeface-view"):
        for limit in ("MemoryMax", "TasksMax"):
            assert service.show(unit, limit) not in ("infinity", ""), (unit, limit)
    kiosk = service.output("cat", "/usr/local/lib/systemd/user/edgeface-kiosk.service")
    assert "MemoryMax=" in kiosk and "TasksMax=" in kiosk


def test_a_bridge_of_the_configuration_is_a_service_that_reads_frames_and_nothing_else(service):
    service.write(
        "/etc/edgeface/edgeface.yaml",
        f"{CONFIG}bridges:\n  desk: {{command: osc localhost:9001}}\n  typo: {{command: ocs a}}\n",
    )
    desk = "edgeface-bridge@desk"
    service.output("systemctl", "enable", "--now", desk)
    assert service.show(desk, "StatusText") == "osc localhost:9001"
    hear = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20);"
        " s.bind(('127.0.0.1', 9001)); print([s.recv(4096)[:8] for _ in range(3)])"
    )
    assert service.output("/usr/bin/python3", "-c", hear) == str([b"#bundle\0"] * 3)
    bridge = service.show(desk, "MainPID")
    status = service.output("cat", f"/proc/{bridge}/status")
    uid, gid = (re.search(rf"{name}:\t(\d+)", status).group(1) for name in ("Uid", "Gid"))
    groups = ",".join(re.search(r"Groups:\t(.*)", status).group(1).split())
    assert uid not in ("0", service.output("id", "-u", "edgeface"))
    place = ["nsenter", "-t", bridge, "-m", "-n", "setpriv", f"--reuid={uid}", f"--regid={gid}"]
    place += [f"--groups={groups}", "--no-new-privs", "--"]
    assert service.run(*place, "wc", "-c", SEGMENT).returncode == 0
    for deed in (
        f"echo x >> {SEGMENT}",
        f"kill -0 {main_pid(service)}",
        "ls /run/edgeface",
        "ls /var/log/edgeface",
        "echo x > /run/edgeface-bridge/x",
        "echo x > /etc/edgeface/edgeface.yaml",
        "ls /root",
    ):
        assert service.run(*place, "sh", "-c", deed).returncode != 0, deed
    top = ("/usr/local/bin/edgeface", "top", "-n", "1")
    wait_for(lambda: "osc localhost:9001: packets" in service.run_as("edgeface", *top).stdout)
    score = service.run("systemd-analyze", "security", "--threshold=25", desk)
    assert score.returncode == 0, score.stdout
    print(score.stdout.splitlines()[-1])
    assert service.run("systemd-analyze", "verify", f"{desk}.service").stdout == ""
    assert service.run("systemctl", "start", "edgeface-bridge@typo").returncode != 0
    typo = [
        service.show("edgeface-bridge@typo", name) for name in ("ActiveState", "ExecMainStatus")
    ]
    assert typo == ["failed", "78"]
    service.output("systemctl", "stop", desk)
    assert service.run("ls", "/run/edgeface-bridge/desk").returncode != 0
    service.output("systemctl", "start", desk)  # what the uninstallation finds
    service.write("/etc/edgeface/edgeface.yaml", CONFIG)


def test_no_module_of_the_current_folder_is_run(service):
    service.output("mkdir", "-p", "/tmp/trap/edgeface")
    for name in ("numpy", "yaml", "onnxruntime", "argparse", "edgeface/__init__", "edgeface/cli"):
        service.write(f"/tmp/trap/{name}.py", f"open('/tmp/trap/ran', 'a').write({name!r})\n")
    for verb in ("--version", "model info", "bench power --seconds 1", "plan --device here"):
        script = f"cd /tmp/trap && PYTHONPATH=/tmp/trap /usr/local/bin/edgeface {verb}"
        assert "ran" not in service.run("sh", "-c", f"{script}; ls").stdout.split(), verb
    assert (
        service.run("sh", "-c", "cd /tmp/trap && /usr/local/bin/edgeface read -n 1").returncode == 0
    )


def test_nobody_else_can_take_the_name_of_the_frames(service):
    """Files of every kind lie in its place when the service starts; and it is never free."""
    plants = (
        "touch /dev/shm/edgeface && chmod 666 /dev/shm/edgeface",
        "mkfifo /dev/shm/edgeface",
        "ln -s /tmp/target /dev/shm/edgeface",
        "ln -s /etc /dev/shm/edgeface",
        "cd /dev/shm && mkdir -p edgeface/a/b && touch edgeface/a/file && chmod 0 edgeface/a",
    )
    service.output("sh", "-c", "echo kept > /tmp/target; chmod 666 /tmp/target")
    owner = service.output("stat", "-c", "%U %a", "/etc")
    for plant in plants:
        service.output("systemctl", "stop", "edgeface")
        assert service.output("stat", "-c", "%U %G %a %s", SEGMENT) == "edgeface edgeface 640 0"
        for deed in (f"rm -f {SEGMENT}", f"mv -f /dev/shm/x {SEGMENT}", f"echo x > {SEGMENT}"):
            assert service.run_as("stranger", "sh", "-c", f"touch /dev/shm/x; {deed}").returncode
        service.output("rm", "-f", SEGMENT)
        assert service.run_as("stranger", "sh", "-c", plant).returncode == 0
        service.output("systemctl", "start", "edgeface")
        assert service.output("stat", "-c", "%F %U %a", SEGMENT) == "regular file edgeface 640"
        assert state(service) is not None
    assert service.output("cat", "/tmp/target") == "kept"
    assert service.output("stat", "-c", "%U %a", "/tmp/target") == "root 666"
    assert service.output("stat", "-c", "%U %a", "/etc") == owner
    assert service.output("find", "/dev/shm", "-name", ".edgeface*") == ""


def test_at_boot_the_name_is_reserved_and_later_left_alone(service):
    boot = ["systemd-tmpfiles", "--create", "--boot", "--prefix=/dev/shm", "--prefix=/run/edgeface"]
    service.output("chmod", "644", SEGMENT)  # as `output.mode` would
    service.output("systemd-tmpfiles", "--create", "--prefix=/dev/shm", "--prefix=/run/edgeface")
    assert service.output("stat", "-c", "%U %a", SEGMENT) == "edgeface 644"
    service.output("systemctl", "stop", "edgeface")
    service.output("rm", "-rf", SEGMENT, "/run/edgeface")
    service.output(*boot)
    assert service.output("stat", "-c", "%U %G %a", SEGMENT) == "edgeface edgeface 640"
    assert service.output("stat", "-c", "%U %G %a", "/run/edgeface") == (
        "edgeface edgeface-voice 2750"
    )
    service.output("systemctl", "start", "edgeface")
    assert state(service) is not None


def test_sigterm_by_somebody_else_is_followed_by_a_restart(service):
    pid, restarts = main_pid(service), int(service.show("edgeface", "NRestarts"))
    service.output("kill", "-TERM", str(pid))
    wait_for(lambda: main_pid(service) not in (0, pid) and state(service) is not None, 10.0)
    assert int(service.show("edgeface", "NRestarts")) == restarts + 1
    page = service.show("edgeface-view", "MainPID")
    service.output("kill", "-TERM", page)
    wait_for(lambda: service.show("edgeface-view", "MainPID") not in ("0", page), 10.0)


def test_stopped_at_any_moment_of_its_start_it_ends_well(service):
    rng = random.Random(1)
    service.output("systemctl", "stop", "edgeface")
    for number in range(20):
        service.output("systemctl", "start", "--no-block", "edgeface")
        pause_s = rng.random() * 1.2
        time.sleep(pause_s)
        service.output("systemctl", "stop", "edgeface")
        ended = service.show("edgeface", "ActiveState"), service.show("edgeface", "Result")
        assert ended == ("inactive", "success"), (number, pause_s, ended)
    service.output("systemctl", "start", "edgeface")


def test_a_mistake_in_the_configuration_stops_the_restarts(service):
    for mistake in (
        "audio: {sources: [mike]}",
        "audio: {sources: ['-']}",
        "output: {shm: a/b}",
        "output: {group: nobody-here}",
        "model: {bundle: /none/at/all}",
        "model: {provider: cuda}",
    ):
        service.write("/etc/edgeface/edgeface.yaml", mistake)
        assert service.run("systemctl", "restart", "edgeface").returncode != 0
        ended = [service.show("edgeface", name) for name in ("ActiveState", "ExecMainStatus")]
        assert ended == ["failed", "78"], (mistake, ended)
    time.sleep(2.0)
    assert service.show("edgeface", "ActiveState") == "failed"
    service.write("/etc/edgeface/edgeface.yaml", CONFIG)
    service.output("systemctl", "restart", "edgeface")


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


ASK = """
import socket
with socket.create_connection(("127.0.0.1", 10601), 5) as assistant:
    assistant.sendall(b'{"type": "describe"}\\n')
    print(assistant.recv(4096))
"""


def test_an_assistant_reaches_the_service_with_the_drop_in_of_the_documents_only(service):
    with open(os.path.join(SOURCES, "docs", "service.md")) as file:
        chapter = file.read().partition("### A voice assistant\n")[2].partition("\n### ")[0]
    drop_in = next(block for block in chapter.split("```")[1::2] if "[Service]" in block)
    path = "/etc/systemd/system/edgeface.service.d/wyoming.conf"
    ask = ["/usr/local/lib/edgeface/venv/bin/python", "-I", "-c", ASK]
    try:
        service.write("/etc/edgeface/edgeface.yaml", CONFIG.replace('"mic"', '"wyoming", "mic"'))
        service.output("systemctl", "restart", "edgeface")
        assert service.run(*ask).returncode != 0
        service.write(path, drop_in)
        service.output("systemctl", "daemon-reload")
        service.output("systemctl", "restart", "edgeface")
        answer = wait_for(lambda: service.run(*ask).stdout)
        assert "info" in answer and '"snd": [{"name": "edgeface"' in answer
    finally:
        service.output("rm", "-f", path)
        service.write("/etc/edgeface/edgeface.yaml", CONFIG)
        service.output("systemctl", "daemon-reload")
        service.output("systemctl", "restart", "edgeface")
    wait_for(lambda: state(service) is not None)


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


def test_a_mistake_in_the_configuration_stops_the_page_until_it_is_mended(service):
    service.write("/etc/edgeface/edgeface.yaml", "audio: [")
    service.output("systemctl", "restart", "edgeface-view")
    wait_for(lambda: service.show("edgeface-view", "ActiveState") == "failed")
    assert service.show("edgeface-view", "ExecMainStatus") == "78"
    page = "from urllib.request import urlopen as u; print(u('http://127.0.0.1:8068/').status)"
    assert service.run("python3", "-c", page).returncode != 0  # a browser that asks meanwhile
    said = service.output("journalctl", "-u", "edgeface-view", "-o", "cat")
    assert said.count("not YAML") == 2, said
    service.write("/etc/edgeface/edgeface.yaml", CONFIG)
    assert service.output("python3", "-c", page) == "200"


def test_the_port_of_the_page_is_never_free(service):
    service.output("systemctl", "stop", "edgeface-view")
    take = "import socket; socket.socket().bind(('127.0.0.1', 8068))"
    assert "Address already in use" in service.run_as("stranger", "python3", "-c", take).stdout
    page = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8068/').status)"
    assert service.output("python3", "-c", page) == "200"
    assert service.output("systemctl", "is-active", "edgeface-view") == "active"


def test_the_page_reads_an_avatar_and_says_how_to_install_three(service, tmp_path):
    mesh = {"primitives": [{"targets": [{}]}], "extras": {"targetNames": ["jawOpen"]}}
    write_glb(str(tmp_path / "head.glb"), {"nodes": [{"mesh": 0}], "meshes": [mesh]})
    head = base64.b64encode((tmp_path / "head.glb").read_bytes()).decode()
    place, avatar = "/run/systemd/system/edgeface-view.service.d", "/etc/edgeface/head.glb"
    assert service.run("sh", "-c", f"base64 -d > {avatar}", input=head).returncode == 0
    service.output("mkdir", "-p", place)
    command = f"/usr/local/bin/edgeface view --avatar {avatar}"
    service.write(f"{place}/avatar.conf", f"[Service]\nExecStart=\nExecStart={command}\n")
    try:
        service.output("systemctl", "daemon-reload")
        service.output("systemctl", "restart", "edgeface-view")
        journal = ("journalctl", "-u", "edgeface-view", "-o", "cat")
        advice = re.compile(r"npm ci --prefix (/usr/local/lib/edgeface/\S+)")
        folder = wait_for(lambda: advice.search(service.output(*journal))).group(1)
        for name in ("three", "@pixiv/three-vrm"):  # as if it had been done
            service.output("mkdir", "-p", f"{folder}/node_modules/{name}")
            service.output("touch", f"{folder}/node_modules/{name}/package.json")
        page = (
            "import urllib.request as u;"
            " print(u.urlopen('http://127.0.0.1:8068/page.json', timeout=9).read())"
        )
        wait_for(lambda: '"kind": "GLB"' in service.run("python3", "-c", page).stdout)
        service.output("rm", "-r", f"{folder}/node_modules")
    finally:
        service.output("rm", "-r", place, avatar)
        service.output("systemctl", "daemon-reload")
        service.output("systemctl", "restart", "edgeface-view")


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


def test_metrics_are_for_everybody_and_go_with_the_daemon(service):
    before = service.output("cat", "/etc/edgeface/edgeface.yaml")
    path = "/run/edgeface-metrics/edgeface.prom"
    telemetry = f"telemetry: {{prometheus: {path}, interval_s: 1}}\n"
    service.write("/etc/edgeface/edgeface.yaml", telemetry)
    service.output("systemctl", "reload", "edgeface")
    read = ("cat", path)
    wait_for(lambda: "edgeface_fps" in service.run_as("stranger", *read).stdout, 10.0)
    service.output("systemctl", "stop", "edgeface")
    assert service.run("test", "-e", "/run/edgeface-metrics").returncode != 0
    service.write("/etc/edgeface/edgeface.yaml", f"{before}\n")
    service.output("systemctl", "start", "edgeface")


def test_stop_is_swift_and_clean(service):
    wait_for(lambda: "running" in service.show("edgeface", "StatusText"))
    began = time.monotonic()
    service.output("systemctl", "stop", "edgeface")
    print(f"stopped in {time.monotonic() - began:.2f} s")
    assert time.monotonic() - began < 2.0
    assert service.show("edgeface", "Result") == "success"
    assert service.output("stat", "-c", "%s", SEGMENT) == "0"  # the name stays reserved
    assert service.run("test", "-e", VOICE).returncode != 0
    assert service.run("pgrep", "-u", "edgeface", "-f", "edgeface run").returncode != 0


def test_an_upgrade_keeps_the_configuration_and_mends_what_a_umask_broke(service):
    service.write("/etc/edgeface/edgeface.yaml", f"{CONFIG}# mine\n")
    for folder in ("bin/edgeface", "lib/edgeface", "lib/systemd", "share/doc/edgeface"):
        service.output("chmod", "-R", "go-rwx", f"/usr/local/{folder}")
    service.output("chmod", "-R", "go-rwx", "/etc/edgeface")
    again = install(service)
    assert again.returncode == 0, again.stdout
    assert "# mine" in service.output("cat", "/etc/edgeface/edgeface.yaml")
    assert service.output("systemctl", "is-active", "edgeface") == "active"
    assert service.output("systemctl", "is-active", "edgeface-view") == "active"
    assert service.run_as("stranger", "/usr/local/bin/edgeface", "--version").returncode == 0


def test_an_uninstallation_leaves_nothing_and_an_installation_can_follow(service):
    """With people in the groups, who are in them no longer afterwards."""
    for _ in range(2):  # the second time there is nothing to do, which is no failure
        service.output("make", "-C", SOURCES, "uninstall")
        assert files(service) - service.files_before == set()
        assert service.run("systemctl", "cat", "edgeface-view").returncode != 0
        for database, name in (
            ("passwd", "edgeface"),
            ("group", "edgeface"),
            ("group", "edgeface-voice"),
        ):
            assert service.run("getent", database, name).returncode != 0, (database, name)
        for path in (SEGMENT, "/run/edgeface"):
            assert service.run("test", "-e", path).returncode != 0, path
    # a group that outlived its user, as userdel of other versions leaves it
    service.output("groupadd", "--system", "edgeface")
    service.output("usermod", "-aG", "edgeface", "member")
    # no systemd-sysusers, as on a minimal system
    service.output("mv", "/usr/bin/systemd-sysusers", "/usr/bin/systemd-sysusers.away")
    again = install(service)
    assert again.returncode == 0, again.stdout
    assert service.output("systemctl", "is-active", "edgeface") == "active"
    assert "edgeface-voice" in service.output("id", "-Gn", "edgeface").split()
    read = ["/usr/local/bin/edgeface", "read", "-n", "1"]
    assert service.run_as("member", *read).returncode == 0
    service.output("make", "-C", SOURCES, "uninstall")
    assert files(service) - service.files_before == set()


def broken_links(folder):
    """Links of the documents there that lead to no file."""
    documents = list(folder.rglob("*.md"))
    assert {"README.md", "service.md", "contract.md"} <= {path.name for path in documents}
    broken = []
    for path in documents:
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            target = link.partition("#")[0]
            if target and ":" not in target and not (path.parent / target).exists():
                broken.append(f"{path.name}: {link}")
    return broken


def test_a_staged_installation_is_files_only(tmp_path):
    stale = os.path.join(SOURCES, "build/lib/edgeface")
    os.makedirs(stale, exist_ok=True)
    with open(f"{stale}/stale_module.py", "w"):
        pass
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
    assert "exec /usr/lib/edgeface/venv/bin/python -I" in launcher
    moved = str(tmp_path / "usr/lib/edgeface/venv/bin/python")
    assert subprocess.check_output([moved, "-m", "edgeface", "--version"], cwd="/").startswith(
        b"edgeface "
    )
    os.remove(f"{stale}/stale_module.py")
    assert list(tmp_path.rglob("*stale_module*")) == []
    for name in ("sysusers.d/edgeface.conf", "tmpfiles.d/edgeface.conf", "edgeface/reserve"):
        assert (tmp_path / "usr/lib" / name).exists()
    named = [
        str(path)
        for path in tmp_path.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and (str(tmp_path).encode() in path.read_bytes() or SOURCES.encode() in path.read_bytes())
    ]
    assert named == []
    assert broken_links(tmp_path / "usr/share/doc/edgeface") == []
    assert not os.path.exists("/etc/edgeface")
    subprocess.check_call(
        ["make", "-C", SOURCES, "uninstall", f"DESTDIR={tmp_path}", "PREFIX=/usr"]
    )
    assert [name for _, _, names in os.walk(str(tmp_path)) for name in names] == []
