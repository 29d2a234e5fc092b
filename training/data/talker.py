"""The GRID talker's clips with their phones, which pocketsphinx finds."""

import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np
from tqdm import tqdm

from training.phonetics.english_aligner import EnglishAligner
from training.phonetics.timing import PhoneTimes, phone_labels

from .grid import FOLDER, Clip, Words, load_grid, load_words, spoken_words

FILE = "talker.json"  # the phones of his clips, in the cache


class TalkerPhones(NamedTuple):
    """His clips, and when which phone is in each; None where that is unknown."""

    clips: List[Clip]
    phones: List[Optional[PhoneTimes]]

    def pairs(self, split: Optional[str] = None) -> List[Tuple[Clip, PhoneTimes]]:
        """Clips whose phones are known, of one split or of both."""
        return [
            (clip, phones)
            for clip, phones in zip(self.clips, self.phones)
            if phones and split in (None, clip.split)
        ]


def align_clips(clips: List[Clip], words: Words) -> List[Optional[PhoneTimes]]:
    """Phones of the corpus' clips by forced alignment; None where it fails."""
    aligner = EnglishAligner()
    return [
        aligner.align(clip.samples, spoken_words(words[clip.name]))
        for clip in tqdm(clips, desc="aligning", disable=None)
    ]


def align(data: Path, cache: Path) -> None:
    """Leaves the phones of his clips in the cache."""
    clips, _ = load_grid(Path(data) / FOLDER)
    found = align_clips(clips, load_words(data))
    phones = {clip.name: times for clip, times in zip(clips, found)}
    Path(cache, FILE).write_text(json.dumps(phones))


def load_talker(data: Path, cache: Path) -> Tuple[TalkerPhones, np.ndarray]:
    """His clips, labelled where their phones are known, and his resting face [68, 3]."""
    clips, neutral = load_grid(Path(data) / FOLDER)
    found: Dict[str, Optional[PhoneTimes]] = json.loads(Path(cache, FILE).read_text())
    phones = [found[clip.name] for clip in clips]
    for clip, times in zip(clips, phones):
        if times:
            clip.phones = phone_labels(times, len(clip.speech))
    return TalkerPhones(clips, phones), neutral
