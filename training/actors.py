"""English actors in adventure games: when they say which phone.

To pocketsphinx such voices and the sound of such files are strange: it finds the phones roughly. From that a copy of
the acoustic model of `align` learns them, and finds them anew.
"""

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from edgeface.core.rates import SAMPLE_RATE_HZ

from . import amazon_queen, steel_sky
from .acoustic import fit, labels_of
from .align import HUMAN, LEFT_OVER, acoustic_model, aligned, known_speech, left_over, respelled
from .fbank import fbank_of
from .phones import Aligner
from .readers import said
from .speech import store

_GAMES = amazon_queen, steel_sky
_STEPS = 700  # of the fit


def heard(lines):
    """What pocketsphinx can align.

    :param lines: (name, text, samples float32 [N] at 16 kHz) of each
    :return: list of (name, samples, list of (start_s, end_s, phone))
    """
    aligner, found = Aligner(), []
    for name, text, samples in tqdm(lines, desc="actors", disable=None):
        phones = said(aligner, samples, text)
        if phones and left_over(samples, phones) <= LEFT_OVER:
            found.append((name, samples, phones))
    return found


def collect(cache):
    """Adds what can be aligned of each game to cache/speech, `actor-` before its name.

    A game that a cache once came to the end of is left as it is.

    :raises UnavailableError: a game is not installed
    """
    for game in _GAMES:
        title = game.__name__.rpartition(".")[2]
        done = Path(cache, f"{title}.pt")
        if done.exists():
            continue
        rough = heard(game.lines())
        model = _learnt(cache, rough)
        kept, total_s = 0, 0.0
        for name, samples, phones in rough:
            better = aligned(model, fbank_of(samples), respelled(phones))
            if better and left_over(samples, better) <= LEFT_OVER:
                store(Path(cache, "speech"), f"actor-{name}", samples, better)
                kept, total_s = kept + 1, total_s + len(samples) / SAMPLE_RATE_HZ
        print(f"actors of {title}: {kept} lines, {total_s / 60:.1f} minutes to hear")
        torch.save(model.state_dict(), str(done))


def _learnt(cache, rough):
    """A copy of the cache's acoustic model that has heard (name, samples, phones) as well."""
    known = known_speech(
        [
            path
            for path in Path(cache, "speech").glob("*.json")
            if not path.name.startswith("actor-")
        ]
    )
    for _, samples, phones in rough:
        fbank = fbank_of(samples).astype(np.float16)
        known.append((fbank, labels_of(phones, len(fbank)), HUMAN))
    return fit(known, _STEPS, seed=3, model=acoustic_model(cache))
