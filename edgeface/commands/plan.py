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
    parser.add_argument(
        "--device",
        metavar="NAME",
        choices=sorted(DEVICES) + ["here"],
        required=True,
        help=f"{', '.join(sorted(DEVICES))}, or here for this machine",
    )
    parser.add_argument(
        "--bundle", metavar="FOLDER", default="", help="model; the package's by default"
    )


def execute(options):
    """Runs the verb."""
    bundle = load_bundle(options.bundle)
    lookahead_ms = bundle.latency_ms
    here = options.device == "here"
    device = measure_machine() if here else DEVICES[options.device]
    step, whole = (
        graph_cost(path)
        for path in (bundle.step_file(lookahead_ms), bundle.whole_file(lookahead_ms))
    )
    print(f"{bundle.name} on {device.title}")
    print(
        f"  peak: {device.cpu_core:.0f} GFLOPS a core, {(f'{device.gpu:.0f}' if device.gpu else 'no')} GPU, {device.bandwidth:.0f} GB/s"
    )
    print(
        f"a frame of 40 ms: {step.flops / 1e6:.1f} MFLOP, {step.weight_bytes / 1e6:.1f} MB of weights, {step.other_bytes / 1e6:.2f} MB otherwise moved, {step.nodes} nodes"
    )
    compute, memory = floor_ms(step, device.cpu_core, device.bandwidth)
    print(
        f"  floor: {compute:.3f} ms of computing on a core, {memory:.3f} ms of memory, if the weights are in no cache"
    )
    print(f"  estimates assume {SOURCE}")
    _verdict("step graph, one core", estimate_ms(step, device), _FRAME_MS)
    if device.gpu:
        _verdict(
            "step graph, GPU (CUDA provider, a launch a node)",
            estimate_ms(step, device, gpu=True),
            _FRAME_MS,
        )
    print(f"without caches, a window of {bundle.whole_frames} frames again for every hop:")
    for hop_ms in _HOPS_MS:
        _verdict(
            f"hop of {hop_ms} ms, {'GPU' if device.gpu else 'one core'}",
            estimate_ms(whole, device, gpu=device.gpu > 0),
            hop_ms,
        )
    need_mb = PROCESS_MB + step.weight_bytes / 1e6
    print(
        f"memory: {need_mb:.0f} MB on the CPU, {need_mb + GPU_CONTEXT_MB:.0f} MB with CUDA, of {device.memory_mb} MB{'; too little beside a desktop and a browser' if need_mb + GPU_CONTEXT_MB > 0.4 * device.memory_mb else ''}"
    )
    if here:
        measured_ms = _measure(bundle.step_file(lookahead_ms))
        print(
            f"measured: step graph {measured_ms:.3f} ms, {100 * compute / measured_ms:.0f} % of this core's peak; estimated {estimate_ms(step, device):.3f} ms"
        )


def _verdict(what, ms, hop_ms):
    share = ms / hop_ms
    verdict = "fits" if share < 0.5 else "tight" if share < 0.9 else "too slow"
    print(f"  {what:52} {ms:9.2f} ms of {hop_ms:4}   {verdict}")


def _measure(path):
    session = open_session(path)
    caches, fbank, times = session.first_caches(), np.zeros((1, 4, 80), np.float32), []
    for _ in range(500):
        began = time.perf_counter()
        _, caches = session.step(fbank, caches, ["landmarks"])
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))
