"""How an avatar is shown: a YAML file beside it, `head.yaml` of `head.glb`."""

import errno
import os
import re
from dataclasses import asdict, dataclass
from typing import Any, Dict, Tuple

from ..build import calibration_of
from ..config import Motion, Shape, entries, parse_sections, setting
from ..core.errors import ConfigurationError, MissingInputError
from ..core.files import read_regular
from ..motion.calibration import Calibration
from ..motion.face import BLENDSHAPES

_MOST_BYTES = 1 << 16
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\Z")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def _check_colour(text: str) -> None:
    if not _COLOUR.match(text):
        raise ValueError(f"colour {text!r} is none; write one such as '#203040', in quotes")


@dataclass(frozen=True)
class Camera:
    """Where the viewer stands."""

    distance: int = setting(100, "in percent of the one that shows the whole head", span=(25, 400))
    height: int = setting(
        0,
        "how much higher than the face's middle, in percent of the face's height",
        span=(-100, 100),
    )
    angle: int = setting(
        0, "how far around the head, in degrees; positive: the viewer's right", span=(-80, 80)
    )


@dataclass(frozen=True)
class Light:
    """Where the light comes from."""

    strength: int = setting(100, "of all light, in percent", span=(0, 400))
    angle: int = setting(
        -27, "of the main light, in degrees; positive: from the viewer's right", span=(-90, 90)
    )
    colour: str = setting("#ffdfbe", "of the main light, such as '#ffdfbe'")

    def __post_init__(self) -> None:
        """Refuses what is no colour.

        :raises ValueError: it is none
        """
        _check_colour(self.colour)


@dataclass(frozen=True)
class Background:
    """What is behind the head."""

    colour: str = setting("", "such as '#203040'; empty: a dark blue that is lighter in the middle")
    picture: str = setting("", "a JPEG, PNG or WebP file, beside this one or by its whole path")

    def __post_init__(self) -> None:
        """Refuses what is no colour or no picture.

        :raises ValueError: it is none
        """
        if self.colour:
            _check_colour(self.colour)
        if self.picture and not self.picture.lower().endswith(_PICTURES):
            raise ValueError(f"picture {self.picture!r} must end in one of {', '.join(_PICTURES)}")


@dataclass(frozen=True)
class OwnMotion:
    """What this avatar needs on the page, beside what the daemon's settings do everywhere."""

    strength: int = setting(100, "how much of its motion the face shows, in percent", span=(0, 200))
    shapes: Tuple[Tuple[str, Shape], ...] = entries(
        Shape, "by blendshape, such as jawOpen: {gain: 80}", BLENDSHAPES
    )


@dataclass(frozen=True)
class Staging:
    """All sections of the file."""

    camera: Camera = Camera()
    light: Light = Light()
    background: Background = Background()
    motion: OwnMotion = OwnMotion()

    def described(self) -> Dict[str, Any]:
        """What the page has to know: numbers and colours, and whether there is a picture."""
        described = asdict(self)
        del described["motion"]
        described["background"]["picture"] = bool(self.background.picture)
        return described

    def calibration(self, neutral: object) -> Calibration:
        """What this avatar needs done to the frames of a model.

        :param neutral: the model's resting face, [68, 3]
        """
        motion = Motion(strength=self.motion.strength, shapes=self.motion.shapes)
        return calibration_of(motion, neutral)


def staging_file(avatar: str) -> str:
    """The path of the YAML file of an avatar, which need not exist."""
    return f"{os.path.splitext(avatar)[0]}.yaml"


def read_staging(avatar: str) -> Staging:
    """How an avatar is to be shown; the defaults where there is no file.

    :param avatar: path of its file
    :raises ConfigurationError: the file is invalid
    :raises MissingInputError: it cannot be read, or its picture is missing
    """
    path = staging_file(avatar)
    try:
        text = read_regular(path, _MOST_BYTES)
    except FileNotFoundError:
        return Staging()
    except OSError as error:
        kind = MissingInputError if error.errno == errno.EACCES else ConfigurationError
        raise kind(f"{path}: {error.strerror}; make it a readable file, or remove it") from None
    staging = parse_sections(Staging, text, path)
    picture = picture_of(staging, avatar)
    if picture and not os.access(picture, os.R_OK):
        raise MissingInputError(f"{path}: background.picture: {picture} cannot be read")
    return staging


def picture_of(staging: Staging, avatar: str) -> str:
    """The path of the background's picture; empty where there is none."""
    picture = staging.background.picture
    return os.path.join(os.path.dirname(os.path.abspath(avatar)), picture) if picture else ""
