"""What pipes carry: raw sound of any format and WAV are heard, everything else is named."""

import io
import os
import shlex
import subprocess
import threading

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.faces import DATA
from support.process import edgeface, wait_for

from edgeface.core.errors import DataError, UsageError
from edgeface.source.base import SourceLost
from edgeface.source.carried import CarriedSound
from edgeface.source.fifo import FifoSource
from edgeface.source.file import read_whole
from edgeface.source.pcm import ENCODINGS, Pcm
from edgeface.source.pipe import PipeSource
from edgeface.source.spec import make_source

BYTES = {"u8": 1, "s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4}
RAW = np.arange(-500, 500, dtype="<i2")


def encoded(wave, encoding):
    """float [n, channels] as raw sound."""
    if encoding == "f32le":
        return wave.astype("<f4").tobytes()
    if encoding == "u8":
        return np.round(128 + 127 * wave).astype(np.uint8).tobytes()
    wide = np.round(wave * (2.0**31 - 1)).astype("<i4").reshape(-1, 1).view(np.uint8)
    return wide[:, 4 - BYTES[encoding] :].tobytes()


def tone(rate_hz, channels=1, seconds=0.5):
    wave = 0.4 * np.sin(2 * np.pi * 300 * np.arange(int(rate_hz * seconds)) / rate_hz)
    return np.repeat(wave[:, None], channels, axis=1)


def wav(wave, rate_hz=16000, subtype="PCM_16", kind="WAV"):
    file = io.BytesIO()
    soundfile.write(file, wave, rate_hz, format=kind, subtype=subtype)
    return file.getvalue()


def carried(data, pcm=Pcm(), cuts=()):
    """All that is heard of a writer, who writes in pieces."""
    sound = CarriedSound("pipe", pcm)
    parts = [
        sound.accept(data[first:last])
        for first, last in zip([0] + list(cuts), list(cuts) + [len(data)])
    ]
    return np.concatenate(parts + [sound.finish()])


def is_tone(samples, seconds=0.5):
    """Whether this is the tone, at 16 kHz, and whole."""
    wanted = tone(16000, 1, seconds)[:, 0]
    if abs(len(samples) - len(wanted)) > 4:
        return False
    inner = slice(400, min(len(samples), len(wanted)) - 400)
    return np.abs(samples[inner] - wanted[inner]).max() < 0.02


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_raw_sound_is_what_it_always_was_however_it_is_cut(data, cuts):
    data = b"\0\0" + data  # no other beginning
    samples = carried(data, cuts=sorted(cuts))
    whole = data[: len(data) // 2 * 2]
    assert (samples == np.frombuffer(whole, "<i2").astype(np.float32) / 32768.0).all()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("rate_hz, channels", [(16000, 1), (48000, 2), (22050, 1), (8000, 6)])
def test_raw_sound_of_every_format_is_the_same_sound(encoding, rate_hz, channels):
    data = encoded(tone(rate_hz, channels), encoding)
    pcm = Pcm(rate_hz, channels, encoding)
    assert is_tone(carried(data, pcm))
    assert is_tone(carried(data, pcm, cuts=range(7, len(data), 1001)))


def test_a_sample_is_written_as_others_write_it():
    """Known answers of libsndfile, whose raw files have no header."""
    wave = np.array([-1.0, -0.5, 0.0, 0.25, 0.5, 0.999])
    subtypes = {"u8": "PCM_U8", "s16le": "PCM_16", "s24le": "PCM_24", "s32le": "PCM_32"}
    for encoding, subtype in dict(subtypes, f32le="FLOAT").items():
        file = io.BytesIO()
        soundfile.write(file, wave, 16000, format="RAW", subtype=subtype, endian="LITTLE")
        decoded = Pcm(16000, 1, encoding).decode(file.getvalue())
        assert np.abs(decoded[:, 0] - wave).max() <= (1 / 128 if encoding == "u8" else 1 / 32768)


def test_what_is_no_number_is_silence():
    data = np.array([np.nan, np.inf, -np.inf, 0.5, 7.0], "<f4").tobytes()
    assert (carried(data, Pcm(encoding="f32le")) == [0, 0, 0, 0.5, 1]).all()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_a_wav_file_says_what_it_is(kind, subtype):
    data = wav(tone(44100, 2), 44100, subtype, kind)
    assert is_tone(carried(data))
    assert is_tone(carried(data, Pcm(8000, 1, "u8"), cuts=range(1, len(data), 997)))


def test_of_a_wav_file_nothing_but_the_sound_is_heard(speech_wav):
    with open(speech_wav, "rb") as file:
        data = file.read()
    whole = read_whole(speech_wav)
    assert (carried(data) == whole).all()
    more = b"LIST" + (5).to_bytes(4, "little") + b"INFO!\0"
    assert (carried(data + more) == whole).all()
    both = carried(data + more + data, cuts=range(1, 2 * len(data), 4099))
    assert (both == np.concatenate((whole, whole))).all()
    unknown = data[:40] + b"\xff\xff\xff\xff" + data[44:]
    assert (carried(unknown) == whole).all()
    short = data[:40] + (3200).to_bytes(4, "little") + data[44:]  # a size that is wrong
    assert (carried(short) == whole).all()
    odd = wav(tone(16000)[:999], 16000, "PCM_U8")
    assert len(carried(odd + odd)) == 2 * 999


def streamed(wave, rate_hz=16000, subtype="PCM_16"):
    """A WAV file as it is written to a pipe: its length is not known."""
    data = wav(wave, rate_hz, subtype)
    return data[:40] + b"\xff\xff\xff\xff" + data[44:]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_what_follows_a_wav_file_of_unknown_length_is_another_file(step):
    first, second = streamed(tone(16000)[:8000]), streamed(tone(44100, 2), 44100, "PCM_24")

    def heard_of(before, after):
        seam = len(before)
        return carried(before + after, cuts=range(seam - 30, seam + 90, step))

    for torn in (b"", b"R"):
        assert is_tone(heard_of(first + torn, second)[8000:])
    both = heard_of(second, first)
    assert is_tone(both[: len(both) - 8000]) and is_tone(both[-8000:])
    with pytest.raises(DataError, match="FLAC cannot be read from a pipe"):
        heard_of(first, compressed("FLAC"))


def test_sound_that_ends_as_a_head_begins_is_heard():
    data = streamed(np.zeros((999, 1))) + b"RI"
    assert len(carried(data)) == 1000


def test_another_writer_begins_anew():
    sound = CarriedSound("pipe", Pcm())
    sound.accept(wav(tone(48000, 2), 48000) + b"half")
    sound.finish()
    sound.accept(RAW.tobytes() + b"\x01")
    assert not len(sound.finish())
    assert (sound.accept(RAW.tobytes()) * 32768 == RAW).all()


def compressed(kind):
    if kind == "MP3":
        with open(os.path.join(DATA, "stream.mp3"), "rb") as file:
            return file.read()
    return wav(
        tone(44100), 44100, {"FLAC": "PCM_16", "OGG": "VORBIS", "AIFF": "PCM_16"}[kind], kind
    )


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3", "AIFF"])
def test_what_is_encoded_is_refused_by_name_until_its_writer_ends(kind):
    sound = CarriedSound("fifo:/pipe", Pcm())
    data = compressed(kind)
    with pytest.raises(DataError) as caught:
        for at in range(0, len(data), 320):
            sound.accept(data[at : at + 320])
    assert f"fifo:/pipe: {kind.title() if kind == 'OGG' else kind} cannot" in str(caught.value)
    assert "ffmpeg" in str(caught.value) and "\n" not in str(caught.value)
    assert sound.refused and not len(sound.accept(data))
    assert not len(sound.finish())
    assert (sound.accept(RAW.tobytes()) * 32768 == RAW).all()


@pytest.mark.parametrize(
    "damage", [{20: 2}, {20: 7}, {22: 0}, {24: 1, 25: 0}, {34: 20, 32: 5}, {16: 1}]
)
def test_a_wav_file_of_something_else_is_refused(damage):
    data = bytearray(wav(RAW.astype(float) / 32768))
    for at, value in damage.items():
        data[at] = value
    with pytest.raises(DataError, match="WAV"):
        carried(bytes(data))


starts = st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"fLaC", b"\xff\xfb\x90\0", b"\xff\xff\x12\0"])


@settings(max_examples=100, deadline=None)
@given(
    starts,
    st.lists(
        st.sampled_from([b"fmt \x10\0\0\0", b"data\x08\0\0\0", b"LIST"]) | st.binary(), max_size=6
    ),
    st.lists(st.integers(0, 200), max_size=5),
    st.sampled_from(ENCODINGS),
)
@example(b"", [np.array([1e38, 1e38, -3e38, -3e38], "<f4").tobytes()], [], "f32le")
def test_any_bytes_are_sound_or_an_error(start, pieces, cuts, encoding):
    try:
        samples = carried(start + b"".join(pieces), Pcm(24000, 2, encoding), sorted(cuts))
    except DataError as error:
        assert "cannot be read from a pipe" in str(error)
    else:
        assert np.isfinite(samples).all() and np.abs(samples).max(initial=0) <= 1


def heard(source):
    """All that a source delivers until nothing more comes."""
    parts = [np.zeros(0, np.float32)]
    silent = 0
    while silent < 10:
        block = source.read(0.05)
        if block is None:
            break
        silent = 0 if len(block.samples) else silent + 1
        parts.append(block.samples)
    return np.concatenate(parts)


@pytest.mark.parametrize("pcm", [Pcm(48000, 2, "f32le"), Pcm(192000, 8, "s32le"), Pcm()])
def test_a_pause_of_a_writer_loses_nothing(pcm):
    reader, writer = os.pipe()
    data = encoded(tone(pcm.rate_hz, pcm.channels), pcm.encoding)

    def write():
        with os.fdopen(writer, "wb") as file:
            file.write(data[: len(data) // 2 + 1])
            file.flush()
            written.wait(20)
            file.write(data[len(data) // 2 + 1 :])

    written = threading.Event()
    thread = threading.Thread(target=write)
    thread.start()
    source = PipeSource(reader, pcm=pcm)
    first = []
    wait_for(lambda: first.append(source.read(0.02)) or sum(len(b.samples) for b in first) > 3900)
    first.append(source.read(0.3))  # the pause
    written.set()
    second = heard(source)
    thread.join()
    os.close(reader)
    samples = np.concatenate([block.samples for block in first] + [second])
    assert abs(len(samples) - 8000) <= 4
    blocks = [block for block in first[:-1] if len(block.samples)]
    steps = [after.audio_ns - block.end_ns for block, after in zip(blocks, blocks[1:])]
    assert np.abs(np.median(steps)) < 20e6  # their times follow each other


def test_a_fifo_hears_the_next_writer_after_one_of_flac(tmp_path, caplog):
    path = str(tmp_path / "pipe")
    source = FifoSource(path)
    source.open()
    try:
        for data in (compressed("FLAC") + bytes(100000), RAW.tobytes()):
            thread = threading.Thread(target=lambda data=data: open(path, "wb").write(data))
            thread.start()
            samples = heard(source)
            thread.join()
        assert (samples * 32768 == RAW).all()
    finally:
        source.close()
    [record] = [record for record in caplog.records if "FLAC" in record.getMessage()]
    assert record.event == "voice_refused" and "passed over" in record.getMessage()


def test_a_command_that_writes_flac_is_lost_with_the_reason(tmp_path):
    (tmp_path / "voice.flac").write_bytes(compressed("FLAC"))
    source = make_source(f"cmd:cat {shlex.quote(str(tmp_path / 'voice.flac'))}")
    source.open()
    try:
        with pytest.raises(SourceLost, match="FLAC cannot be read from a pipe"):
            heard(source)
    finally:
        source.close()


def test_specifications_say_what_a_pipe_carries(tmp_path):
    source = make_source("fifo,rate=48000,channels=2,format=F32LE:/run/a,b:c")
    assert source.name == "fifo:/run/a,b:c" and source._pcm == Pcm(48000, 2, "f32le")
    assert make_source("cmd,channels=2:arecord -c 2")._pcm == Pcm(channels=2)
    assert make_source("-,format=u8").name == "-"
    for wrong, word in (
        ("fifo,rate=48k:/pipe", "a rate out of"),
        ("fifo,rate=1999:/pipe", "2000..768000 Hz"),
        ("fifo,channels=33:/pipe", "channels out of 1..32"),
        ("cmd,format=s16be:true", "s16le"),
        ("cmd,speed=2:true", "'speed=2' says nothing"),
        ("-,:", "invalid"),
        ("-,:x", "invalid"),
        ("mic,rate=48000:USB", "invalid"),
        ("fifo,rate=48000", "invalid"),
    ):
        with pytest.raises(UsageError, match=word):
            make_source(wrong)


def test_the_daemon_gives_the_same_frames_for_a_wav_file_and_its_pipe(
    speech_wav, tmp_path, shm_name
):
    ways = {"file": [speech_wav], "pipe": ["-"]}
    for name, source in ways.items():
        with open(speech_wav, "rb") as file:
            out = str(tmp_path / f"{name}.npz")
            run = ["run", "--fast", "--mouth-only", "--shm", shm_name, "--frames-out", out]
            assert edgeface(*run, "--source", *source, stdin=file).returncode == 0
    with np.load(str(tmp_path / "file.npz")) as one, np.load(str(tmp_path / "pipe.npz")) as other:
        for array in ("landmarks", "blendshapes", "f0_hz", "rms_dbfs"):
            assert (one[array] == other[array]).all()


def test_flac_at_standard_input_is_one_line(tmp_path, shm_name):
    (tmp_path / "voice.flac").write_bytes(compressed("FLAC"))
    with open(str(tmp_path / "voice.flac"), "rb") as file:
        result = edgeface("run", "--fast", "--source", "-", "--shm", shm_name, stdin=file)
    assert result.returncode == 65 and result.stderr.count("\n") == 1
    assert "-: FLAC cannot be read from a pipe; send it through `ffmpeg" in result.stderr


@pytest.mark.system
@pytest.mark.parametrize(
    "spec, output",
    [
        ("cmd", "-f wav"),
        ("cmd", "-f wav -c:a pcm_s24le -ar 44100"),
        ("cmd", "-f wav -c:a pcm_f32le -rf64 always"),
        ("cmd,rate=48000,channels=2,format=s32le", "-f s32le -ar 48000 -ac 2"),
        ("cmd,rate=8000,format=u8", "-f u8 -ar 8000 -ac 1"),
    ],
)
def test_what_ffmpeg_writes_to_a_pipe_is_heard(spec, output, tmp_path):
    import imageio_ffmpeg

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    path = str(tmp_path / "tone.wav")
    soundfile.write(path, tone(22050, 2), 22050)
    arguments = f"-loglevel error -nostdin -i {shlex.quote(path)} {output} -"
    source = make_source(f"{spec}:{shlex.quote(ffmpeg)} {arguments}")
    source.open()
    parts = []
    try:
        with pytest.raises(SourceLost, match="ended"):
            while True:
                parts.append(source.read(1.0).samples)
    finally:
        source.close()
    assert is_tone(np.concatenate(parts))


@pytest.mark.system
def test_the_line_of_the_refusal_makes_it_heard(tmp_path):
    import imageio_ffmpeg

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    with pytest.raises(DataError) as caught:
        carried(compressed("MP3"))
    line = str(caught.value).split("`")[1]
    assert line.startswith("ffmpeg ")
    data = subprocess.run(
        [ffmpeg] + shlex.split(line)[1:], input=compressed("MP3"), stdout=subprocess.PIPE
    ).stdout
    assert len(carried(data)) > 8000
