"""The socket of a voice, and the other ways in which programs deliver sound."""

import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import wait_for

from edgeface import Voice
from edgeface.core.clock import monotonic_ns
from edgeface.core.errors import UnavailableError
from edgeface.source.base import SourceLost
from edgeface.source.chunks import ChunkParser, ProtocolError
from edgeface.source.command import CommandSource
from edgeface.source.fifo import FifoSource
from edgeface.source.unix import UnixSource
from edgeface.voice import HEADER, INTERRUPT, MAGIC

AHEAD_NS = 120 * 10**6


def tone(rate_hz, seconds, hz=300.0):
    return (
        (8000 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz))
        .astype("<i2")
        .tobytes()
    )


@pytest.fixture
def source(tmp_path):
    source = UnixSource(str(tmp_path / "voice"), AHEAD_NS)
    source.open()
    yield source
    source.close()
    assert not os.path.exists(str(tmp_path / "voice"))


def parsed(parser, data):
    """The chunks that bytes complete."""
    parser.put(data)
    return list(iter(parser.take, None))


def path_of(source):
    return source.name.partition(":")[2]


def heard(source, seconds):
    """Blocks of so long, with the moments at which they were read."""
    blocks, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        block = source.read(0.02)
        if len(block.samples):
            blocks.append((block, monotonic_ns()))
    return blocks


@pytest.mark.parametrize("rate_hz", [16000, 22050, 48000])
def test_what_is_said_is_read_in_real_time_whole_and_flagged_as_playback(source, rate_hz):
    voice = Voice(path_of(source))
    voice.say(tone(rate_hz, 0.5), rate_hz)
    voice.close()
    blocks = heard(source, 0.9)
    samples = np.concatenate([block.samples for block, _ in blocks])
    assert abs(len(samples) - 8000) <= 2
    wanted = np.frombuffer(tone(16000, 0.5), "<i2")[: len(samples)] / 32768.0
    assert np.abs(samples[200:-200] - wanted[200 : len(samples) - 200]).max() < 2e-3
    assert all(block.playback for block, _ in blocks)
    ends = np.array([block.audio_ns + len(block.samples) * 62500 for block, _ in blocks])
    assert (
        np.median([at for _, at in blocks] - ends) < 5e6
        and min([at for _, at in blocks] - ends) >= 0
    )
    assert (
        np.diff([block.audio_ns for block, _ in blocks])
        == [62500 * len(block.samples) for block, _ in blocks[:-1]]
    ).all()


def test_play_at_decides_when_sound_is_read(source):
    """So long before it is heard that the face is in time."""
    at = monotonic_ns() + 600 * 10**6
    with Voice(path_of(source)) as voice:
        voice.say(tone(16000, 0.1), 16000, play_at_ns=at)
        voice.say(tone(16000, 0.1), 16000, play_at_ns=at + 300 * 10**6)
        blocks = heard(source, 1.2)
    begins = [block.audio_ns for block, _ in blocks]
    assert begins[0] == at - AHEAD_NS
    assert begins[10] == begins[0] + 300 * 10**6
    assert len(blocks) == 20


def test_sound_whose_time_has_passed_is_played_at_once(source):
    began = monotonic_ns()
    with Voice(path_of(source)) as voice:
        voice.say(tone(16000, 0.1), 16000, play_at_ns=began - 10**9)
        blocks = heard(source, 0.3)
    assert len(blocks) == 10 and blocks[0][0].audio_ns >= began


def test_a_voice_can_be_interrupted(source):
    with Voice(path_of(source)) as voice:
        voice.say(tone(16000, 1.0), 16000, play_at_ns=monotonic_ns() + 10**10)
        assert heard(source, 0.1) == []
        voice.say(tone(16000, 0.2), 16000, interrupt=True)
        assert sum(len(block.samples) for block, _ in heard(source, 0.5)) == 3200


def test_another_writer_can_interrupt_one_whose_sound_is_long(source):
    """The first one is stuck in the middle of a minute: it cannot interrupt itself."""
    first, ended = Voice(path_of(source)), []

    def speak():
        try:
            first.say(tone(16000, 60.0), 16000)
        except OSError:
            ended.append(True)

    thread = threading.Thread(target=speak)
    thread.start()
    assert heard(source, 0.5)  # it is amid its minute
    waiting = Voice(path_of(source))
    waiting.say(tone(16000, 0.1), 16000)
    with Voice(path_of(source)) as voice:
        voice.say(tone(16000, 0.2), 16000, interrupt=True)
        thread.join(0.1)
        assert sum(len(block.samples) for block, _ in heard(source, 0.6)) <= 3200 + 160
    assert sum(len(block.samples) for block, _ in heard(source, 0.3)) == 1600
    thread.join(5)
    assert ended == [True]
    first.close()
    waiting.close()


def test_a_pause_in_the_middle_of_a_chunk_loses_nothing(source):
    writer = socket.socket(socket.AF_UNIX)
    writer.connect(path_of(source))
    sound = tone(22050, 0.4)
    writer.sendall(HEADER.pack(MAGIC, 22050, len(sound), 0, 0) + sound[:8001])
    samples = sum(len(block.samples) for block, _ in heard(source, 0.5))
    writer.sendall(sound[8001:])
    samples += sum(len(block.samples) for block, _ in heard(source, 0.5))
    writer.close()
    assert abs(samples - 6400) <= 4


def test_writers_take_turns_and_come_back(source):
    first, second = Voice(path_of(source)), Voice(path_of(source))
    second.say(tone(16000, 0.1), 16000)
    first.say(tone(16000, 0.2), 16000)
    assert sum(len(block.samples) for block, _ in heard(source, 0.4)) == 3200
    first.close()
    assert sum(len(block.samples) for block, _ in heard(source, 0.3)) == 1600
    second.close()


def test_a_fast_writer_waits_so_that_memory_stays_bounded(source):
    voice, done = Voice(path_of(source)), []

    def write():
        try:
            voice.say(tone(16000, 60.0), 16000)
            done.append(True)
        except OSError:
            pass

    thread = threading.Thread(target=write)
    thread.start()
    heard(source, 0.5)
    assert not done and source._turns.speaker.queue.samples < 3 * 16000
    source.close()
    thread.join(5)
    assert not thread.is_alive() and not done
    source.open()


def test_a_writer_of_nonsense_is_disconnected_and_nobody_else(source):
    rude = socket.socket(socket.AF_UNIX)
    rude.connect(path_of(source))
    rude.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    heard(source, 0.1)
    assert rude.recv(1000).startswith(b"not a chunk header")
    assert rude.recv(1) == b""
    rude.close()
    with Voice(path_of(source)) as voice:
        voice.say(tone(16000, 0.1), 16000)
        assert len(heard(source, 0.3)) == 10


def test_the_socket_of_a_dead_daemon_is_taken_over_and_that_of_a_living_one_is_not(tmp_path):
    path = str(tmp_path / "voice")
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(path)
    dead.close()
    source = UnixSource(path)
    source.open()
    with pytest.raises(UnavailableError):
        UnixSource(path).open()
    source.close()
    for taken in (tmp_path, tmp_path / "file"):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(UnavailableError):
            UnixSource(str(taken)).open()
    assert (tmp_path / "file").read_text() == "mine"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 2**64 - 1)), max_size=5), st.data()
)
def test_chunks_do_not_depend_on_how_the_bytes_are_cut(chunks, data):
    stream, wanted = b"", []
    for noise, play_at_ns in chunks:
        sound = noise[: len(noise) // 2 * 2]
        stream += HEADER.pack(MAGIC, 16000, len(sound), 0, play_at_ns) + sound
        wanted.append(np.frombuffer(sound, "<i2").astype(np.float32) / 32768)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    parser, found = ChunkParser(), []
    for first, last in zip([0] + cuts, cuts + [len(stream)]):
        found += parsed(parser, stream[first:last])
    samples = [chunk.samples for chunk in found]
    assert (np.concatenate(samples + [np.zeros(0)]) == np.concatenate(wanted + [np.zeros(0)])).all()
    times = [chunk.play_at_ns for chunk in found if chunk.play_at_ns]
    assert times == [at for sound, at in chunks if at and len(sound) > 1]


def test_a_play_at_time_outlives_sound_that_the_resampler_holds_back():
    sound = tone(22050, 0.5)
    stream = HEADER.pack(MAGIC, 22050, len(sound), 0, 12345) + sound
    parser, found = ChunkParser(), []
    for at in range(0, len(stream), 50):
        found += parsed(parser, stream[at : at + 50])
    assert [len(chunk.samples) > 0 for chunk in found if chunk.play_at_ns][-1]
    assert len([chunk for chunk in found if chunk.play_at_ns and len(chunk.samples)]) == 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_chunks_or_an_error(noise, headed):
    parser = ChunkParser()
    try:
        header = HEADER.pack(MAGIC, 22050, 40, INTERRUPT, 0) if headed else b""
        for chunk in parsed(parser, header + noise):
            assert np.isfinite(chunk.samples).all()
            assert np.abs(chunk.samples).max(initial=0) <= 1
    except ProtocolError as error:
        assert "not a chunk header" in str(error)


def test_a_command_is_read_until_it_ends_and_takes_its_children_along():
    seconds = f"1000.{os.getpid()}"  # other Pythons may run this test at the same time
    program = f"import os, sys, time, subprocess; subprocess.Popen(['sleep', '{seconds}']);"
    looking_for_it = ["pgrep", "-f", f"sleep {seconds}"]
    source = CommandSource(
        f'{sys.executable} -c "{program} os.write(1, bytes(3200)); time.sleep(0.5)"'
    )
    source.open()
    samples = 0
    while samples < 1600:
        samples += len(source.read(1.0).samples)
    assert subprocess.call(looking_for_it, stdout=subprocess.DEVNULL) == 0
    source.close()
    wait_for(lambda: subprocess.call(looking_for_it, stdout=subprocess.DEVNULL) == 1)
    source = CommandSource("true")
    source.open()
    with pytest.raises(SourceLost):
        source.read(1.0)
    source.close()
    for wrong in ("/nowhere/program", "sh -c 'unbalanced"):
        with pytest.raises(UnavailableError) as caught:
            CommandSource(wrong).open()
        assert "\n" not in str(caught.value) and wrong in str(caught.value)


def test_a_fifo_outlives_its_writers(tmp_path):
    path = str(tmp_path / "pipe")
    source = FifoSource(path)
    source.open()
    for _ in range(2):
        with open(path, "wb") as file:
            file.write(np.full(160, 8192, "<i2").tobytes() + b"\x01")  # and half a sample
        block = source.read(1.0)
        assert (block.samples == 0.25).all() and block.playback
        assert len(source.read(0.05).samples) == 0
        assert len(source.read(0.05).samples) == 0
    source.close()
    (tmp_path / "file").write_text("mine")
    for wrong in (str(tmp_path / "file"), "/nowhere/pipe"):
        with pytest.raises(UnavailableError) as caught:
            FifoSource(wrong).open()
        assert wrong in str(caught.value)
