"""What a frame costs, by stage, on one core."""

import os
import time
from typing import Any, Callable, Dict, Iterable, List, Tuple

import numpy as np

from ..build import build_pipeline
from ..config import Settings
from ..core.rates import FRAME_MS, HOP_SAMPLES, MS_NS, SECOND_NS
from ..daemon.stats import Stats
from ..features.f0 import F0
from ..features.fbank import Fbank
from ..features.level import level_dbfs
from ..life.life import Life
from ..life.sound import Sound
from ..model.model import Model
from ..model.runtime.compute import Compute
from ..model.runtime.providers import open_session
from ..model.step_model import require_step_model
from ..model.stepper import LEAD_SAMPLES
from ..motion.calibration import Calibration
from ..motion.frame import Frame
from ..motion.mouth import MouthShapes
from ..shm.writer import Writer
from ..telemetry.latency import Latency
from ..telemetry.recorder import Recorder

_LATE_NS = SECOND_NS
_BLOCKS_PER_FRAME = 4


def measure_stages(settings: Settings, model: Model, samples: np.ndarray) -> Dict[str, float]:
    """Median ms of each stage of a frame, and the mean of the whole; by name.

    :param samples: a voice, float32 [N], 16 kHz
    :raises UnavailableError: the model has no step graph
    """
    hops = [
        samples[at : at + HOP_SAMPLES] for at in range(0, len(samples) - HOP_SAMPLES, HOP_SAMPLES)
    ]
    stages = {
        "Fbank": _median_ms(Fbank().accept, hops),
        "F0": _median_ms(F0().accept, hops),
        "level": _median_ms(level_dbfs, hops),
        "encoder and head": _model_ms(settings, model, hops),
    }
    faces = [(np.zeros((68, 3), np.float32), np.zeros(52, np.float32)) for _ in hops]
    mouth = MouthShapes(model.neutral)
    stages["blendshapes of the mouth"] = _median_ms(
        lambda face: mouth.apply(face[0][None], face[1][None]), faces
    )
    life, sound = Life(), Sound(-20.0, 120.0, True)
    stages["idle layer"] = _median_ms(lambda face: life.apply(face[0], face[1], sound), faces)
    calibration = Calibration(model.neutral, strength=1.1)
    stages["calibration, if set"] = _median_ms(lambda face: calibration.apply(*face), faces)
    stages["publish"] = _publish_ms(model, faces)
    stages["telemetry, each frame"] = _median_ms(_telemetry(), range(len(hops)))
    recorder = Recorder(Stats(), None, 60)
    stages["telemetry, each second"] = _median_ms(lambda _: recorder.sample(), range(20))
    recorder.close()  # also ends a tegrastats child
    pipeline = build_pipeline(settings, model)
    began = time.perf_counter()
    count = len(pipeline.accept(samples)) + len(pipeline.finish())
    stages["whole pipeline, mean"] = 1e3 * (time.perf_counter() - began) / count
    return stages


def opening_ms(settings: Settings, model: Model) -> List[Tuple[float, float]]:
    """Milliseconds of opening the step graph in this process, and of its first run.

    :return: both of the first time, and of the second
    :raises UnavailableError: the model has no step graph
    """
    step_model = require_step_model(model)
    lookahead_ms = settings.motion.lookahead_ms
    path = step_model.step_file(lookahead_ms)
    cpu_path = step_model.cpu_step_file(lookahead_ms)
    fbank = np.zeros((1, 4, 80), np.float32)
    times = []
    for _ in range(2):
        began = time.perf_counter()
        session = open_session(path, Compute(settings.model.provider), cpu_path)
        opened = time.perf_counter()
        session.step(fbank, session.first_caches(), ["landmarks"])
        run = time.perf_counter()
        times.append((1e3 * (opened - began), 1e3 * (run - opened)))
    return times


def real_time_factor(stages: Dict[str, float]) -> float:
    """Seconds of computing per second of sound, of what `measure_stages` measured."""
    return stages["whole pipeline, mean"] / FRAME_MS


def _median_ms(function: Callable[[Any], object], items: Iterable[Any]) -> float:
    """Median time of a call in ms."""
    times = []
    for item in items:
        began = time.perf_counter()
        function(item)
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def _model_ms(settings: Settings, model: Model, hops: List[np.ndarray]) -> float:
    stepper = require_step_model(model).open_stepper(
        settings.motion.lookahead_ms, Compute(settings.model.provider)
    )
    fbank = Fbank()
    fbank.accept(np.zeros(LEAD_SAMPLES, np.float32))
    features = [fbank.accept(hop) for hop in hops]
    return _median_ms(lambda rows: stepper.step(rows, (0.0,), (0.0,)), features)


def _publish_ms(model: Model, faces: List[Tuple[np.ndarray, np.ndarray]]) -> float:
    frames = [
        Frame(k, landmarks, blendshapes, 0.0, 0.0, 0)
        for k, (landmarks, blendshapes) in enumerate(faces)
    ]
    with Writer(f"edgeface-bench-{os.getpid()}", model.crc32, 80 * MS_NS) as writer:
        return _median_ms(lambda frame: writer.publish(frame, 0, 0), frames)


def _telemetry() -> Callable[[int], None]:
    """What the loop reports to telemetry about frame k, which came in four blocks."""
    latency = Latency(_LATE_NS)

    def report(k: int) -> None:
        for _ in range(_BLOCKS_PER_FRAME):
            latency.block(10 * MS_NS, MS_NS)
        for name in ("features", "encoder", "motion"):
            latency.stage(name)
        now_ns = FRAME_MS * MS_NS * k
        latency.published(now_ns, now_ns - 100 * MS_NS)

    return report
