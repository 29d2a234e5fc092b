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
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from edgeface.core.errors import UnavailableError
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.model.bundle import Bundle
from edgeface.pipeline import Pipeline
from training.data.faces import lip_gap, mouth_width
from training.data.grid import FOLDER, Clip, held_out, load_grid, load_words
from training.data.store import Store
from training.data.talker import align_clips
from training.phonetics.timing import PhoneTimes, one_after_another
from training.targets.phone_to_motion import load_model

from . import blendshapes, unheard
from .accuracy import (
    correlations,
    each_correlation,
    extremes,
    rest_after_speech_s,
    spoken_correlation,
    stillness,
)
from .animation import animate, animate_all, pipeline_of
from .closures import Closures, Judgement, Spoken, closing, judge, rounding
from .plots import plot_gaps, plot_latency, plot_speeds
from .robustness import conditions, no_speech
from .similarity import Likeness, alike
from .table import Table

LOOKAHEADS_MS = (0, 40, 80, 160)
_STIRRED = 1  # % of the gap's deviation in speech

Faces = List[np.ndarray]
"""Landmarks [T, 68, 3] of every clip."""
Phones = Sequence[Optional[PhoneTimes]]
"""Of every clip, None where unknown."""


def print_lookaheads(
    bundle: Bundle, clips: List[Clip]
) -> Tuple[Dict[int, Faces], Dict[int, Tuple[float, float]]]:
    """Prints the accuracy at every look-ahead; returns the faces and that, by ms."""
    table = Table("look-ahead", "lip gap", "mouth width")
    faces = {}
    accuracy = {}
    for ms in LOOKAHEADS_MS:
        faces[ms] = animate_all(pipeline_of(bundle, ms), clips)
        gap, width = accuracy[ms] = correlations(faces[ms], clips)
        table.row(f"{ms} ms", f"{gap:.3f}", f"{width:.3f}")
    return faces, accuracy


def print_spread(title: str, values: List[float], clips: List[Clip]) -> None:
    """Prints what the mean of the clips' correlations hides."""
    worst = int(np.argmin(values))
    others = np.mean(np.delete(values, worst))
    certain = 1.96 * np.std(values) / len(values) ** 0.5
    print(
        f"\n{title} of single clips: median {np.median(values):.3f}, worst {values[worst]:.2f} "
        f"({clips[worst].name}; mean of the others {others:.3f}), mean of all +-{certain:.3f} "
        "(95 %)"
    )


def print_conditions(
    pipeline: Pipeline, clips: List[Clip], store: Optional[Store], latency_ms: int
) -> None:
    """Prints the accuracy in other voices, through noise and at other levels."""
    print()
    table = Table(f"at {latency_ms} ms", "lip gap", "lip gap from the first word on", "mouth width")
    for name, change in conditions(clips, store):
        faces = animate_all(pipeline, clips, change)
        gap, width = correlations(faces, clips)
        spoken = spoken_correlation(faces, clips)
        table.row(name, f"{gap:.3f}", f"{spoken:.3f}", f"{width:.3f}")


def print_stillness(pipeline: Pipeline, store: Optional[Store], deviation: float) -> None:
    """Prints how far lips move where nobody speaks.

    :param deviation: of the lip gap in speech
    """
    print()
    table = Table(
        "no speech",
        "sounds",
        "deviation of the lip gap, median, % of that in speech",
        "largest",
        f"above {_STIRRED} %",
    )
    for name, sounds in no_speech(store):
        ratios = 100 * np.array(stillness(pipeline, sounds, deviation))
        table.row(
            name,
            str(len(ratios)),
            f"{np.median(ratios):.2f}",
            f"{max(ratios):.2f}",
            str((ratios > _STIRRED).sum()),
        )


def lips_of(faces: Faces, clips: List[Clip], phones: Phones) -> Tuple[Closures, float]:
    """How lips close, and how often rounded vowels are narrower than spread ones."""
    known = one_after_another(phones, [len(face) for face in faces])
    joined = np.concatenate(faces)
    talking = np.concatenate([clip.speech > 0 for clip in clips])
    return closing(lip_gap(joined), talking, known), rounding(mouth_width(joined), known)


def print_lips(faces: Faces, clips: List[Clip], phones: Phones) -> None:
    """Prints closures, rounding, speed and acceleration beside the talker's."""
    tracked = [clip.landmarks for clip in clips]
    ours, our_rounding = lips_of(faces, clips, phones)
    theirs, their_rounding = lips_of(tracked, clips, phones)
    for name, a, b in (
        ("lips close at p, b, m", ours.closed, theirs.closed),
        ("lips close at open vowels", ours.shut, theirs.shut),
    ):
        print(f"{name}: {100 * a:.0f} % (the talker's: {100 * b:.0f} %)")
    print(
        f"lips close elsewhere: {ours.strays:.0f} times a minute of speech "
        f"(the talker's: {theirs.strays:.0f})"
    )
    print(
        f"rounded vowels narrower than spread ones: {100 * our_rounding:.0f} % "
        f"(the talker's: {100 * their_rounding:.0f} %)"
    )
    for name, a, b in zip(("speed", "acceleration"), extremes(faces), extremes(tracked)):
        print(f"99.9th percentile of lip {name}, units a frame: {a:.4f} (the talker's: {b:.4f})")


def print_blendshapes(
    pipeline: Pipeline, clips: List[Clip], phones: Phones, spoken: Spoken
) -> None:
    """Prints how blendshapes follow, and how often lips pucker where they should.

    :param spoken: of `unheard.synthetic`
    """
    pairs = [pair for sentences in spoken.values() for pair in sentences]
    said = [phones for _, phones in pairs]
    ours = [animate(pipeline, clip.samples, "blendshapes") for clip in clips]
    theirs = [clip.blendshapes for clip in clips]
    others = [animate(pipeline, samples, "blendshapes") for samples, _ in pairs]
    print()
    table = Table(
        "blendshape",
        "deviation of the talker's",
        "of the face's, % of it",
        "correlation",
        "as espeak-ng speaks, % of it",
    )
    for one in blendshapes.follow(*map(np.concatenate, (ours, theirs, others))):
        table.row(
            one.name,
            f"{one.deviation:.3f}",
            f"{100 * one.share:.0f}",
            f"{one.correlation:.2f}",
            f"{100 * one.elsewhere:.0f}",
        )
    ours_puckered, theirs_puckered, others_puckered = (
        100 * blendshapes.puckering(tracks, known)
        for tracks, known in ((ours, phones), (theirs, phones), (others, said))
    )
    print(
        f"\nlips more puckered in rounded vowels than in spread ones: {ours_puckered:.0f} % (the "
        f"talker's: {theirs_puckered:.0f} %; as espeak-ng speaks: {others_puckered:.0f} %)"
    )


def print_languages(title: str, rows: List[Judgement]) -> None:
    """Prints rows of `closures.judge`."""
    print()
    table = Table(
        title,
        "p, b, m",
        "closed, %",
        "open vowels closed, %",
        "closures elsewhere, a minute",
        "rounded vowels narrower than spread ones, %",
        "deviation of the gap",
        "in pauses, % of it",
    )
    for row in rows:
        table.row(
            row.language,
            str(row.bilabials),
            f"{100 * row.closures.closed:.0f}",
            f"{100 * row.closures.shut:.0f}",
            f"{row.closures.strays:.0f}",
            f"{100 * row.rounding:.0f}",
            f"{row.motion:.4f}",
            f"{row.rest:.2f}",
        )


def print_alike(title: str, rows: List[Likeness]) -> None:
    """Prints rows of `similarity.alike`."""
    print()
    table = Table(title, "recordings", "lip gap", "mouth width")
    for row in rows:
        table.row(row.language, str(row.recordings), f"{row.gap:.3f}", f"{row.width:.3f}")


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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder that holds grid_s1")
    add("--cache", type=Path, help="folder that `python -m training` filled: music, people")
    add("--bundle", default=DEFAULT_BUNDLE, help="folder; default: the package's own")
    add("--plots", type=Path, help="folder for pictures")
    return parser


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    clips, neutral = load_grid(options.data / FOLDER)
    clips = held_out(clips)
    store = Store(options.cache) if options.cache else None
    bundle = Bundle(options.bundle)
    print(f"{bundle.name} {bundle.version}, {len(clips)} held-out clips\n")
    by_lookahead, accuracy = print_lookaheads(bundle, clips)
    faces = by_lookahead[bundle.latency_ms]
    gaps, widths = each_correlation(faces, clips)
    print_spread("lip gap", gaps, clips)
    print_spread("mouth width", widths, clips)
    pipeline = pipeline_of(bundle, bundle.latency_ms)
    print_conditions(pipeline, clips, store, bundle.latency_ms)
    deviation = float(np.concatenate([lip_gap(face) for face in faces]).std())
    print_stillness(pipeline, store, deviation)
    rests = [rest_after_speech_s(pipeline, clip, neutral, deviation) for clip in clips]
    median, most = np.percentile(rests, (50, 95))
    print(
        f"\nlips at rest after speech is cut off: {median:.2f} s (median), "
        f"{most:.2f} s (95th percentile)"
    )
    phones = align_clips(clips, load_words(options.data))
    print_lips(faces, clips, phones)
    groups = everyone(store)
    print_blendshapes(pipeline, clips, phones, groups[0][1])
    for who, spoken in groups:
        rows = judge(lambda samples: animate(pipeline, samples), spoken)
        print_languages(f"as {who}", rows)
    if store:
        model = load_model(store.folder)
        for who, spoken in groups:
            likeness = alike(lambda samples: animate(pipeline, samples), model, spoken)
            print_alike(f"as {who}, beside the motion of its phones", likeness)
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        plot_gaps(options.plots, clips, faces, gaps)
        plot_latency(options.plots, accuracy)
        plot_speeds(options.plots, clips, faces)


if __name__ == "__main__":
    main()
