"""PortAudio: its device list and its streams, all of which one process shares."""

import atexit
import threading
from typing import Any, Dict, List, Optional, Set

from ..core.errors import UnavailableError
from .bounded_call import BoundedCaller

ANSWER_S = 4.0  # a sound server that hangs never answers
_CLOSE_S = 0.5
_CARDS_FILE = "/proc/asound/cards"
_KINDS = {"input": "microphone", "output": "playback device"}


def load() -> Any:
    """The sounddevice module; `UnavailableError` where PortAudio is not installed."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise UnavailableError(
            f"sound: PortAudio is missing ({error}); apt install libportaudio2"
        ) from None
    return sounddevice


class DeviceRegistry:
    """PortAudio's devices, and the streams that this process has open on them.

    PortAudio makes its device list when it starts, and can only make another one by ending
    every open stream. This knows the streams, and does so when it is worth it.

    :param cards_file: what changes when a sound card is plugged in or out
    """

    def __init__(self, cards_file: str = _CARDS_FILE) -> None:
        self._cards_file = cards_file
        self._known_cards: Optional[str] = None  # when the device list was made
        self._streams: Set[Any] = set()
        self._lock = threading.Lock()

    def find(self, wanted: Optional[str], kind: str) -> Dict[str, Any]:
        """PortAudio's description of a device, with its `index`.

        :param wanted: its name, of which a part is enough; None for the default device
        :param kind: `input` or `output`
        :raises UnavailableError: there is none
        """
        sounddevice = load()
        found = _matches(sounddevice, wanted, kind)
        if not found:
            self._refresh(sounddevice)
            found = _matches(sounddevice, wanted, kind)
        if not found:
            raise UnavailableError(
                f"{_KINDS[kind]} {wanted or '(default)'}: not found;"
                " `edgeface devices` lists what is available"
            )
        return found[0]

    def start(self, stream: Any) -> None:
        """Starts a stream, and counts it as open."""
        stream.start()
        with self._lock:
            if self._known_cards is None:
                self._known_cards = self._cards()
            self._streams.add(stream)

    def close(self, stream: Any, caller: BoundedCaller) -> None:
        """Closes a stream, without waiting for a device that hangs.

        :param caller: the one of the stream's owner
        """
        with self._lock:
            if stream not in self._streams:
                return  # closed with the old device list
            self._streams.discard(stream)
        try:
            caller.call(_CLOSE_S, stream.close)
        except UnavailableError:
            # PortAudio's own clean-up at exit would wait for the device for ever
            atexit.unregister(load()._exit_handler)

    def discard(self, stream: Any) -> None:
        """Closes a stream that was started too late for anybody to use it."""
        with self._lock:
            self._streams.discard(stream)
        stream.close()

    def _refresh(self, sounddevice: Any) -> None:
        """Makes the device list again, in case a card was plugged in since.

        That ends every open stream; its owner notices and opens it again. So while there is
        one, it is done only if the cards have changed.
        """
        cards = self._cards()
        with self._lock:
            if self._streams and cards == self._known_cards:
                return
            self._known_cards = cards
            streams = list(self._streams)
            self._streams.clear()
        for stream in streams:
            stream.close()
        sounddevice._terminate()
        sounddevice._initialize()

    def _cards(self) -> str:
        try:
            with open(self._cards_file) as file:
                return file.read()
        except OSError:
            return ""


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
