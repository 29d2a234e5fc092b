"""What works on this machine and what does not, each with its mend."""

import glob
import grp
import os
import platform
import pwd
import shutil
import subprocess
import time
from importlib import import_module
from typing import NamedTuple

import numpy as np

from .. import __version__
from ..build import build_pipeline, load_model
from ..config import Settings, load_settings
from ..core.board import this_board
from ..core.errors import EdgefaceError, UnavailableError
from ..core.rates import FRAME_RATE_HZ
from ..core.resources import BUNDLED_VOICE
from ..devices import portaudio
from ..devices.bounded_call import BoundedCaller
from ..devices.pulse import monitors
from ..model.engines import cache_root, ready_engine
from ..model.runtime.compute import Compute
from ..model.runtime.onnx_session import available_providers
from ..model.runtime.providers import open_onnx
from ..motion.face import lip_gap
from ..shm import layout
from ..shm.reader import Reader
from ..source.file import read_whole
from ..source.spec import make_selector
from ..telemetry.power import find_power_source

OK, WARN, BAD = "ok", "warn", "bad"
CONFIG = "/etc/edgeface/edgeface.yaml"
SERVICE_USER = "edgeface"
_LIBRARIES = ("numpy", "onnxruntime", "yaml", "sounddevice", "soundfile", "soxr", "pulsectl")
_SLOW = 0.5  # of the time that a frame lasts


class Finding(NamedTuple):
    """One line of the report; `mend` is empty where there is nothing to do."""

    check: str
    state: str
    found: str
    mend: str = ""


def examine(config=CONFIG):
    """Runs every check; yields `Finding`s as they are known. None of them raises."""
    settings = Settings()
    for check in (
        _board,
        _python,
        _configuration,
        _bundle,
        _providers,
        _model,
        _sound,
        _monitors,
        _sources,
        _shared_memory,
        _log,
        _power,
        _service,
        _sound_of_the_service,
    ):
        try:
            for finding in check(settings, config):
                if isinstance(finding, Settings):
                    settings = finding
                else:
                    yield finding
        except Exception as error:  # the doctor must not be the one that falls ill
            yield Finding(
                check.__name__.strip("_").replace("_", " "),
                BAD,
                f"{type(error).__name__}: {error}",
                "" if isinstance(error, EdgefaceError) else "report it",
            )


def _python(_settings, _config):
    yield Finding(
        "edgeface",
        OK,
        f"{__version__}, Python {platform.python_version()}, {platform.machine()}, Linux {platform.release()}",
    )
    for name in _LIBRARIES:
        try:
            version = getattr(import_module(name), "__version__", "present")
            yield Finding(name, OK, str(version))
        except (ImportError, OSError) as error:
            mend = {
                "sounddevice": "apt install libportaudio2",
                "pulsectl": "apt install libpulse0",
            }.get(name, f"make install, or pip install {name}")
            yield Finding(name, WARN if name == "pulsectl" else BAD, str(error), mend)


def _board(_settings, _config):
    board = this_board()
    if board.name or board.l4t:
        yield Finding(
            "board",
            OK,
            f"{board.model}, L4T {board.l4t or '?'}, JetPack {board.jetpack or '?'}, TensorRT {board.tensorrt or 'none'}",
        )
        swap_kb = next(
            (
                int(line.split()[1])
                for line in open("/proc/meminfo")
                if line.startswith("SwapTotal")
            ),
            0,
        )
        if not swap_kb:
            yield Finding(
                "swap", WARN, "none", "zram (nvzramconfig) or a swap file, before engines are built"
            )


def _providers(settings, _config):
    """What the sessions really get, not what the library was compiled with."""
    bundle = load_model(settings.model.bundle)
    graph = os.path.join(bundle.folder, bundle.streaming_files(settings.motion.lookahead_ms)[0])
    for provider in available_providers():
        engine = (
            ready_engine(bundle, settings.motion.lookahead_ms) if provider == "tensorrt" else None
        )
        if provider == "tensorrt" and engine is None:
            yield Finding(
                "tensorrt",
                WARN,
                f"no engine in {cache_root()}",
                "edgeface model prepare, if it is wanted",
            )
            continue
        try:
            session = open_onnx(graph, Compute(provider, engine))
        except UnavailableError as error:
            yield Finding(
                provider,
                WARN,
                str(error),
                "install the libraries that it names, or model.provider: cpu",
            )
        else:
            kernels = session.placement or {provider: "all"}
            yield Finding(
                provider,
                OK,
                f"computes; kernels: {', '.join((f'{n} on {p}' for p, n in kernels.items()))}{(f'; {engine.reason}' if engine else '')}",
            )


def _configuration(settings, config):
    if not os.path.exists(config):
        yield Finding("configuration", OK, f"{config} is not there; the defaults hold")
        return
    settings = load_settings(config)
    yield settings
    yield Finding("configuration", OK, config)


def _bundle(settings, _config):
    bundle = load_model(settings.model.bundle)
    yield Finding("bundle", OK, f"{bundle.name} {bundle.version}, undamaged")


def _model(settings, _config):
    """The bundled voice through the whole pipeline."""
    began = time.monotonic()
    pipeline = build_pipeline(settings, load_model(settings.model.bundle))
    built_s = time.monotonic() - began
    samples = read_whole(BUNDLED_VOICE)
    began = time.monotonic()
    frames = pipeline.accept(samples) + pipeline.finish()
    load = (time.monotonic() - began) * FRAME_RATE_HZ / len(frames)
    gap = lip_gap(np.array([frame.landmarks for frame in frames]))
    found = f"{pipeline.provider}: built in {built_s:.1f} s, {1000.0 * load / FRAME_RATE_HZ:.2f} ms a frame, {100 * load:.0f} % of a core"
    if not np.isfinite(gap).all() or gap.max() < 0.05 or gap.min() > 0.02:
        yield Finding(
            "model",
            BAD,
            f"{found}; the bundled voice does not move the lips",
            "edgeface model verify",
        )
    elif load > _SLOW:
        yield Finding(
            "model", WARN, found, "stop other programs, or choose a faster power mode (nvpmodel)"
        )
    else:
        yield Finding("model", OK, f"{found}; the bundled voice moves the lips")


def _sound(_settings, _config):
    sounddevice = portaudio.load()
    devices = BoundedCaller("sound").call(portaudio.ANSWER_S, sounddevice.query_devices)
    names = [info["name"] for info in devices if info["max_input_channels"] > 0]
    if names:
        yield Finding("microphones", OK, ", ".join(names))
    else:
        yield Finding(
            "microphones",
            WARN,
            "none",
            "plug one in, start the sound server, or join the group audio",
        )


def _monitors(_settings, _config):
    if shutil.which("parec") is None:
        yield Finding(
            "monitor",
            WARN,
            "parec is missing",
            "apt install pulseaudio-utils, if `monitor` is wanted",
        )
        return
    try:
        sinks = BoundedCaller("sound").call(portaudio.ANSWER_S, monitors)
        yield Finding("monitor", OK, ", ".join(sinks))
    except UnavailableError as error:
        yield Finding("monitor", WARN, str(error), "only needed for `monitor`")


def _sources(settings, _config):
    """That the specifications are understood; what is away is waited for."""
    make_selector(settings.audio.sources, 0.0)
    yield Finding("sources", OK, ", ".join(settings.audio.sources))


def _shared_memory(settings, _config):
    free = shutil.disk_usage(layout.FOLDER).free
    if free < 4 * layout.SEGMENT_SIZE:
        yield Finding("shared memory", BAD, f"{layout.FOLDER} is full", "remove files there")
        return
    path = layout.segment_path(settings.output.shm)
    with Reader(settings.output.shm) as reader:
        header = reader.header()
    if header is not None:
        yield Finding(
            "shared memory",
            OK,
            f"{path}: {layout.STATE_NAMES[header['state']]}, written by process {header['pid']}",
        )
    elif os.path.exists(path) and not os.access(path, os.R_OK):
        yield Finding(
            "shared memory",
            BAD,
            f"{path}: no permission",
            f"usermod -aG {grp.getgrgid(os.stat(path).st_gid).gr_name} {pwd.getpwuid(os.geteuid()).pw_name}, and log in again",
        )
    else:
        yield Finding("shared memory", OK, f"{path}: nobody writes it now")


def _log(settings, _config):
    folder = settings.telemetry.log
    if not folder:
        yield Finding("log", OK, "none; telemetry.log names a folder")
    elif not os.path.isdir(folder) or not os.access(folder, os.R_OK):
        yield Finding("log", WARN, f"{folder} cannot be read by you", "try again with sudo")
    else:
        free_mb = shutil.disk_usage(folder).free / 1e6
        full = free_mb * 1e3 < settings.telemetry.total_kb
        yield Finding(
            "log",
            WARN if full else OK,
            f"{folder}, {free_mb:.0f} MB free",
            "make room, or lower telemetry.total_kb" if full else "",
        )


def _power(_settings, _config):
    source = find_power_source()
    try:
        yield Finding("power", OK, source.name if source.name else "no sensor: null in the log")
    finally:
        source.close()


def _service(_settings, _config):
    if not os.path.isdir("/run/systemd/system"):
        yield Finding("service", OK, "no systemd runs here")
        return
    answer = subprocess.run(
        ["systemctl", "show", "edgeface", "-p", "LoadState,ActiveState,UnitFileState,StatusText"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
        timeout=10,
    )
    values = dict(line.partition("=")[::2] for line in answer.stdout.splitlines())
    if values.get("LoadState") != "loaded":
        yield Finding("service", OK, "not installed; `sudo make install` does that")
    elif values.get("ActiveState") == "active":
        yield Finding("service", OK, values.get("StatusText") or "active")
    else:
        yield Finding(
            "service",
            BAD,
            values.get("ActiveState", "?"),
            "journalctl -u edgeface -n 20; then systemctl restart edgeface",
        )


def _sound_of_the_service(_settings, _config):
    """A desktop's sound server is its user's: the service cannot hear through it."""
    try:
        groups = {group.gr_name for group in grp.getgrall() if SERVICE_USER in group.gr_mem}
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return
    if "audio" not in groups:
        yield Finding(
            "group audio",
            BAD,
            f"user {SERVICE_USER} is not in it",
            f"usermod -aG audio {SERVICE_USER}",
        )
    servers = glob.glob("/run/user/*/pulse/native")
    if servers:
        yield Finding(
            "sound server",
            WARN,
            f"{servers[0]} belongs to a user; the service cannot use it",
            "see 'A desktop's sound server' in docs/service.md, or let the service have a card of its own",
        )
