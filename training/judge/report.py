"""What the evaluation prints, figure by figure."""

from typing import Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from edgeface.model.model import Model
from edgeface.motion.face import lip_gap, mouth_width
from edgeface.pipeline import Pipeline
from training.data.grid import Clip
from training.data.store import Store
from training.phonetics.timing import PhoneTimes, one_after_another

from . import blendshapes
from .accuracy import correlations, extremes, rest_after_speech_s, spoken_correlation, stillness
from .animation import animate, animate_all, pipeline_of
from .closures import Closures, Judgement, Spoken, closing, rounding
from .robustness import conditions
from .similarity import Likeness
from .table import Table

LOOKAHEADS_MS = (0, 40, 80, 160)
_STIRRED = 1  # % of the gap's deviation in speech

Faces = List[np.ndarray]
"""Landmarks [T, 68, 3] of every clip."""
Phones = Sequence[Optional[PhoneTimes]]
"""Of every clip, None where unknown."""


def print_lookaheads(
    bundle: Model, clips: List[Clip]
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


def print_stillness(
    pipeline: Pipeline, sounds_by_name: Iterable[Tuple[str, List[np.ndarray]]], deviation: float
) -> None:
    """Prints how far lips move where nobody speaks.

    :param sounds_by_name: (name, sounds float32 [N]), such as `robustness.no_speech`
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
    for name, sounds in sounds_by_name:
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


def print_rest(
    pipeline: Pipeline, clips: List[Clip], neutral: np.ndarray, deviation: float
) -> None:
    """Prints how soon lips rest after speech.

    :param deviation: of the lip gap in speech
    """
    rests = [rest_after_speech_s(pipeline, clip, neutral, deviation) for clip in clips]
    median, most = np.percentile(rests, (50, 95))
    print(
        f"\nlips at rest after speech is cut off: {median:.2f} s (median), "
        f"{most:.2f} s (95th percentile)"
    )
