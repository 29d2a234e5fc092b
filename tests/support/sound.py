"""Real sound servers for tests, PulseAudio and PipeWire, and a recorder of what they play."""

import os
import signal
import subprocess
import sys

from support.process import wait_for

ASOUND = """
pcm.edgemic { type pulse; device mic; hint.description "virtual microphone" }
ctl.edgemic { type pulse }
pcm.edgespk { type pulse; device spk; hint.description "virtual loudspeaker" }
pcm.!default { type pulse; hint.description "default of the sound server" }
ctl.!default { type pulse }
"""


class SoundServer:
    """A private sound server, whose source `mic` records what is played to the sink `spk`.

    `mic` is also its default source, as long as it is there.

    :param folder: an empty folder
    :param rate: sampling rate of the devices in Hz
    :param channels: of the devices
    :param with_microphone: whether `mic` is there from the start
    """

    name = ""

    def __init__(self, folder, rate=16000, channels=1, with_microphone=True):
        self.folder, self.rate, self.channels = str(folder), rate, channels
        self.with_microphone = with_microphone
        self.socket = f"{self.folder}/native"
        os.chmod(self.folder, 0o700)
        with open(f"{self.folder}/asound.conf", "w") as file:
            file.write(ASOUND)
        self.environment = dict(
            os.environ,
            LC_ALL="C.UTF-8",
            PULSE_STATE_PATH=self.folder,
            PULSE_COOKIE=f"{self.folder}/cookie",
            PULSE_SERVER=f"unix:{self.socket}",
            ALSA_CONFIG_PATH=f"{self.folder}/asound.conf",
        )
        self._processes = []

    def start(self):
        """Starts the server with its devices, and waits for it."""
        raise NotImplementedError

    def stop(self):
        """Kills the server."""
        for process in reversed(self._processes):
            process.kill()
        for process in self._processes:
            process.wait()
        self._processes = []

    def hang(self):
        """Stops the server's processes without ending them."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)

    def resume(self):
        """Lets a server that hangs go on."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def pactl(self, *arguments):
        """What `pactl` prints."""
        return subprocess.check_output(
            ["pactl", *arguments], env=self.environment, universal_newlines=True, timeout=20
        )

    def plug(self):
        """Adds the microphone, and makes it the default one."""
        self.pactl(
            "load-module",
            "module-remap-source",
            "master=spk.monitor",
            *self._microphone_arguments(),
        )
        self._wait_for_source("mic")
        self._make_default("mic")

    def unplug(self):
        """Removes the microphone."""
        modules = self.pactl("list", "short", "modules").splitlines()
        for line in modules:
            if "module-remap-source" in line and "source_name=mic " in f"{line} ":
                self.pactl("unload-module", line.split()[0])
        wait_for(lambda: not self._has_source("mic"))

    def plug_another(self):
        """Adds another microphone, `other`, and makes it the default one."""
        self.pactl("load-module", "module-null-sink", "sink_name=quiet", "channels=1")
        self._wait_for_source("quiet.monitor")
        self.pactl(
            "load-module", "module-remap-source", "master=quiet.monitor", "source_name=other"
        )
        self._wait_for_source("other")
        self._make_default("other")

    def play(self, wav):
        """Plays a file to `spk`; Popen."""
        return subprocess.Popen(["paplay", "--device=spk", wav], env=self.environment)

    def _run(self, *arguments, **options):
        process = subprocess.Popen(
            arguments, env=self.environment, stdout=subprocess.DEVNULL, **options
        )
        self._processes.append(process)
        return process

    def _microphone_arguments(self):
        channel_map = {1: "mono", 2: "front-left,front-right"}[self.channels]
        return [
            "source_name=mic",
            "remix=no",
            f"channels={self.channels}",
            f"channel_map={channel_map}",
            f"master_channel_map={channel_map}",
        ]

    def _has_source(self, name):
        return f"\t{name}\t" in self.pactl("list", "short", "sources")

    def _wait_for_source(self, name):
        wait_for(lambda: self._has_source(name))

    def _make_default(self, name):
        """Asks until it is so: PipeWire refuses while it sets up the source, and takes its time."""

        def is_default():
            self._succeeds("pactl", "set-default-source", name)
            return f"Default Source: {name}\n" in self.pactl("info")

        wait_for(is_default)

    def _answers(self):
        return self._succeeds("pactl", "info")

    def _succeeds(self, *command):
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.call(command, env=self.environment, timeout=20, **silent) == 0


class PulseAudio(SoundServer):
    """PulseAudio with a null sink."""

    name = "pulseaudio"

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.environment["PULSE_RUNTIME_PATH"] = self.folder

    def start(self):
        # norewinds=1: without it the first block arrives more than a second late
        self._run(
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--use-pid-file=no",
            "--exit-idle-time=-1",
            "--realtime=no",
            "--high-priority=no",
            f"--log-target=newfile:{self.folder}/log",
            "-L",
            f"module-native-protocol-unix socket={self.socket} auth-anonymous=1",
            "-L",
            f"module-null-sink sink_name=spk rate={self.rate} channels={self.channels}"
            " format=s16le norewinds=1",
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers)
        if self.with_microphone:
            self.plug()


class PipeWire(SoundServer):
    """PipeWire with WirePlumber, pipewire-pulse and a null sink; sound is 48 kHz inside."""

    name = "pipewire"

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self._bus = f"{self.folder}/bus"
        self.socket = f"{self.folder}/pulse/native"
        self.environment.update(
            HOME=self.folder,
            XDG_RUNTIME_DIR=self.folder,
            XDG_CONFIG_HOME=f"{self.folder}/config",
            XDG_STATE_HOME=f"{self.folder}/state",
            DBUS_SESSION_BUS_ADDRESS=f"unix:path={self._bus}",
            PULSE_SERVER=f"unix:{self.socket}",
        )
        self.environment.pop("PULSE_RUNTIME_PATH", None)

    def start(self):
        for _ in range(3):
            try:
                return self._start()
            except (subprocess.SubprocessError, AssertionError):
                self.stop()  # one start in fifty, WirePlumber never sets up the sink
        raise AssertionError("PipeWire does not start")

    def _start(self):
        self._run_logged("dbus-daemon", "--session", "--nofork", f"--address=unix:path={self._bus}")
        wait_for(lambda: os.path.exists(self._bus))
        self._run_logged("pipewire")
        wait_for(lambda: os.path.exists(f"{self.folder}/pipewire-0"))
        self._run_logged("wireplumber")
        wait_for(self._is_managed)
        self._run_logged("pipewire-pulse")
        wait_for(self._answers)
        self.pactl(
            "load-module",
            "module-null-sink",
            "sink_name=spk",
            f"rate={self.rate}",
            f"channels={self.channels}",
        )
        self._wait_for_source("spk.monitor")
        if self.with_microphone:
            self.plug()

    def stop(self):
        super().stop()
        for name in ("bus", "pipewire-0", "pipewire-0.lock", "pulse/native", "pulse/pid"):
            if os.path.exists(f"{self.folder}/{name}"):
                os.unlink(f"{self.folder}/{name}")

    def _is_managed(self):
        """Whether WirePlumber has set up what it keeps defaults in."""
        objects = subprocess.check_output(
            ["pw-cli", "ls", "Metadata"], env=self.environment, universal_newlines=True, timeout=20
        )
        return 'metadata.name = "default"' in objects

    def _run_logged(self, *arguments):
        with open(f"{self.folder}/{arguments[0]}.log", "ab") as log:
            self._run(*arguments, stderr=log)


SERVERS = {server.name: server for server in (PulseAudio, PipeWire)}


LISTEN = """
import sys, time, numpy
from edgeface.core.rates import SAMPLE_NS
from edgeface.source.mic import MicSource
source, blocks = MicSource("edgemic"), []
source.open()
print("listening", flush=True)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    block = source.read(0.1)
    if len(block.samples):
        blocks.append(block)
times = [b.audio_ns + SAMPLE_NS * numpy.arange(len(b.samples)) for b in blocks]
numpy.savez(sys.argv[2], samples=numpy.concatenate([b.samples for b in blocks]),
            ns=numpy.concatenate(times))
source.close()
"""


def listen(server, seconds, path):
    """Records what is played, in a process of its own, with the times of all samples; Popen."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(seconds), path],
        env=server.environment,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    assert process.stdout.readline() == "listening\n"
    return process
