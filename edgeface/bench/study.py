"""The study's table 3: what the speech encoders cost on this machine, all in one run.

With random weights, since no checkpoint comes with edgeface: the times are real, and nothing is said of quality.
"""

import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

from ..build import build_pipeline, load_bundle
from ..config import Settings
from ..demo import VOICE
from ..errors import UnavailableError
from ..features.fbank import Fbank
from ..source.convert import Converter
from ..source.file import read_whole
from .budget import graph_cost, measure_machine

RATE_HZ = 22050  # of the study's clips, so that the conversion is measured too
_SHORTEST_S, _LONGEST_S, _MEAN_S = 2.37, 10.73, 4.64
BASELINES = ("HuBERT large, PyTorch", "HuBERT base, PyTorch")


def clip_seconds(count):
    """Lengths of so many clips with the study's extremes and mean, s: float array."""
    share = np.linspace(0.0, 1.0, count) if count > 1 else np.array([0.2716])
    power = (_LONGEST_S - _MEAN_S) / (_MEAN_S - _SHORTEST_S)  # mean of share ** power is 1 / (power + 1)
    return _SHORTEST_S + (_LONGEST_S - _SHORTEST_S) * share ** power


def clips(count):
    """The bundled voice, again and again, cut to these lengths: list of float32 [N] at 22.05 kHz."""
    voice = np.tile(read_whole(VOICE), 4)
    whole = np.interp(np.arange(0, len(voice), 16000 / RATE_HZ), np.arange(len(voice)), voice).astype(np.float32)
    return [whole[:int(seconds * RATE_HZ)] for seconds in clip_seconds(count)]


class Encoders:
    """Functions from 16 kHz sound to features, by the names of the table.

    :param threads: of PyTorch and ONNX Runtime
    :raises UnavailableError: PyTorch or transformers is missing
    """

    def __init__(self, threads):
        try:
            import torch
            import transformers
        except ImportError as error:
            raise UnavailableError("bench study: %s; pip install torch transformers onnx" % error) from None
        self._torch, self._transformers, self._threads = torch, transformers, threads
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self._folder = tempfile.TemporaryDirectory()
        pipeline = build_pipeline(Settings(), load_bundle(""))
        self.functions = {"edgeface default, ONNX, with face": lambda x: (pipeline.accept(x), pipeline.finish())}
        self._add_hubert("large", 1024, 24, 16, 4096, stable=True)
        self._add_hubert("base", 768, 12, 12, 3072, stable=False)
        self._add_fasthubert()

    def _add_hubert(self, size, width, layers, heads, inner, stable):
        config = self._transformers.HubertConfig(
            hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=inner,
            feat_extract_norm="layer" if stable else "group", conv_bias=stable, do_stable_layer_norm=stable,
            attn_implementation="eager")
        model = self._transformers.HubertModel(config).eval()

        class Plain(self._torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = model

            def forward(self, x):
                return self.inner(x).last_hidden_state

        self._add("HuBERT " + size, Plain().eval(), lambda x: normalised(x)[None], np.zeros((1, 16000), np.float32))

    def _add_fasthubert(self):
        from ..study.fasthubert import FastHubert
        self._add("FastHuBERT base", FastHubert().eval(), fbank, np.zeros((1, 98, 80), np.float32))

    def _add(self, name, model, prepare, example):
        torch = self._torch

        def in_torch(x):
            with torch.no_grad():
                return model(torch.from_numpy(prepare(x)))

        path = os.path.join(self._folder.name, name.replace(" ", "-") + ".onnx")
        with torch.no_grad():
            torch.onnx.export(model, torch.from_numpy(example), path, opset_version=13, dynamo=False,
                              input_names=["x"], output_names=["y"], dynamic_axes={"x": {1: "T"}, "y": {1: "T"}})
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.functions[name + ", PyTorch"] = in_torch
        self.functions[name + ", ONNX"] = lambda x: session.run(None, {"x": prepare(x)})[0]
        self.difference = getattr(self, "difference", {})
        voice = read_whole(VOICE)[:32000]
        self.difference[name] = float(np.abs(in_torch(voice).numpy() - self.functions[name + ", ONNX"](voice)).max())


_MEMORY = """
import sys, numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
session.run(None, {"x": numpy.zeros([int(n) for n in sys.argv[2].split(",")], numpy.float32)})
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def fasthubert_effort(seconds=4.64):
    """FastHuBERT base in ONNX on one thread: (GFLOPS reached, GFLOPS of a core's matrix product, process' MB)."""
    import torch

    from ..study.fasthubert import FastHubert
    with tempfile.TemporaryDirectory() as folder:
        path, shape = os.path.join(folder, "f.onnx"), (1, 1 + int((seconds * 16000 - 400) / 160), 80)
        with torch.no_grad():
            torch.onnx.export(FastHubert().eval(), torch.zeros(shape), path, opset_version=13, dynamo=False,
                              input_names=["x"], output_names=["y"])
        cost = graph_cost(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        x, times = np.zeros(shape, np.float32), []
        for _ in range(6):
            began = time.perf_counter()
            session.run(None, {"x": x})
            times.append(time.perf_counter() - began)
        memory = subprocess.check_output([sys.executable, "-c", _MEMORY, path, ",".join(map(str, shape))])
    return cost.flops / np.median(times[1:]) / 1e9, measure_machine().cpu_core, int(memory) / 1e3


def normalised(samples):
    """As HuBERT's processor does: float32 [N] of mean 0 and variance 1."""
    return ((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)).astype(np.float32)


def fbank(samples):
    """Fbank as FastHuBERT takes it, float32 [1, T, 80], normalised with the clip's own statistics."""
    feature = Fbank()
    frames = np.concatenate((feature.accept(samples), feature.finish()))
    return ((frames - frames.mean(0)) / np.maximum(frames.std(0), 1e-4)).astype(np.float32)[None]


def measure(count, threads, tell):
    """Seconds by encoder and clip, the encoders in turn for every clip, after one warm-up each.

    :param tell: called with a line of text as work goes on
    :return: (names to float [count], {name: largest difference of ONNX}, seconds of sound)
    """
    tell("building and exporting the networks")
    encoders = Encoders(threads)
    sounds = clips(count)
    times = {name: [] for name in ["conversion to 16 kHz"] + list(encoders.functions)}
    for i, sound in enumerate([sounds[0]] + sounds):  # the first one warms up
        began = time.perf_counter()
        converted = Converter(RATE_HZ).accept(sound[:, None], last=True)
        spent = {"conversion to 16 kHz": time.perf_counter() - began}
        for name, function in encoders.functions.items():
            began = time.perf_counter()
            function(converted)
            spent[name] = time.perf_counter() - began
        if i:
            for name, seconds in spent.items():
                times[name].append(seconds)
            tell("clip %d of %d, %.1f s of sound" % (i, count, len(sound) / RATE_HZ))
    return ({name: np.array(values) for name, values in times.items()}, encoders.difference,
            sum(len(sound) for sound in sounds) / RATE_HZ)


def table(times, sound_s):
    """Rows (name, seconds for all clips, median ms a clip, real-time factor, times faster than each baseline)."""
    totals = {name: values.sum() for name, values in times.items()}
    return [(name, totals[name], 1e3 * float(np.median(values)), totals[name] / sound_s)
            + tuple(totals[base] / totals[name] for base in BASELINES) for name, values in times.items()]
