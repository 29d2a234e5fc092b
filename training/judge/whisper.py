"""Command: whether a whisper moves the lips like speech, and breath does not.

Prints for the held-out clips of the talker, whispered by the vocoder, how the lips follow his and
how far they move, beside speech, speech by the same vocoder, and speech in which noise alone
replaces the voice. Then for sentences in eight languages, whispered by variants of espeak-ng's
voices, how lips move beside those of other variants that say the same; espeak-ng must be
installed. And how far lips move when somebody breathes: alone, between two words, and where a
reader takes breath. Frames come from the streaming pipeline of the daemon.

Example:
    python -m training.judge.whisper --data ../shared/data
"""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Dict, Iterable, List, Tuple

import numpy as np
from tqdm import tqdm

from edgeface.build import load_model
from edgeface.motion.face import lip_gap
from edgeface.pipeline import Pipeline
from training.command import run
from training.data.grid import FOLDER, Clip, held_out, load_grid, load_words
from training.data.talker import align_clips
from training.phonetics.espeak import Speaker
from training.signal.vocoder import Voice
from training.signal.whispered import unvoiced, whispered

from .accuracy import correlations
from .animation import Animate, animate, animate_all, pipeline_of
from .breathing import alone, between_words, of_reader
from .closures import Closures
from .options import bundle_parser
from .report import Phones, lips_of, print_stillness
from .robustness import at_level, pink, with_noise
from .table import Table
from .variants import Variant

_LEVEL_DB = -26
_SOFT_DB = -46
_NOISE_DB = 20  # below a soft whisper
# variants of espeak-ng's voices, and those beside which they are judged
_VARIANTS = (("+m3", ""), ("+whisper", ""), ("+f5", "+f2"), ("+whisperf", "+f2"))
_LIPS = ("lips close at p, b, m", "at open vowels", "elsewhere, a minute")


def _closing(closures: Closures) -> Tuple[str, str, str]:
    closed, shut, strays = closures
    return f"{100 * closed:.0f} %", f"{100 * shut:.0f} %", f"{strays:.0f}"


def print_talker(pipeline: Pipeline, clips: List[Clip], phones: Phones) -> float:
    """Prints how lips follow the talker's when he whispers; returns their deviation in speech."""
    voices = [Voice(clip.samples) for clip in tqdm(clips, leave=False, disable=None)]

    def said(sounds: Iterable[np.ndarray], level: float) -> List[Clip]:
        heard = [replace(clip, samples=sound) for clip, sound in zip(clips, sounds)]
        change = at_level(level)
        return [replace(clip, samples=change(np.random.default_rng(), clip)) for clip in heard]

    as_he_speaks = [clip.samples for clip in clips]
    by_vocoder = [voice.changed(1.0, 1.0) for voice in voices]
    whispers = [whispered(voice) for voice in voices]
    noisy = with_noise(pink, _NOISE_DB)
    table = Table(
        "the talker", "gap r", "width r", "deviation of the gap, % of that in speech", *_LIPS
    )
    speech = 0.0
    for name, heard, change in (
        ("speech", said(as_he_speaks, _LEVEL_DB), None),
        (f"speech, {_SOFT_DB} dBFS", said(as_he_speaks, _SOFT_DB), None),
        ("speech by the vocoder", said(by_vocoder, _LEVEL_DB), None),
        ("noise instead of the voice", said(map(unvoiced, voices), _LEVEL_DB), None),
        ("whispered", said(whispers, _LEVEL_DB), None),
        (f"whispered, {_SOFT_DB} dBFS", said(whispers, _SOFT_DB), None),
        (f"the same in pink noise, {_NOISE_DB} dB softer", said(whispers, _SOFT_DB), noisy),
    ):
        faces = animate_all(pipeline, heard, change)
        gap, width = correlations(faces, clips)
        deviation = float(np.concatenate([lip_gap(face) for face in faces]).std())
        speech = speech or deviation
        share = f"{100 * deviation / speech:.0f} %"
        closures = lips_of(faces, clips, phones)[0]
        table.row(name, f"{gap:.3f}", f"{width:.3f}", share, *_closing(closures))
    return speech


def print_variants(animate_sound: Animate) -> None:
    """Prints how lips move when variants of espeak-ng's voices whisper, beside others."""
    speaker = Speaker()
    table = Table(
        "espeak-ng", "beside", "gap r", "width r", "deviation of the gap, % of the other's", *_LIPS
    )
    known: Dict[str, Variant] = {}
    for level in (_LEVEL_DB, _SOFT_DB):
        for name, other in _VARIANTS:
            if other not in known:
                known[other] = Variant(speaker, other, _LEVEL_DB, animate_sound)
            row = Variant(speaker, name, level, animate_sound).beside(known[other])
            table.row(
                f"{name}, {level} dBFS",
                other or "no variant",
                f"{row.gap:.3f}",
                f"{row.width:.3f}",
                f"{100 * row.share:.0f} %",
                *_closing(row.closures),
            )


def print_breath(animate_sound: Animate, data: Path, speech: float) -> None:
    """Prints how else lips move with a breath amid speech than with silence.

    :param data: folder that holds kerstin
    :param speech: deviation of the gap in speech
    """
    table = Table(
        "amid speech",
        "breaths",
        "lips open more than in silence by, median, % of the gap's deviation in speech",
        "largest",
    )
    for name, moments in chain(between_words(), [("Kerstin's own", of_reader(data))]):
        more = [100 * moment.opening(animate_sound) / speech for moment in moments]
        table.row(name, str(len(more)), f"{np.median(more):.0f}", f"{max(more):.0f}")


def main() -> None:
    """Command line.

    :raises UnavailableError: espeak-ng is not installed
    """
    options = bundle_parser(__doc__, "grid_s1 and kerstin").parse_args()
    bundle = load_model(options.bundle)
    pipeline = pipeline_of(bundle, bundle.latency_ms)
    clips = held_out(load_grid(options.data / FOLDER)[0])

    def animate_sound(samples: np.ndarray) -> np.ndarray:
        return animate(pipeline, samples)

    print(f"{bundle.name} {bundle.version}, {len(clips)} held-out clips\n")
    speech = print_talker(pipeline, clips, align_clips(clips, load_words(options.data)))
    print()
    print_variants(animate_sound)
    print_stillness(pipeline, alone(), speech)
    print()
    print_breath(animate_sound, options.data, speech)


if __name__ == "__main__":
    run(main)
