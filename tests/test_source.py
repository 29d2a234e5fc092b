import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
from conftest import edgeface
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.clock import monotonic_ns
from edgeface.errors import DataError, EdgefaceError, MissingInputError, UsageError
from edgeface.source.convert import Converter
from edgeface.source.file import FileSource, read_whole
from edgeface.source.pipe import PipeSource
from edgeface.source.spec import make_source


def tone(rate, seconds=1.0, hz=440.0, channels=1):
    x = 0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)
    return np.repeat(x[:, None], channels, axis=1)


@pytest.mark.parametrize("rate", [2000, 8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000, 768000])
def test_any_rate_becomes_16_khz(tmp_path, rate):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, tone(rate), rate)
    samples = read_whole(path)
    assert samples.dtype == np.float32
    assert abs(len(samples) - 16000) <= 2
    middle = slice(2000, 14000)
    assert np.abs(samples[middle] - tone(16000)[:len(samples), 0][middle]).max() < 2e-3


@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_channels_are_mixed(tmp_path, kind, channels):
    path = str(tmp_path / ("a." + kind))
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
    (folder / "cut.flac").write_bytes(flac[:len(flac) // 2])
    nan = tone(16000)
    nan[5000] = np.nan
    yield str(folder / "missing.wav"), 66, "no such file"
    yield str(folder / "empty.wav"), 65, "no sound file"
    yield str(folder / "text.wav"), 65, "no sound file"
    yield str(folder / "photo.png"), 65, "no sound file"
    yield str(folder), 65, "no sound file"
    yield str(folder / "cut.wav"), 65, "cut short"
    yield str(folder / "cut.flac"), 65, "damaged"
    yield wav("none.wav", tone(16000)[:0], 16000), 65, "holds no sound"
    yield wav("nan.wav", nan, 16000, subtype="FLOAT"), 65, "no numbers"
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
        for result in (edgeface("motion", path, "-o", out),
                       edgeface("run", "--source", "file:" + path, "--fast", "--shm", shm_name)):
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
    if size == 0:
        pytest.raises(DataError, read_whole, path)  # libsndfile reads nothing from it
    else:
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
    """As two pieces of Debian's game music do: their last pages all say that they are the last one."""
    path = tmp_path / "a.ogg"
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * 16000)
    soundfile.write(str(path), noise, 16000)
    content = bytearray(path.read_bytes())
    starts = [found.start() for found in re.finditer(b"OggS", content)]
    at, end = starts[-pages:][:2]
    content[at + 5] |= 4  # the end of the stream
    content[at + 22:at + 26] = bytes(4)
    content[at + 22:at + 26] = ogg_crc(content[at:end]).to_bytes(4, "little")
    path.write_bytes(content)
    if whole:
        assert 9 * 16000 < len(read_whole(str(path))) < len(noise)
    else:
        pytest.raises(DataError, read_whole, str(path))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["wav", "flac", "ogg", "none"]), st.integers(0, 300))
def test_any_bytes_are_sound_or_a_data_error(tmp_path_factory, content, kind, at):
    """Fuzzes the readers with noise, and with noise inside files that were whole."""
    folder = tmp_path_factory.getbasetemp()
    path = str(folder / "fuzz.bin")
    if kind != "none":
        soundfile.write(str(folder / ("fuzz." + kind)), tone(16000, 0.1), 16000)
        good = bytearray(open(str(folder / ("fuzz." + kind)), "rb").read())
        good[at:at + len(content)] = content
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
            parts.append(converter.accept(sound[at:at + cut]))
            at += cut
        return np.concatenate(parts + [converter.accept(sound[at:], last=True)])

    assert np.abs(convert(sizes) - convert([])).max() < 1e-6


def test_raw_sound_from_a_pipe():
    reading, writing = os.pipe()
    sound = np.arange(-500, 500, dtype="<i2")
    writer = threading.Thread(target=lambda: (os.write(writing, sound.tobytes()[:333]), time.sleep(0.05),
                                              os.write(writing, sound.tobytes()[333:]), os.close(writing)))
    writer.start()
    source, parts = PipeSource(reading, fast=True), []
    block = source.read(1.0)
    while block is not None:
        parts.append(block.samples)
        block = source.read(1.0)
    writer.join()
    os.close(reading)
    assert (np.concatenate(parts) * 32768 == sound).all()


def test_a_pipe_is_read_in_real_time_and_its_end_is_an_end():
    reading, writing = os.pipe()
    source, blocks = PipeSource(reading), []
    os.write(writing, np.full(16000, 8192, "<i2").tobytes())
    began = time.monotonic()
    blocks += [source.read(0.05) for _ in range(40)]
    assert 0.39 < time.monotonic() - began < 0.6
    assert all((block.samples == 0.25).all() and len(block.samples) == 160 for block in blocks)
    steps = np.diff([block.audio_ns for block in blocks])
    assert abs(np.median(steps) - 10 ** 7) < 10 ** 5
    os.close(writing)
    rest = [source.read(0.05) for _ in range(61)]
    assert rest[-1] is None and sum(len(block.samples) for block in rest[:-1]) == 16000 - 6400
    os.close(reading)


def test_a_writer_that_pauses_is_timed_anew():
    reading, writing = os.pipe()
    source = PipeSource(reading)
    os.write(writing, bytes(320))
    source.read(0.05)
    assert len(source.read(0.2).samples) == 0
    os.write(writing, bytes(320))
    assert abs(source.read(0.05).audio_ns - monotonic_ns()) < 5 * 10 ** 7
    os.close(writing)
    os.close(reading)


class Recorder:
    """A writer in real time, on a clock that may run wrong, which can be held up as `write` blocks."""

    def __init__(self, file, rate_hz):
        self._file, self._rate_hz = file, rate_hz
        self.began_ns, self.written = monotonic_ns(), 0

    def catch_up(self, now_ns):
        due = int((now_ns - self.began_ns) * self._rate_hz / 1e9) // 320 * 320
        os.write(self._file, np.full(due - self.written, 100, "<i2").tobytes())
        self.written = due


def virtual_time(monkeypatch, *modules):
    """A clock that sleeping moves, and nothing else; call it with seconds to move it."""
    now = [10 ** 12]

    def move(seconds):
        now[0] += int(seconds * 1e9)

    monkeypatch.setattr(time, "sleep", move)
    for module in modules:
        monkeypatch.setattr("edgeface.source.%s.monotonic_ns" % module, lambda: now[0])
    monkeypatch.setattr(sys.modules[__name__], "monotonic_ns", lambda: now[0])
    return now, move


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [15992, 16008])
def test_a_recorder_whose_clock_runs_wrong_is_followed(monkeypatch, rate_hz):
    """An hour at 500 ppm would be 1.8 s too early or too late."""
    now, move = virtual_time(monkeypatch, "pipe", "pace")
    reading, writing = os.pipe()
    source, recorder, read, worst = PipeSource(reading), Recorder(writing, rate_hz), 0, 0
    while recorder.written < 3600 * 16000:
        move(0.002)
        recorder.catch_up(now[0])
        block = source.read(0.0)
        assert block.lost == 0
        read += len(block.samples)
        if len(block.samples):
            worst = max(worst, abs(block.audio_ns - recorder.began_ns - (read - len(block.samples)) * 1e9 / rate_hz))
    assert recorder.written - read < 16000 * 0.05
    assert worst < 60e6  # ns
    os.close(writing)
    os.close(reading)


def test_of_a_recorder_nobody_listened_to_the_oldest_sound_is_dropped(monkeypatch):
    now, move = virtual_time(monkeypatch, "pipe", "pace")
    reading, writing = os.pipe()
    source, recorder, read, lost = PipeSource(reading), Recorder(writing, 16000), 0, 0
    for held_up in (False,) * 2000 + (True,) + (False,) * 500:
        move(1.0 if held_up else 0.002)
        recorder.catch_up(now[0])
        block = source.read(0.0)
        read, lost = read + len(block.samples), lost + block.lost
    assert lost > 12000
    assert recorder.written - read - lost < 16000 * 0.1
    os.close(writing)
    os.close(reading)


def test_run_reads_standard_input(shm_name, clips, tmp_path):
    out = str(tmp_path / "f.npz")
    result = subprocess.run([sys.executable, "-m", "edgeface", "run", "--source", "-", "--fast", "--shm", shm_name,
                             "--frames-out", out], input=clips["samples"][0].tobytes(), stderr=subprocess.PIPE)
    assert result.returncode == 0, result.stderr
    with np.load(out) as motion:
        assert motion["landmarks"].shape == (75, 68, 3)


@pytest.mark.parametrize("spec", ["", "mike", "mic:", "file:", "http://x", "speech", "unix", "unix:",
                                  "fifo:", "cmd:", "monitor:"])
def test_unknown_specs(spec):
    pytest.raises(UsageError, make_source, spec)


def test_a_path_with_a_suffix_is_a_file():
    pytest.raises(MissingInputError, make_source, "nowhere.WAV")
