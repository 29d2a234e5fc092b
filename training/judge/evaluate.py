"""Command: how well a bundle's face follows real lips.

Prints mean per-clip correlations of lip gap and mouth width with the tracked face on the held-out
clips of the corpus, as they are, in other voices and through noise; stillness in silence, noise
and, with --cache, music and other sounds; speeds and blendshapes against those of the talker;
closures, rounding and rest in eight languages, spoken by espeak-ng and, with --cache, by voices and
people whom the training has not heard. Frames come from the streaming pipeline of the daemon.

Example:
    python -m training.judge.evaluate --data ../shared/data
"""

import argparse
from pathlib import Path
from typing import Callable, List, Optional, Tuple

import numpy as np

from edgeface.build import load_model as load_bundle
from edgeface.core.errors import UnavailableError
from edgeface.motion.face import lip_gap
from training.command import run
from training.data.grid import FOLDER, held_out, load_grid, load_words
from training.data.store import Store
from training.data.talker import align_clips
from training.targets.phone_to_motion import load_model

from . import report, unheard
from .accuracy import each_correlation
from .animation import animate, pipeline_of
from .closures import Spoken, judge
from .options import bundle_parser
from .plots import plot_gaps, plot_latency, plot_speeds
from .robustness import no_speech
from .similarity import alike


def everyone(store: Optional[Store]) -> List[Tuple[str, Spoken]]:
    """By whom bundles are judged besides the talker; who is not installed is left out."""
    found = [("espeak-ng speaks", unheard.synthetic())]
    if store is None:
        return found
    groups: List[Tuple[str, Callable[[], Spoken]]] = [
        ("unheard voices read English", unheard.english_voices),
        ("unheard voices read other languages", lambda: unheard.other_voices(store.folder)),
        ("people speak", lambda: unheard.recorded(store)),
    ]
    for name, load in groups:
        try:
            found.append((name, load()))
        except UnavailableError as error:
            print(f"\nleft out: as {name}: {error}")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = bundle_parser(__doc__, "grid_s1")
    add = parser.add_argument
    add("--cache", type=Path, help="folder that `python -m training` filled: music, people")
    add("--plots", type=Path, help="folder for pictures")
    return parser


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    clips, neutral = load_grid(options.data / FOLDER)
    clips = held_out(clips)
    store = Store(options.cache) if options.cache else None
    bundle = load_bundle(options.bundle)
    print(f"{bundle.name} {bundle.version}, {len(clips)} held-out clips\n")
    by_lookahead, accuracy = report.print_lookaheads(bundle, clips)
    faces = by_lookahead[bundle.latency_ms]
    gaps, widths = each_correlation(faces, clips)
    report.print_spread("lip gap", gaps, clips)
    report.print_spread("mouth width", widths, clips)
    pipeline = pipeline_of(bundle, bundle.latency_ms)
    report.print_conditions(pipeline, clips, store, bundle.latency_ms)
    deviation = float(np.concatenate([lip_gap(face) for face in faces]).std())
    report.print_stillness(pipeline, no_speech(store), deviation)
    report.print_rest(pipeline, clips, neutral, deviation)
    phones = align_clips(clips, load_words(options.data))
    report.print_lips(faces, clips, phones)
    groups = everyone(store)
    report.print_blendshapes(pipeline, clips, phones, groups[0][1])
    for who, spoken in groups:
        rows = judge(lambda samples: animate(pipeline, samples), spoken)
        report.print_languages(f"as {who}", rows)
    if store:
        model = load_model(store.folder)
        for who, spoken in groups:
            likeness = alike(lambda samples: animate(pipeline, samples), model, spoken)
            report.print_alike(f"as {who}, beside the motion of its phones", likeness)
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        plot_gaps(options.plots, clips, faces, gaps)
        plot_latency(options.plots, accuracy)
        plot_speeds(options.plots, clips, faces)


if __name__ == "__main__":
    run(main)
