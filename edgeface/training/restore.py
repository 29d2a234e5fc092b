"""Command: a bundle's weights back into a training state, so that a training can go on from the published model.

Example:
    python -m edgeface.training.restore edgeface/model/default -o state.pt
    python -m edgeface.training.train --start-from state.pt ...
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from ..features.fbank import MEL_BINS
from ..model.bundle import DEFAULT, Bundle
from .network import FBANK_PER_FRAME, MAX_LOOKAHEAD, Network, Size

_PREFIX, _PRODUCT = "network.", "onnx::MatMul_"
_TOLERANCE = 1e-5


def restore(bundle):
    """The `Network` of a bundle of `training.export`.

    :raises ValueError: it is not one, or computes something else
    """
    # the exporter renames the matrices of products; it leaves their order
    whole, step = ({tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
                   for path in (bundle.whole_file(0), bundle.step_file(40 * MAX_LOOKAHEAD)))
    network = Network(Size())
    state = network.state_dict()
    products = [whole[name] for name in sorted((name for name in whole if name.startswith(_PRODUCT)),
                                               key=lambda name: int(name[len(_PRODUCT):]))]
    biases = [array for name, array in step.items() if array.ndim == 3 and array.shape[1] == 1]
    for name in state:
        if _PREFIX + name in whole:
            state[name] = torch.from_numpy(np.array(whole[_PREFIX + name]))
        elif name.endswith("attention.bias"):
            state[name] = torch.from_numpy(np.array(biases.pop(0)[:, 0]))
    for name in _matrices(network):
        state[name] = torch.from_numpy(np.array(products.pop(0).T))
    network.load_state_dict(state)
    _check(network.eval(), bundle)
    return network


def _matrices(network):
    """Names of the matrices in the order in which they are used."""
    yield "project.weight"
    for i in range(network.size.layers):
        for part in ("attention.qkv", "attention.out", "ffn.0", "ffn.2"):
            yield "layers.%d.%s.weight" % (i, part)
    yield from ("head.0.weight", "head.2.weight")


def _check(network, bundle):
    fbank = np.random.RandomState(0).normal(8, 3, (1, FBANK_PER_FRAME * bundle.whole_frames, MEL_BINS))
    fbank = fbank.astype(np.float32)
    for ms in sorted(bundle.wholes):
        wanted = onnxruntime.InferenceSession(bundle.whole_file(ms), providers=["CPUExecutionProvider"]).run(
            ["landmarks"], {"fbank": fbank})[0]
        with torch.no_grad():
            got = network(torch.from_numpy(fbank), ms // 40)[0].numpy().reshape(wanted.shape)
        if np.abs(got - wanted).max() > _TOLERANCE:
            raise ValueError("%s: the restored network computes something else" % bundle.folder)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", nargs="?", default=DEFAULT)
    parser.add_argument("-o", "--out", type=Path, required=True, help="state for `train --start-from`")
    options = parser.parse_args()
    network = restore(Bundle(options.bundle))
    torch.save({"epoch": 0, "size": network.size.as_dict(), "average": network.state_dict()}, options.out)


if __name__ == "__main__":
    main()
