"""A real sound server for tests, and a recorder of what it plays."""

import os
import signal
import subprocess
import sys

from support.process import wait_for

ASOUND = """
pcm.edgemic { type pulse; device mic; hint.description "virtual microphone" }
ctl.edgemic { type pulse }
pcm.edgespk { type pulse; device spk; hint.description "virtual loudspeaker" }
pcm.!default { type pulse; device mic }
ctl.!default { type pulse }
"""


class SoundServer:
    """A private PulseAudio, whose source `mic` records what is played to the sink `spk`."""

    def __init__(self, folder, rate=16000):
        self.folder, self.rate = str(folder), rate
        os.chmod(self.folder, 0o700)
        with open(f"{self.folder}/asound.conf", "w") as file:
            file.write(ASOUND)
        self.environment = dict(
            os.environ,
            PULSE_RUNTIME_PATH=self.folder,
            PULSE_STATE_PATH=self.folder,
            PULSE_COOKIE=f"{self.folder}/cookie",
            PULSE_SERVER=f"unix:{self.folder}/native",
            ALSA_CONFIG_PATH=f"{self.folder}/asound.conf",
        )
        self.process = None

    def start(self):
        # norewinds=1: without it the first block arrives more than a second late
        self.process = subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--exit-idle-time=-1",
                "--realtime=no",
                "--high-priority=no",
                f"--log-target=newfile:{self.folder}/log",
                "-L",
                f"module-native-protocol-unix socket={self.folder}/native auth-anonymous=1",
                "-L",
                f"module-null-sink sink_name=spk rate={self.rate} channels=1 format=s16le"
                " norewinds=1",
                "-L",
                "module-remap-source master=spk.monitor source_name=mic remix=no",
            ],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(
            lambda: (
                subprocess.call(
                    ["pactl", "info"],
                    env=self.environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                == 0
            )
        )

    def play(self, wav):
        return subprocess.Popen(["paplay", "--device=spk", wav], env=self.environment)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None


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
