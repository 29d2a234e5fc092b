"""All measurements of the study's tables and figures, clip by clip, everything in turn."""

import functools
import tempfile
import time
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

import numpy as np

from ...build import build_pipeline, load_model
from ...config import MOUTH_ONLY, Settings
from ...core.errors import UnavailableError
from ...core.rates import FRAME_MS, HOP_SAMPLES, SAMPLE_RATE_HZ, SECOND_NS
from ...pipeline import Pipeline
from ...source.convert import Converter
from ...telemetry.power import find_power_source
from ..power import mean_mw_during
from .clips import RATE_HZ, clips
from .encoders import make_encoders
from .heads import Heads, f0_of, ray_grids
from .results import (
    DEFAULT,
    DEFAULT_KEY,
    FAST,
    LARGE,
    STAGES,
    Encoder,
    Key,
    LongRun,
    Results,
    Stages,
    Stream,
)

_POWER_S = 8.0
_IDLE_S = 0.2
_LONG_RUNS = 3
_STREAM_RUNS = 9
# of `edgeface import`
_WINDOW_FRAMES = 36
_HOP_FRAMES = 4
_WINDOW_LATENCY_S = 0.44
# HuBERT base is no network that GeneFace++ was trained on
_WITH_LANDMARKS = (LARGE, FAST)
_LANDMARK_RUNTIMES = ("PyTorch", "PyTorch, CUDA", "ONNX")

Progress = Callable[[str], object]


def measure(
    count: int,
    threads: int,
    long_clip: np.ndarray,
    checkpoints: Optional[str],
    progress: Progress,
) -> Results:
    """Runs it all.

    :param count: clips
    :param long_clip: float32 [N] at 16 kHz, for figure 6
    :param checkpoints: folder of the originals, or None
    :param progress: called with a line of text as work goes on
    """
    with tempfile.TemporaryDirectory() as folder:
        encoders, trained = make_encoders(threads, folder, checkpoints, progress)
        heads = Heads(threads, folder, checkpoints)
        if heads.trained:
            trained.add("audio2motion")
        pipeline = build_pipeline(Settings(motion=MOUTH_ONLY), load_model())
        run = _Run(encoders, heads, pipeline, progress)
        return run.results(clips(count), long_clip, trained)


class _Run:
    """One run over all clips."""

    def __init__(
        self, encoders: List[Encoder], heads: Heads, pipeline: Pipeline, progress: Progress
    ) -> None:
        self._encoders = encoders
        self._heads = heads
        self._pipeline = pipeline
        self._progress = progress
        self._times: Dict[Key, List[float]] = {encoder.key: [] for encoder in encoders}
        self._default: List[float] = []
        self._before: Dict[str, List[float]] = {stage: [] for stage in STAGES}
        self._after: Dict[str, List[float]] = {stage: [] for stage in STAGES}
        self._landmarks: Dict[Key, List[np.ndarray]] = {DEFAULT_KEY: []}
        for encoder in encoders:
            if encoder.name in _WITH_LANDMARKS and encoder.runtime in _LANDMARK_RUNTIMES:
                self._landmarks[encoder.key] = []
        self._values: Dict[str, List[np.ndarray]] = {encoder.name: [] for encoder in encoders}
        self._cosines: List[float] = []

    def results(
        self, sounds: List[np.ndarray], long_clip: np.ndarray, trained: Set[str]
    ) -> Results:
        """Measures everything.

        :param sounds: clips at 22.05 kHz
        """
        for i, sound in enumerate(sounds):
            self._clip(sound)
            self._progress(f"clip {i + 1} of {len(sounds)}, {len(sound) / RATE_HZ:.1f} s of sound")
        frames = sum(len(faces) for faces in self._landmarks[DEFAULT_KEY])
        return Results(
            encoders=[
                (encoder._replace(run=None), np.array(self._times[encoder.key]))
                for encoder in self._encoders
            ],
            default=np.array(self._default),
            before=_arrays(self._before),
            after=_arrays(self._after),
            landmarks=self._landmarks,
            values={name: np.concatenate(parts) for name, parts in self._values.items()},
            cosine=float(np.mean(self._cosines)),
            lengths_s=np.array([len(sound) / RATE_HZ for sound in sounds]),
            trained=trained,
            watts=self._watts(_converted(sounds[len(sounds) // 2])),
            long=self._long(long_clip),
            long_s=len(long_clip) / SAMPLE_RATE_HZ,
            streams=self._streams(long_clip, sum(self._default) / frames),
            neutral=self._heads.neutral,
        )

    def _clip(self, sound: np.ndarray) -> None:
        """One clip through everything."""
        samples, converting_s = _timed(_converted, sound)
        features = {}
        for encoder in self._encoders:
            features[encoder.key], spent_s = _timed(encoder.run, samples)
            self._times[encoder.key].append(spent_s)
        face, spent_s = _timed(self._face, samples)
        self._default.append(spent_s)
        self._landmarks[DEFAULT_KEY].append(face)
        self._stages(samples, converting_s, features)
        self._cosines.append(_cosine(features[FAST, "ONNX"], features[FAST, "ONNX int8"]))
        for name, parts in self._values.items():
            parts.append(features[name, "ONNX"][::5].ravel()[::7])

    def _face(self, samples: np.ndarray) -> np.ndarray:
        """Landmarks of edgeface's whole path."""
        frames = self._pipeline.accept(samples) + self._pipeline.finish()
        return np.array([frame.landmarks for frame in frames])

    def _stages(
        self, samples: np.ndarray, converting_s: float, features: Dict[Key, np.ndarray]
    ) -> None:
        """Table 2 for a clip, and every encoder's landmarks."""
        f0_hz, f0_s = _timed(f0_of, samples)
        for key, values in features.items():
            if key not in self._landmarks:
                continue
            name, runtime = key
            inputs = self._heads.prepared(values, f0_hz)
            head = self._heads.in_onnx if runtime == "ONNX" else self._heads.in_torch
            face, head_s = _timed(head, *inputs)
            self._landmarks[key].append(face)
            encoder_s = self._times[key][-1]
            if name == LARGE and runtime.startswith("PyTorch"):
                rays_s = _timed(ray_grids, len(face))[1]
                _add(self._before, (converting_s, encoder_s, f0_s, rays_s, head_s))
            elif name == FAST and runtime == "ONNX":
                _add(self._after, (converting_s, encoder_s, f0_s, 0.0, head_s))

    def _watts(self, samples: np.ndarray) -> Dict[Key, float]:
        """W above idle while one encoder runs; empty where nothing measures."""
        source = find_power_source()
        try:
            if source.read().total_mw is None:
                return {}
            idle_mw = mean_mw_during(source, _POWER_S, lambda: time.sleep(_IDLE_S))
            used_mw = {}
            for encoder in self._encoders:
                self._progress(f"power of {encoder.title}")
                work = functools.partial(_timed, encoder.run, samples)
                used_mw[encoder.key] = mean_mw_during(source, _POWER_S, work)
            used_mw[DEFAULT_KEY] = mean_mw_during(source, _POWER_S, lambda: self._face(samples))
            return {key: (mw - idle_mw) / 1e3 for key, mw in used_mw.items()}
        except UnavailableError:
            return {}
        finally:
            source.close()

    def _streams(self, samples: np.ndarray, default_s: float) -> Dict[str, Stream]:
        """The default's frames, and those of FastHuBERT and audio2motion over a window a hop."""
        encode: Any = next(e.run for e in self._encoders if e.key == (FAST, "ONNX"))
        window = samples[: _WINDOW_FRAMES * HOP_SAMPLES]
        f0_hz = f0_of(window)

        def compute_hop() -> np.ndarray:
            return self._heads.in_onnx(*self._heads.prepared(encode(window), f0_hz))

        spent_s = [_timed(compute_hop)[1] for _ in range(_STREAM_RUNS)]
        title = (
            f"FastHuBERT and audio2motion, window {FRAME_MS * _WINDOW_FRAMES} ms, "
            f"hop {FRAME_MS * _HOP_FRAMES} ms"
        )
        return {
            DEFAULT: Stream(self._pipeline.latency_ns / SECOND_NS, default_s),
            title: Stream(_WINDOW_LATENCY_S, float(np.median(spent_s)) / _HOP_FRAMES),
        }

    def _long(self, samples: np.ndarray) -> Dict[Key, LongRun]:
        """Each encoder on the long clip: the median of some runs."""
        found = {}
        for encoder in self._encoders:
            spent_s = [_timed(encoder.run, samples)[1] for _ in range(_LONG_RUNS)]
            found[encoder.key] = LongRun(float(np.median(spent_s)), encoder.bytes)
        return found


def _timed(function: Any, *arguments: Any) -> Tuple[Any, float]:
    """What a call returns, and the seconds that it takes."""
    began = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - began


def _converted(sound: np.ndarray) -> np.ndarray:
    """A clip at 16 kHz."""
    return Converter(RATE_HZ).accept(sound[:, None], last=True)


def _add(stages: Dict[str, List[float]], spent_s: Tuple[float, ...]) -> None:
    for stage, seconds in zip(STAGES, spent_s):
        stages[stage].append(seconds)


def _arrays(stages: Dict[str, List[float]]) -> Stages:
    return {stage: np.array(spent_s) for stage, spent_s in stages.items()}


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Mean cosine of the angle between features [T, C]."""
    cosines = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return float(cosines.mean())
