"""What is written on the page: words that are said, and whether somebody may speak now."""

import json
import threading
from typing import Any, Callable, Dict

from ..core.errors import UsageError

LONGEST_BODY = 4096  # bytes
_LONGEST_TEXT = 500  # characters
_KEYS: Dict[str, Any] = {"text": str, "seconds": (int, float), "listening": bool}
_LEAST_S = 2.0
_READING_S = 0.07  # a character: 14 a second, as of films
_LONGEST_S = 3600.0

_HELP = 'send such as {"text": "Welcome!", "seconds": 4, "listening": false}'


class Caption:
    """Keeps what was said last, for as long as it is to be seen; any thread may ask.

    :param clock: seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._text = ""
        self._until_s = 0.0
        self._listening = False

    def take(self, body: bytes) -> None:
        """Shows what a JSON object says: `text`, `seconds`, `listening`, each of which may lack.

        :raises UsageError: it says nothing of that kind
        """
        values = _parsed(body)
        text = " ".join(values.get("text", "").split())
        seconds = values.get("seconds", max(_LEAST_S, _READING_S * len(text)))
        with self._lock:
            self._text = text
            self._until_s = self._clock() + seconds
            self._listening = values.get("listening", False)

    def now(self) -> Dict[str, Any]:
        """What is to be seen now: `text`, maybe empty, and `listening`."""
        with self._lock:
            seen = self._clock() < self._until_s
            return {"text": self._text if seen else "", "listening": self._listening}


def _parsed(body: bytes) -> Dict[str, Any]:
    try:
        values = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}; {_HELP}") from None
    if not isinstance(values, dict):
        raise UsageError(f"no object; {_HELP}")
    for key, value in values.items():
        kinds = _KEYS.get(key)
        if kinds is None:
            raise UsageError(f"{key[:40]!r}: unknown; {_HELP}")
        if not isinstance(value, kinds) or (key == "seconds" and isinstance(value, bool)):
            raise UsageError(f"{key}: {str(value)[:40]!r} is of another kind; {_HELP}")
    if len(values.get("text", "")) > _LONGEST_TEXT:
        raise UsageError(f"text: more than {_LONGEST_TEXT} characters; send it in parts")
    if not 0 <= values.get("seconds", 0) <= _LONGEST_S:
        raise UsageError(f"seconds: out of range; 0 to {_LONGEST_S:g}")
    return values
