"""What a stream asks of a graph, whichever library runs it."""

from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

# Whatever a session uses to find its caches again: arrays, values on a GPU, the name of a set.
Caches = Any


class Session(ABC):
    """An opened step graph, whose caches stay where the provider computes.

    `provider`: `tensorrt`, `cuda` or `cpu`, the one that computes; `inputs`: shapes by name;
    `placement`: kernels of one run by provider, None where that is not known or only the CPU was
    asked for; `fallback`: why a faster provider is not used, or "".
    """

    provider: str
    inputs: Dict[str, Tuple[int, ...]]
    placement: Optional[Dict[str, int]] = None
    fallback: str = ""

    @abstractmethod
    def first_caches(self) -> Caches:
        """Caches of zeros, for the first step."""

    @abstractmethod
    def step(
        self, fbank: np.ndarray, caches: Caches, results: Sequence[str]
    ) -> Tuple[List[np.ndarray], Caches]:
        """Runs the graph once.

        :param fbank: float32 [1, 4, 80]
        :param caches: those of `first_caches`, `keep` or the step before
        :param results: names of the outputs to return
        :return: the outputs as arrays, and the caches for the next step
        """

    @abstractmethod
    def keep(self, caches: Caches) -> Caches:
        """The same caches where no later step changes them: the stream can return to them."""
