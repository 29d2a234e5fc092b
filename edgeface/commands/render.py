"""`edgeface render`: a picture or a film of the face that speaks a sound file."""

import argparse
import os

import numpy as np

from ..batch.animator import Animator
from ..core.advice import install_extra
from ..core.errors import DataError, UsageError
from ..motion.face import lip_gap
from ..source.playable import playable
from ..view.film import write_gif, write_mp4, write_png
from ..view.painter import Painter
from .common import add_model_arguments, settings_of

EXAMPLE = f"""examples:
  edgeface render speech.wav -o speech.mp4      a film with sound
  edgeface render speech.wav -o speech.png      the moment at which the mouth is open widest
Needs Chromium and Python packages: {install_extra("render")}."""
_KINDS = (".mp4", ".gif", ".png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument("audio", metavar="AUDIO", help="sound file of any rate and channel count")
    parser.add_argument(
        "-o", "--out", metavar="FILE", required=True, help="film, .mp4 or .gif, or picture, .png"
    )
    parser.add_argument(
        "--size", metavar="PIXELS", type=int, default=512, help="width and height, even"
    )
    add_model_arguments(parser)


def execute(options: argparse.Namespace) -> None:
    """Runs the verb."""
    kind = os.path.splitext(options.out)[1].lower()
    if kind not in _KINDS:
        raise UsageError(f"-o {options.out}: must end in one of {', '.join(_KINDS)}")
    if options.size % 2 or not 64 <= options.size <= 4096:
        raise UsageError(f"--size {options.size}: out of range; an even number, 64 to 4096")
    frames, _ = Animator(settings_of(options)).animate(options.audio)
    if not frames:
        raise DataError(f"{options.audio}: the file contains no sound; give another one")
    with Painter() as painter:
        if kind == ".png":
            widest = int(lip_gap(np.array([frame.landmarks for frame in frames])).argmax())
            picture = next(painter.paint(frames[widest : widest + 1], options.size, "png"))
            write_png(options.out, picture)
        elif kind == ".gif":
            write_gif(options.out, painter.paint(frames, options.size, "jpeg"))
        else:
            with playable(options.audio) as sound:
                write_mp4(options.out, painter.paint(frames, options.size, "jpeg"), sound)
