"""`edgeface read`: prints frames, for authors of renderers."""

import json
import sys

from ..core.clock import monotonic_ns
from ..core.errors import UnavailableError, UsageError
from ..motion.face import BLENDSHAPES, lip_gap
from ..shm.layout import STATE_NAMES
from ..shm.reader import Reader

EXAMPLE = """examples:
  edgeface read                    until Ctrl-C
  edgeface read -n 1 --json        one frame with all its values"""


def add_arguments(parser):
    """Adds the verb's arguments."""
    parser.add_argument(
        "--shm", metavar="NAME", default="edgeface", help="name of the shared memory"
    )
    parser.add_argument("-n", metavar="N", type=int, default=0, help="end after N frames; 0: never")
    parser.add_argument("--json", action="store_true", help="one JSON object a frame, all values")


def execute(options):
    """Runs the verb; ends with 69 when there is no writer at the start."""
    try:
        reader = Reader(options.shm)
    except ValueError as error:
        raise UsageError(str(error)) from None
    with reader:
        if not reader.alive:
            raise UnavailableError(
                f"shared memory /dev/shm/{options.shm}: nobody writes it; start `edgeface run`"
            )
        count = 0
        for frame in reader.frames():
            if frame is None:
                sys.stderr.write("the writer is gone; waiting for the next one\n")
                continue
            sys.stdout.write((_json if options.json else _text)(frame, reader.header()) + "\n")
            sys.stdout.flush()
            count += 1
            if count == options.n:
                return


def _latency_ms(frame):
    return (frame.publish_ns - frame.audio_ns) / 1e6


def _text(frame, header):
    landmarks = frame.landmarks
    gap = float(lip_gap(landmarks))
    return (
        "frame %7d  %-8s  latency %5.0f ms  age %4.0f ms  level %4.0f dBFS  F0 %3.0f Hz  lip gap %.3f  flags %d"
        % (
            frame.index,
            STATE_NAMES[header["state"]] if header else "gone",
            _latency_ms(frame),
            (monotonic_ns() - frame.publish_ns) / 1e6,
            frame.rms_dbfs,
            frame.f0_hz,
            gap,
            frame.flags,
        )
    )


def _json(frame, header):
    return json.dumps(
        {
            "index": frame.index,
            "state": STATE_NAMES[header["state"]] if header else "gone",
            "audio_sample": frame.audio_sample,
            "audio_ns": frame.audio_ns,
            "publish_ns": frame.publish_ns,
            "latency_ms": round(_latency_ms(frame), 3),
            "flags": frame.flags,
            "rms_dbfs": round(frame.rms_dbfs, 2),
            "f0_hz": round(frame.f0_hz, 2),
            "landmarks": [[round(float(v), 5) for v in point] for point in frame.landmarks],
            "blendshapes": {
                name: round(float(v), 4) for name, v in zip(BLENDSHAPES, frame.blendshapes)
            },
        }
    )
