"""The device list of PortAudio, which one process shares and which is as old as its start."""

import sys
from types import SimpleNamespace

import pytest

from edgeface.core.errors import UnavailableError
from edgeface.devices import portaudio


class Stream:
    closed = False

    def start(self):
        pass

    def close(self):
        self.closed = True


@pytest.fixture
def library(monkeypatch, tmp_path):
    """PortAudio with the devices in `library.devices`, seen only after a new start; cards in `library.cards`."""

    def devices(*names):
        return [{"name": name, "max_input_channels": 1, "max_output_channels": 0} for name in names]

    library = SimpleNamespace(
        devices=devices(),
        starts=0,
        cards=tmp_path / "cards",
        default=SimpleNamespace(device=(0, 0)),
        make=devices,
    )
    listed = [[]]

    def initialise():
        library.starts += 1
        listed[0] = library.devices

    library.query_devices, library._initialize, library._terminate = (
        lambda: listed[0],
        initialise,
        lambda: None,
    )
    library.cards.write_text("none")
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    monkeypatch.setattr(portaudio, "CARDS", str(library.cards))
    monkeypatch.setattr(portaudio, "_streams", set())
    monkeypatch.setattr(portaudio, "_known", [None])
    return library


def test_a_card_that_came_later_is_found(library):
    library.devices = library.make("USB Audio: (hw:1,0)")
    assert portaudio.find_device("usb", "input")["index"] == 0
    assert portaudio.find_device(None, "input")["name"].startswith("USB")
    with pytest.raises(UnavailableError, match="playback device usb: not there"):
        portaudio.find_device("usb", "output")


def test_the_search_for_an_absent_microphone_does_not_cut_off_the_voice(library):
    playing = portaudio.start(Stream())
    for _ in range(10):
        with pytest.raises(UnavailableError):
            portaudio.find_device("usb", "input")
    assert not playing.closed and library.starts == 0
    library.devices = library.make("USB Audio: (hw:1,0)")
    library.cards.write_text("1 [Device]: USB-Audio")
    assert portaudio.find_device("usb", "input")
    assert playing.closed and library.starts == 1  # it cannot be helped, once
    again = portaudio.start(Stream())
    with pytest.raises(UnavailableError):
        portaudio.find_device("other", "input")
    assert not again.closed and library.starts == 1
