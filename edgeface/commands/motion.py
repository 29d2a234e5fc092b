"""`edgeface motion`: audio file to motion file."""

import numpy as np

from ..build import build_pipeline, load_bundle, whole_pass
from ..core.rates import HOP_SAMPLES, MS_NS
from ..features.f0 import F0
from ..features.level import level_dbfs
from ..motion.file import save_motion
from ..motion.frame import SPEECH, Frame
from ..source.file import FileSource, read_whole
from .common import add_model_arguments, settings_of

EXAMPLE = """example:
  edgeface motion speech.wav -o speech.npz"""


def add_arguments(parser):
    """Adds the verb's arguments."""
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


def execute(options):
    """Runs the verb."""
    settings = settings_of(options)
    if options.whole:
        bundle = load_bundle(settings.model.bundle)
        frames = _whole(read_whole(options.audio), settings, bundle)
        latency_ns = bundle.lookahead_ms(settings.motion.lookahead_ms) * MS_NS
    else:
        frames, latency_ns = stream_file(options.audio, settings)
    save_motion(options.out, frames, latency_ns)


def stream_file(path, settings):
    """The frames of a sound file through the streaming pipeline, and its algorithmic latency in ns."""
    source = FileSource(path, fast=True)
    pipeline = build_pipeline(settings, load_bundle(settings.model.bundle))
    frames = []
    block = source.read(0.0)
    while block is not None:
        frames += pipeline.accept(block.samples)
        block = source.read(0.0)
    return frames + pipeline.finish(), pipeline.latency_ns


def _whole(samples, settings, bundle):
    f0 = F0()
    f0_hz = np.concatenate((f0.accept(samples), f0.finish()))[::2]
    f0_hz = np.pad(f0_hz, (0, -(-len(samples) // HOP_SAMPLES) - len(f0_hz)), "constant")
    landmarks, blendshapes, speech = whole_pass(
        bundle, samples, settings.model.provider, settings.motion.lookahead_ms
    )
    return [
        Frame(
            k,
            landmarks[k],
            blendshapes[k],
            float(f0_hz[k]),
            level_dbfs(samples[HOP_SAMPLES * k : HOP_SAMPLES * (k + 1)]),
            SPEECH if speech[k] > 0.5 else 0,
        )
        for k in range(len(landmarks))
    ]
