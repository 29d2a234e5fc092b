"""Command: makes or collects one kind of data for the training, into the cache; resumable.

Example:
    python -m training.data flite --cache ~/.cache/edgeface --minutes 150
"""

import argparse
from pathlib import Path
from typing import Callable, Dict

from training.command import run

from . import (
    align_recordings,
    english_voices,
    espeak_voices,
    festival,
    festvox_ru,
    flite,
    other_languages,
    sounds,
    talker,
    talker_voices,
)
from .store import Store

_Collect = Callable[[argparse.Namespace], None]


def _recordings(options: argparse.Namespace) -> None:
    phones, _ = talker.load_talker(options.data, options.cache)
    align_recordings.align_recordings(Store(options.cache), options.data, phones)


# of what takes no duration, all is taken
_WHOLE: Dict[str, _Collect] = {
    "sounds": lambda options: sounds.prepare(Store(options.cache)),
    "voices": lambda options: talker_voices.synthesise(options.data, options.cache),
    "talker": lambda options: talker.align(options.data, options.cache),
    "prompts": lambda options: align_recordings.align_prompts(Store(options.cache)),
    "festvox-ru": lambda options: festvox_ru.collect(Store(options.cache)),
    "recordings": _recordings,
}
_BY_MINUTES = {
    "flite": flite.synthesise,
    "espeak": espeak_voices.synthesise,
    "festival": festival.synthesise,
    "english-voices": english_voices.synthesise,
    "other-languages": other_languages.synthesise,
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.data",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("what", choices=[*_WHOLE, *_BY_MINUTES])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder that holds grid_s1 and kerstin")
    parser.add_argument("--minutes", type=float, help="of speech, by all voices together")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    if options.what in _BY_MINUTES:
        if options.minutes is None:
            parser.error(f"{options.what} needs --minutes")
        _BY_MINUTES[options.what](Store(options.cache), options.minutes)
        return
    if options.what in ("voices", "talker", "recordings") and options.data is None:
        parser.error(f"{options.what} needs --data")
    _WHOLE[options.what](options)


if __name__ == "__main__":
    run(main)
