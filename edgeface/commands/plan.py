"""`edgeface plan`: whether a model fits a board, before the board is there."""

import argparse
import time
from typing import Tuple

import numpy as np

from ..bench.budget import (
    DEVICES,
    GPU_CONTEXT_MB,
    PROCESS_MB,
    SOURCE,
    Cost,
    Device,
    estimate_ms,
    floor_ms,
    graph_cost,
    measure_machine,
)
from ..build import load_model
from ..core.rates import FRAME_MS
from ..model.runtime.providers import open_session
from ..model.step_model import require_step_model

EXAMPLE = """examples:
  edgeface plan --device nano
  edgeface plan --device here                   estimate and measurement side by side"""

_HOPS_MS = (40, 80, 160, 320, 640)
_MODEST_SHARE = 0.4  # of the memory, which leaves enough for a desktop and a browser
_STEPS = 60
_OTHER_BYTES = 64 << 20  # more than caches hold


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "--device",
        metavar="NAME",
        choices=[*sorted(DEVICES), "here"],
        required=True,
        help=f"{', '.join(sorted(DEVICES))}, or here for this machine",
    )
    parser.add_argument(
        "--bundle", metavar="FOLDER", default="", help="model; the package's by default"
    )


def execute(options: argparse.Namespace) -> None:
    """Runs the command."""
    model = require_step_model(load_model(options.bundle))
    step_path = model.cpu_step_file(model.latency_ms)
    step = graph_cost(step_path)
    gpu_step = graph_cost(model.step_file(model.latency_ms))
    whole = graph_cost(model.whole_file(model.latency_ms))
    here = options.device == "here"
    device = measure_machine() if here else DEVICES[options.device]
    print(f"{model.name} on {device.title}")
    _print_step(step, gpu_step, device)
    print(f"without caches, a window of {model.network.whole_frames} frames again for every hop:")
    for hop_ms in _HOPS_MS:
        _print_verdict(
            f"hop of {hop_ms} ms, {'GPU' if device.gpu else 'one core'}",
            estimate_ms(whole, device, gpu=device.gpu > 0),
            hop_ms,
        )
    _print_memory(step, device)
    if here:
        _print_measured(step_path, step, device)


def _print_step(step: Cost, gpu_step: Cost, device: Device) -> None:
    gpu = f"{device.gpu:.0f}" if device.gpu else "no"
    print(f"  peak: {device.cpu_core:.0f} GFLOPS a core, {gpu} GPU, {device.bandwidth:.0f} GB/s")
    print(
        f"a frame of {FRAME_MS} ms: {step.flops / 1e6:.1f} MFLOP, "
        f"{step.weight_bytes / 1e6:.1f} MB of weights, "
        f"{step.other_bytes / 1e6:.2f} MB otherwise moved, {step.nodes} nodes"
    )
    compute_ms, memory_ms = floor_ms(step, device.cpu_core, device.core_bandwidth)
    print(
        f"  floor: {compute_ms:.3f} ms of computing on a core, and {memory_ms:.3f} ms to read what"
        f" no cache has kept, {device.core_bandwidth:.1f} GB/s"
    )
    print(f"  estimates assume {SOURCE}")
    _print_verdict("step graph, one core", estimate_ms(step, device), FRAME_MS)
    if device.gpu:
        _print_verdict(
            "step graph, GPU (CUDA provider, a launch a node)",
            estimate_ms(gpu_step, device, gpu=True),
            FRAME_MS,
        )


def _print_verdict(what: str, ms: float, hop_ms: int) -> None:
    share = ms / hop_ms
    if share < 0.5:
        verdict = "fits"
    elif share < 0.9:
        verdict = "tight"
    else:
        verdict = "too slow"
    print(f"  {what:52} {ms:9.2f} ms of {hop_ms:4}   {verdict}")


def _print_memory(step: Cost, device: Device) -> None:
    cpu_mb = PROCESS_MB + step.weight_bytes / 1e6
    cuda_mb = cpu_mb + GPU_CONTEXT_MB
    verdict = ""
    if cuda_mb > _MODEST_SHARE * device.memory_mb:
        verdict = "; too little beside a desktop and a browser"
    print(
        f"memory: {cpu_mb:.0f} MB on the CPU, {cuda_mb:.0f} MB with CUDA, "
        f"of {device.memory_mb} MB{verdict}"
    )


def _print_measured(path: str, step: Cost, device: Device) -> None:
    hot_ms, cold_ms = _measure_ms(path)
    compute_ms, _ = floor_ms(step, device.cpu_core, device.core_bandwidth)
    print(
        f"measured: step graph {cold_ms:.3f} ms after others used the caches, estimated"
        f" {estimate_ms(step, device):.3f} ms; {hot_ms:.3f} ms in a loop,"
        f" {100 * compute_ms / hot_ms:.0f} % of this core's peak"
    )


def _measure_ms(path: str) -> Tuple[float, float]:
    """Median time of a step of a graph on the CPU, with its weights in the caches, and without."""
    session = open_session(path)
    caches = session.first_caches()
    fbank = np.zeros((1, 4, 80), np.float32)
    other = np.zeros(_OTHER_BYTES, np.uint8)
    medians = []
    for cold in (False, True):
        times = []
        for _ in range(_STEPS):
            if cold:
                other += 1  # what others do between two frames
            began = time.perf_counter()
            _, caches = session.step(fbank, caches, ["landmarks"])
            times.append(time.perf_counter() - began)
        medians.append(1e3 * float(np.median(times)))
    return medians[0], medians[1]
