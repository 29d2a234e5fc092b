"""Voice assistants on the real daemon: the client is the `wyoming` package."""

import asyncio
import subprocess
import sys
import time

import numpy as np
import pytest
from support.ports import free_port
from support.process import start, wait_for
from wyoming import audio, client, info, ping, snd

from edgeface.core.clock import monotonic_ns
from edgeface.shm.reader import Reader

pytestmark = pytest.mark.system
LOUD_DBFS = -30.0
ANSWER_S = 20.0


@pytest.fixture
def kiosk(shm_name):
    """The port of a daemon that listens for assistants, and a reader of its frames."""
    port = free_port()
    process = start("run", "--source", f"wyoming:127.0.0.1:{port}", "--shm", shm_name)
    with Reader(shm_name) as reader:
        wait_for(lambda: reader.read() is not None)
        yield port, reader
    process.terminate()
    assert process.wait(5) == 0


def tone(rate_hz, width, channels, seconds):
    """A tone of 300 Hz in all channels."""
    wave = 0.4 * np.sin(2 * np.pi * 300 * np.arange(int(rate_hz * seconds)) / rate_hz)
    wave = np.repeat(wave, channels)
    if width == 1:
        return (128 + 127 * wave).astype(np.uint8).tobytes()
    wide = (wave * 2.0**31).astype("<i4").view(np.uint8).reshape(-1, 4)
    return wide[:, 4 - width :].tobytes()


async def say(assistant, seconds=0.4, rate_hz=22050, width=2, channels=1, samples_per_chunk=1024):
    """Sends an utterance; when it began, CLOCK_MONOTONIC in ns."""
    data = tone(rate_hz, width, channels, seconds)
    step = samples_per_chunk * width * channels
    began_ns = monotonic_ns()
    await assistant.write_event(audio.AudioStart(rate_hz, width, channels).event())
    for at in range(0, len(data), step):
        chunk = audio.AudioChunk(rate_hz, width, channels, data[at : at + step])
        await assistant.write_event(chunk.event())
    await assistant.write_event(audio.AudioStop().event())
    return began_ns


def with_assistant(port, behave):
    """What the coroutine `behave(assistant)` returns."""

    async def run():
        async with client.AsyncTcpClient("127.0.0.1", port, read_timeout=ANSWER_S) as assistant:
            return await behave(assistant)

    return asyncio.run(run())


def hears(reader):
    frame = reader.read()
    return frame is not None and frame.rms_dbfs > LOUD_DBFS


def test_an_assistant_finds_a_sound_service(kiosk):
    async def ask(assistant):
        await assistant.write_event(info.Describe().event())
        described = info.Info.from_event(await assistant.read_event())
        await assistant.write_event(ping.Ping("still there?").event())
        return described, ping.Pong.from_event(await assistant.read_event())

    described, pong = with_assistant(kiosk[0], ask)
    [program] = described.snd
    assert program.name == "edgeface" and program.installed
    assert program.snd_format == audio.AudioFormat(rate=16000, width=2, channels=1)
    assert not described.tts and not described.mic
    assert pong.text == "still there?"


@pytest.mark.parametrize(
    "rate_hz, width, channels", [(16000, 2, 1), (22050, 2, 2), (48000, 4, 6), (44100, 3, 1)]
)
def test_played_comes_when_the_sound_was_seen_and_not_before(kiosk, rate_hz, width, channels):
    port, reader = kiosk

    async def speak(assistant):
        began_ns = await say(assistant, 0.4, rate_hz, width, channels)
        event = await assistant.read_event()
        return event, (monotonic_ns() - began_ns) / 1e9

    event, took_s = with_assistant(port, speak)
    assert snd.Played.is_type(event.type)
    assert took_s > 0.4 + 0.12 - 0.005  # the sound, and the face's delay
    last = reader.read()
    wait_for(lambda: reader.read().index > last.index + 3)
    assert not hears(reader)


def test_utterances_follow_each_other_and_each_is_answered(kiosk):
    port, _ = kiosk

    async def speak(assistant):
        for _ in range(3):
            await say(assistant, 0.15, width=1)
        await assistant.write_event(audio.AudioStop().event())  # of nothing
        return [await assistant.read_event() for _ in range(4)]

    events = with_assistant(port, speak)
    assert [event.type for event in events] == ["played"] * 4


def test_one_that_leaves_after_its_last_word_is_heard_to_the_end(kiosk):
    """As satellites do, which do not wait for `played`."""
    port, reader = kiosk
    with_assistant(port, lambda assistant: say(assistant, 1.0))
    loud, end_s = set(), time.monotonic() + 20.0
    while time.monotonic() < end_s and (not loud or hears(reader)):
        frame = reader.read()
        if frame.rms_dbfs > LOUD_DBFS:
            loud.add(frame.index)
    assert max(loud) - min(loud) >= 23


def test_two_assistants_speak_in_turn_and_others_are_answered_meanwhile(kiosk):
    port, _ = kiosk

    async def run():
        first, second, third = (
            client.AsyncTcpClient("127.0.0.1", port, read_timeout=ANSWER_S) for _ in range(3)
        )
        async with first, second, third:
            began_ns = await say(first, 1.0)
            await say(second, 0.5)
            await third.write_event(info.Describe().event())
            described = await third.read_event()
            first_event, second_event = await first.read_event(), await second.read_event()
            return described, first_event, second_event, (monotonic_ns() - began_ns) / 1e9

    described, first, second, took_s = asyncio.run(run())
    assert info.Info.is_type(described.type)
    assert first.type == second.type == "played"
    assert took_s > 1.5 + 0.12 - 0.01


def test_nonsense_is_answered_with_an_error_and_silences_nobody(kiosk):
    port, _ = kiosk

    async def misbehave(assistant):
        await assistant.write_event(audio.AudioChunk(16000, 2, 1, b"odd").event())
        return await assistant.read_event(), await assistant.read_event()

    error, end = with_assistant(port, misbehave)
    assert error.type == "error" and "3 bytes are not whole samples" in error.data["text"]
    assert end is None

    async def speak(assistant):
        await say(assistant, 0.1)
        return await assistant.read_event()

    assert with_assistant(port, speak).type == "played"


FLOOD = """
import json, socket, sys, time
port, kind = int(sys.argv[1]), sys.argv[2]
sound = json.dumps({"type": "audio-chunk", "data": {"rate": 768000, "width": 4, "channels": 32},
                    "payload_length": 1 << 20})
pieces = {
    "pings": b'{"type": "ping"}\\n',
    "stops": b'{"type": "audio-stop"}\\n',
    "empty chunks": sound.replace("1048576", "0").encode() + b"\\n",
    "channels": sound.encode() + b"\\n" + bytes(1 << 20),
    "nonsense": b"GET / HTTP/1.1\\r\\n",
    "unknown": b'{"type": "nobody", "payload_length": 65536}\\n' + bytes(65536),
}
print("flooding", flush=True)
while True:
    try:
        with socket.create_connection(("127.0.0.1", port)) as client:
            while kind != "connections":
                client.sendall(pieces[kind] * (1 + 65536 // len(pieces[kind])))
    except OSError:
        time.sleep(0.001)
"""
FLOODS = ("pings", "stops", "empty chunks", "channels", "nonsense", "unknown", "connections")


@pytest.mark.slow
def test_a_flood_stops_neither_face_nor_heart(kiosk):
    port, reader = kiosk

    def is_well():
        """A second with 25 frames, and no heartbeat older than 200 ms."""
        began_s, first, pulse = time.monotonic(), reader.header()["latest"], True
        while time.monotonic() < began_s + 1.0:
            pulse = pulse and monotonic_ns() - reader.header()["heartbeat_ns"] < 2e8
            time.sleep(0.005)
        frames = reader.header()["latest"] - first
        return pulse and frames / (time.monotonic() - began_s) > 23.0

    for kind in FLOODS:
        flood = subprocess.Popen(
            [sys.executable, "-c", FLOOD, str(port), kind],
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        try:
            assert flood.stdout.readline() == "flooding\n"
            # any second: a machine that is busy with other things holds up everybody
            wait_for(is_well, 30.0)
        finally:
            flood.kill()
            flood.wait()
