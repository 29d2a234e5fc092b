"""Pictures to a file: a picture, an animation, or a film with sound."""

import io
import subprocess
from typing import Iterable

from ..core.advice import install_extra
from ..core.errors import DataError, UnavailableError, one_line
from ..core.files import output_file
from ..core.rates import FRAME_MS, FRAME_RATE_HZ

_FIX = install_extra("render")
_MP4 = (
    "-c:v libx264 -crf 20 -pix_fmt yuv420p -map 1:a -c:a aac -b:a 128k -movflags +faststart -f mp4"
)
# VP9 keeps what is transparent, for pages and for OBS and other mixers
_WEBM = (
    "-c:v libvpx-vp9 -crf 24 -b:v 0 -row-mt 1 -cpu-used 4 -pix_fmt yuva420p"
    " -map 1:a -c:a libopus -b:a 128k -f webm"
)
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
    _write_film(path, "mjpeg", pictures, audio, _MP4)


def write_webm(path: str, pictures: Iterable[bytes], audio: str) -> None:
    """VP9 and Opus, 25 pictures a second, as transparent as the pictures are.

    :param pictures: PNG
    :param audio: path of the sound
    :raises UnavailableError: ffmpeg is missing, or the film cannot be written
    """
    _write_film(path, "png", pictures, audio, _WEBM)


def _write_film(path: str, kind: str, pictures: Iterable[bytes], audio: str, out: str) -> None:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        program = get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise UnavailableError(f"render: ffmpeg is missing ({error}); {_FIX}") from None
    with output_file(path) as file:
        pictures_in = f"-f image2pipe -framerate {FRAME_RATE_HZ} -c:v {kind} -i -".split()
        command = [program, "-v", "error", "-y", *pictures_in, "-i", f"file:{audio}"]
        command += ["-map", "0:v", *out.split(), f"file:{file.name}"]
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
