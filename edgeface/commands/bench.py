"""`edgeface bench`: measurements on this machine."""

import argparse
import contextlib
import os
import tempfile

import numpy as np

from ..bench.bridge import CASES, measure_bridge
from ..bench.frame import measure_stages, opening_ms, real_time_factor
from ..bench.live import DaemonProcess, LiveCost, busy_neighbour, stages_ms
from ..bench.power import costs, mean_mw
from ..build import build_pipeline, load_model
from ..config import Settings
from ..core.advice import install_extra
from ..core.errors import UnavailableError, UsageError
from ..core.rates import FRAME_MS
from ..core.resources import BUNDLED_VOICE
from ..model.model import Model
from ..model.runtime.onnx_session import weight_bytes
from ..source.file import read_whole
from ..telemetry.power import NoPower, find_power_source, first_reading
from .common import add_model_arguments, print_progress, settings_of

EXAMPLE = """examples:
  edgeface bench                          cost of a frame, start, memory, size
  edgeface bench live --source mic        latency and evenness on a live source
  edgeface bench power                    watts at rest and with the face
  edgeface bench bridge                   cost and delay of each bridge
  edgeface bench study --clips 50 -o study    the study's tables and figures (needs PyTorch)"""
_SETTLING_S = 3.0  # of a sound device's clock
_VOICE_S = 10.0  # how long the bundled voice speaks
_LIVE_S = 8.0
_FORGET_S = 6.0  # after which the model remembers only silence
_UNEVEN_MS = 10
_READING_S = 3.0  # how long a power sensor may take to its first value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "what",
        choices=("frame", "live", "power", "bridge", "study"),
        nargs="?",
        default="frame",
        help="what to measure",
    )
    parser.add_argument("--source", metavar="SPEC", default="mic", help="of `live`")
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help="how long `live`, `power` and each `bridge` are watched",
    )
    parser.add_argument(
        "--clips", metavar="N", type=int, default=10, help="of `study`, which took 50"
    )
    parser.add_argument(
        "--threads", metavar="N", type=int, default=os.cpu_count(), help="of `study`"
    )
    parser.add_argument(
        "--long",
        metavar="AUDIO",
        help="the single clip of the study's figure 6; the bundled voice otherwise",
    )
    parser.add_argument(
        "--checkpoints",
        metavar="FOLDER",
        help="of `study`: fasthubert.pt, global_cmvn.npy, hubert-large/, hubert-base/,"
        " audio2motion.ckpt, adapter.npz, basis.npz, those that are there",
    )
    parser.add_argument(
        "-o", "--out", metavar="FOLDER", help="where `study` leaves its tables and plots"
    )
    add_model_arguments(parser)


def execute(options: argparse.Namespace) -> None:
    """Runs the command."""
    settings = settings_of(options)
    if options.what == "power":
        _power(settings, options.seconds)
    elif options.what == "study":
        _study(options)
    elif options.what == "bridge":
        _bridges(settings, options.seconds)
    elif options.what == "live":
        _live(settings, options.source, options.seconds)
    else:
        _frame(settings)


def _daemon(settings: Settings, source: str, log: str = "") -> DaemonProcess:
    """A daemon with the same model, which plays nothing, and writes a log only where asked to."""
    config = ""
    if log:
        config = os.path.join(log, "edgeface.yaml")
        with open(config, "w") as file:
            file.write(f"telemetry: {{log: '{log}', interval_s: 1}}\n")
    arguments = ["--config", config, "--source", source, "--bundle", settings.model.bundle]
    return DaemonProcess(*arguments, "--lookahead", str(settings.motion.lookahead_ms))


def _power(settings: Settings, seconds: float) -> None:
    source = find_power_source()
    try:
        if isinstance(source, NoPower) or first_reading(source, _READING_S).total_mw is None:
            raise UnavailableError(
                f"bench power: no power sensor here ({source.name}); it needs a Jetson, RAPL"
                " (readable by root), or a GPU whose nvidia-smi prints its power"
            )
        idle_mw = mean_mw(source, seconds)
        with _daemon(settings, f"file:{BUNDLED_VOICE}") as daemon:
            daemon.start_s()
            running_mw = mean_mw(source, min(seconds, _VOICE_S))
    finally:
        source.close()
    print(f"power source {source.name}")
    for name, value in costs(idle_mw, running_mw).items():
        print(f"  {name:34} {value:8.3f}")


def _bridges(settings: Settings, seconds: float) -> None:
    pipeline = build_pipeline(settings, load_model(settings.model.bundle))
    frames = pipeline.accept(read_whole(BUNDLED_VOICE)) + pipeline.finish()
    print(
        f"{'per frame that is shown':28} datagrams   bytes   CPU, ms"
        "   published to arrival, ms: p50     p99"
    )
    for arguments in CASES:
        cost = measure_bridge(arguments, frames, seconds)
        name = " ".join(word for word in arguments if word[-1] not in "}2")
        p50, p99 = np.percentile(cost.latency_ms, (50, 99))
        delay = f"{p50:29.2f} {p99:7.2f}" if "--fps" not in arguments else "interpolated"
        print(
            f"  {name:26} {cost.datagrams:9.2f} {cost.bytes:7.0f} {cost.cpu_ms:9.3f}   {delay}",
            flush=True,
        )


def _frame(settings: Settings) -> None:
    model = load_model(settings.model.bundle)
    _print_live(settings, model)
    print()
    for name, (open_ms, run_ms) in zip(("cold", "warm"), opening_ms(settings, model)):
        print(
            f"session, {name:4}                {open_ms:7.1f} ms to create, "
            f"{run_ms:.1f} ms for the first run"
        )
    stages = measure_stages(settings, model, np.tile(read_whole(BUNDLED_VOICE), 4))
    print(f"{FRAME_MS} ms frames in a hot loop      ms a frame")
    for name, ms in stages.items():
        print(f"  {name:26} {ms:7.3f}")
    factor = real_time_factor(stages)
    print(
        f"real-time factor             {factor:7.4f}  "
        f"({1 / factor:.0f} times faster than real time)"
    )
    size = sum(os.path.getsize(model.path(name)) for name in model.files)
    print(f"bundle                       {size / 1e6:7.1f} MB")


def _print_live(settings: Settings, model: Model) -> None:
    """What a kiosk pays: the daemon at 25 frames a second, whose caches others empty between."""
    print("live, 25 frames a second     ms of CPU a frame   wake-ups a second")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        daemon = stack.enter_context(_daemon(settings, f"file:{BUNDLED_VOICE}", log=folder))
        start_s = daemon.start_s()
        _print_cost("a voice", daemon.cost(_LIVE_S))
        memory_mb = daemon.memory_mb()
        stages = stages_ms(folder)
    with busy_neighbour(), _daemon(settings, f"file:{BUNDLED_VOICE}") as daemon:
        daemon.start_s()
        _print_cost("beside a busy neighbour", daemon.cost(_LIVE_S))
    with _daemon(settings, "-") as daemon:
        daemon.start_s()
        daemon.watch(_FORGET_S)
        _print_cost("digital silence", daemon.cost(_LIVE_S))
    print("  by stage, of a voice (elapsed time, medians)")
    for name, ms in stages.items():
        print(f"    {name:24} {ms:7.2f}")
    graphs = model.streaming_files(settings.motion.lookahead_ms)
    weights_mb = max(weight_bytes(model.path(name)) for name in graphs) / 1e6
    print(f"weights read for a frame     {weights_mb:7.1f} MB")
    sound_s = (FRAME_MS + settings.motion.lookahead_ms) / 1000
    print(
        f"start to first frame         {start_s:7.2f} s, "
        f"of which {sound_s:.2f} s is the sound it shows"
    )
    print(f"resident memory              {memory_mb:7.0f} MB")


def _print_cost(name: str, cost: LiveCost) -> None:
    print(f"  {name:26} {cost.cpu_ms:7.2f} {cost.wakeups:19.0f}")


def _live(settings: Settings, source: str, seconds: float) -> None:
    with _daemon(settings, source) as daemon:
        daemon.start_s()
        daemon.watch(_SETTLING_S)
        latency, interval, delay = daemon.watch(seconds)
        header = daemon.reader.header()
    if header is None or not len(latency):
        raise UnavailableError(
            f"{source}: ended before it was measured; give a longer one, or fewer --seconds"
        )
    print(
        f"{len(latency)} frames of {source}, look-ahead {settings.motion.lookahead_ms} ms"
        "              p50     p95     p99     max"
    )
    for name, values in (
        ("capture of the frame's first sample to publishing, ms", latency),
        ("publishing interval, ms", interval),
        ("publishing to reading, ms", delay),
    ):
        quantiles = " ".join(f"{value:7.1f}" for value in np.percentile(values, (50, 95, 99, 100)))
        print(f"  {name:54} {quantiles}")
    uneven = 100 * np.mean(np.abs(interval - FRAME_MS) > _UNEVEN_MS)
    label = f"publishing interval off {FRAME_MS} ms by more than {_UNEVEN_MS} ms:"
    print(f"  {label:54} {uneven:7.2f} %")
    print(
        f"  dropped samples {header['dropped_samples']}, restarts {header['source_restarts']}, "
        f"late frames {header['late_frames']}"
    )


def _study(options: argparse.Namespace) -> None:
    try:
        from ..bench.study import effort, measure, report  # PyTorch, which nobody else needs
    except ModuleNotFoundError as error:
        raise UnavailableError(f"bench study: {error}; {install_extra('study')}") from None
    if options.clips < 2:
        raise UsageError(f"--clips {options.clips}: give at least 2, which are compared")
    long_clip = read_whole(options.long or BUNDLED_VOICE)
    results = measure.measure(
        options.clips, options.threads, long_clip, options.checkpoints, print_progress
    )
    print(report.markdown(results, options.threads))
    reached, peak, memory_mb = effort.fasthubert_effort()
    print(
        f"FastHuBERT base, ONNX, one thread: {reached:.0f} GFLOPS of the {peak:.0f} that a core's "
        f"matrix product reaches; the process takes {memory_mb:.0f} MB"
    )
    if options.out:
        report.save(options.out, results, options.threads)
