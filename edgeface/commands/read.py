"""`edgeface read`: prints frames, for authors of renderers."""

import argparse
import json
import sys
from typing import Dict, Optional

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError
from ..core.rates import MS_NS
from ..motion.face import BLENDSHAPES, lip_gap
from ..shm.layout import state_name
from ..shm.reader import Reader, ReadFrame
from .common import add_segment_arguments, segment_name

EXAMPLE = """examples:
  edgeface read                    until Ctrl-C
  edgeface read -n 1 --json        one frame with all its values"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    add_segment_arguments(parser)
    parser.add_argument("-n", metavar="N", type=int, default=0, help="end after N frames; 0: never")
    parser.add_argument("--json", action="store_true", help="one JSON object a frame, all values")


def execute(options: argparse.Namespace) -> None:
    """Runs the verb; ends with 69 when there is no writer at the start."""
    name = segment_name(options)
    line_of = _json if options.json else _text
    with Reader(name) as reader:
        if not reader.alive:
            raise UnavailableError(
                f"shared memory /dev/shm/{name}: no writer; start `edgeface run`"
            )
        count = 0
        for frame in reader.frames():
            if frame is None:
                sys.stderr.write("the writer is gone; waiting for the next one\n")
                continue
            sys.stdout.write(f"{line_of(frame, reader.header())}\n")
            sys.stdout.flush()
            count += 1
            if count == options.n:
                return


def _state(header: Optional[Dict[str, int]]) -> str:
    return state_name(header["state"]) if header else "gone"


def _latency_ms(frame: ReadFrame) -> float:
    return (frame.publish_ns - frame.audio_ns) / MS_NS


def _text(frame: ReadFrame, header: Optional[Dict[str, int]]) -> str:
    age_ms = (monotonic_ns() - frame.publish_ns) / MS_NS
    gap = float(lip_gap(frame.landmarks))
    return (
        f"frame {frame.index:7}  {_state(header):8}"
        f"  latency {_latency_ms(frame):5.0f} ms  age {age_ms:4.0f} ms"
        f"  level {frame.rms_dbfs:4.0f} dBFS  F0 {frame.f0_hz:3.0f} Hz"
        f"  lip gap {gap:.3f}  flags {frame.flags}"
    )


def _json(frame: ReadFrame, header: Optional[Dict[str, int]]) -> str:
    landmarks = [[round(float(value), 5) for value in point] for point in frame.landmarks]
    blendshapes = {
        name: round(float(value), 4) for name, value in zip(BLENDSHAPES, frame.blendshapes)
    }
    return json.dumps(
        {
            "index": frame.index,
            "state": _state(header),
            "audio_sample": frame.audio_sample,
            "audio_ns": frame.audio_ns,
            "publish_ns": frame.publish_ns,
            "latency_ms": round(_latency_ms(frame), 3),
            "flags": frame.flags,
            "rms_dbfs": round(frame.rms_dbfs, 2),
            "f0_hz": round(frame.f0_hz, 2),
            "landmarks": landmarks,
            "blendshapes": blendshapes,
            "head": [round(float(value), 5) for value in frame.head],
            "gaze": [round(float(value), 5) for value in frame.gaze],
        }
    )
