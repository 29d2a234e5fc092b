"""Command: a bundle's weights back into a training state, so that a training can go on from the published model.

Example:
    python -m training.restore edgeface/model/default -o state.pt
    python -m training.train --start-from state.pt ...
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch

from edgeface.build import load_model
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.features.fbank import MEL_BINS
from edgeface.model.runtime.library import onnxruntime
from edgeface.model.step_model import require_step_model

from .network import FBANK_PER_FRAME, MAX_LOOKAHEAD, Network, Size

_PREFIX = "network."
_TOLERANCE = 1e-5


def restore(bundle):
    """The `Network` of a bundle of `training.export`.

    :raises ValueError: it is not one, or computes something else
    """
    whole, step = (
        {
            tensor.name: onnx.numpy_helper.to_array(tensor)
            for tensor in onnx.load(path).graph.initializer
        }
        for path in (bundle.whole_file(0), bundle.step_file(40 * MAX_LOOKAHEAD))
    )
    network = Network(Size())
    # the exporter renames the biases of attention only, and leaves their order
    biases = [array[:, 0] for array in step.values() if array.ndim == 3 and array.shape[1] == 1]
    try:
        network.load_state_dict(
            {
                name: torch.from_numpy(
                    np.array(
                        biases.pop(0) if name.endswith("attention.bias") else whole[_PREFIX + name]
                    )
                )
                for name in network.state_dict()
            }
        )
    except (KeyError, IndexError, RuntimeError):  # RuntimeError: of another shape
        raise ValueError(f"{bundle.folder} holds no network of this size") from None
    _check(network.eval(), bundle)
    return network


def _check(network, bundle):
    fbank = np.random.RandomState(0).normal(
        8, 3, (1, FBANK_PER_FRAME * bundle.network.whole_frames, MEL_BINS)
    )
    fbank = fbank.astype(np.float32)
    for ms in sorted(bundle.network.wholes):
        wanted = onnxruntime.InferenceSession(
            bundle.whole_file(ms), providers=["CPUExecutionProvider"]
        ).run(["landmarks"], {"fbank": fbank})[0]
        with torch.no_grad():
            got = network(torch.from_numpy(fbank), ms // 40)[0].numpy().reshape(wanted.shape)
        if np.abs(got - wanted).max() > _TOLERANCE:
            raise ValueError(f"{bundle.folder}: the restored network computes something else")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bundle", nargs="?", default=DEFAULT_BUNDLE)
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="state for `train --start-from`"
    )
    options = parser.parse_args()
    network = restore(require_step_model(load_model(options.bundle)))
    torch.save(
        {"epoch": 0, "size": network.size.as_dict(), "average": network.state_dict()}, options.out
    )


if __name__ == "__main__":
    main()
