"""Command: whether lips stay open as long as a vowel is held, and how slow speech is followed.

The vocoder draws a vowel of words out to 4 s: steadily, with vibrato or as a melody. Prints for
each voice how many of the vowels keep the lips open: in 80 % of the time from 0.4 s on, by 80 % of
what the gap is at 0.4 s; and in which share of the time it is so on average; by the network alone,
and as published. Then the correlation of the gap with the talker's lips, where he speaks 1, 2 and 4
times as slowly. And by how much the lips open more than the network says where one of the sounds
that are no speech follows on a word at once. Voices of espeak-ng and flite, which must be
installed, and two people. Frames come from the streaming pipeline of the daemon.

Example:
    python -m training.judge.held_vowels --data ../shared/data
"""

from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

import numpy as np
import soundfile
from tqdm import tqdm

from edgeface.build import load_model
from edgeface.core.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from edgeface.model.runtime.compute import Compute
from edgeface.model.runtime.providers import open_session
from edgeface.model.step_model import require_step_model
from edgeface.model.stepper import CachedStepper
from edgeface.motion.face import lip_gap
from edgeface.pipeline import Pipeline
from training.command import run
from training.data import flite
from training.data.correlation import correlation
from training.data.grid import FOLDER, Clip, held_out, load_grid
from training.phonetics.espeak import Speaker
from training.signal.drawn_out import KINDS, DrawnOut
from training.signal.level import decibels, level_db

from .animation import animate, pipeline_of
from .options import bundle_parser
from .robustness import no_speech
from .table import Table

_ESPEAK = ("en", "en+m3", "en+m7", "en+f2", "en+f5", "en-us", "de+f4", "es+m1", "fr", "it+f1", "pl")
_WORDS = ("ma", "say", "bee", "go", "you", "paw", "my father", "hello")
_RECORDINGS = 10  # of each person
_LONGEST_S = 4
_HELD_S = 4.0
_FROM_S = 0.4
_OPEN = 0.8  # share of the gap, and of the time
_LEVEL_DB = -26
_PAUSE = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)
_SLOWER = (1, 2, 4)  # times
_EVERY_CLIP = 5
_OPENS_MORE = 0.01  # outer-eye distances


class Vowel(NamedTuple):
    """A held vowel: sound float32 [N] at 16 kHz, and when it is held."""

    samples: np.ndarray
    begin_s: float
    end_s: float


def held(samples: np.ndarray, seed: int) -> Vowel:
    """The vowel of float32 [N] at 16 kHz held for 4 s, in one of three ways."""
    drawn = DrawnOut(samples * decibels(_LEVEL_DB - level_db(samples)))
    sound = drawn.holding(_HELD_S, KINDS[seed % len(KINDS)], seed)
    begin_s = len(_PAUSE) / SAMPLE_RATE_HZ + drawn.vowel_s
    return Vowel(np.concatenate((_PAUSE, sound, _PAUSE)), begin_s, begin_s + _HELD_S)


def open_share(gap: np.ndarray, vowel: Vowel, rest: float) -> float:
    """Share of the time from 0.4 s on in which lips are open by 80 % of what they are then.

    :param gap: of the lips, [T]
    :param rest: the gap at rest
    """
    first = int(FRAME_RATE_HZ * (vowel.begin_s + _FROM_S))
    end = int(FRAME_RATE_HZ * vowel.end_s) - 2
    opening = gap[first - 2 : first + 3].mean() - rest
    return float(np.mean(gap[first:end] - rest >= _OPEN * opening))


def voices(data: Path, clips: List[Clip]) -> Iterator[Tuple[str, List[np.ndarray]]]:
    """(name, sounds float32 [N] at 16 kHz) of everyone who holds vowels.

    :param data: folder that holds kerstin
    :param clips: of the talker
    :raises UnavailableError: espeak-ng is not installed
    """
    speaker = Speaker()
    for name in _ESPEAK:
        yield f"espeak-ng, {name}", [speaker.say(name, word)[0] for word in _WORDS]
    for name in flite.VOICES:
        yield f"flite, {name}", [flite.speak(name, word, 1.0)[0] for word in _WORDS]
    yield "the talker", [clip.samples for clip in clips[:_RECORDINGS]]
    paths = sorted((data / "kerstin" / "audio").glob("*"))
    chosen = [paths[at] for at in np.linspace(0, len(paths) - 1, _RECORDINGS).astype(int)]
    sounds = [soundfile.read(str(path), dtype="float32")[0] for path in chosen]
    yield "Kerstin", [sound[: _LONGEST_S * SAMPLE_RATE_HZ] for sound in sounds]


def slower_gap(faces: np.ndarray, factor: int) -> np.ndarray:
    """The lips' gap of faces [T, 68, 3] the same `factor` times as slowly, [T factor]."""
    gap = lip_gap(faces)
    return np.interp(np.arange(factor * len(gap)) / factor, np.arange(len(gap)), gap)


def print_vowels(network: Pipeline, published: Pipeline, data: Path, clips: List[Clip]) -> None:
    """Prints how held vowels keep the lips open, by voice."""
    rest = float(lip_gap(animate(published, _PAUSE))[0])
    table = Table(
        "voice", "vowels", "held by the network", "published", "open: network", "published"
    )
    everyone = []
    for name, sounds in voices(data, clips):
        vowels = [held(sound, number) for number, sound in enumerate(sounds)]
        shares = np.array(
            [
                [open_share(lip_gap(animate(one, v.samples)), v, rest) for v in vowels]
                for one in (network, published)
            ]
        )
        everyone.append(shares)
        _print_shares(table, name, shares)
    _print_shares(table, "all", np.concatenate(everyone, axis=1))


def _print_shares(table: Table, name: str, shares: np.ndarray) -> None:
    kept = (shares >= _OPEN).sum(1)
    mean = [f"{100 * share:.0f} %" for share in shares.mean(1)]
    table.row(name, str(shares.shape[1]), str(kept[0]), str(kept[1]), *mean)


def print_slow_speech(network: Pipeline, published: Pipeline, clips: List[Clip]) -> None:
    """Prints how the lips follow the talker when he speaks slowly."""
    table = Table("times as slowly", "gap r: network", "published")
    drawn = [DrawnOut(clip.samples) for clip in tqdm(clips, leave=False, disable=None)]
    for factor in _SLOWER:
        found = []
        for clip, one in zip(clips, drawn):
            wanted = slower_gap(clip.landmarks, factor)
            sound = one.slower(factor)
            gaps = [lip_gap(animate(pipeline, sound)) for pipeline in (network, published)]
            count = min(len(wanted), len(gaps[0]))
            found.append([correlation(gap[:count], wanted[:count]) for gap in gaps])
        table.row(str(factor), *(f"{r:.3f}" for r in np.mean(found, axis=0)))


def print_after_words(network: Pipeline, published: Pipeline) -> None:
    """Prints by how much more lips open in sounds that follow on words."""
    speaker = Speaker()
    words = [speaker.say("en", word)[0] for word in _WORDS]
    table = Table("after a word", "sounds", "lips open more in", "largest, outer-eye distances")
    for name, sounds in no_speech():
        more = []
        for number in range(max(len(sounds), len(words))):
            word = words[number % len(words)]
            sound = sounds[number % len(sounds)][: _LONGEST_S * SAMPLE_RATE_HZ]
            joined = np.concatenate((_PAUSE, word, sound.astype(np.float32)))
            gaps = [lip_gap(animate(one, joined)) for one in (published, network)]
            after = FRAME_RATE_HZ * (len(_PAUSE) + len(word)) // SAMPLE_RATE_HZ
            more.append((gaps[0] - gaps[1])[after:].max())
        opened = sum(one > _OPENS_MORE for one in more)
        table.row(name, str(len(more)), str(opened), f"{max(more):.3f}")


def main() -> None:
    """Command line.

    :raises UnavailableError: espeak-ng is not installed, or the bundle is an imported one
    """
    options = bundle_parser(__doc__, "grid_s1 and kerstin").parse_args()
    bundle = require_step_model(load_model(options.bundle))
    latency_ms = bundle.latency_ms
    session = open_session(bundle.step_file(latency_ms), Compute("cpu"))
    network = Pipeline(CachedStepper(session, bundle.network.context_frames), latency_ms)
    published = pipeline_of(bundle, latency_ms)
    clips = held_out(load_grid(options.data / FOLDER)[0])
    print(f"{bundle.name} {bundle.version}\n")
    print_vowels(network, published, options.data, clips)
    print()
    print_slow_speech(network, published, clips[::_EVERY_CLIP])
    print()
    print_after_words(network, published)


if __name__ == "__main__":
    run(main)
