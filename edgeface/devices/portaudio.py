"""PortAudio: its device list and its streams, all of which one process shares."""

import atexit
import threading

from ..core.errors import UnavailableError

ANSWER_S = 4.0  # a sound server that hangs never answers
CARDS = "/proc/asound/cards"
_CLOSE_S = 0.5
_streams = set()
_known = [None]  # what CARDS held when the device list was made
_lock = threading.Lock()


def load():
    """The sounddevice module; UnavailableError where PortAudio is not installed."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise UnavailableError(
            f"sound: PortAudio is missing ({error}); apt install libportaudio2"
        ) from None
    return sounddevice


def find_device(wanted, kind):
    """Description of a device by name or part of it, with its `index`; None for the default.

    :param kind: `input` or `output`
    :raises UnavailableError: there is none
    """
    sounddevice = load()
    for attempt in range(2):
        devices = [
            dict(info, index=i)
            for i, info in enumerate(sounddevice.query_devices())
            if info[f"max_{kind}_channels"] > 0
        ]
        if wanted is None:
            default = sounddevice.default.device[0 if kind == "input" else 1]
            found = [info for info in devices if info["index"] == default]
        else:
            found = [info for info in devices if info["name"] == wanted] or [
                info for info in devices if wanted.lower() in info["name"].lower()
            ]
        if found:
            return found[0]
        if attempt == 0:
            _refresh(sounddevice)
    raise UnavailableError(
        "{} {}: not there; `edgeface devices` lists what is".format(
            {"input": "microphone", "output": "playback device"}[kind], wanted or "(default)"
        )
    )


def _refresh(sounddevice):
    """Makes the device list anew: it is as old as PortAudio's start, and a card may have come since.

    That ends every open stream; whoever has one notices and opens it again. So
    while there is one, it is done only if the cards are others.
    """
    cards = _cards()
    with _lock:
        if _streams and cards == _known[0]:
            return
        _known[0] = cards
        streams = list(_streams)
        _streams.clear()
    for stream in streams:
        stream.close()
    sounddevice._terminate()
    sounddevice._initialize()


def _cards():
    try:
        with open(CARDS) as file:
            return file.read()
    except OSError:
        return ""


def start(stream):
    """Starts a stream and keeps it in mind; returns it."""
    stream.start()
    with _lock:
        if _known[0] is None:
            _known[0] = _cards()
        _streams.add(stream)
    return stream


def close(stream, impatient):
    """Closes a stream that `start` returned, without waiting for a device that hangs.

    :param impatient: the owner's `impatient.Impatient`
    """
    with _lock:
        if stream not in _streams:
            return  # closed with the old device list
        _streams.discard(stream)
    try:
        impatient.call(_CLOSE_S, stream.close)
    except UnavailableError:
        # PortAudio's own clean-up at exit would wait for the device for ever
        atexit.unregister(load()._exit_handler)
