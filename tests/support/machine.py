"""A real systemd as PID 1 of its own namespaces (sysd.sh, as root), with edgeface installed."""

import os
import subprocess
import sys

import edgeface

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.dirname(os.path.dirname(os.path.abspath(edgeface.__file__)))
WHEELS = os.path.join(SOURCES, ".wheels")  # beside the sources, which are shown inside


class Machine:
    """Boots at once; all changes vanish with it."""

    def __init__(self, name):
        folder = f"/run/{name}-{os.getpid()}"
        # sources and interpreter, wherever they lie
        self._environment = dict(os.environ, SYSD_DIR=folder, SYSD_BIND=f"{SOURCES} {sys.prefix}")
        started = self._sysd("start")
        assert started.returncode == 0, started.stdout
        with open(f"{folder}/pid") as file:
            self.pid = file.read().strip()

    def run(self, *command, **options):
        """Runs a command inside to its end; CompletedProcess, stderr in stdout."""
        return self._sysd("exec", *command, **options)

    def output(self, *command):
        """What a command that must succeed prints."""
        result = self.run(*command)
        assert result.returncode == 0, result.stdout
        return result.stdout.strip()

    def write(self, path, text):
        """Writes a file inside."""
        assert self.run("tee", path, input=text).returncode == 0

    def run_as(self, user, *command):
        """As `run`, as this user."""
        return self.run("runuser", "-u", user, "--", *command)

    def show(self, unit, name):
        """A property of a unit."""
        return self.output("systemctl", "show", "-p", name, "--value", unit)

    def stop(self):
        self._sysd("stop")

    def _sysd(self, *arguments, **options):
        options.setdefault("timeout", 300)
        return subprocess.run(
            [f"{HERE}/sysd.sh"] + list(arguments),
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            **options,
        )


def fetch_wheels():
    """Fetches what `make install` fetches: there is no network inside."""
    os.makedirs(WHEELS, exist_ok=True)
    subprocess.check_call(["/usr/bin/python3", "-m", "venv", "/tmp/edgeface-wheels"])
    subprocess.check_call(
        [
            "/tmp/edgeface-wheels/bin/python",
            "-m",
            "pip",
            "download",
            "-q",
            "-d",
            WHEELS,
            "--disable-pip-version-check",
            SOURCES,
            "setuptools",
            "wheel",
        ]
    )


def install(machine, umask="022"):
    """Runs `make install` inside, under this umask; CompletedProcess."""
    command = f"umask {umask}; PIP_NO_INDEX=1 PIP_FIND_LINKS={WHEELS} make -C {SOURCES} install"
    return machine.run("sh", "-c", command)
