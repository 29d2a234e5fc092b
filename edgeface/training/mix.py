"""Command: the mean of a run's weights and of those that it went on from.

A run forgets something of what its start knew; the mean keeps most of that and of what the run
learnt (Wortsman et al., 2022: Robust fine-tuning of zero-shot models; measured in the model card).

Example:
    python -m edgeface.training.mix run1/state.pt run2/state.pt -o mean.pt
"""

import argparse
from pathlib import Path

import torch


def mean_of(first, second):
    """Mean of two state dictionaries of the same network.

    :raises ValueError: they are of different networks
    """
    if {name: tensor.shape for name, tensor in first.items()} != {name: t.shape for name, t in second.items()}:
        raise ValueError("states of different networks")
    return {name: (tensor + second[name]) / 2 for name, tensor in first.items()}


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("states", type=Path, nargs=2, help="of `train`")
    parser.add_argument("-o", "--out", type=Path, required=True, help="state for `export` or `train --start-from`")
    options = parser.parse_args()
    first, second = (torch.load(path, weights_only=True) for path in options.states)
    average = mean_of(first["average"], second["average"])
    torch.save({"epoch": 0, "size": second["size"], "average": average}, options.out)


if __name__ == "__main__":
    main()
