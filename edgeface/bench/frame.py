"""What a frame costs, by stage, on one core."""

import os
import time

import numpy as np

from ..build import build_pipeline
from ..core.rates import HOP_SAMPLES, MS_NS, SAMPLE_RATE_HZ
from ..daemon.stats import Stats
from ..features.f0 import F0
from ..features.fbank import Fbank
from ..features.level import level_dbfs
from ..model.runtime import open_session
from ..model.stepper import LEAD_SAMPLES, Stepper
from ..motion.blink import Blinker
from ..motion.frame import Frame
from ..shm.writer import Writer
from ..telemetry.latency import Latency
from ..telemetry.recorder import Recorder


def _each_ms(function, items):
    """Median time of a call in ms."""
    times = []
    for item in items:
        began = time.perf_counter()
        function(item)
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def _telemetry():
    """What the loop tells telemetry about a frame that came in four blocks."""
    latency = Latency(10**9)

    def tell(k):
        for _ in range(4):
            latency.block(10**7, 10**6)
        for name in ("features", "encoder", "motion"):
            latency.stage(name)
        latency.published(k * 40000000, k * 40000000 - 10**8)

    return tell


def measure_stages(settings, bundle, samples):
    """Median ms per 40 ms frame of each stage and of the whole; names to floats.

    :param samples: float32 [N], 16 kHz, a voice
    """
    hops = [
        samples[at : at + HOP_SAMPLES] for at in range(0, len(samples) - HOP_SAMPLES, HOP_SAMPLES)
    ]
    fbank, f0 = Fbank(), F0()
    stages = {
        "Fbank": _each_ms(fbank.accept, hops),
        "F0": _each_ms(f0.accept, hops),
        "level": _each_ms(level_dbfs, hops),
    }
    lookahead_ms = settings.motion.lookahead_ms
    stepper = Stepper(
        open_session(bundle.step_file(lookahead_ms), settings.model.provider), bundle.context_frames
    )
    feature = Fbank()
    feature.accept(np.zeros(LEAD_SAMPLES, np.float32))
    stages["encoder and head"] = _each_ms(stepper.step, [feature.accept(hop) for hop in hops])
    blinker = Blinker()
    face = [(np.zeros((68, 3), np.float32), np.zeros(52, np.float32)) for _ in hops]
    stages["idle layer"] = _each_ms(lambda arrays: blinker.apply(*arrays), face)
    with Writer(f"edgeface-bench-{os.getpid()}", bundle.crc32, 80 * MS_NS) as writer:
        frames = [
            Frame(k, landmarks, shapes, 0.0, 0.0, 0) for k, (landmarks, shapes) in enumerate(face)
        ]
        stages["publish"] = _each_ms(lambda frame: writer.publish(frame, 0, 0), frames)
    stages["telemetry, each frame"] = _each_ms(_telemetry(), range(len(hops)))
    recorder = Recorder(Stats(), None, 60)
    stages["telemetry, each second"] = _each_ms(lambda _: recorder.sample(), range(20))
    recorder.close()  # also ends a tegrastats child
    pipeline = build_pipeline(settings, bundle)
    began = time.perf_counter()
    count = len(pipeline.accept(samples)) + len(pipeline.finish())
    stages["whole pipeline, mean"] = 1e3 * (time.perf_counter() - began) / count
    return stages


def opening_ms(settings, bundle):
    """Milliseconds of opening the step graph in this process, for the first time and again, and of its first run."""
    path, times = bundle.step_file(settings.motion.lookahead_ms), []
    for _ in range(2):
        began = time.perf_counter()
        session = open_session(path, settings.model.provider)
        opened = time.perf_counter()
        session.step(np.zeros((1, 4, 80), np.float32), session.first_caches(), ["landmarks"])
        times.append((1e3 * (opened - began), 1e3 * (time.perf_counter() - opened)))
    return times


def real_time_factor(stages):
    """Seconds of computing per second of sound."""
    return stages["whole pipeline, mean"] / (1e3 * HOP_SAMPLES / SAMPLE_RATE_HZ)
