"""What other runs start from, and bundles are made of: the mean weights of training states.

After Wortsman et al., 2022: Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time.
"""

from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

import torch

from .network import Size

Weights = Dict[str, torch.Tensor]
CLASSIFIER = "listener"  # its name in states, which older ones have, too


class Checkpoint(NamedTuple):
    """The weights of a network of a size; classifier: none where nobody learnt phones."""

    size: Size
    network: Weights
    classifier: Weights


def mean_of(paths: Sequence[Path]) -> Checkpoint:
    """The mean of states of which some began from others, or all from the same weights.

    :param paths: files of `TrainingState` or `bundle_to_state`, of networks of one size
    """
    states = [torch.load(path, weights_only=True, map_location="cpu") for path in paths]
    classifiers = [state[CLASSIFIER] for state in states if CLASSIFIER in state]
    return Checkpoint(
        Size(**states[0]["size"]),
        _mean([state["average"] for state in states]),
        _mean(classifiers) if classifiers else {},
    )


def _mean(all_weights: List[Weights]) -> Weights:
    return {
        name: torch.stack([weights[name] for weights in all_weights]).mean(0)
        for name in all_weights[0]
    }
