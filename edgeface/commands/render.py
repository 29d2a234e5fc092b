"""`edgeface render`: a picture or a film of the face that speaks a sound file."""

import argparse
import os
from typing import List

import numpy as np

from ..batch.animator import Animator
from ..core.advice import install_extra
from ..core.errors import DataError, UsageError
from ..motion.face import lip_gap
from ..motion.frame import Frame
from ..source.playable import playable
from ..view.film import write_gif, write_mp4, write_png, write_webm
from ..view.looks import CHOSEN, LOOKS, head_of
from ..view.painter import Painter
from .common import add_model_arguments, settings_of

EXAMPLE = f"""examples:
  edgeface render speech.wav -o speech.mp4      a film with sound
  edgeface render speech.wav -o speech.png      the moment at which the mouth is open widest
  edgeface render speech.wav -o speech.mp4 --look ada
  edgeface render speech.wav -o speech.webm --avatar head.glb --transparent
Needs Chromium and Python packages: {install_extra("render")}."""
_KINDS = (".mp4", ".webm", ".gif", ".png")
_TRANSPARENT_KINDS = (".webm", ".png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument("audio", metavar="AUDIO", help="sound file of any rate and channel count")
    parser.add_argument(
        "-o", "--out", metavar="FILE", required=True, help=f"film or picture: {', '.join(_KINDS)}"
    )
    parser.add_argument(
        "--size", metavar="PIXELS", type=int, default=512, help="width and height, even"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--avatar", metavar="FILE", help="a GLB or VRM file instead of the drawn face"
    )
    which.add_argument("--look", choices=LOOKS, help="a head of edgeface's own instead of it")
    parser.add_argument("--transparent", action="store_true", help="nothing behind the head")
    add_model_arguments(parser)


def execute(options: argparse.Namespace) -> None:
    """Runs the verb."""
    kind = os.path.splitext(options.out)[1].lower()
    if kind not in _KINDS:
        raise UsageError(f"-o {options.out}: must end in one of {', '.join(_KINDS)}")
    if options.size % 2 or not 64 <= options.size <= 4096:
        raise UsageError(f"--size {options.size}: out of range; an even number, 64 to 4096")
    if options.transparent and kind not in _TRANSPARENT_KINDS:
        raise UsageError(f"--transparent: {kind} cannot be; {' and '.join(_TRANSPARENT_KINDS)} can")
    animator = Animator(settings_of(options))
    frames, _ = animator.animate(options.audio)
    if not frames:
        raise DataError(f"{options.audio}: the file contains no sound; give another one")
    avatar, own = (head_of(options.look), CHOSEN) if options.look else (options.avatar or "", "")
    with Painter(animator.model.neutral, avatar, own) as painter:
        _write(options, kind, painter, frames)


def _write(options: argparse.Namespace, kind: str, painter: Painter, frames: List[Frame]) -> None:
    if kind == ".png":
        widest = int(lip_gap(np.array([frame.landmarks for frame in frames])).argmax())
        moment = frames[widest : widest + 1]
        write_png(
            options.out, next(painter.paint(moment, options.size, "png", options.transparent))
        )
    elif kind == ".gif":
        write_gif(options.out, painter.paint(frames, options.size, "jpeg"))
    else:
        with playable(options.audio) as sound:
            if kind == ".mp4":
                write_mp4(options.out, painter.paint(frames, options.size, "jpeg"), sound)
            else:
                pictures = painter.paint(frames, options.size, "png", options.transparent)
                write_webm(options.out, pictures, sound)
