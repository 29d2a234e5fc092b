"""Command: a training run becomes a bundle.

Example:
    python -m training.network.export run1/state.pt -o edgeface/model/default --version 22
"""

import argparse
from pathlib import Path
from typing import Dict, List, Sequence, Union

import numpy as np
import onnx
import torch
import yaml

from edgeface.core.files import sha256_of
from edgeface.core.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from edgeface.features.fbank import FBANK_PER_FRAME, MEL_BINS
from edgeface.importer.onnx_files import share_weights, write_graph
from edgeface.model.bundle import DESCRIPTION
from edgeface.model.seal import sealed
from training.command import run

from .checkpoints import mean_of
from .cpu_step import CpuStep
from .network import MAX_LOOKAHEAD, Network
from .rounding import declare_products, hold_rounded, round_weights
from .streaming import WHOLE_FRAMES, Block, Step, Whole

LOOKAHEADS = (0, 1, 2, 4)
DEFAULT_LOOKAHEAD = 2
FRAME_MS = 1000 // FRAME_RATE_HZ
WEIGHTS = "weights.bin"
OUTPUTS = ["landmarks", "blendshapes", "speech"]


def export(checkpoints: Sequence[Path], folder: Path, name: str, version: str) -> None:
    """Writes the bundle of the mean of training states into `folder`, with its weights rounded."""
    mean = mean_of(checkpoints)
    network = Network(mean.size)
    network.load_state_dict(mean.network)
    network.eval()
    rounded = round_weights(network)
    folder.mkdir(parents=True, exist_ok=True)
    steps: Dict[int, str] = {}
    cpu_steps: Dict[int, str] = {}
    wholes: Dict[int, str] = {}
    blocks: Dict[int, str] = {}
    for lookahead in LOOKAHEADS:
        ms = lookahead * FRAME_MS
        steps[ms] = f"step_{ms}.onnx"
        cpu_steps[ms] = f"cpu_{ms}.onnx"
        wholes[ms] = f"whole_{ms}.onnx"
        blocks[ms] = f"block_{ms}.onnx"
        _write_step(Step(network, lookahead), folder / steps[ms])
        _write_step(CpuStep(network, rounded, lookahead), folder / cpu_steps[ms])
        _write_step(Block(network, lookahead), folder / blocks[ms])
        _write_whole(network, lookahead, folder / wholes[ms])
    float32 = [folder / graph for graph in (*steps.values(), *wholes.values(), *blocks.values())]
    graphs = [*float32, *(folder / graph for graph in cpu_steps.values())]
    for path in graphs:
        model = onnx.load(str(path))
        if path in float32:
            hold_rounded(model, list(rounded.values()))
        else:
            declare_products(model)
        onnx.save(model, str(path))
    share_weights(graphs, folder / WEIGHTS)
    files = sorted(graph.name for graph in graphs) + [WEIGHTS]
    description = {
        "name": name,
        "version": version,
        "licence": "CC-BY-4.0",
        "origin": "trained by edgeface on the GRID audio-visual corpus "
        "(Cooke, Barker, Cunningham, Shao; CC BY 4.0); see MODEL_CARD.md",
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "frame_rate_hz": FRAME_RATE_HZ,
        "latency_ms": DEFAULT_LOOKAHEAD * FRAME_MS,
        "context_frames": network.size.layers * network.size.past + MAX_LOOKAHEAD + 4,
        "whole_frames": WHOLE_FRAMES,
        "steps": steps,
        "wholes": wholes,
        "blocks": blocks,
        "cpu_steps": cpu_steps,
        "files": {file: sha256_of(str(folder / file)) for file in files},
        "neutral": _rounded(network.landmark_mean),
    }
    text = yaml.safe_dump(description, sort_keys=False, default_flow_style=None, width=120)
    (folder / DESCRIPTION).write_text(sealed(text))


def _write_step(step: Union[Step, CpuStep], path: Path) -> None:
    shapes = step.cache_shapes()
    caches = tuple(torch.zeros(*shape) for shape in shapes.values())
    write_graph(
        step.eval(),
        (torch.zeros(1, FBANK_PER_FRAME * step.frames, MEL_BINS), *caches),
        ["fbank", *shapes],
        [*OUTPUTS, *(f"new_{name}" for name in shapes)],
        path,
    )


def _write_whole(network: Network, lookahead: int, path: Path) -> None:
    fbank = torch.zeros(1, FBANK_PER_FRAME * WHOLE_FRAMES, MEL_BINS)
    write_graph(Whole(network, lookahead).eval(), (fbank,), ["fbank"], OUTPUTS, path)


def _rounded(face: torch.Tensor) -> List[List[float]]:
    return face.numpy().astype(np.float64).round(5).reshape(68, 3).tolist()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "checkpoints",
        type=Path,
        nargs="+",
        help="states of runs; of several, the mean of the weights",
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--name", default="edgeface-grid")
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    export(options.checkpoints, options.out, options.name, options.version)


if __name__ == "__main__":
    run(main)
