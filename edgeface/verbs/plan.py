"""`edgeface plan`: whether a model fits a board, before the board is there."""

import time

import numpy as np

from ..bench.budget import (
    DEVICES,
    GPU_CONTEXT_MB,
    PROCESS_MB,
    SOURCE,
    estimate_ms,
    floor_ms,
    graph_cost,
    measure_machine,
)
from ..build import load_bundle
from ..model.runtime import open_session

EXAMPLE = """examples:
  edgeface plan --device nano
  edgeface plan --device here                   estimate and measurement side by side"""

_FRAME_MS = 40
_HOPS_MS = (40, 80, 160, 320, 640)


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument("--device", metavar="NAME", choices=sorted(DEVICES) + ["here"], required=True,
                        help=", ".join(sorted(DEVICES)) + ", or here for this machine")
    parser.add_argument("--bundle", metavar="FOLDER", default="", help="model; the package's by default")


def execute(options):
    """Runs the verb."""
    bundle = load_bundle(options.bundle)
    lookahead_ms = bundle.latency_ms
    here = options.device == "here"
    device = measure_machine() if here else DEVICES[options.device]
    step, whole = (graph_cost(path) for path in (bundle.step_file(lookahead_ms), bundle.whole_file(lookahead_ms)))
    print("%s on %s" % (bundle.name, device.title))
    print("  peak: %.0f GFLOPS a core, %s GPU, %.0f GB/s" % (
        device.cpu_core, "%.0f" % device.gpu if device.gpu else "no", device.bandwidth))
    print("a frame of 40 ms: %.1f MFLOP, %.1f MB of weights, %.2f MB otherwise moved, %d nodes" % (
        step.flops / 1e6, step.weight_bytes / 1e6, step.other_bytes / 1e6, step.nodes))
    compute, memory = floor_ms(step, device.cpu_core, device.bandwidth)
    print("  floor: %.3f ms of computing on a core, %.3f ms of memory, if the weights are in no cache" % (
        compute, memory))
    print("  estimates assume %s" % SOURCE)
    _verdict("step graph, one core", estimate_ms(step, device), _FRAME_MS)
    if device.gpu:
        _verdict("step graph, GPU (CUDA provider, a launch a node)", estimate_ms(step, device, gpu=True), _FRAME_MS)
    print("without caches, a window of %d frames again for every hop:" % bundle.whole_frames)
    for hop_ms in _HOPS_MS:
        _verdict("hop of %d ms, %s" % (hop_ms, "GPU" if device.gpu else "one core"),
                 estimate_ms(whole, device, gpu=device.gpu > 0), hop_ms)
    need_mb = PROCESS_MB + step.weight_bytes / 1e6
    print("memory: %.0f MB on the CPU, %.0f MB with CUDA, of %d MB%s" % (
        need_mb, need_mb + GPU_CONTEXT_MB, device.memory_mb,
        "; too little beside a desktop and a browser" if need_mb + GPU_CONTEXT_MB > 0.4 * device.memory_mb else ""))
    if here:
        measured_ms = _measure(bundle.step_file(lookahead_ms))
        print("measured: step graph %.3f ms, %.0f %% of this core's peak; estimated %.3f ms" % (
            measured_ms, 100 * compute / measured_ms, estimate_ms(step, device)))


def _verdict(what, ms, hop_ms):
    share = ms / hop_ms
    verdict = "fits" if share < 0.5 else "tight" if share < 0.9 else "too slow"
    print("  %-52s %9.2f ms of %4d   %s" % (what, ms, hop_ms, verdict))


def _measure(path):
    session = open_session(path)
    caches, fbank, times = session.first_caches(), np.zeros((1, 4, 80), np.float32), []
    for _ in range(500):
        began = time.perf_counter()
        _, caches = session.step(fbank, caches, ["landmarks"])
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))
