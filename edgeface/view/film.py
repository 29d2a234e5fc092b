"""Pictures to a film."""

import io
import os
import subprocess

from ..core.errors import DataError, UnavailableError
from ..core.rates import FRAME_RATE_HZ

_MEND = "pip install 'edgeface[render]'"


def write_mp4(path, pictures, audio):
    """H.264 and AAC, 25 pictures a second.

    :param pictures: iterable of JPEG bytes
    :param audio: path of the sound
    :raises UnavailableError: no ffmpeg, or the film cannot be written
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        program = get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise UnavailableError(f"render: no ffmpeg ({error}); {_MEND}") from None
    temporary = f"{path}.{os.getpid()}.tmp"
    child = subprocess.Popen(
        [
            program,
            "-v",
            "error",
            "-y",
            "-f",
            "image2pipe",
            "-framerate",
            str(FRAME_RATE_HZ),
            "-c:v",
            "mjpeg",
            "-i",
            "-",
            "-i",
            f"file:{audio}",
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c:v",
            "libx264",
            "-crf",
            "20",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-b:a",
            "128k",
            "-movflags",
            "+faststart",
            "-f",
            "mp4",
            f"file:{temporary}",
        ],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        for picture in pictures:
            child.stdin.write(picture)
    except BrokenPipeError:  # what it says follows
        pass
    _, said = child.communicate()
    if child.returncode != 0:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise UnavailableError(
            f"{path}: ffmpeg does not write it ({' '.join(said.decode(errors='replace').split())[:200]})"
        )
    os.replace(temporary, path)


def write_gif(path, pictures):
    """25 pictures a second, endless, without sound; `pictures` as in `write_mp4`.

    :raises UnavailableError: no Pillow, or the film cannot be written
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise UnavailableError(f"render: {error}; {_MEND}") from None
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    if not images:
        raise DataError(f"{path}: no frames, the sound is empty")
    # one palette for all, or the background flickers
    palette = images[len(images) // 2].quantize(128)
    images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    write(
        path,
        lambda: images[0].save(
            path,
            "GIF",
            save_all=True,
            append_images=images[1:],
            loop=0,
            duration=1000 // FRAME_RATE_HZ,
        ),
    )


def write(path, save):
    """Calls `save`; UnavailableError if it cannot write the file."""
    try:
        save()
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}; choose another place") from None
