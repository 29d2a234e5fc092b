"""`edgeface motion`: audio file to motion file."""

import argparse
from typing import List, Tuple

import numpy as np

from ..build import build_pipeline, calibration_of, load_model
from ..config import Settings
from ..core.rates import HOP_SAMPLES, MS_NS
from ..features.f0 import F0
from ..features.level import level_dbfs
from ..model.model import Model
from ..model.runtime.compute import Compute
from ..motion.calibration import Calibration
from ..motion.file import save_motion
from ..motion.frame import SPEECH, Frame
from ..source.file import FileSource, read_whole
from .common import add_model_arguments, settings_of

EXAMPLE = """example:
  edgeface motion speech.wav -o speech.npz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("audio", metavar="AUDIO", help="sound file of any rate and channel count")
    parser.add_argument(
        "-o", "--out", metavar="FILE.npz", required=True, help="motion file to write"
    )
    parser.add_argument(
        "--whole",
        action="store_true",
        help="compute without caches and without blinks, for comparing with the stream",
    )
    add_model_arguments(parser)


def execute(options: argparse.Namespace) -> None:
    """Runs the command."""
    settings = settings_of(options)
    if options.whole:
        model = load_model(settings.model.bundle)
        lookahead_ms = model.lookahead_ms(settings.motion.lookahead_ms)
        compute = Compute(settings.model.provider)
        calibration = calibration_of(settings.motion, model)
        frames = _whole_file(read_whole(options.audio), model, lookahead_ms, compute, calibration)
        latency_ns = lookahead_ms * MS_NS
    else:
        frames, latency_ns = stream_file(options.audio, settings)
    save_motion(options.out, frames, latency_ns)


def stream_file(path: str, settings: Settings) -> Tuple[List[Frame], int]:
    """A sound file through the streaming pipeline: frames, and the algorithmic latency in ns."""
    source = FileSource(path, fast=True)
    pipeline = build_pipeline(settings, load_model(settings.model.bundle))
    frames = []
    block = source.read(0.0)
    while block is not None:
        frames += pipeline.accept(block.samples)
        block = source.read(0.0)
    return frames + pipeline.finish(), pipeline.latency_ns


def _whole_file(
    samples: np.ndarray, model: Model, lookahead_ms: int, compute: Compute, calibration: Calibration
) -> List[Frame]:
    motion = model.whole_motion(samples, lookahead_ms, compute)
    count = len(motion.landmarks)
    f0 = F0()
    f0_hz = np.concatenate((f0.accept(samples), f0.finish()))[::2]
    f0_hz = np.pad(f0_hz, (0, count - len(f0_hz)), "constant")
    frames = []
    for k in range(count):
        hop = samples[HOP_SAMPLES * k : HOP_SAMPLES * (k + 1)]
        flags = SPEECH if motion.speech[k] > 0.5 else 0
        landmarks, blendshapes = calibration.apply(motion.landmarks[k], motion.blendshapes[k])
        frames.append(
            Frame(
                k,
                landmarks,
                blendshapes,
                float(f0_hz[k]),
                level_dbfs(hop),
                flags,
            )
        )
    return frames
