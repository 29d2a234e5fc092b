"""All measurements of the study's tables and figures, one clip after the other, everything in turn."""

import tempfile
import time
from typing import NamedTuple

import numpy as np

from ...build import build_pipeline, load_model
from ...config import Motion, Settings
from ...core.errors import UnavailableError
from ...core.rates import HOP_SAMPLES, SECOND_NS
from ...source.convert import Converter
from ...telemetry.power import find_power_source
from .clips import RATE_HZ, clips
from .encoders import FAST, LARGE, make_encoders
from .heads import Heads, f0_of, ray_grids

REGIONS = {
    "lips": slice(48, 68),
    "jaw": slice(0, 17),
    "eyes": slice(36, 48),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
}
PICTURE_PX = 512
STAGES = ("conversion", "encoder", "F0", "batch preparation", "audio to motion")
DEFAULT = "edgeface default, ONNX, with face"
_POWER_S = 8.0
_WINDOW_FRAMES, _WINDOW_LATENCY_S = 36, 0.44  # of `edgeface import`


class Results(NamedTuple):
    """What was measured; times are s by clip, float [clips].

    `encoders`: list of (`encoders.Encoder` without its function, times); `default`: times of edgeface's whole path;
    `stages`: (before, after), each a dict of stage to times; `landmarks`: (encoder, runtime) to a list of [T, 68, 3],
    also of the default; `values`: encoder to a sample of its features; `cosine`: int8 features against float32;
    `lengths_s`: of the clips; `trained`: names with trained weights; `watts`: name to W above idle, or empty;
    `long`: name to (s, bytes) on the long clip; `streams`: name to (algorithmic latency in s, s of computing a frame).
    """

    encoders: list
    default: np.ndarray
    stages: tuple
    landmarks: dict
    values: dict
    cosine: float
    lengths_s: np.ndarray
    trained: set
    watts: dict
    long: dict
    long_s: float
    streams: dict
    neutral: np.ndarray


def _timed(function, *arguments):
    began = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - began


def measure(count, threads, long_clip, checkpoints, tell):
    """Runs it all: `Results`.

    :param count: clips
    :param long_clip: float32 [N] at 16 kHz, for figure 6
    :param checkpoints: folder of the originals, or None
    :param tell: called with a line of text as work goes on
    """
    with tempfile.TemporaryDirectory() as folder:
        encoders, trained = make_encoders(threads, folder, checkpoints, tell)
        heads = Heads(threads, folder, checkpoints)
        if heads.trained:
            trained.add("audio2motion")
        pipeline = build_pipeline(Settings(motion=Motion(blink=False)), load_model(""))
        return _Run(encoders, heads, pipeline, trained, tell).all(clips(count), long_clip)


class _Run:
    def __init__(self, encoders, heads, pipeline, trained, tell):
        self._encoders, self._heads, self._pipeline = encoders, heads, pipeline
        self._trained, self._tell = trained, tell

    def all(self, sounds, long_clip):
        times = {(e.name, e.runtime): [] for e in self._encoders}
        # HuBERT base is no network that GeneFace++ was trained on
        landmarks = {
            key: []
            for key in times
            if key[0] in (LARGE, FAST) and key[1] in ("PyTorch", "PyTorch, CUDA", "ONNX")
        }
        landmarks[DEFAULT, ""] = []
        stages = tuple({name: [] for name in STAGES} for _ in range(2))
        values, default, cosines = {}, [], []
        for i, sound in enumerate(sounds):
            samples, converting_s = _timed(
                lambda s=sound: Converter(RATE_HZ).accept(s[:, None], last=True)
            )
            features = {}
            for encoder in self._encoders:
                key = encoder.name, encoder.runtime
                features[key], spent_s = _timed(encoder.run, samples)
                times[key].append(spent_s)
            frames, spent_s = _timed(self._face, samples)
            default.append(spent_s)
            landmarks[DEFAULT, ""].append(frames)
            self._stages(samples, converting_s, features, times, stages, landmarks)
            cosines.append(_cosine(features[FAST, "ONNX"], features[FAST, "ONNX int8"]))
            for name in {e.name for e in self._encoders}:
                values.setdefault(name, []).append(features[name, "ONNX"][::5].ravel()[::7])
            self._tell(f"clip {i + 1} of {len(sounds)}, {len(sound) / RATE_HZ:.1f} s of sound")
        return Results(
            [(e._replace(run=None), np.array(times[e.name, e.runtime])) for e in self._encoders],
            np.array(default),
            tuple({name: np.array(spent) for name, spent in half.items()} for half in stages),
            landmarks,
            {name: np.concatenate(parts) for name, parts in values.items()},
            float(np.mean(cosines)),
            np.array([len(sound) / RATE_HZ for sound in sounds]),
            self._trained,
            self._watts(sounds),
            self._long(long_clip),
            len(long_clip) / 16000,
            self._streams(long_clip, sum(default) / sum(map(len, landmarks[DEFAULT, ""]))),
            self._heads.neutral,
        )

    def _face(self, samples):
        return np.array(
            [f.landmarks for f in self._pipeline.accept(samples) + self._pipeline.finish()]
        )

    def _stages(self, samples, converting_s, features, times, stages, landmarks):
        """Table 2 for this clip, and every encoder's landmarks."""
        f0_hz, f0_s = _timed(f0_of, samples)
        for name, runtime in [key for key in features if key in landmarks]:
            inputs = self._heads.prepared(features[name, runtime], f0_hz)
            head = self._heads.in_onnx if runtime == "ONNX" else self._heads.in_torch
            face, head_s = _timed(head, *inputs)
            landmarks[name, runtime].append(face)
            for half, wanted in zip(stages, ((LARGE, "PyTorch"), (FAST, "ONNX"))):
                if (name, runtime.split(",")[0]) == wanted:
                    rays_s = _timed(ray_grids, len(face))[1] if wanted[0] == LARGE else 0.0
                    for stage, spent_s in zip(
                        STAGES, (converting_s, times[name, runtime][-1], f0_s, rays_s, head_s)
                    ):
                        half[stage].append(spent_s)

    def _watts(self, sounds):
        """W above idle while one encoder runs; empty where nothing measures."""
        source = find_power_source()
        try:
            if source.read().total_mw is None:
                return {}
            idle_mw, watts = _mean_mw(source, lambda: time.sleep(0.2)), {}
            sound = Converter(RATE_HZ).accept(sounds[len(sounds) // 2][:, None], last=True)
            for encoder in self._encoders:
                self._tell(f"power of {encoder.name}, {encoder.runtime}")
                watts[encoder.name, encoder.runtime] = _mean_mw(
                    source, lambda e=encoder: e.run(sound)
                )
            watts[DEFAULT, ""] = _mean_mw(source, lambda: self._face(sound))
            return {name: (mw - idle_mw) / 1e3 for name, mw in watts.items()}
        except UnavailableError:
            return {}
        finally:
            source.close()

    def _streams(self, samples, default_s):
        """The default's frames, and a window of FastHuBERT and the motion network for every hop of four frames."""
        encode = next(e.run for e in self._encoders if (e.name, e.runtime) == (FAST, "ONNX"))
        window = samples[: _WINDOW_FRAMES * HOP_SAMPLES]
        f0_hz = f0_of(window)
        spent = [
            _timed(lambda: self._heads.in_onnx(*self._heads.prepared(encode(window), f0_hz)))[1]
            for _ in range(9)
        ]
        return {
            DEFAULT: (self._pipeline.latency_ns / SECOND_NS, default_s),
            f"FastHuBERT and audio2motion, window {40 * _WINDOW_FRAMES} ms, hop 160 ms": (
                _WINDOW_LATENCY_S,
                float(np.median(spent)) / 4,
            ),
        }

    def _long(self, samples):
        """Median of three runs of each encoder on the long clip, and the size of its file."""
        found = {}
        for encoder in self._encoders:
            found[encoder.name, encoder.runtime] = (
                float(np.median([_timed(encoder.run, samples)[1] for _ in range(3)])),
                encoder.bytes,
            )
        return found


def _mean_mw(source, work):
    readings, end = [], time.monotonic() + _POWER_S
    while time.monotonic() < end:
        work()
        total = source.read().total_mw
        if total is None:
            raise UnavailableError(f"power source {source.name}: no reading")
        readings.append(total)
    return float(np.mean(readings))


def _cosine(a, b):
    return float(((a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)).mean())
