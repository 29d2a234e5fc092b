"""Which part of a bank is heard when: clips in a row, each faster or slower than it was said."""

from functools import lru_cache

import numpy as np
import torch

from edgeface.core.rates import HOP_SAMPLES

from .bank import EDGE

_PHASES = 1024  # between two samples
_TAPS = np.arange(-31, 33)  # samples around a moment
_KAISER = 7.9  # 80 dB down within
_BAND = 0.079  # of half the sampling rate below it; see Kaiser, 1974: Nonrecursive digital filter design
_STEPS = 32  # of the factor from 1 to 2, each with a filter of its own


class Layout:
    """Which frame of a bank is heard in each frame of a sequence; [B, T] all.

    `low` and `part` of the way to the next: the frame; `factor`: how fast; `used`: whether there is any;
    `audible`: whether its sound is heard; `remain`: what remains of its motion.

    :param closing: frames in which a mouth closes whose sound ends
    """

    def __init__(self, count, frames, device, closing=1):
        self._closing = closing
        self.low = torch.zeros(count, frames, dtype=torch.long, device=device)
        self.part, self.remain = (torch.zeros(count, frames, device=device) for _ in range(2))
        self.factor = torch.ones(count, frames, device=device)
        self.used, self.audible = (
            torch.zeros(count, frames, dtype=torch.bool, device=device) for _ in range(2)
        )

    def lay(self, at, first, frames, factor, stop=None):
        """Puts a clip into each row, over what is there.

        :param at: frame at which it begins, [B], also below 0 and where it is never heard
        :param first: its first frame in the bank, and how many `frames` it has there
        :param factor: how much faster it is heard; pitch and formants move along
        :param stop: None or the frame at which its sound is cut off
        :return: where it lies and its mouth closes, bool [B, T]
        """
        t = torch.arange(self.low.shape[1], device=self.low.device) - at[:, None]
        frames, factor, length = frames[:, None], factor[:, None], lasting(frames, factor)[:, None]
        past = t + 1 - (length if stop is None else torch.minimum(length, (stop - at)[:, None]))
        inside = (t >= 0) & (t < length + self._closing - 1)
        position = torch.minimum(t.clamp(min=0) * factor, frames - 1.0)
        # beyond the end of a clip is another; `inside` is what counts
        low = torch.minimum(position.long(), (frames - 2).clamp(min=0))
        values = {
            "low": first[:, None] + low,
            "part": position - low,
            "factor": factor,
            "used": torch.ones_like(inside),
            "audible": past <= 0,
            "remain": (1 - past.clamp(min=0) / self._closing).clamp(min=0),
        }
        for name, value in values.items():
            setattr(self, name, torch.where(inside, value, getattr(self, name)))
        return inside

    def track(self, values):
        """Values [F, n] of a bank's frames at these moments: float32 [B, T, n], whether used or not."""
        part = self.part[..., None]
        return values[self.low] * (1 - part) + values[self.low + 1] * part

    def sound(self, sound):
        """What is heard of a bank's `sound`: float32 [B, 640 T], 0 where nothing is."""
        device, weights = sound.device, _filters(sound.device)
        factor, low, part = (
            value[self.audible][:, None] for value in (self.factor, self.low, self.part)
        )
        at = torch.arange(HOP_SAMPLES, device=device) * factor + HOP_SAMPLES * part
        whole = at.floor()
        row = ((factor - 1).clamp(0, 1) * _STEPS).ceil().long()
        row = torch.where(factor == 1, _STEPS + 1, row) * _PHASES + ((at - whole) * _PHASES).long()
        index = HOP_SAMPLES * low + EDGE + whole.long()
        heard = torch.zeros_like(at)
        for k, tap in enumerate(_TAPS):
            heard += weights[k][row] * sound[(index + int(tap)).clamp(0, len(sound) - 1)]
        out = torch.zeros(*self.audible.shape, HOP_SAMPLES, device=device)
        out[self.audible] = heard / 32768
        return out.flatten(1)


def lasting(frames, factor):
    """How many frames a clip of `frames` lasts that is heard faster by `factor`, at least 1."""
    return ((frames - 1) / factor).long().clamp(min=1)


@lru_cache()
def _filters(device):
    """Weights of the samples around each phase, float32 [taps, (_STEPS + 2) * _PHASES]: sincs under a Kaiser window.

    Each passes what is below half the sampling rate there and here, for factors up to 1, up to 1 + 1 / `_STEPS` and so
    on; the last one passes all, for a factor of 1. Slow speech has next to nothing above its own half; fast speech
    keeps all below half of the new rate, and there some of what was right above it.
    """
    away = _TAPS[:, None] - np.arange(_PHASES) / _PHASES
    window = np.i0(_KAISER * np.sqrt(np.maximum(0, 1 - (away / (len(_TAPS) / 2)) ** 2)))
    bands = [1 - _BAND] + [1 / (1 + step / _STEPS) for step in range(1, _STEPS + 1)] + [1.0]
    weights = [np.sinc(band * away) * window for band in bands]
    weights = np.concatenate([one / one.sum(0) for one in weights], axis=1)
    return torch.from_numpy(weights.astype(np.float32)).to(device)
