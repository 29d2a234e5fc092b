"""Command: how well lips follow raised voices, which are higher, livelier and brighter.

Prints for the held-out clips of the talker, changed by the vocoder, how the lips follow his and how
far they move; each change alone, and all at once. His own lips did not raise his voice, so their
range is that of speech. Frames come from the streaming pipeline of the daemon.

Example:
    python -m training.judge.raised --data ../shared/data
"""

from dataclasses import replace
from typing import Callable, List, Tuple

import numpy as np
from tqdm import tqdm

from edgeface.build import load_model
from edgeface.motion.face import lip_gap, mouth_width
from edgeface.pipeline import Pipeline
from training.command import run
from training.data.grid import FOLDER, Clip, held_out, load_grid
from training.signal.raised import brighter, higher, wider_open
from training.signal.vocoder import Voice

from .accuracy import correlations
from .animation import animate_all, pipeline_of
from .options import bundle_parser
from .robustness import at_level
from .table import Table

_LEVEL_DB = -26
_LIVELIER = 1.5

_Raise = Callable[[Voice], np.ndarray]


def _pitched(pitch: float, envelope: Callable[[np.ndarray], np.ndarray]) -> _Raise:
    def change(voice: Voice) -> np.ndarray:
        variation = 1.0 if pitch == 1 else _LIVELIER
        f0_hz = higher(voice, pitch, variation)
        return voice.speak(f0_hz, envelope(voice.log_envelope), voice.noise)

    return change


def _same(log_envelope: np.ndarray) -> np.ndarray:
    return log_envelope


def _both(log_envelope: np.ndarray) -> np.ndarray:
    return brighter(wider_open(log_envelope))


_CHANGES: Tuple[Tuple[str, _Raise], ...] = (
    ("speech by the vocoder", _pitched(1, _same)),
    ("F0 x 1.5, livelier", _pitched(1.5, _same)),
    ("F0 x 2, livelier", _pitched(2, _same)),
    ("first formant 12 % higher", _pitched(1, wider_open)),
    ("6 dB an octave brighter above 1 kHz", _pitched(1, brighter)),
    ("all, F0 x 1.5", _pitched(1.5, _both)),
    ("all, F0 x 2", _pitched(2, _both)),
)


def print_raised(pipeline: Pipeline, clips: List[Clip]) -> None:
    """Prints how lips follow each change of the voice."""
    voices = [Voice(clip.samples) for clip in tqdm(clips, leave=False, disable=None)]
    table = Table("the talker", "gap r", "width r", "deviation of the gap, %", "of the width, %")
    speech = None
    for name, change in _CHANGES:
        heard = [replace(clip, samples=change(voice)) for clip, voice in zip(clips, voices)]
        faces = animate_all(pipeline, heard, at_level(_LEVEL_DB))
        gap, width = correlations(faces, clips)
        joined = np.concatenate(faces)
        deviations = np.array([lip_gap(joined).std(), mouth_width(joined).std()])
        speech = deviations if speech is None else speech
        shares = (f"{100 * share:.0f} %" for share in deviations / speech)
        table.row(name, f"{gap:.3f}", f"{width:.3f}", *shares)


def main() -> None:
    """Command line."""
    options = bundle_parser(__doc__, "grid_s1").parse_args()
    bundle = load_model(options.bundle)
    clips = held_out(load_grid(options.data / FOLDER)[0])
    print(f"{bundle.name} {bundle.version}, {len(clips)} held-out clips\n")
    print_raised(pipeline_of(bundle, bundle.latency_ms), clips)


if __name__ == "__main__":
    run(main)
