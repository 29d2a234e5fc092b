"""Weight normalisation folded into plain weights (Salimans and Kingma, 2016)."""

from typing import Dict, Sequence

import torch


def fold_weight_norm(
    state: Dict[str, torch.Tensor], required: Sequence[str]
) -> Dict[str, torch.Tensor]:
    """A state dict with `X.weight` instead of every pair `X.weight_g`, `X.weight_v`.

    The norm is taken over all dimensions in which g has one entry.

    :param required: names X whose pairs must be there
    :raises KeyError: a pair is incomplete, or one that must be there is missing
    """
    folded = {}
    for name, value in state.items():
        stem, _, kind = name.rpartition(".")
        if kind == "weight_v":
            g = state[f"{stem}.weight_g"]
            over = [i for i, size in enumerate(g.shape) if size == 1 and i < value.dim()]
            folded[f"{stem}.weight"] = g * value / value.pow(2).sum(over, keepdim=True).sqrt()
        elif kind == "weight_g":
            if f"{stem}.weight_v" not in state:
                raise KeyError(f"{stem}.weight_v")
        else:
            folded[name] = value
    for stem in required:
        if f"{stem}.weight" not in folded:
            raise KeyError(f"{stem}.weight_v")
    return folded
