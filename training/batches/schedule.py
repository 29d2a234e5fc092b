"""Which part of the clips is heard when: clips in a row, each faster or slower than it was said."""

from functools import lru_cache
from typing import Optional

import numpy as np
import torch

from edgeface.core.rates import HOP_SAMPLES

EDGE = 32  # samples of silence before and after all sounds, for the filters
_PHASES = 1024  # between two samples
_TAPS = np.arange(-31, 33)  # samples around a moment
_KAISER = 7.9  # 80 dB down within
# of half the sampling rate below it; see Kaiser, 1974: Nonrecursive digital filter design
_BAND = 0.079
_STEPS = 32  # of the factor from 1 to 2, each with a filter of its own
_FULL_SCALE = 32768
# samples that are filtered at once: what a processor's cache holds; elsewhere what fits in memory
_PIECE = 2 * HOP_SAMPLES
_PIECE_ELSEWHERE = 1 << 20


class Schedule:
    """Which frame of the clips is heard in each frame of a sequence; [B, T] all.

    low, part: the frame, and part of the way to the next
    factor: how fast
    used: whether there is any
    audible: whether its sound is heard
    remain: what remains of its motion

    :param closing: frames in which a mouth closes whose sound ends
    """

    def __init__(self, count: int, frames: int, device, closing: int = 1):
        self._closing = closing
        self.low = torch.zeros(count, frames, dtype=torch.long, device=device)
        self.part = torch.zeros(count, frames, device=device)
        self.remain = torch.zeros(count, frames, device=device)
        self.factor = torch.ones(count, frames, device=device)
        self.used = torch.zeros(count, frames, dtype=torch.bool, device=device)
        self.audible = torch.zeros(count, frames, dtype=torch.bool, device=device)

    def place(
        self,
        at: torch.Tensor,
        first: torch.Tensor,
        frames: torch.Tensor,
        factor: torch.Tensor,
        stop: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """Puts a clip into each row, over what is there; [B] all.

        :param at: frame at which it begins, also below 0 and where it is never heard
        :param first: its first frame, and how many `frames` it has
        :param factor: how much faster it is heard; pitch and formants move along
        :param stop: None or the frame at which its sound is cut off
        :return: where it is heard and its mouth closes, bool [B, T]
        """
        length = lasting(frames, factor)[:, None]
        frames = frames[:, None]
        factor = factor[:, None]
        t = torch.arange(self.low.shape[1], device=self.low.device) - at[:, None]
        heard = length if stop is None else torch.minimum(length, (stop - at)[:, None])
        past = t + 1 - heard
        inside = (t >= 0) & (t < length + self._closing - 1)
        position = torch.minimum(t.clamp(min=0) * factor, frames - 1.0)
        # beyond the end of a clip is another; `inside` is what counts
        low = torch.minimum(position.long(), (frames - 2).clamp(min=0))
        remain = (1 - past.clamp(min=0) / self._closing).clamp(min=0)
        self.low = torch.where(inside, first[:, None] + low, self.low)
        self.part = torch.where(inside, position - low, self.part)
        self.factor = torch.where(inside, factor, self.factor)
        self.used = self.used | inside
        self.audible = torch.where(inside, past <= 0, self.audible)
        self.remain = torch.where(inside, remain, self.remain)
        return inside

    def track(self, values: torch.Tensor) -> torch.Tensor:
        """Values [F, n] of the clips' frames at these moments, used or not: float32 [B, T, n]."""
        part = self.part[..., None]
        return values[self.low] * (1 - part) + values[self.low + 1] * part

    def sound(self, sound: torch.Tensor) -> torch.Tensor:
        """What is heard of the clips' `sound`: float32 [B, 640 T], 0 where nothing is."""
        device = sound.device
        factor = self.factor[self.audible][:, None]
        low = self.low[self.audible][:, None]
        part = self.part[self.audible][:, None]
        at = torch.arange(HOP_SAMPLES, device=device) * factor + HOP_SAMPLES * part
        whole = at.floor()
        row = ((factor - 1).clamp(0, 1) * _STEPS).ceil().long()
        row = torch.where(factor == 1, _STEPS + 1, row) * _PHASES + ((at - whole) * _PHASES).long()
        begin = HOP_SAMPLES * low + EDGE + int(_TAPS[0]) + whole.long()
        out = torch.zeros(*self.audible.shape, HOP_SAMPLES, device=device)
        heard = _filtered(sound, begin.flatten(), row.flatten())
        out[self.audible] = heard.reshape(at.shape) / _FULL_SCALE
        return out.flatten(1)


def _filtered(sound: torch.Tensor, begin: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    """Samples from `begin` [n] on, under the weights in `row` [n] of `_filters`: float32 [n]."""
    around = sound.unfold(0, len(_TAPS), 1)
    weights = _filters(sound.device)
    piece = _PIECE if sound.device.type == "cpu" else _PIECE_ELSEWHERE
    out = torch.zeros(len(begin), device=sound.device)
    for at in range(0, len(begin), piece):
        chosen = slice(at, at + piece)
        samples = around[begin[chosen].clamp(0, len(around) - 1)].float()
        out[chosen] = torch.einsum("nk,nk->n", samples, weights[row[chosen]])
    return out


def lasting(frames: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """How many frames a clip of `frames` lasts that is heard faster by `factor`, at least 1."""
    return ((frames - 1) / factor).long().clamp(min=1)


@lru_cache()
def _filters(device) -> torch.Tensor:
    """Weights of the samples around each phase: sincs under a Kaiser window.

    Each passes what is below half the sampling rate there and here, for factors up to 1, up to
    1 + 1 / `_STEPS` and so on; the last one passes all, for a factor of 1. Slow speech has next to
    nothing above its own half; fast speech keeps all below half of the new rate, and there some of
    what was right above it.

    :return: float32 [(_STEPS + 2) * _PHASES, taps]
    """
    offset = _TAPS[:, None] - np.arange(_PHASES) / _PHASES
    window = np.i0(_KAISER * np.sqrt(np.maximum(0, 1 - (offset / (len(_TAPS) / 2)) ** 2)))
    bands = [1 - _BAND] + [1 / (1 + step / _STEPS) for step in range(1, _STEPS + 1)] + [1.0]
    sincs = [np.sinc(band * offset) * window for band in bands]
    weights = np.concatenate([one / one.sum(0) for one in sincs], axis=1)
    return torch.from_numpy(weights.T.astype(np.float32, order="C")).to(device)
