"""Batches whose sequences are heard several times, each time as another talker."""

from typing import Iterator

import torch

from .batches import Batch, Batches


class RepeatedBatches(torch.utils.data.IterableDataset):
    """Endless batches of `count` out of `Batches`, whose sequences are heard several times.

    :param kept: sequences that wait to be heard again, in another voice
    :param fresh: how many of them are replaced at a time
    :param turns: how often each is heard, on average; where to make one takes longer than to learn
        from it
    """

    def __init__(self, batches: Batches, count: int, kept: int, fresh: int, turns: int):
        self._batches = batches
        self._count = count
        self._kept = kept
        self._fresh = fresh
        self._turns = turns

    def __iter__(self) -> Iterator[Batch]:
        waiting = self._batches.draw(self._kept)
        device = waiting.fbank.device
        while True:
            for _ in range(self._turns * self._fresh // self._count):
                chosen = torch.randperm(self._kept)[: self._count].to(device)
                yield self._batches.in_another_voice(Batch(*(part[chosen] for part in waiting)))
            old = torch.randperm(self._kept)[: self._fresh].to(device)
            for part, new in zip(waiting, self._batches.draw(self._fresh)):
                part[old] = new
