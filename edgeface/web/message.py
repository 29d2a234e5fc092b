"""Frames as JSON: the names once, then one object a frame (`docs/contract.md`, section 8)."""

import json
from typing import Any, Dict, Optional

import numpy as np

from ..core.rates import FRAME_MS, MS_NS
from ..motion import frame as flags
from ..motion.face import BLENDSHAPES
from ..shm.layout import state_name
from ..shm.reader import ReadFrame

_DIGITS = 4  # of the face's values: a 10,000th of the eyes' distance
_FLAGS = {
    "speech": flags.SPEECH,
    "neutral": flags.NEUTRAL,
    "discontinuity": flags.DISCONTINUITY,
    "blinking": flags.BLINKING,
    "playback": flags.PLAYBACK,
}


def names_message() -> str:
    """What every connection begins with: the order of the blendshapes, and what flags mean."""
    return _json({"names": BLENDSHAPES, "flags": _FLAGS, "frame_ms": FRAME_MS})


def frame_message(
    frame: Optional[ReadFrame], header: Optional[Dict[str, int]], **more: object
) -> str:
    """One frame; the state alone where there is none.

    :param header: of the frame's segment; None without a writer
    :param more: what else to say
    """
    state: Dict[str, Any] = {"state": state_name(header["state"]) if header else "gone", **more}
    if frame is None:
        return _json(state)
    return _json(
        dict(
            state,
            index=frame.index,
            flags=frame.flags,
            rms_dbfs=_rounded(frame.rms_dbfs, 1),
            f0_hz=_rounded(frame.f0_hz, 1),
            audio_ms=_ms(frame.audio_ns),
            publish_ms=_ms(frame.publish_ns),
            blendshapes=_rounded(frame.blendshapes, _DIGITS),
            landmarks=_rounded(frame.landmarks, _DIGITS),
            head=_rounded(frame.head, _DIGITS),
            gaze=_rounded(frame.gaze, _DIGITS),
        )
    )


def _ms(time_ns: int) -> float:
    return round(time_ns / MS_NS, 3)


def _rounded(values: Any, digits: int) -> Any:
    # as float64, whose rounded values are short in print; JSON has no word for what is no number
    return np.nan_to_num(np.asarray(values, np.float64)).round(digits).tolist()


def _json(message: Dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
