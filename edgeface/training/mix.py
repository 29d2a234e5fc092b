"""Command: the mean of the weights of runs, of which some went on from others.

A run forgets something of what its start knew; the mean keeps most of that and of what the run
learnt (Wortsman et al., 2022: Robust fine-tuning of zero-shot models; measured in the model card).

Example:
    python -m edgeface.training.mix run1/state.pt run2/state.pt -o mean.pt
"""

import argparse
from pathlib import Path

import torch


def mean_of(states):
    """Mean of state dictionaries of the same network.

    :raises ValueError: they are of different networks
    """
    shapes = [{name: tensor.shape for name, tensor in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("states of different networks")
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("states", type=Path, nargs="+", help="of `train`")
    parser.add_argument("-o", "--out", type=Path, required=True, help="state for `export` or `train --start-from`")
    options = parser.parse_args()
    states = [torch.load(path, weights_only=True) for path in options.states]
    average = mean_of([state["average"] for state in states])
    torch.save({"epoch": 0, "size": states[0]["size"], "average": average}, options.out)


if __name__ == "__main__":
    main()
