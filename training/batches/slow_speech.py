"""Sequences heard more slowly at the same pitch, as a vocoder would draw them out."""

from typing import Sequence

import torch

from training.signal.random_tensors import RandomTensors


def slowed(random: RandomTensors, times: torch.Tensor, tracks: Sequence[torch.Tensor]) -> tuple:
    """A part of each sequence, drawn out to the length of the whole.

    :param times: how much more slowly, at least 1; [B]; 1 leaves a sequence as it is
    :param tracks: [B, n, ...] each; their n are multiples of the smallest
    :return: the tracks, changed
    """
    if bool((times == 1).all()):
        return tuple(tracks)
    frames = min(track.shape[1] for track in tracks)
    begin = random.uniform(0, 1, len(times)) * frames * (1 - 1 / times)
    rows = (times > 1).nonzero()[:, 0]
    return tuple(_drawn_out(track, rows, begin[rows], times[rows], frames) for track in tracks)


def _drawn_out(
    track: torch.Tensor, rows: torch.Tensor, begin: torch.Tensor, times: torch.Tensor, frames: int
) -> torch.Tensor:
    count = track.shape[1]
    steps = torch.arange(count, device=track.device) / times[:, None]
    at = begin[:, None] * (count / frames) + steps
    low = at.long().clamp(max=count - 2)
    part = (at - low).clamp(max=1)
    part = part.reshape(part.shape + (1,) * (track.dim() - 2))
    changed = track.clone()
    row = rows[:, None]
    changed[rows] = track[row, low] * (1 - part) + track[row, low + 1] * part
    return changed
