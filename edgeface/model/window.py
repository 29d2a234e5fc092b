"""Networks that take a stretch of sound at once, as a stream: a window that moves on hop by hop."""

from collections import deque
from typing import Deque, Sequence, Tuple, Union

import numpy as np

from ..features.fbank import FBANK_PER_FRAME, MEL_BINS, SILENCE
from ..motion.refine import SOON_FRAMES, Refiner
from .description import WindowNetwork
from .runtime.onnx_session import OnnxSession
from .stepper import Faces, Stepper

LATENT = 16
FRAMES_PER_LATENT = 4
# The pipeline leads its Fbank by 320 samples; these networks want it from the first sample on.
LEAD_ROWS = 2


def pitch_bins(f0_hz: np.ndarray) -> np.ndarray:
    """F0 as GeneFace quantises it.

    :param f0_hz: 0 where unvoiced
    :return: bins 1..255, int64 of the same shape
    """

    def mel(hz: Union[float, np.ndarray]) -> np.ndarray:
        return 1127.0 * np.log(1.0 + np.asarray(hz, np.float32) / 700.0)

    m = mel(f0_hz)
    m = np.where(m > 0, (m - mel(50.0)) * 254.0 / (mel(1100.0) - mel(50.0)) + 1.0, m)
    return np.floor(np.clip(m, 1.0, 255.0) + 0.5).astype(np.int64)


def noise(seed: int, slot: int) -> np.ndarray:
    """The latent of the 160 ms from frame 4 * slot on, whichever window asks: float32 [16]."""
    random = np.random.RandomState([seed, slot & 0xFFFFFFFF])
    return random.standard_normal(LATENT).astype(np.float32)


class Window:
    """Encoder and head over at most `frames` face frames.

    :param encoder: session of an encoder graph of that length
    :param head: session of a motion graph of that length
    """

    def __init__(
        self, encoder: OnnxSession, head: OnnxSession, frames: int, network: WindowNetwork
    ) -> None:
        self.frames = frames
        self.provider = encoder.provider
        self._encoder = encoder
        self._head = head
        self._network = network

    def run(self, rows: np.ndarray, f0_hz: Sequence[float], first: int) -> np.ndarray:
        """Landmarks float32 [T, 68, 3] of T = ceil(n / 4) frames.

        :param rows: Fbank, float32 [n, 80], n at most 4 * frames
        :param f0_hz: of each frame, as far as it is known; the last one is repeated
        :param first: index of the first frame in the stream, a multiple of 4
        """
        count = -(-len(rows) // FBANK_PER_FRAME)
        fbank = np.full((1, FBANK_PER_FRAME * self.frames, MEL_BINS), SILENCE, np.float32)
        fbank[0, : len(rows)] = rows
        row_count = np.array([len(rows)], np.float32)
        features = self._encoder.run(["features"], {"fbank": fbank, "rows": row_count})[0]
        known = FRAMES_PER_LATENT * -(-count // FRAMES_PER_LATENT)
        feed = {
            "features": features,
            "f0_bins": self._bins(f0_hz[:count], count),
            "z": self._latent(first),
            "frames": np.array([known], np.float32),
        }
        # a network without pitch has no such input
        inputs = {name: feed[name] for name in self._head.inputs}
        return self._head.run(["landmarks"], inputs)[0][0, :count]

    def _bins(self, f0_hz: Sequence[float], count: int) -> np.ndarray:
        bins = np.ones((1, self.frames), np.int64)
        known = pitch_bins(np.asarray(f0_hz))
        bins[0, : len(known)] = known
        if len(known):
            bins[0, len(known) : count] = known[-1]
        return bins

    def _latent(self, first: int) -> np.ndarray:
        slot = first // FRAMES_PER_LATENT
        slots = range(slot, slot + self.frames // FRAMES_PER_LATENT)
        latent = np.stack([noise(self._network.seed, slot) for slot in slots], 1)[None]
        return (self._network.temperature * latent).astype(np.float32)


class WindowStepper(Stepper):
    """Streams a `Window`: computes a hop of frames at a time, and hands them out one by one.

    A frame waits for the rest of its hop and the future beyond it; all have the latency of the
    first one of a hop, which waits longest.

    :param window: of as many frames as a streaming window of the network
    """

    def __init__(self, window: Window, network: WindowNetwork, refiner: Refiner) -> None:
        self.provider = window.provider
        self.needs_f0 = True
        self._window = window
        self._network = network
        self._refiner = refiner
        self.reset()

    def reset(self) -> None:
        """Starts a new stream."""
        self._rows = np.zeros((0, MEL_BINS), np.float32)
        self._missing_rows = LEAD_ROWS
        self._first_frame = 0  # of the window, in the stream
        self._frames = 0  # taken so far
        self._f0_hz: Deque[float] = deque()
        self._levels: Deque[float] = deque()
        self._faces: Deque[Tuple[np.ndarray, bool]] = deque()
        self._refiner.reset()

    def step(
        self, fbank: np.ndarray, f0_hz: Sequence[float], levels_dbfs: Sequence[float]
    ) -> Faces:
        """The face of one more frame; the resting one before the first is known."""
        self._rows = np.concatenate((self._rows, fbank[self._missing_rows :]))
        self._missing_rows = 0
        self._f0_hz.extend(f0_hz)
        self._levels.extend(levels_dbfs)
        self._frames += 1
        ready = self._frames - self._network.hop_frames - self._network.future_frames
        if ready < 0:
            return _one(self._refiner.rest())
        if ready % self._network.hop_frames == 0:
            self._compute()
        landmarks, voiced = self._faces.popleft()
        soon = [self._levels[i] for i in range(min(SOON_FRAMES, len(self._levels)))]
        face = self._refiner.apply(landmarks, soon, voiced)
        self._levels.popleft()
        return _one(face)

    def _compute(self) -> None:
        """Runs the window that ends here, and queues the faces of its hop."""
        first = max(0, self._frames - self._window.frames)
        dropped = first - self._first_frame
        self._rows = self._rows[FBANK_PER_FRAME * dropped :]
        for _ in range(min(dropped, len(self._f0_hz))):
            self._f0_hz.popleft()
        self._first_frame = first
        landmarks = self._window.run(self._rows, list(self._f0_hz), first)
        hop = self._network.hop_frames
        begin = self._frames - self._network.future_frames - hop - first
        for i in range(begin, begin + hop):
            voiced = i < len(self._f0_hz) and self._f0_hz[i] > 0.0
            self._faces.append((landmarks[i], voiced))


def _one(face: Tuple[np.ndarray, np.ndarray, float]) -> Faces:
    """A face as `Faces` of one frame."""
    landmarks, blendshapes, speech = face
    return landmarks[None], blendshapes[None], np.array([speech])
