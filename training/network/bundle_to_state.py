"""Command: a bundle's weights as a training state, so that training can go on from a release.

Example:
    python -m training.network.bundle_to_state edgeface/model/default -o state.pt
    python -m training.network.train --start-from state.pt ...
"""

import argparse
from pathlib import Path
from typing import Dict

import numpy as np
import onnx
import torch

from edgeface.build import load_model
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.features.fbank import FBANK_PER_FRAME, MEL_BINS
from edgeface.model.runtime.library import onnxruntime
from edgeface.model.step_model import StepModel, require_step_model
from training.command import run

from .export import FRAME_MS
from .network import MAX_LOOKAHEAD, Network, Size
from .rounding import held_rounded

_PREFIX = "network."
_ATTENTION_BIAS = "attention.bias"
_TOLERANCE = 1e-5


def network_of(bundle: StepModel) -> Network:
    """The network of a bundle of `export`.

    :raises ValueError: it is no such bundle, or computes something else
    """
    whole = _weights(bundle.whole_file(0))
    step = _weights(bundle.step_file(FRAME_MS * MAX_LOOKAHEAD))
    network = Network(Size())
    # the exporter renames the biases of attention only, and leaves their order
    biases = [array[:, 0] for array in step.values() if array.ndim == 3 and array.shape[1] == 1]
    try:
        found = {}
        for name in network.state_dict():
            is_bias = name.endswith(_ATTENTION_BIAS)
            found[name] = torch.tensor(biases.pop(0) if is_bias else whole[_PREFIX + name])
        network.load_state_dict(found)
    except (KeyError, IndexError, RuntimeError):  # RuntimeError: of another shape
        raise ValueError(f"{bundle.folder} holds no network of this size") from None
    _check(network.eval(), bundle)
    return network


def _weights(graph: str) -> Dict[str, np.ndarray]:
    """The constants of a graph, those that it holds in 8 bits in float32, too."""
    model = onnx.load(graph)
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return {**arrays, **held_rounded(arrays)}


def _check(network: Network, bundle: StepModel) -> None:
    first = bundle.network.context_frames  # that the graph does not begin with silence is forgotten
    shape = (1, FBANK_PER_FRAME * bundle.network.whole_frames, MEL_BINS)
    fbank = np.random.RandomState(0).normal(8, 3, shape).astype(np.float32)
    for ms in sorted(bundle.network.wholes):
        session = onnxruntime.InferenceSession(
            bundle.whole_file(ms), providers=["CPUExecutionProvider"]
        )
        wanted = session.run(["landmarks"], {"fbank": fbank})[0]
        with torch.no_grad():
            got = network(torch.from_numpy(fbank), ms // FRAME_MS)[0].numpy()
        off = np.abs(got.reshape(wanted.shape) - wanted)[:, first:]
        if off.max() > _TOLERANCE:
            raise ValueError(f"{bundle.folder}: the restored network computes something else")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bundle", nargs="?", default=DEFAULT_BUNDLE)
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="state for `train --start-from`"
    )
    options = parser.parse_args()
    network = network_of(require_step_model(load_model(options.bundle)))
    state = {"epoch": 0, "size": network.size.as_dict(), "average": network.state_dict()}
    torch.save(state, options.out)


if __name__ == "__main__":
    run(main)
