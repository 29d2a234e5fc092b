"""Containers that say a wrong length, none, or hold several files: what decodes is heard."""

import contextlib
import io
import os
import random
import shlex
import struct

import numpy as np
import pytest
import soundfile
from support.containers import (
    RATE_HZ,
    chunk,
    encoded,
    mpeg_frames,
    samples_of,
    speechlike,
    streamed_mpeg,
    wav,
)
from support.process import edgeface

from edgeface.core.errors import DataError
from edgeface.source.file import FileSource, read_whole

SOUND = speechlike()
PCM = samples_of(encoded(SOUND, "WAV"))
STREAM = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "stream.mp3")
DS64_UNKNOWN = chunk(b"ds64", struct.pack("<QQQI", 0, 0, 0, 0))
# a comment that reads as what libsndfile logs about a file that was cut off
LOG_IN_A_TAG = chunk(b"LIST", b"INFO" + chunk(b"ICMT", b"data : 9999999 (should be 96000)\n"))


def heard(folder, content, name="a.bin"):
    """Samples of a file with this content."""
    path = folder / name
    path.write_bytes(content)
    return read_whole(str(path))


def with_flac_length(content, samples):
    """A FLAC file that announces another number of samples; 0: it is unknown."""
    changed = bytearray(content)
    changed[21] = changed[21] & 0xF0 | samples >> 32
    changed[22:26] = struct.pack(">I", samples & 0xFFFFFFFF)
    return bytes(changed)


FLAC = encoded(SOUND, "FLAC")
AIFF = encoded(SOUND, "AIFF")
AU = encoded(SOUND, "AU")
CAF = encoded(SOUND, "CAF")
W64 = encoded(SOUND, "W64")
WHOLE = {
    "length of a pipe": wav(PCM, size=0xFFFFFFFF, riff_size=0xFFFFFFFF),
    "length 0": wav(PCM, size=0, riff_size=36),
    "ffmpeg's length": wav(PCM, size=0x7FFFF000, riff_size=0x7FFFF024),
    "odd list without padding": wav(PCM, chunk(b"LIST", b"INFOISFT\x05\0\0\0abcde", pad=False)),
    "odd list with padding": wav(PCM, chunk(b"LIST", b"INFOISFT\x05\0\0\0abcde")),
    "RF64 of a pipe": wav(PCM, DS64_UNKNOWN, b"", 0xFFFFFFFF, b"RF64", 0xFFFFFFFF),
    "tag like a log": wav(PCM, LOG_IN_A_TAG),
    "chunks behind": wav(PCM, after=chunk(b"LIST", b"INFO") + chunk(b"cue ", bytes(5))),
    "big-endian": encoded(SOUND, "WAV", endian="BIG"),
    "FLAC of a pipe": with_flac_length(FLAC, 0),
    "FLAC of a pipe with a tag": with_flac_length(FLAC, 0) + b"TAG" + bytes(125),
    "FLAC behind a tag": b"ID3\x04\0\0\0\0\0\x05" + bytes(5) + FLAC,
    "AU of a pipe": AU[:8] + b"\xff\xff\xff\xff" + AU[12:],
    "AIFF of a pipe": AIFF.replace(b"SSND" + AIFF[AIFF.index(b"SSND") + 4 :][:4], b"SSND\0\0\0\0"),
    "CAF of a pipe": CAF[: CAF.index(b"data") + 4] + b"\xff" * 8 + CAF[CAF.index(b"data") + 12 :],
}


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_sound_that_decodes_is_heard(tmp_path, name):
    wanted = np.frombuffer(PCM, "<i2").astype(np.float32) / 32768
    got = heard(tmp_path, WHOLE[name])
    assert len(got) >= len(wanted) and len(got) - len(wanted) < 40
    assert (got[: len(wanted)] == wanted).all()


@pytest.mark.parametrize("surplus", [1, 2, 8, 36, 44, 64])
def test_a_length_that_counts_headers_too_many_is_no_damage(tmp_path, surplus):
    assert len(heard(tmp_path, wav(PCM, size=len(PCM) + surplus))) == RATE_HZ


@pytest.mark.parametrize("missing", [65, 200, 20000])
def test_sound_that_is_missing_is_damage(tmp_path, missing):
    for content in (wav(PCM), AIFF, AU, W64):
        with pytest.raises(DataError, match="truncated"):
            heard(tmp_path, content[:-missing])


def test_a_length_of_zero_with_nothing_behind_is_no_sound(tmp_path):
    for content in (wav(b""), wav(b"", after=LOG_IN_A_TAG)):
        with pytest.raises(DataError, match="contains no sound"):
            heard(tmp_path, content)


def test_mpeg_without_a_length_is_heard(tmp_path):
    """Frames of one size, as of edge-tts, and of all sizes, whose first one misleads decoders."""
    with open(STREAM, "rb") as file:
        constant = file.read()
    assert len(heard(tmp_path, constant)) == 42 * 576 * RATE_HZ // 24000
    announced = encoded(speechlike(3.0, 24000), "MP3", 24000)
    frames = mpeg_frames(announced)[1:]
    tail = heard(tmp_path, announced)[-4000:]
    got = heard(tmp_path, b"".join(frames))
    # without a header nobody knows the silence that the encoder added
    assert abs(len(got) - len(frames) * 576 * RATE_HZ // 24000) < 400
    lags = [np.abs(got[-4000 - lag : len(got) - lag] - tail).max() for lag in range(1200)]
    assert min(lags) < 1e-3


def test_mpeg_that_breaks_off_amid_a_frame_is_damage(tmp_path):
    frames = mpeg_frames(encoded(speechlike(1.0, 24000), "MP3", 24000))
    for content in (b"".join(frames), b"".join(frames[1:])):
        for missing in (1, 2, 70):
            with pytest.raises(DataError, match="breaks off"):
                heard(tmp_path, content[:-missing])
    with pytest.raises(DataError, match="of 44 frames"):
        heard(tmp_path, b"".join(frames[:20]))
    torn = b"".join(frames[1:20]) + frames[20][:50] + b"".join(frames[21:])
    with pytest.raises(DataError, match="breaks off"):
        heard(tmp_path, torn)


def test_tags_and_garbage_around_mpeg_are_skipped(tmp_path):
    sound = streamed_mpeg(speechlike(1.0, 24000))
    count = len(heard(tmp_path, sound))
    tag = b"ID3\x03\0\0\0\0\0\x14" + bytes(20)
    ape = b"APETAGEX" + struct.pack("<IIIQ", 2000, 32, 0, 0x20000000)
    for content in (
        tag + sound,
        sound + b"TAG" + bytes(125),
        tag + bytes(300) + sound,
        sound + ape,
    ):
        assert len(heard(tmp_path, content)) == count
    assert len(heard(tmp_path, sound + bytes(1000))) == count


OPUS = encoded(SOUND, "OGG", subtype="OPUS")
VORBIS = encoded(SOUND, "OGG")
MPEG = encoded(speechlike(1.0, 24000), "MP3", 24000)
JOINED = {
    "mp3": MPEG,
    "streamed mp3": b"".join(mpeg_frames(MPEG)[1:]),
    "opus": OPUS,
    "vorbis": VORBIS,
    "flac": FLAC,
    "wav": wav(PCM),
    "streamed wav": wav(PCM, size=0xFFFFFFFF, riff_size=0xFFFFFFFF),
    "aiff": AIFF,
    "au": AU,
    "caf": CAF,
    "w64": W64,
}


@pytest.mark.parametrize("kind", sorted(JOINED))
def test_files_that_were_joined_are_heard_whole(tmp_path, kind):
    content = JOINED[kind]
    once = heard(tmp_path, content)
    for times in (2, 3):
        # a run of MPEG frames has no seams
        assert abs(len(heard(tmp_path, content * times)) - times * len(once)) < 800
    if kind != "streamed mp3":
        assert (heard(tmp_path, content * 2)[len(once) :] == once).all()


def test_files_of_several_rates_and_kinds_may_be_joined(tmp_path):
    parts = [OPUS, MPEG, b"".join(mpeg_frames(encoded(speechlike(1.0, 44100), "MP3", 44100))[1:])]
    parts += [wav(PCM), FLAC, VORBIS, wav(PCM)]
    wanted = sum(len(heard(tmp_path, part)) for part in parts)
    assert len(heard(tmp_path, b"".join(parts))) == wanted


BEFORE_MPEG = dict(
    {kind: JOINED[kind] for kind in ("aiff", "au", "caf", "w64", "wav", "streamed wav", "flac")},
    **{kind: WHOLE[kind] for kind in WHOLE if kind.endswith("of a pipe") or kind == "length 0"},
)


@pytest.mark.parametrize("kind", sorted(BEFORE_MPEG))
@pytest.mark.parametrize("behind", ["mp3", "streamed mp3", "tagged mp3"])
def test_mpeg_that_was_joined_to_other_sound_is_heard(tmp_path, kind, behind):
    tagged = b"ID3\x03\0\0\0\0\0\x14" + bytes(20) + JOINED["mp3"]
    mpeg = tagged if behind == "tagged mp3" else JOINED[behind]
    first = heard(tmp_path, BEFORE_MPEG[kind])
    wanted = len(first) + len(heard(tmp_path, mpeg))
    both = heard(tmp_path, BEFORE_MPEG[kind] + mpeg)
    assert abs(len(both) - wanted) < 800
    assert (both[: len(first) - 500] == first[: len(first) - 500]).all()


@pytest.mark.parametrize("name", ["length of a pipe", "length 0", "RF64 of a pipe"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_stands_behind_sound_of_unknown_length_is_not_heard(tmp_path, name, times):
    tags = chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"Lavf")) + chunk(b"id3 ", bytes(range(7)))
    for behind in (tags, tags[:-1], b"TAG" + bytes(125)):
        assert len(heard(tmp_path, (WHOLE[name] + behind) * times)) == times * RATE_HZ


def test_sound_is_not_taken_for_mpeg(tmp_path):
    """Noise, and the quiet negative samples whose high bytes look like a frame's beginning."""
    rng = np.random.default_rng(4)
    for level in (30000, 2000, 40):
        pcm = rng.integers(-level, level, 1 << 20).astype("<i2").tobytes()
        assert len(heard(tmp_path, wav(pcm, size=0xFFFFFFFF))) == 1 << 20


def test_a_damaged_part_of_a_joined_file_is_damage(tmp_path):
    for whole, cut in ((MPEG, MPEG[:-30]), (OPUS, OPUS[:-30]), (FLAC, FLAC[:-30])):
        pytest.raises(DataError, heard, tmp_path, whole + cut)
        pytest.raises(DataError, heard, tmp_path, cut + whole)


@pytest.mark.parametrize("kind", sorted(set(JOINED) | {"pipe flac"}))
def test_a_file_that_was_cut_is_refused_or_a_beginning(tmp_path, kind):
    """At 25 places each: an error, or what the whole file begins with."""
    content = with_flac_length(FLAC, 0) if kind == "pipe flac" else JOINED[kind]
    whole = heard(tmp_path, content)
    places = random.Random(3)
    for _ in range(25):
        length = places.randrange(len(content))
        try:
            got = heard(tmp_path, content[:length])
        except DataError as error:
            assert "\n" not in str(error)
            continue
        # only these can be cut where nobody sees it, or by no more than a header
        assert kind in ("streamed wav", "streamed mp3") or len(got) > len(whole) - 40
        assert len(got) <= len(whole)
        start = max(0, len(got) - 500)  # the resampler rings at the end
        assert np.abs(got[:start] - whole[:start]).max(initial=0) < 1e-3


@pytest.mark.parametrize("kind", ["mp3", "opus", "flac", "streamed mp3"])
def test_real_time_gives_the_same_samples(tmp_path, kind, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(JOINED[kind] * 2)
    monkeypatch.setattr("edgeface.source.pace.Pace.wait", lambda *_: 0)
    source = FileSource(str(path))
    blocks = [source.read(0.0)]
    while blocks[-1] is not None:
        blocks.append(source.read(0.0))
    source.close()
    samples = [block.samples for block in blocks[:-1]]
    assert max(len(block) for block in samples) == RATE_HZ // 100
    assert (np.concatenate(samples) == read_whole(str(path))).all()


def test_decoders_say_nothing(tmp_path, capfd):
    """Not about damage either, of which libmpg123 would print pages."""
    rng = random.Random(1)
    streamed = JOINED["streamed mp3"]
    for content in [MPEG, streamed, MPEG * 2] + [streamed] * 30:
        damaged = bytearray(content)
        for _ in range(20 if content == streamed else 0):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with contextlib.suppress(DataError):
            heard(tmp_path, damaged)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000, 192000])
@pytest.mark.parametrize("frames", [1, 2])
def test_a_sample_of_any_rate_is_heard(tmp_path, rate_hz, frames):
    """T = ceil(samples / 640), and a sample that begins a frame makes one."""
    count = 1 if frames == 1 else rate_hz // 25 + 1
    content = encoded(np.full(count, 0.1), "WAV", rate_hz)
    assert -(-len(heard(tmp_path, content)) // 640) == frames


FOREIGN = {
    "m4a": bytes(4) + b"ftypM4A " + bytes(50),
    "webm": b"\x1a\x45\xdf\xa3" + bytes(50),
    "wav": b"BW64\xff\xff\xff\xffWAVE" + bytes(50),
    "aac": b"\xff\xf1\x50\x80" + bytes(50),
    "wma": b"\x30\x26\xb2\x75" + bytes(50),
    "spx": b"OggS" + bytes(22) + b"\x01\x08Speex   ",
}


@pytest.mark.parametrize("suffix", sorted(FOREIGN))
def test_other_formats_get_the_command_that_converts_them(tmp_path, suffix):
    path = tmp_path / f"it's mine.{suffix}"
    path.write_bytes(FOREIGN[suffix])
    with pytest.raises(DataError) as caught:
        read_whole(str(path))
    assert f"ffmpeg -i {shlex.quote(str(path))} out.wav" in str(caught.value)


def test_claims_cost_nothing(tmp_path):
    """Billions of frames, a thousand channels: read as what is there, or refused."""
    pytest.raises(DataError, heard, tmp_path, with_flac_length(FLAC, (1 << 36) - 1))
    pytest.raises(DataError, heard, tmp_path, wav(PCM, size=0x7FFFEFFF))
    fmt = struct.pack("<HHIIHH", 1, 1024, 768000, 1 << 30, 2048, 16)
    body = b"WAVE" + chunk(b"fmt ", fmt) + chunk(b"data", bytes(2048 * 50))
    assert len(heard(tmp_path, b"RIFF" + struct.pack("<I", len(body)) + body)) == 2


@pytest.mark.parametrize("kind", sorted(JOINED))
def test_any_damage_of_a_header_is_sound_or_one_error(tmp_path, kind):
    """Sizes of 0, of all ones and at random, in whatever container."""
    rng = random.Random(5)
    content = JOINED[kind] + JOINED[kind]
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            start = rng.choice((0, len(content) // 2)) + rng.randrange(80)
            value = rng.choice((b"\0", b"\xff", bytes([rng.randrange(256)])))
            width = rng.choice((1, 4, 8))
            damaged[start : start + width] = value * width
        try:
            assert np.isfinite(heard(tmp_path, damaged)).all()
        except DataError as error:
            assert "\n" not in str(error)


def test_a_pipe_that_nobody_writes_is_refused(tmp_path):
    path = str(tmp_path / "a.wav")
    os.mkfifo(path)
    result = edgeface("motion", path, "-o", str(tmp_path / "a.npz"), timeout=30)
    assert result.returncode == 65 and "not a regular file" in result.stderr
    assert result.stderr.count("\n") == 1


def test_soundfile_of_these_tests_reads_what_it_wrote():
    assert len(soundfile.read(io.BytesIO(wav(PCM)))[0]) == RATE_HZ
