"""The device list of PortAudio, which one process shares and which is as old as its start."""

import sys
import threading
from types import SimpleNamespace

import pytest

from edgeface.core.errors import UnavailableError
from edgeface.devices import portaudio
from edgeface.devices.bounded_call import BoundedCaller
from edgeface.devices.portaudio import DeviceRegistry, channels_of


class Stream:
    closed = False

    def start(self):
        pass

    def close(self):
        self.closed = True


@pytest.fixture
def library(monkeypatch, tmp_path):
    """PortAudio, which sees `library.devices` only after a new start.

    `library.registry` is a `DeviceRegistry` whose cards are listed in the file `library.cards`;
    `library.seen` is everything that changes when a device may have appeared.
    """

    def devices(*names):
        return [{"name": name, "max_input_channels": 1, "max_output_channels": 0} for name in names]

    library = SimpleNamespace(
        devices=devices(),
        starts=0,
        seen=0,
        PortAudioError=RuntimeError,
        cards=tmp_path / "cards",
        default=SimpleNamespace(device=(0, 0)),
        make=devices,
    )
    listed = [[]]

    def initialise():
        library.starts += 1
        listed[0] = library.devices

    def terminate():
        library._initialized -= 1

    library.query_devices = lambda: listed[0]
    library._lib = SimpleNamespace(Pa_Initialize=initialise)
    library._check = lambda error, text: None
    library._terminate = terminate
    library._initialized = 1
    library._exit_handler = lambda: None
    monkeypatch.setattr("edgeface.devices.portaudio.fingerprint", lambda: library.seen)
    library.cards.write_text("none")
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    library.registry = DeviceRegistry(str(library.cards))
    return library


def test_a_card_that_came_later_is_found(library):
    library.devices = library.make("USB Audio: (hw:1,0)")
    assert library.registry.find("usb", "input")["index"] == 0
    assert library.registry.find(None, "input")["name"].startswith("USB")
    with pytest.raises(UnavailableError, match="playback device usb: not found"):
        library.registry.find("usb", "output")


def test_the_search_for_an_absent_microphone_does_not_cut_off_the_voice(library):
    playing = Stream()
    library.registry.start(playing)
    for _ in range(10):
        with pytest.raises(UnavailableError):
            library.registry.find("usb", "input")
    assert not playing.closed and library.starts == 0
    library.devices = library.make("USB Audio: (hw:1,0)")
    library.seen += 1
    library.cards.write_text("1 [Device]: USB-Audio")
    assert library.registry.find("usb", "input")
    assert playing.closed and library.starts == 1  # it cannot be helped, once
    again = Stream()
    library.registry.start(again)
    with pytest.raises(UnavailableError):
        library.registry.find("other", "input")
    assert not again.closed and library.starts == 1


def test_the_device_list_is_made_again_only_when_something_changed(library):
    for _ in range(1000):
        with pytest.raises(UnavailableError):
            library.registry.find("usb", "input")
    assert library.starts == 1  # the list may have been older than the search
    library.seen += 1
    library.devices = library.make("USB Audio: (hw:1,0)")
    assert library.registry.find("usb", "input") and library.starts == 2


def test_portaudio_is_never_ended_under_another_call(library, monkeypatch):
    """Not even under one that hangs: it would use what is freed, and crash."""
    go, inside = threading.Event(), threading.Event()
    spare = SimpleNamespace(**dict(vars(library), query_devices=list))
    monkeypatch.setattr(portaudio, "_spares", [])
    monkeypatch.setattr(portaudio, "spare_portaudio", lambda original: spare)

    def hang():
        with library.registry.turn():
            inside.set()
            go.wait(20)

    hanging = threading.Thread(target=hang)
    hanging.start()
    inside.wait(20)
    with library.registry.turn(), pytest.raises(UnavailableError):  # the turn comes after 5 s
        library.registry.find("usb", "input")
    assert library.starts == 0 and portaudio.load() is spare
    go.set()
    hanging.join()
    library.seen += 1
    with library.registry.turn(), pytest.raises(UnavailableError):
        library.registry.find("usb", "input")
    assert library.starts == 1  # the spare one, which is alone


@pytest.mark.parametrize(
    "name, most, channels",
    [
        ("USB Audio: - (hw:1,0)", 1, 1),
        ("USB Audio: - (hw:1,0)", 2, 2),
        ("ReSpeaker: (hw:2,0)", 6, 6),
        ("Mixing desk: (hw:2,0)", 18, 8),
        ("pulse", 32, 2),
    ],
)
def test_all_channels_of_a_card_are_recorded_within_bounds(name, most, channels):
    assert channels_of({"name": name, "max_input_channels": most}) == channels


def test_an_exact_name_wins_over_a_part_of_one(library):
    library.devices = library.make("USB Audio 2", "USB Audio")
    assert library.registry.find("USB Audio", "input")["index"] == 1
    assert library.registry.find("usb audio", "input")["index"] == 0


@pytest.mark.parametrize("how", ["close", "discard"])
def test_a_closed_stream_does_not_keep_the_device_list_from_being_made_again(library, how):
    stream = Stream()
    library.registry.start(stream)
    if how == "close":
        library.registry.close(stream, BoundedCaller("usb"))
    else:
        library.registry.discard(stream)
    assert stream.closed
    library.devices = library.make("USB Audio: (hw:1,0)")
    assert library.registry.find("usb", "input")


def test_two_registries_know_nothing_of_each_other(library):
    stream = Stream()
    library.registry.start(stream)
    DeviceRegistry(str(library.cards)).close(stream, BoundedCaller("usb"))
    assert not stream.closed
