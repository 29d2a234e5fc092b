"""What waiting for a device costs and says, on real sound servers."""

import gc
import json
import logging
import os
import resource
import shlex
import sys
import threading
import time
import weakref

import pytest
from support.process import collect, edgeface, start, wait_for
from support.sound import SERVERS

from edgeface.core.errors import UnavailableError
from edgeface.devices import changes, portaudio
from edgeface.devices.changes import Search
from edgeface.motion.frame import NEUTRAL
from edgeface.shm.reader import Reader
from edgeface.source import level_watch, program
from edgeface.source.base import Source, SourceLost
from edgeface.source.command import CommandSource
from edgeface.source.mic import MicSource
from edgeface.source.supervisor import Supervisor


def state(reader):
    return (reader.header() or {}).get("state")


def lines_of(daemon):
    """Ends the daemon; the lines on its stderr."""
    daemon.terminate()
    text = daemon.communicate(timeout=20)[1]
    assert daemon.returncode == 0, text
    return text.splitlines()


@pytest.fixture(params=SERVERS.values(), ids=SERVERS)
def bare_server(request, tmp_path_factory):
    """A running sound server without a microphone."""
    server = request.param(tmp_path_factory.mktemp("sound"), with_microphone=False)
    server.start()
    yield server
    server.stop()


@pytest.mark.system
def test_what_the_loudspeaker_plays_is_no_microphone(bare_server, tmp_path, shm_name, speech_wav):
    config = tmp_path / "edgeface.yaml"
    config.write_text("audio: {sources: [mic]}")
    options = {"env": bare_server.environment}
    daemon = start("run", "--config", str(config), "--shm", shm_name, **options)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        player = bare_server.play(speech_wav)
        frames = collect(reader, 3.0)
        assert state(reader) == 2 and all(frame.flags & NEUTRAL for frame in frames)
        player.wait()
        bare_server.plug()
        wait_for(lambda: state(reader) == 1)
        bare_server.unplug()
        wait_for(lambda: state(reader) == 2)
        collect(reader, 1.0)
        assert state(reader) == 2
    lines = lines_of(daemon)
    assert len(lines) == 3 and "spk.monitor" in lines[0] and "back" in lines[1]


@pytest.mark.system
def test_another_microphone_does_not_stand_in_for_a_named_one(server, tmp_path, shm_name):
    config = tmp_path / "edgeface.yaml"
    config.write_text("audio: {sources: ['mic:edgemic']}")
    server.plug_another()
    server.unplug()
    options = {"env": server.environment}
    daemon = start("run", "--config", str(config), "--shm", shm_name, **options)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        collect(reader, 2.0)
        assert state(reader) == 2
        server.plug()
        wait_for(lambda: state(reader) == 1)
        server.unplug()
        wait_for(lambda: state(reader) == 2)
        collect(reader, 1.0)
        assert state(reader) == 2
    assert len(lines_of(daemon)) == 3


@pytest.mark.system
def test_a_server_that_hangs_under_a_monitor_is_noticed(server, shm_name):
    daemon = start("run", "--source", "monitor:spk", "--shm", shm_name, env=server.environment)
    with Reader(shm_name) as reader:
        wait_for(lambda: state(reader) == 1)
        collect(reader, 1.0)
        server.hang()
        wait_for(lambda: state(reader) == 2)
        server.resume()
        wait_for(lambda: state(reader) == 1)
    lines = lines_of(daemon)
    assert len(lines) == 2 and "hangs" in lines[0] and "back" in lines[1], lines


@pytest.mark.system
@pytest.mark.parametrize("spec", ["mic", "monitor:spk"])
def test_a_dead_sound_server_is_one_line(bare_server, tmp_path, shm_name, spec):
    bare_server.stop()
    config = tmp_path / "edgeface.yaml"
    config.write_text(f"audio: {{sources: ['{spec}'], playback: edgespk}}")
    options = {"env": bare_server.environment}
    daemon = start("run", "--config", str(config), "--shm", shm_name, **options)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        time.sleep(3.0)
        bare_server.start()
        if spec.startswith("mic"):
            bare_server.plug()
        wait_for(lambda: state(reader) == 1)
        time.sleep(2.0)  # for the playback
    lines = lines_of(daemon)
    assert len(lines) == 4, lines  # source and playback, lost and back
    assert all(line.startswith("edgeface: ") for line in lines)


@pytest.mark.system
def test_a_year_of_waiting_costs_nothing(tmp_path, monkeypatch):
    """5000 attempts, as in half an hour, at a microphone that is not there."""
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nowhere")
    source = MicSource("Nowhere")

    def attempt():
        with pytest.raises(UnavailableError, match="Nowhere"):
            source.open()

    for _ in range(200):
        attempt()
    memory_kb, cpu_s = _memory_kb(), _cpu_s()
    for _ in range(5000):
        attempt()
    grown_kb, spent_ms = _memory_kb() - memory_kb, 1e3 * (_cpu_s() - cpu_s) / 5000
    print(f"5000 attempts: {grown_kb:.0f} kB more, {spent_ms:.3f} ms each")
    assert grown_kb < 500 and spent_ms < 2.0


def _memory_kb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e3


def _cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.slow
def test_an_attempt_is_repeated_when_something_changed_or_after_growing_pauses(monkeypatch):
    now_s, seen, attempts = [0.0], [0], []
    monkeypatch.setattr(changes.time, "monotonic", lambda: now_s[0])
    search = Search(lambda: seen[0])

    def fail():
        attempts.append(round(now_s[0], 1))
        raise UnavailableError("not there")

    def poll(seconds):
        end_s = now_s[0] + seconds
        while now_s[0] < end_s:
            with pytest.raises(UnavailableError, match="not there"):
                search.call(fail)
            now_s[0] += 0.1

    poll(86400.0)
    day = len(attempts)
    assert day < 50  # once an hour at last
    seen[0] += 1
    attempts.clear()
    poll(1.0)
    assert len(attempts) >= 3  # at once, and again: a new device may not be ready
    seen[0] += 1
    assert search.call(lambda: 42) == 42
    search.found()
    attempts.clear()
    with pytest.raises(UnavailableError):
        search.call(fail)
    assert len(attempts) == 1


class Leaving(Source):
    """Is lost at once, and leaves what refers to itself, as a stream and its callback do."""

    live = True

    def __init__(self):
        super().__init__("leaving")
        self.first = None

    def open(self):
        if self.first is not None:
            raise UnavailableError("not there")
        left = threading.Event()
        left.itself = left
        self.first = weakref.ref(left)

    def read(self, timeout_s, samples):
        raise SourceLost("lost")

    def close(self):
        pass


def test_what_a_lost_source_leaves_is_collected_at_once():
    source = Leaving()
    supervisor = Supervisor(source)
    gc.disable()
    try:
        supervisor.open(required=True)
        assert source.first() is not None
        wait_for(lambda: not supervisor.read(0.01).samples.any() and source.first() is None)
    finally:
        gc.enable()
        supervisor.close()


class Events(logging.Handler):
    """Collects events and their messages."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append((getattr(record, "event", ""), record.getMessage()))

    def names(self):
        return [name for name, _ in self.records]


@pytest.fixture
def events():
    handler = Events()
    logging.getLogger("edgeface").addHandler(handler)
    yield handler
    logging.getLogger("edgeface").removeHandler(handler)


@pytest.fixture
def run_command(monkeypatch):
    """Runs a Python text as `cmd:` for some seconds; the supervisor."""
    supervisors = []

    def run(text, seconds, supervisor=None):
        if supervisor is None:
            command = f"{shlex.quote(sys.executable)} -c {shlex.quote(text)}"
            supervisor = Supervisor(CommandSource(command))
            supervisor.open(required=True)
            supervisors.append(supervisor)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            supervisor.read(0.05)
        return supervisor

    yield run
    for supervisor in supervisors:
        supervisor.close()


def test_a_program_that_ends_at_once_is_one_event(run_command, events):
    supervisor = run_command("import sys; sys.exit('no such card')", 4.0)
    assert supervisor.waiting and supervisor.restarts == 0
    assert events.names().count("source_lost") == 1 and "source_back" not in events.names()
    lost = next(text for name, text in events.records if name == "source_lost")
    assert "ended with 1 (no such card)" in lost
    assert events.names().count("source_stderr") <= 3


def test_a_program_is_back_with_its_first_sample(run_command, events, tmp_path):
    """It ends, and is started again, but delivers only after a while."""
    text = (
        f"import os, sys, time; mark = {str(tmp_path / 'mark')!r}\n"
        "if not os.path.exists(mark): open(mark, 'w'); sys.exit()\n"
        f"while not os.path.exists(mark + '2'): time.sleep(0.05)\n"
        "sys.stdout.buffer.write(bytes(3200)); sys.stdout.flush(); time.sleep(60)"
    )
    supervisor = run_command(text, 2.0)
    assert supervisor.waiting and events.names() == ["source_lost"]
    (tmp_path / "mark2").write_text("")
    run_command(text, 1.0, supervisor)
    assert not supervisor.waiting and events.names() == ["source_lost", "source_back"]


@pytest.mark.slow
def test_a_program_that_fails_again_and_again_is_not_reported_for_ever(run_command, events):
    text = "import sys; sys.stdout.buffer.write(bytes(100))"
    supervisor = run_command(text, 12.0)
    assert supervisor.restarts >= 5
    assert events.names().count("source_lost") == 5


def test_a_child_that_floods_stderr_costs_nothing(run_command, events, capfd):
    text = "import os\nwhile True: os.write(2, b'x' * 79 + b'\\n')"
    cpu_s = _cpu_s()
    run_command(text, 2.0)
    assert _cpu_s() - cpu_s < 0.8
    assert events.names().count("source_stderr") == 3
    assert len(capfd.readouterr().err) < 1000


def test_a_recorder_that_hangs_is_restarted_and_a_voice_that_pauses_is_not(
    run_command, events, monkeypatch
):
    monkeypatch.setattr(program, "_RECORDER_SAMPLES", 16000)
    monkeypatch.setattr(program, "_HANGS_NS", 10**9)
    monkeypatch.setattr(program, "_FIRST_NS", 10**9)
    write = "import sys, time\ndef say(): sys.stdout.buffer.write(bytes(640)); sys.stdout.flush()\n"
    recorder = "for _ in range(100): say(); time.sleep(0.02)\ntime.sleep(60)"
    supervisor = run_command(write + recorder, 4.0)
    assert "hangs" in next(text for name, text in events.records if name == "source_lost")
    assert events.names()[:2] == ["source_lost", "source_back"] and supervisor.restarts == 1
    events.records.clear()
    voice = "while True:\n  for _ in range(10): say(); time.sleep(0.02)\n  time.sleep(1.5)"
    run_command(write + voice, 4.0)
    assert events.names() == []


def test_sound_without_end_is_not_restarted(run_command, events, monkeypatch):
    """Programs that write faster than they are read block; that is no pause."""
    monkeypatch.setattr(program, "_RECORDER_SAMPLES", 8000)
    run_command("import sys\nwhile True: sys.stdout.buffer.write(bytes(64000))", 2.0)
    assert events.names() == []


@pytest.mark.system
def test_a_muted_microphone_is_an_event_and_a_finding(server, events, monkeypatch, tmp_path):
    monkeypatch.setattr(level_watch, "_ZERO_SAMPLES", 16000)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.pactl("set-source-mute", "mic", "1")
    supervisor = Supervisor(MicSource())
    try:
        with portaudio.DEVICES.turn():  # the list may be another server's
            portaudio.DEVICES._refresh(portaudio.load())
        supervisor.open(required=True)
        wait_for(lambda: supervisor.read(0.05) and "source_silent" in events.names(), poll=0.0)
    finally:
        supervisor.close()
    assert "digital silence" in dict(events.records)["source_silent"]
    config = tmp_path / "edgeface.yaml"
    config.write_text("audio: {sources: [mic]}")
    report = edgeface("doctor", "--json", "--config", str(config), env=server.environment).stdout
    finding = next(found for found in json.loads(report)["findings"] if found["check"] == "mic")
    assert finding["state"] == "warn" and "digital silence" in finding["found"]


@pytest.mark.system
def test_the_search_for_a_loudspeaker_does_not_cut_off_the_microphone(server, tmp_path, shm_name):
    config = tmp_path / "edgeface.yaml"
    config.write_text("audio: {sources: [mic], playback: Nowhere}")
    options = {"env": server.environment}
    daemon = start("run", "--config", str(config), "--shm", shm_name, **options)
    with Reader(shm_name) as reader:
        wait_for(lambda: state(reader) == 1)
        collect(reader, 4.0)
        assert reader.header()["source_restarts"] == 0
    lines = [line for line in lines_of(daemon) if "too slow" not in line]  # a busy machine
    assert len(lines) == 1 and "Nowhere" in lines[0], lines
