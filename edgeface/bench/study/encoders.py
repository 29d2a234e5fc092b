"""The speech encoders of the study's table 3 on everything that this machine computes with."""

import os
import shutil
import time
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Set, Tuple

import numpy as np
import torch
import transformers

from ...core.errors import UnavailableError
from ...features.fbank import MEL_BINS, Fbank
from ...importer.checkpoint import read_checkpoint, read_statistics
from ...importer.fasthubert import FastHubert, load_fasthubert
from ...importer.onnx_files import reduce_precision
from ...importer.weights import find_weights
from ...model.runtime.onnx_session import PROVIDERS, available_providers
from .onnx_export import export_any_length, open_graph
from .results import BASE, FAST, LARGE, Encoder

CHECKPOINTS = {LARGE: "hubert-large", BASE: "hubert-base", FAST: "fasthubert.pt"}
_STATISTICS = "global_cmvn.npy"
_FIRST_SAMPLES = 74240  # of the first run, 4.64 s
_AXES = {"x": {1: "T"}, "y": {1: "T"}}

Progress = Callable[[str], object]


class _Network(NamedTuple):
    """A network that is to be measured.

    `prepare`: makes its input of float32 [N] at 16 kHz; `example`: an input; `trained`: whether its
    weights are.
    """

    name: str
    module: Any
    prepare: Callable[[np.ndarray], np.ndarray]
    example: np.ndarray
    trained: bool


def make_encoders(
    threads: int, folder: str, checkpoints: Optional[str], progress: Progress
) -> Tuple[List[Encoder], Set[str]]:
    """All encoders in all runtimes, and the names of those that have trained weights.

    :param folder: for graphs and weights, 8 GB
    :param checkpoints: folder with `CHECKPOINTS` and global_cmvn.npy, those that are there
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    encoders: List[Encoder] = []
    trained = set()
    for name in (LARGE, BASE, FAST):
        path = os.path.join(checkpoints, CHECKPOINTS[name]) if checkpoints else None
        if path is not None and not os.path.exists(path):
            path = None
        network = _fasthubert(path) if name == FAST else _hubert(name, path)
        if network.trained:
            trained.add(name)
        progress(f"exporting {name}")
        encoders += _runtimes(network, threads, folder)
    return encoders, trained


def normalised(samples: np.ndarray) -> np.ndarray:
    """As HuBERT's processor does: float32 [1, N] of mean 0 and variance 1."""
    centred = samples - samples.mean()
    return (centred / np.sqrt(samples.var() + 1e-7)).astype(np.float32)[None]


def fbank(
    samples: np.ndarray, statistics: Optional[Tuple[np.ndarray, np.ndarray]] = None
) -> np.ndarray:
    """Fbank as FastHuBERT takes it, float32 [1, T, 80].

    :param statistics: mean and deviation; those of the clip by default
    """
    feature = Fbank()
    rows = np.concatenate((feature.accept(samples), feature.finish()))
    mean, std = statistics or (rows.mean(0), np.maximum(rows.std(0), 1e-4))
    return ((rows - mean) / std).astype(np.float32)[None]


class _LastLayer(torch.nn.Module):
    """Only the last layer's features of a model of transformers."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x).last_hidden_state


def _hubert(name: str, path: Optional[str]) -> _Network:
    library: Any = transformers
    if path is not None:
        model = library.HubertModel.from_pretrained(path, attn_implementation="eager")
    else:
        large = name == LARGE
        configuration = library.HubertConfig(
            hidden_size=1024 if large else 768,
            num_hidden_layers=24 if large else 12,
            num_attention_heads=16 if large else 12,
            intermediate_size=4096 if large else 3072,
            feat_extract_norm="layer" if large else "group",
            conv_bias=large,
            do_stable_layer_norm=large,
            attn_implementation="eager",
        )
        model = library.HubertModel(configuration)
    example = np.zeros((1, 16000), np.float32)
    return _Network(name, _LastLayer(model).eval(), normalised, example, path is not None)


def _fasthubert(path: Optional[str]) -> _Network:
    statistics = None
    if path is None:
        model = FastHubert()
    else:
        found = find_weights(read_checkpoint(path), "fasthubert", path)
        model = load_fasthubert(found.state, heads=found.heads)
        statistics_path = os.path.join(os.path.dirname(path), _STATISTICS)
        if os.path.exists(statistics_path):
            statistics = read_statistics(statistics_path)

    def prepare(samples: np.ndarray) -> np.ndarray:
        return fbank(samples, statistics)

    example = np.zeros((1, 98, MEL_BINS), np.float32)
    return _Network(FAST, model.eval(), prepare, example, path is not None)


def _runtimes(network: _Network, threads: int, folder: str) -> Iterator[Encoder]:
    """PyTorch, ONNX on every provider, and for FastHuBERT 8-bit ONNX."""
    stem = os.path.join(folder, network.name.replace(" ", "-"))
    module = network.module
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.save(module.state_dict(), f"{stem}.pt")
    began = time.perf_counter()
    module.load_state_dict(torch.load(f"{stem}.pt", weights_only=True))
    module.to(device)
    open_s = time.perf_counter() - began

    def in_torch(samples: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            x = torch.from_numpy(network.prepare(samples)).to(device)
            return module(x).cpu().numpy()[0]

    runtime = "PyTorch, CUDA" if device == "cuda" else "PyTorch"
    yield _run_first(network.name, runtime, in_torch, f"{stem}.pt", open_s)
    example = torch.from_numpy(network.example)
    export_any_length(module.to("cpu"), (example,), ["x"], "y", _AXES, f"{stem}.onnx")
    module.to(device)
    # TensorRT would build an engine for each length of a clip
    for provider, runtime in (("cpu", "ONNX"), ("cuda", "ONNX, CUDA")):
        if provider in available_providers():
            yield _in_onnx(network, runtime, f"{stem}.onnx", threads, provider)
    if network.name == FAST:
        shutil.copy(f"{stem}.onnx", f"{stem}-int8.onnx")
        reduce_precision(f"{stem}-int8.onnx", "int8")
        yield _in_onnx(network, "ONNX int8", f"{stem}-int8.onnx", threads, "cpu")


def _in_onnx(network: _Network, runtime: str, path: str, threads: int, provider: str) -> Encoder:
    began = time.perf_counter()
    session = open_graph(path, threads, PROVIDERS[provider])
    open_s = time.perf_counter() - began
    if session.get_providers()[0] != PROVIDERS[provider]:
        raise UnavailableError(f"bench study: ONNX Runtime fell back from {provider}")

    def run(samples: np.ndarray) -> np.ndarray:
        return session.run(None, {"x": network.prepare(samples)})[0][0]

    return _run_first(network.name, runtime, run, path, open_s)


def _run_first(
    name: str, runtime: str, run: Callable[[np.ndarray], np.ndarray], path: str, open_s: float
) -> Encoder:
    """The encoder after its first run."""
    noise = np.random.RandomState(0).uniform(-0.1, 0.1, _FIRST_SAMPLES).astype(np.float32)
    began = time.perf_counter()
    run(noise)
    first_s = time.perf_counter() - began
    return Encoder(name, runtime, run, os.path.getsize(path), open_s, first_s)
