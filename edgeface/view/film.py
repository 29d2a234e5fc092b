"""Pictures to a file: a picture, an animation, or a film with sound."""

import io
import subprocess
from typing import Iterable

from ..core.advice import install_extra
from ..core.errors import DataError, UnavailableError, one_line
from ..core.files import output_file
from ..core.rates import FRAME_MS, FRAME_RATE_HZ

_FIX = install_extra("render")
_PICTURES_IN = f"-f image2pipe -framerate {FRAME_RATE_HZ} -c:v mjpeg -i -".split()
_VIDEO_OUT = "-map 0:v -c:v libx264 -crf 20 -pix_fmt yuv420p".split()
_SOUND_OUT = "-map 1:a -c:a aac -b:a 128k".split()
_FILE_OUT = "-movflags +faststart -f mp4".split()
_LONGEST_MESSAGE = 200  # characters of ffmpeg's


def write_png(path: str, picture: bytes) -> None:
    """Writes a picture as it is.

    :raises UnavailableError: the file cannot be written
    """
    with output_file(path) as file:
        file.write(picture)


def write_mp4(path: str, pictures: Iterable[bytes], audio: str) -> None:
    """H.264 and AAC, 25 pictures a second.

    :param pictures: JPEG
    :param audio: path of the sound
    :raises UnavailableError: ffmpeg is missing, or the film cannot be written
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        program = get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise UnavailableError(f"render: ffmpeg is missing ({error}); {_FIX}") from None
    with output_file(path) as file:
        command = [program, "-v", "error", "-y", *_PICTURES_IN, "-i", f"file:{audio}"]
        command += [*_VIDEO_OUT, *_SOUND_OUT, *_FILE_OUT, f"file:{file.name}"]
        _encode(command, pictures, path)


def _encode(command: Iterable[str], pictures: Iterable[bytes], path: str) -> None:
    child = subprocess.Popen(list(command), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdin is not None
    try:
        for picture in pictures:
            child.stdin.write(picture)
    except BrokenPipeError:  # its message follows
        pass
    except BaseException:
        child.kill()
        child.communicate()
        raise
    _, message = child.communicate()
    if child.returncode != 0:
        reason = one_line(message.decode(errors="replace"), _LONGEST_MESSAGE)
        raise UnavailableError(f"{path}: ffmpeg failed ({reason}); choose another place or sound")


def write_gif(path: str, pictures: Iterable[bytes]) -> None:
    """25 pictures a second, endless, without sound.

    :param pictures: in any format that Pillow reads
    :raises DataError: there are none
    :raises UnavailableError: Pillow is missing, or the file cannot be written
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise UnavailableError(f"render: {error}; {_FIX}") from None
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    if not images:
        raise DataError(f"{path}: no frames, the sound is empty")
    # one palette for all, or the background flickers
    palette = images[len(images) // 2].quantize(128)
    first, *others = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    with output_file(path) as file:
        first.save(file, "GIF", save_all=True, append_images=others, loop=0, duration=FRAME_MS)
