"""`edgeface bench`: measurements on this machine."""

import os
import sys

import numpy as np

from ..bench.frame import measure_stages, opening_ms, real_time_factor
from ..bench.live import Daemon
from ..bench.power import costs, mean_mw
from ..build import load_bundle
from ..core.errors import UnavailableError, UsageError
from ..core.resources import BUNDLED_VOICE
from ..source.file import read_whole
from ..telemetry.power import find_power_source
from .common import add_model_arguments, settings_of

EXAMPLE = """examples:
  edgeface bench                          cost of a frame, start, memory, size
  edgeface bench live --source mic        latency and evenness on a live source
  edgeface bench power                    watts at rest and with the face
  edgeface bench study --clips 50 -o study    the study's tables and figures (needs PyTorch)"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument(
        "what",
        choices=("frame", "live", "power", "study"),
        nargs="?",
        default="frame",
        help="what to measure",
    )
    parser.add_argument("--source", metavar="SPEC", default="mic", help="of `live`")
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="how long `live` and `power` watch"
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
        " audio2motion.ckpt, adapter.npz, basis.npz, as far as they are there",
    )
    parser.add_argument(
        "-o", "--out", metavar="FOLDER", help="where `study` leaves its tables and plots"
    )
    add_model_arguments(parser)


def execute(options):
    """Runs the verb."""
    settings = settings_of(options)
    if options.what == "power":
        _power(options.seconds)
    elif options.what == "study":
        _study(options)
    elif options.what == "live":
        _live(options.source, options.seconds, settings.motion.lookahead_ms)
    else:
        _frame(settings)


def _power(seconds):
    source = find_power_source()
    try:
        idle_mw = mean_mw(source, seconds)
        with Daemon("--source", f"file:{BUNDLED_VOICE}") as daemon:
            daemon.start_s()
            running_mw = mean_mw(source, min(seconds, 10.0))  # as long as the voice speaks
    finally:
        source.close()
    print(f"power source {source.name}")
    for name, value in costs(idle_mw, running_mw).items():
        print(f"  {name:34} {value:8.3f}")


def _frame(settings):
    bundle = load_bundle(settings.model.bundle)
    for name, (open_ms, run_ms) in zip(("cold", "warm"), opening_ms(settings, bundle)):
        print(
            f"session, {name:4}                {open_ms:7.1f} ms to create, {run_ms:.1f} ms for the first run"
        )
    stages = measure_stages(settings, bundle, np.tile(read_whole(BUNDLED_VOICE), 4))
    print("per 40 ms frame, one core        ms")
    for name, ms in stages.items():
        print(f"  {name:26} {ms:7.3f}")
    print(
        f"real-time factor             {real_time_factor(stages):7.4f}  ({1 / real_time_factor(stages):.0f} times faster than real time)"
    )
    with Daemon("--source", f"file:{BUNDLED_VOICE}") as daemon:
        start_s, heard_s = daemon.start_s(), 0.04 + settings.motion.lookahead_ms / 1000
        print(
            f"start to first frame         {start_s:7.2f} s, of which {heard_s:.2f} s is the sound it shows"
        )
        print(f"resident memory              {daemon.memory_mb():7.0f} MB")
    size = sum(os.path.getsize(os.path.join(bundle.folder, name)) for name in bundle.files)
    print(f"bundle                       {size / 1e6:7.1f} MB")


def _live(source, seconds, lookahead_ms):
    with Daemon("--source", source, "--lookahead", str(lookahead_ms)) as daemon:
        daemon.start_s()
        daemon.watch(3.0)  # the clock of the device settles
        latency, interval, delay = daemon.watch(seconds)
        header = daemon.reader.header()
    print(
        f"{len(latency)} frames of {source}, look-ahead {lookahead_ms} ms              p50     p95     p99     max"
    )
    for name, values in (
        ("capture of the frame's first sample to publishing, ms", latency),
        ("publishing interval, ms", interval),
        ("publishing to reading, ms", delay),
    ):
        print(
            "  %-54s %7.1f %7.1f %7.1f %7.1f"
            % ((name,) + tuple(np.percentile(values, (50, 95, 99, 100))))
        )
    print(
        f"  publishing interval off 40 ms by more than 10 ms:      {100 * np.mean(np.abs(interval - 40) > 10):7.2f} %"
    )
    print(
        f"  dropped samples {header['dropped_samples']}, restarts {header['source_restarts']}, late frames {header['late_frames']}"
    )


def _study(options):
    try:
        from ..bench.study import effort, measure, report  # PyTorch, which nobody else needs
    except ImportError as error:
        raise UnavailableError(f"bench study: {error}; pip install 'edgeface[study]'") from None
    if options.clips < 2:
        raise UsageError(f"--clips {options.clips}: at least 2 are compared")
    long_clip = read_whole(options.long or BUNDLED_VOICE)

    def tell(line):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    results = measure.measure(options.clips, options.threads, long_clip, options.checkpoints, tell)
    print(report.markdown(results, options.threads))
    print(
        "FastHuBERT base, ONNX, one thread: {:.0f} GFLOPS of the {:.0f} that a core's matrix product reaches;"
        " the process takes {:.0f} MB".format(*effort.fasthubert_effort())
    )
    if options.out:
        report.save(options.out, results, options.threads)
