"""Command: a training run becomes a bundle.

Example:
    python -m training.export run1/state.pt -o edgeface/model/default
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import nn

from edgeface.features.fbank import MEL_BINS
from edgeface.importer.onnx_files import share_weights, write_graph
from edgeface.model.bundle import DESCRIPTION

from .network import CONV_PAST, FBANK_PER_FRAME, MAX_LOOKAHEAD, Network, Size, mix, padded

LOOKAHEADS = (0, 1, 2, 4)
WHOLE_FRAMES = 256
DEFAULT_LOOKAHEAD = 2
FRAME_MS = 40
WEIGHTS = "weights.bin"


class Step(nn.Module):
    """One frame of a `Network`, its past in caches.

    Every operator costs some time beside its arithmetic. So convolutions are products of matrices here, nothing has
    a batch, and a frame waits for its future together with its query.
    """

    def __init__(self, network, lookahead):
        super().__init__()
        self.network, self.lookahead = network, lookahead
        # flat already, or the graph would do it: TensorRT 8.2 multiplies by constants only
        self.register_buffer("conv1", network.conv1.weight.detach().flatten(1))
        self.register_buffer("conv2", network.conv2.weight.detach().flatten(1))

    def cache_shapes(self):
        """Names and shapes of the caches, in the order of `forward`."""
        size = self.network.size
        shapes = {"fbank_cache": (MEL_BINS, CONV_PAST), "conv_cache": (size.conv, CONV_PAST)}
        if self.lookahead:
            shapes["waiting_cache"] = (self.lookahead, 2 * size.width)
        for i in range(size.layers):
            past = size.past + (self.lookahead if i == 0 else 0)
            shapes[f"key_value_cache_{i}"] = (2 * size.heads, past, size.width // size.heads)
        return shapes

    @staticmethod
    def _convolve(x, weight, bias):
        """[channels, 5 or 7] to [1 or 2, outputs]."""
        kernel, stride = CONV_PAST + 2, 2
        windows = [
            x[:, at : at + kernel].reshape(1, -1)
            for at in range(0, x.shape[1] - kernel + 1, stride)
        ]
        y = nn.functional.linear(torch.cat(windows), weight, bias)
        return nn.functional.glu(y, dim=1)

    def forward(self, fbank, *caches):
        """Fbank [1, 4, 80] and the caches to landmarks, blendshapes, speech and new caches."""
        net, new, caches = self.network, [], list(caches)
        size = net.size
        x = torch.cat((caches.pop(0), net.normalise(fbank.reshape(FBANK_PER_FRAME, MEL_BINS)).T), 1)
        new.append(x[:, FBANK_PER_FRAME:])
        x = torch.cat((caches.pop(0), self._convolve(x, self.conv1, net.conv1.bias).T), 1)
        new.append(x[:, 2:])
        x = net.project(net.conv_norm(self._convolve(x, self.conv2, net.conv2.bias)))
        for i, layer in enumerate(net.layers):
            attention, ahead = layer.attention, 0
            q, kv = attention.qkv(layer.attention_norm(x)).split([size.width, 2 * size.width], 1)
            if i == 0 and self.lookahead:
                waiting = torch.cat((caches.pop(0), torch.cat((x, q), 1)))
                new.append(waiting[1:])
                x, q = waiting[:1].split(size.width, 1)
                ahead = self.lookahead
            kv = torch.cat((caches.pop(0), kv.reshape(2 * size.heads, 1, -1)), 1)
            new.append(kv[:, 1:])
            bias = attention.bias[:, None, : size.past + 1 + ahead]
            x = x + attention.out(
                mix(q.reshape(size.heads, 1, -1), *kv.split(size.heads), bias).reshape(
                    1, size.width
                )
            )
            x = x + layer.ffn(layer.ffn_norm(x))
        face, shapes, speech = net.motion(x)
        return (face.reshape(1, 68, 3), shapes, torch.sigmoid(speech), *new)


class Whole(nn.Module):
    """Many frames of a `Network` at once, without caches: the check of the stream."""

    def __init__(self, network, lookahead):
        super().__init__()
        self.network, self.lookahead = network, lookahead

    def band(self, bias, ahead):
        """Biases per offset [heads, past + 1 + ahead] to [heads, T, T], -1e4 elsewhere.

        Row i is row 0 shifted by i: one long row, repeated and cut one shorter.
        """
        t, past = WHOLE_FRAMES, self.network.size.past
        heads = bias.shape[0]
        hidden = torch.full((heads, 2 * t - past - 1 - ahead), -1e4)
        row = torch.cat((bias[:, past : past + 1 + ahead], hidden, bias[:, :past]), 1)  # length 2 t
        rows = row[:, None, :].repeat(1, t, 1).reshape(heads, t * 2 * t)
        return rows[:, : t * (2 * t - 1)].reshape(heads, t, 2 * t - 1)[:, :, :t]

    def forward(self, fbank):
        """Fbank [1, 4 T, 80] to landmarks [1, T, 68, 3], blendshapes [1, T, 52], speech [1, T]."""
        net = self.network
        size = net.size
        x = net.normalise(fbank).transpose(1, 2)
        x = net.convolve1(padded(x))
        x = net.project(
            net.conv_norm(net.convolve2(padded(x))[0].T)
        )  # no batch: weights as a step's
        for i, layer in enumerate(net.layers):
            attention = layer.attention
            ahead = self.lookahead if i == 0 else 0
            qkv = (
                attention.qkv(layer.attention_norm(x))
                .reshape(WHOLE_FRAMES, 3 * size.heads, -1)
                .transpose(0, 1)
            )
            bias = self.band(attention.bias[:, : size.past + 1 + ahead], ahead)
            x = x + attention.out(
                mix(*qkv.split(size.heads), bias).transpose(0, 1).reshape(WHOLE_FRAMES, size.width)
            )
            x = x + layer.ffn(layer.ffn_norm(x))
        face, shapes, speech = net.motion(x)
        return face.reshape(1, WHOLE_FRAMES, 68, 3), shapes[None], torch.sigmoid(speech)[None]


def mean_network(checkpoints):
    """The `Network` whose weights are the mean of those of training states, of which one began from the other.

    After Wortsman et al., 2022: Model soups: averaging weights of multiple fine-tuned models improves accuracy without
    increasing inference time.

    :param checkpoints: files that `run.Run` or `restore` wrote, of networks of one size
    """
    states = [
        torch.load(checkpoint, weights_only=True, map_location="cpu") for checkpoint in checkpoints
    ]
    size = Size(**states[0]["size"])
    network = Network(size)
    network.load_state_dict(
        {
            name: sum(state["average"][name] for state in states) / len(states)
            for name in states[0]["average"]
        }
    )
    return network.eval()


def export(checkpoints, folder, name, version):
    """Writes the bundle of the mean of training states into `folder`."""
    network = mean_network(checkpoints)
    size = network.size
    folder.mkdir(parents=True, exist_ok=True)
    steps, wholes = {}, {}
    for lookahead in LOOKAHEADS:
        ms = lookahead * FRAME_MS
        steps[ms], wholes[ms] = f"step_{ms}.onnx", f"whole_{ms}.onnx"
        step = Step(network, lookahead).eval()
        shapes = step.cache_shapes()
        inputs = (torch.zeros(1, FBANK_PER_FRAME, MEL_BINS),) + tuple(
            map(torch.zeros, shapes.values())
        )
        write_graph(
            step,
            inputs,
            ["fbank", *shapes],
            ["landmarks", "blendshapes", "speech", *(f"new_{n}" for n in shapes)],
            folder / steps[ms],
        )
        write_graph(
            Whole(network, lookahead).eval(),
            (torch.zeros(1, FBANK_PER_FRAME * WHOLE_FRAMES, MEL_BINS),),
            ["fbank"],
            ["landmarks", "blendshapes", "speech"],
            folder / wholes[ms],
        )
    graphs = [folder / graph for graph in (*steps.values(), *wholes.values())]
    share_weights(graphs, folder / WEIGHTS)
    files = sorted(graph.name for graph in graphs) + [WEIGHTS]
    neutral = network.landmark_mean.numpy().astype(np.float64).round(5).reshape(68, 3).tolist()
    description = {
        "name": name,
        "version": version,
        "licence": "CC-BY-4.0",
        "origin": "trained by edgeface on the GRID audio-visual corpus "
        "(Cooke, Barker, Cunningham, Shao; CC BY 4.0); see MODEL_CARD.md",
        "sample_rate_hz": 16000,
        "frame_rate_hz": 25,
        "latency_ms": DEFAULT_LOOKAHEAD * FRAME_MS,
        "context_frames": size.layers * size.past + MAX_LOOKAHEAD + 4,
        "whole_frames": WHOLE_FRAMES,
        "steps": steps,
        "wholes": wholes,
        "files": {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files},
        "neutral": neutral,
    }
    (folder / DESCRIPTION).write_text(
        yaml.safe_dump(description, sort_keys=False, default_flow_style=None, width=120)
    )


def main():
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
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--name", default="edgeface-grid")
    parser.add_argument("--version", default="1")
    arguments = parser.parse_args()
    export(arguments.checkpoints, arguments.out, arguments.name, arguments.version)


if __name__ == "__main__":
    main()
