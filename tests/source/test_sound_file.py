import os
import re

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import edgeface

from edgeface.core.errors import DataError, EdgefaceError
from edgeface.source.convert import Converter
from edgeface.source.file import FileSource, read_whole


def tone(rate, seconds=1.0, hz=440.0, channels=1):
    x = 0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)
    return np.repeat(x[:, None], channels, axis=1)


@pytest.mark.parametrize(
    "rate", [2000, 8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000, 768000]
)
def test_any_rate_becomes_16_khz(tmp_path, rate):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, tone(rate), rate)
    samples = read_whole(path)
    assert samples.dtype == np.float32
    assert abs(len(samples) - 16000) <= 2
    middle = slice(2000, 14000)
    assert np.abs(samples[middle] - tone(16000)[: len(samples), 0][middle]).max() < 2e-3


@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_channels_are_mixed(tmp_path, kind, channels):
    path = str(tmp_path / f"a.{kind}")
    soundfile.write(path, tone(16000, channels=channels), 16000)
    samples = read_whole(path)
    assert np.corrcoef(samples[1000:15000], tone(16000)[1000:15000, 0])[0, 1] > 0.999


def bad_files(folder):
    """path, exit code, word of the message"""

    def wav(name, data, rate, **how):
        soundfile.write(str(folder / name), data, rate, **how)
        return str(folder / name)

    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("this is no sound\n" * 100)
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    whole = open(wav("whole.wav", tone(16000), 16000), "rb").read()
    (folder / "cut.wav").write_bytes(whole[:9000])
    flac = open(wav("whole.flac", tone(16000), 16000), "rb").read()
    (folder / "cut.flac").write_bytes(flac[: len(flac) // 2])
    nan = tone(16000)
    nan[5000] = np.nan
    yield str(folder / "missing.wav"), 66, "file not found"
    yield str(folder / "empty.wav"), 65, "not a readable sound file"
    yield str(folder / "text.wav"), 65, "not a readable sound file"
    yield str(folder / "photo.png"), 65, "not a readable sound file"
    yield str(folder), 65, "not a readable sound file"
    yield str(folder / "cut.wav"), 65, "truncated"
    yield str(folder / "cut.flac"), 65, "damaged"
    yield wav("none.wav", tone(16000)[:0], 16000), 65, "contains no sound"
    yield wav("nan.wav", nan, 16000, subtype="FLOAT"), 65, "not finite"
    yield wav("slow.wav", tone(16000), 1), 65, "1 Hz is outside"
    yield wav("fast.wav", tone(16000), 1000000), 65, "1000000 Hz is outside"


def test_bad_files_are_one_line_with_the_right_code(tmp_path, shm_name):
    out = str(tmp_path / "out.npz")
    for path, code, word in bad_files(tmp_path):
        with pytest.raises(EdgefaceError) as caught:
            read_whole(path)
        assert caught.value.exit_code == code, path
        assert word in str(caught.value) and path in str(caught.value)
    for path, code, word in list(bad_files(tmp_path))[:1] + list(bad_files(tmp_path))[5:9]:
        for result in (
            edgeface("motion", path, "-o", out),
            edgeface("run", "--source", f"file:{path}", "--fast", "--shm", shm_name),
        ):
            assert result.returncode == code, result.stderr
            assert result.stderr.count("\n") == 1 and result.stderr.startswith("edgeface: ")
            assert word in result.stderr
    assert [name for name in os.listdir(str(tmp_path)) if name.startswith("out")] == []


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_header_written_to_a_pipe_is_no_damage(tmp_path, size):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, tone(16000), 16000)
    with open(path, "r+b") as file:
        at = file.read().index(b"data")
        file.seek(at + 4)
        file.write(size.to_bytes(4, "little"))
    assert len(read_whole(path)) == 16000


def ogg_crc(page):
    """Checksum of a page of Ogg, RFC 3533, whose own field holds 0."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


@pytest.mark.parametrize("pages, whole", [(2, True), (5, False)])
def test_an_ogg_file_may_end_a_little_before_its_last_page(tmp_path, pages, whole):
    """Some programs mark several pages as the last one, as two pieces of Debian's game music."""
    path = tmp_path / "a.ogg"
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * 16000)
    soundfile.write(str(path), noise, 16000)
    content = bytearray(path.read_bytes())
    starts = [found.start() for found in re.finditer(b"OggS", content)]
    at, end = starts[-pages:][:2]
    content[at + 5] |= 4  # the end of the stream
    content[at + 22 : at + 26] = bytes(4)
    content[at + 22 : at + 26] = ogg_crc(content[at:end]).to_bytes(4, "little")
    path.write_bytes(content)
    if whole:
        assert 9 * 16000 < len(read_whole(str(path))) < len(noise)
    else:
        pytest.raises(DataError, read_whole, str(path))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from(["wav", "flac", "ogg", "none"]), st.integers(0, 300)
)
def test_any_bytes_are_sound_or_a_data_error(tmp_path_factory, content, kind, at):
    """Fuzzes the readers with noise, and with noise inside files that were whole."""
    folder = tmp_path_factory.getbasetemp()
    path = str(folder / "fuzz.bin")
    if kind != "none":
        soundfile.write(str(folder / f"fuzz.{kind}"), tone(16000, 0.1), 16000)
        good = bytearray(open(str(folder / f"fuzz.{kind}"), "rb").read())
        good[at : at + len(content)] = content
        content = bytes(good)
    with open(path, "wb") as file:
        file.write(content)
    try:
        source = FileSource(path, fast=True)
        for _ in range(50):
            block = source.read(0.0)
            if block is None:
                break
            assert np.isfinite(block.samples).all() and np.abs(block.samples).max(initial=0) <= 1
        source.close()
    except DataError as error:
        assert path in str(error)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([8000, 44100, 48000]), st.lists(st.integers(0, 2000), max_size=12))
def test_resampling_does_not_depend_on_chunks(rate, sizes):
    sound = tone(rate, 0.3).astype(np.float32)

    def convert(cuts):
        converter, parts, at = Converter(rate), [], 0
        for cut in cuts:
            parts.append(converter.accept(sound[at : at + cut]))
            at += cut
        return np.concatenate(parts + [converter.accept(sound[at:], last=True)])

    assert np.abs(convert(sizes) - convert([])).max() < 1e-6
