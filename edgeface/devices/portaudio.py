"""PortAudio: its device list and its streams, all of which one process shares."""

import atexit
import contextlib
import threading
from typing import Any, ContextManager, Dict, Hashable, List, Optional, Set, cast

from ..core.chatter import silence_libraries
from ..core.errors import UnavailableError, one_line
from .bounded_call import BoundedCaller
from .changes import CARDS_FILE, SERVER, fingerprint, read_text
from .quiet import descriptor_kept
from .spare_portaudio import spare_portaudio
from .turns import Turns

ANSWER_S = 4.0  # a sound server that hangs never answers
MOST_CHANNELS = 8
_UNKNOWN_CHANNELS = 2  # of a device that would take any number, such as a sound server's
_CLOSE_S = 0.5
_MOST_SPARES = 3  # each costs a megabyte, and a call that never returns
_imported = False
_spares: List[Any] = []  # the last one is in use
_KINDS = {"input": "microphone", "output": "playback device"}


def load() -> Any:
    """The sounddevice module; `UnavailableError` where PortAudio is not installed.

    Whoever holds a `turn` loads it after `find`, which may replace it.
    """
    global _imported
    if _spares:
        return _spares[-1]
    silence_libraries()
    try:
        with contextlib.ExitStack() as stack:
            if not _imported:
                stack.enter_context(descriptor_kept())
            import sounddevice
    except (ImportError, OSError) as error:
        raise UnavailableError(
            f"sound: PortAudio is missing ({error}); apt install libportaudio2"
        ) from None
    # PortAudio's own clean-up at exit would wait for a device that hangs, and pull the library
    # from under a thread that still uses it
    atexit.unregister(sounddevice._exit_handler)
    _imported = True
    return sounddevice


def channels_of(info: Dict[str, Any]) -> int:
    """How many channels to record from a device, at most 8.

    :param info: PortAudio's description of it
    """
    most = int(info["max_input_channels"])
    if most > MOST_CHANNELS and "(hw:" not in info["name"]:
        return _UNKNOWN_CHANNELS
    return min(most, MOST_CHANNELS)


class DeviceRegistry:
    """PortAudio's devices, and the streams that this process has open on them.

    PortAudio makes its device list when it starts, and can only make another one by ending
    every open stream. This knows the streams, and does so when it is worth it. PortAudio is not
    made for threads: whoever asks it for anything else than a stream's time holds a `turn`.

    :param cards_file: what changes when a sound card is plugged in or out
    """

    def __init__(self, cards_file: str = CARDS_FILE) -> None:
        self._cards_file = cards_file
        # when the device list was made: cards, the server's devices, whatever else decides
        self._known_cards: Optional[str] = None
        self._known_server: Hashable = None
        self._listed: Hashable = None
        self._streams: Set[Any] = set()
        self._lock = threading.Lock()
        self._turns = Turns()

    def turn(self) -> ContextManager[None]:
        """Waits until nobody else calls PortAudio, and keeps others from it."""
        return cast(ContextManager[None], self._turns.turn())

    def find(self, wanted: Optional[str], kind: str) -> Dict[str, Any]:
        """PortAudio's description of a device, with its `index`; in a `turn` of the caller.

        :param wanted: its name, of which a part is enough; None for the default device
        :param kind: `input` or `output`
        :raises UnavailableError: there is none
        """
        sounddevice = load()
        try:
            if not sounddevice._initialized:  # making the last list failed
                _initialize(sounddevice)
            found = _matches(sounddevice, wanted, kind)
            if not found and self._refresh(sounddevice):
                found = _matches(load(), wanted, kind)
        except sounddevice.PortAudioError as error:
            raise UnavailableError(
                f"{_KINDS[kind]} {wanted or '(default)'}: {one_line(error)};"
                " `edgeface devices` lists what is available"
            ) from None
        if not found:
            raise UnavailableError(
                f"{_KINDS[kind]} {wanted or '(default)'}: not found;"
                " `edgeface devices` lists what is available"
            )
        return found[0]

    def start(self, stream: Any) -> None:
        """Starts a stream, and counts it as open; in the `turn` in which it was made."""
        stream.start()
        with self._lock:
            if self._known_cards is None:
                self._known_cards = read_text(self._cards_file)
            self._streams.add(stream)

    def close(self, stream: Any, caller: BoundedCaller) -> None:
        """Closes a stream, without waiting for a device that hangs.

        :param caller: the one of the stream's owner
        """
        with contextlib.suppress(UnavailableError):
            caller.call(_CLOSE_S, lambda: self.discard(stream))

    def discard(self, stream: Any) -> None:
        """Closes a stream, however long it takes."""
        with self._turns.turn():
            with self._lock:
                if stream not in self._streams:
                    return  # closed with the old device list
                self._streams.discard(stream)
            stream.close()

    def _refresh(self, sounddevice: Any) -> bool:
        """Makes the device list again, in case a device came since; whether it did.

        That ends every open stream; its owner notices and opens it again. So while there is
        one, it is done only if cards or the sound server's devices have changed. It would also
        pull PortAudio from under a call that hangs; that one is left alone with its PortAudio, and
        another one makes the list.
        """
        now, cards, server = fingerprint(), read_text(self._cards_file), SERVER.devices
        with self._lock:
            if self._known_server is None:
                self._known_server = server
            if self._streams:
                came = cards != self._known_cards or server not in (None, self._known_server)
            else:
                came = now != self._listed
            alone = self._turns.alone()
            if not came or not (alone or len(_spares) < _MOST_SPARES):
                return False
            self._known_cards, self._known_server, self._listed = cards, server, now
            if not alone:
                self._turns.forget_others()
                _start_spare(sounddevice)
                return True
            streams = list(self._streams)
            self._streams.clear()
        for stream in streams:
            stream.close()
        sounddevice._terminate()
        _initialize(sounddevice)
        return True


def _initialize(sounddevice: Any) -> None:
    """Starts PortAudio; sounddevice's own function points descriptor 2 at /dev/null meanwhile."""
    sounddevice._check(sounddevice._lib.Pa_Initialize(), "Error initializing PortAudio")
    sounddevice._initialized += 1


def _start_spare(sounddevice: Any) -> None:
    with descriptor_kept():
        spare = spare_portaudio(sounddevice)
    atexit.unregister(spare._exit_handler)
    _spares.append(spare)


def _matches(sounddevice: Any, wanted: Optional[str], kind: str) -> List[Dict[str, Any]]:
    """Devices of a kind whose name is `wanted`, else those whose name contains it."""
    devices = [
        dict(info, index=i)
        for i, info in enumerate(sounddevice.query_devices())
        if info[f"max_{kind}_channels"] > 0
    ]
    if wanted is None:
        default = sounddevice.default.device[0 if kind == "input" else 1]
        return [info for info in devices if info["index"] == default]
    exact = [info for info in devices if info["name"] == wanted]
    return exact or [info for info in devices if wanted.lower() in info["name"].lower()]


DEVICES = DeviceRegistry()  # of this process, as PortAudio is
