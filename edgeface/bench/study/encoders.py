"""The speech encoders of the study's table 3: sound in, features out, on everything that this machine computes with."""

import os
import shutil
import time
from typing import Callable, NamedTuple

import numpy as np
import onnxruntime
import torch
import transformers

from ...core.errors import UnavailableError
from ...features.fbank import Fbank
from ...importer.checkpoint import read_checkpoint, read_statistics
from ...importer.fasthubert import FastHubert, load_fasthubert
from ...importer.graphs import reduce_precision
from ...importer.importer import find_weights
from ...model.runtime import PROVIDERS, available_providers

LARGE, BASE, FAST = "HuBERT large", "HuBERT base", "FastHuBERT base"
CHECKPOINTS = {LARGE: "hubert-large", BASE: "hubert-base", FAST: "fasthubert.pt"}


class Encoder(NamedTuple):
    """One row of the table.

    `run`: float32 [N] at 16 kHz to features float32 [T, C]; `bytes`: of its file; `open_s` and `first_s`: cold, from
    the file to the first features.
    """

    name: str
    runtime: str
    run: Callable
    bytes: int
    open_s: float
    first_s: float


def normalised(samples):
    """As HuBERT's processor does: float32 [N] of mean 0 and variance 1."""
    return ((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)).astype(np.float32)[None]


def fbank(samples, statistics=None):
    """Fbank as FastHuBERT takes it, float32 [1, T, 80]; without statistics normalised with the clip's own."""
    feature = Fbank()
    frames = np.concatenate((feature.accept(samples), feature.finish()))
    mean, std = statistics or (frames.mean(0), np.maximum(frames.std(0), 1e-4))
    return ((frames - mean) / std).astype(np.float32)[None]


class _Hidden(torch.nn.Module):
    """Only the last layer's features of a model of transformers."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).last_hidden_state


def _hubert(name, folder):
    large = name == LARGE
    if folder:
        return transformers.HubertModel.from_pretrained(folder, attn_implementation="eager")
    return transformers.HubertModel(
        transformers.HubertConfig(
            hidden_size=1024 if large else 768,
            num_hidden_layers=24 if large else 12,
            num_attention_heads=16 if large else 12,
            intermediate_size=4096 if large else 3072,
            feat_extract_norm="layer" if large else "group",
            conv_bias=large,
            do_stable_layer_norm=large,
            attn_implementation="eager",
        )
    )


def make_encoders(threads, folder, checkpoints, tell):
    """All rows, and which of them have trained weights: (list of `Encoder`, set of names).

    :param folder: for graphs and weights, 8 GB
    :param checkpoints: folder with `CHECKPOINTS` and global_cmvn.npy as far as they are there, or None
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    rows, trained = [], set()
    for name in (LARGE, BASE, FAST):
        path = os.path.join(checkpoints, CHECKPOINTS[name]) if checkpoints else None
        if path and os.path.exists(path):
            trained.add(name)
        else:
            path = None
        statistics = None
        if name == FAST:
            model = _fasthubert(path)
            norms = os.path.join(checkpoints or "", "global_cmvn.npy")
            if path and os.path.exists(norms):
                statistics = read_statistics(norms)
            prepare, example = (
                (lambda x, s=statistics: fbank(x, s)),
                np.zeros((1, 98, 80), np.float32),
            )
        else:
            model, prepare, example = (
                _Hidden(_hubert(name, path)),
                normalised,
                np.zeros((1, 16000), np.float32),
            )
        tell(f"exporting {name}")
        rows += _runtimes(name, model.eval(), prepare, example, threads, folder)
    return rows, trained


def _fasthubert(path):
    if path is None:
        return FastHubert()
    found = find_weights(read_checkpoint(path), "fasthubert", path)
    return load_fasthubert(found.state, heads=found.heads)


def _runtimes(name, model, prepare, example, threads, folder):
    """PyTorch, ONNX on every provider, and for FastHuBERT 8-bit ONNX."""
    stem = os.path.join(folder, name.replace(" ", "-"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.save(model.state_dict(), f"{stem}.pt")
    began = time.perf_counter()
    model.load_state_dict(torch.load(f"{stem}.pt", weights_only=True))
    model.to(device)
    open_s = time.perf_counter() - began

    def in_torch(x):
        with torch.no_grad():
            return model(torch.from_numpy(prepare(x)).to(device)).cpu().numpy()[0]

    yield _first(
        name, f"PyTorch{', CUDA' if device == 'cuda' else ''}", in_torch, f"{stem}.pt", open_s
    )
    with torch.no_grad():
        torch.onnx.export(
            model.to("cpu"),
            torch.from_numpy(example),
            f"{stem}.onnx",
            opset_version=13,
            dynamo=False,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {1: "T"}, "y": {1: "T"}},
        )
    model.to(device)
    # TensorRT would build an engine for each length of a clip
    for provider in [p for p in ("cpu", "cuda") if p in available_providers()]:
        runtime = f"ONNX{', CUDA' if provider == 'cuda' else ''}"
        yield _in_onnx(name, runtime, f"{stem}.onnx", prepare, threads, provider)
    if name == FAST:
        shutil.copy(f"{stem}.onnx", f"{stem}-int8.onnx")
        reduce_precision(f"{stem}-int8.onnx", "int8")
        yield _in_onnx(name, "ONNX int8", f"{stem}-int8.onnx", prepare, threads, "cpu")


def _in_onnx(name, runtime, path, prepare, threads, provider):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    began = time.perf_counter()
    session = onnxruntime.InferenceSession(path, options, providers=[PROVIDERS[provider]])
    open_s = time.perf_counter() - began
    if session.get_providers()[0] != PROVIDERS[provider]:
        raise UnavailableError(f"bench study: ONNX Runtime fell back from {provider}")
    return _first(name, runtime, lambda x: session.run(None, {"x": prepare(x)})[0][0], path, open_s)


def _first(name, runtime, run, path, open_s):
    began = time.perf_counter()
    run(np.random.RandomState(0).uniform(-0.1, 0.1, 74240).astype(np.float32))
    return Encoder(name, runtime, run, os.path.getsize(path), open_s, time.perf_counter() - began)
