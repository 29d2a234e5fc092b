"""Films and pictures of the face, drawn by a real Chromium."""

import io
import os
import subprocess
import wave

import numpy as np
import pytest
from support.glb import write_head
from support.process import edgeface

from edgeface.motion.face import BLENDSHAPES

pytestmark = pytest.mark.system


def decoded(path):
    """Pictures [T, 128, 128, 3] and seconds of sound of a film."""
    from imageio_ffmpeg import get_ffmpeg_exe

    raw = subprocess.check_output(
        [get_ffmpeg_exe(), "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    )
    sound = subprocess.check_output(
        [
            get_ffmpeg_exe(),
            "-v",
            "error",
            "-i",
            path,
            "-f",
            "s16le",
            "-ac",
            "1",
            "-ar",
            "16000",
            "-",
        ]
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, 128, 128, 3).astype(int), np.frombuffer(
        sound, "<i2"
    )


def test_a_film_moves_its_mouth_in_step_with_its_sound(speech_wav, tmp_path):
    film, motion = str(tmp_path / "film.mp4"), str(tmp_path / "motion.npz")
    result = edgeface("render", speech_wav, "-o", film, "--size", "128", "--mouth-only")
    assert result.returncode == 0, result.stderr
    assert edgeface("motion", speech_wav, "-o", motion, "--mouth-only").returncode == 0
    pictures, sound = decoded(film)
    with np.load(motion) as data:
        gap = np.linalg.norm(data["landmarks"][:, 62] - data["landmarks"][:, 66], axis=-1)
    assert len(pictures) == len(gap) == 75 and abs(len(sound) / 16000 - 3.0) < 0.1
    mouth = pictures[:, 70:105, 40:88]
    closed = mouth[gap.argmin()]
    change = np.abs(mouth - closed).mean((1, 2, 3))
    assert np.corrcoef(change, gap)[0, 1] > 0.8
    brows = pictures[:, 30:50, 30:98]
    assert np.abs(brows - brows[0]).mean() < 0.2 * change.max()
    assert os.listdir(str(tmp_path)) != [] and not [
        name for name in os.listdir(str(tmp_path)) if "tmp" in name
    ]


def test_pictures_and_gifs(speech_wav, tmp_path):
    from PIL import Image

    for name in ("face.png", "face.gif"):
        assert (
            edgeface("render", speech_wav, "-o", str(tmp_path / name), "--size", "128").returncode
            == 0
        )
    picture, film = Image.open(str(tmp_path / "face.png")), Image.open(str(tmp_path / "face.gif"))
    assert (
        picture.size == film.size == (128, 128)
        and film.n_frames == 75
        and film.info["duration"] == 40
    )
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    assert len(set(picture.convert("RGB").getdata())) > 1000  # a face, not a blank


def test_an_avatar_in_a_transparent_film(speech_wav, tmp_path):
    from imageio_ffmpeg import get_ffmpeg_exe

    avatar, film = str(tmp_path / "head.glb"), str(tmp_path / "film.webm")
    write_head(avatar, BLENDSHAPES)
    command = ("render", speech_wav, "-o", film, "--size", "128", "--avatar", avatar)
    result = edgeface(*command, "--transparent")
    assert result.returncode == 0, result.stderr
    decode = [get_ffmpeg_exe(), "-v", "error", "-c:v", "libvpx-vp9", "-i", film]
    raw = subprocess.check_output([*decode, "-f", "rawvideo", "-pix_fmt", "rgba", "-"])
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, 128, 128, 4)
    assert len(pictures) == 75
    assert pictures[:, :8, :8, 3].max() < 8 and pictures[:, 60:68, 60:68, 3].min() > 247
    mouth = pictures[:, 70:110, 44:84, :3].astype(int)
    assert np.abs(mouth - mouth[0]).mean((1, 2, 3)).max() > 3


def test_what_cannot_be_rendered_is_one_line(speech_wav, tmp_path):
    write_head(str(tmp_path / "head.glb"), BLENDSHAPES)
    (tmp_path / "head.yaml").write_text("light: {strenth: 3}")
    picture = ("render", speech_wav, "-o", str(tmp_path / "face.png"), "--avatar")
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
    for arguments, code, word in (
        (("render", speech_wav, "-o", str(tmp_path / "face.avi")), 2, ".mp4"),
        (("render", speech_wav, "-o", str(tmp_path / "face.png"), "--size", "7"), 2, "--size"),
        (("render", speech_wav, "-o", str(tmp_path / "a.mp4"), "--transparent"), 2, ".webm"),
        ((*picture, str(tmp_path / "head.glb")), 78, "'strength'"),
        ((*picture, str(tmp_path / "none.glb")), 66, "none.glb"),
        (
            ("render", str(tmp_path / "absent.wav"), "-o", str(tmp_path / "face.png")),
            66,
            "absent.wav",
        ),
        (
            ("render", str(tmp_path / "empty.wav"), "-o", str(tmp_path / "face.png")),
            65,
            "empty.wav",
        ),
        (
            ("render", speech_wav, "-o", str(tmp_path / "no" / "face.mp4"), "--size", "64"),
            69,
            "face.mp4",
        ),
        (
            ("render", speech_wav, "-o", str(tmp_path / "no" / "face.png"), "--size", "64"),
            69,
            "face.png",
        ),
    ):
        result = edgeface(*arguments)
        assert (
            result.returncode == code and word in result.stderr and result.stderr.count("\n") == 1
        ), result.stderr
    no_browser = edgeface(
        "render",
        speech_wav,
        "-o",
        str(tmp_path / "face.png"),
        env=dict(os.environ, PATH="/nowhere"),
    )
    assert no_browser.returncode == 69 and "chromium" in no_browser.stderr
