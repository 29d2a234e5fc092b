"""Networks that hear a stretch of sound at once, as a stream: the same window again and again, a hop further on."""

from collections import deque

import numpy as np

from ..core.rates import HOP_SAMPLES
from ..features.f0 import F0
from ..features.fbank import MEL_BINS, SILENCE, Fbank
from ..features.level import level_dbfs
from ..motion.refine import SOON_FRAMES
from .stepper import FBANK_PER_FRAME

LATENT = 16
FRAMES_PER_LATENT = 4
# The pipeline leads its Fbank by 320 samples; these networks want it from the first sample on.
LEAD_ROWS = 2


def pitch_bins(f0_hz):
    """Bin 1..255 of each F0 in Hz, 0 where unvoiced, as GeneFace quantises it: int64 of the same shape."""

    def mel(hz):
        return 1127.0 * np.log(1.0 + np.asarray(hz, np.float32) / 700.0)

    m = mel(f0_hz)
    m = np.where(m > 0, (m - mel(50.0)) * 254.0 / (mel(1100.0) - mel(50.0)) + 1.0, m)
    return np.floor(np.clip(m, 1.0, 255.0) + 0.5).astype(np.int64)


def noise(seed, slot):
    """The latent of the 160 ms that begin at frame 4 * slot, whichever window asks: float32 [16]."""
    return (
        np.random.RandomState([seed, slot & 0xFFFFFFFF]).standard_normal(LATENT).astype(np.float32)
    )


class Window:
    """Encoder and head over at most `frames` face frames.

    :param encoder: `runtime.Session` of an encoder graph, `head` of a motion graph of the same length
    :param pair: `bundle.Pair`
    """

    def __init__(self, encoder, head, frames, pair):
        self._encoder, self._head, self.frames, self._pair = encoder, head, frames, pair
        self.provider = encoder.provider

    def run(self, rows, f0_hz, first):
        """Landmarks float32 [T, 68, 3] of T = ceil(n / 4) frames.

        :param rows: Fbank, float32 [n, 80], n at most 4 * frames
        :param f0_hz: of each frame, as far as it is known; the last one is repeated
        :param first: index of the first frame in the stream, a multiple of 4
        """
        count = -(-len(rows) // FBANK_PER_FRAME)
        fbank = np.full((1, FBANK_PER_FRAME * self.frames, MEL_BINS), SILENCE, np.float32)
        fbank[0, : len(rows)] = rows
        bins = np.ones((1, self.frames), np.int64)
        known = pitch_bins(f0_hz[:count])
        bins[0, : len(known)] = known
        if len(known):
            bins[0, len(known) : count] = known[-1]
        slots = self.frames // FRAMES_PER_LATENT
        z = (
            self._pair.temperature
            * np.stack(
                [noise(self._pair.seed, first // FRAMES_PER_LATENT + i) for i in range(slots)], 1
            )[None]
        )
        features = self._encoder.run(
            ["features"], {"fbank": fbank, "rows": np.array([len(rows)], np.float32)}
        )[0]
        heard = FRAMES_PER_LATENT * -(-count // FRAMES_PER_LATENT)
        feed = {
            "features": features,
            "f0_bins": bins,
            "z": z.astype(np.float32),
            "frames": np.array([heard], np.float32),
        }
        # a network without pitch has no such input
        return self._head.run(["landmarks"], {name: feed[name] for name in self._head.inputs})[0][
            0, :count
        ]


class WindowStepper:
    """A `Stepper` for a `Window`: every hop it computes the frames of one hop, and hands out one at a time.

    A frame waits for the rest of its hop and the future beyond it; all have the latency of the first one of a hop,
    which waits longest.

    :param window: a `Window` of `pair.frames`
    :param refiner: a `motion.refine.Refiner`
    """

    def __init__(self, window, pair, refiner):
        self.provider = window.provider
        self._window, self._pair, self._refiner = window, pair, refiner
        self.reset()

    def reset(self):
        """Forgets everything heard."""
        self._rows = np.zeros((0, MEL_BINS), np.float32)
        self._missing_rows = LEAD_ROWS
        self._first = self._heard = 0  # frames
        self._f0, self._levels, self._faces = deque(), deque(), deque()
        self._refiner.reset()

    def step(self, fbank, f0_hz, level_dbfs):
        """As `Stepper.step`; before the first frame is known, the resting face."""
        self._rows = np.concatenate((self._rows, fbank[self._missing_rows :]))
        self._missing_rows = 0
        self._f0.extend(f0_hz)
        self._levels.append(level_dbfs)
        self._heard += 1
        ready = self._heard - self._pair.hop_frames - self._pair.future_frames
        if ready < 0:
            return self._refiner.rest()
        if ready % self._pair.hop_frames == 0:
            self._compute()
        landmarks, voiced = self._faces.popleft()
        face = self._refiner.apply(
            landmarks, [self._levels[i] for i in range(min(SOON_FRAMES, len(self._levels)))], voiced
        )
        self._levels.popleft()
        return face

    def _compute(self):
        first = max(0, self._heard - self._window.frames)
        drop = first - self._first
        self._rows = self._rows[FBANK_PER_FRAME * drop :]
        for _ in range(min(drop, len(self._f0))):
            self._f0.popleft()
        self._first = first
        landmarks = self._window.run(self._rows, list(self._f0), first)
        begin = self._heard - self._pair.future_frames - self._pair.hop_frames - first
        for i in range(begin, begin + self._pair.hop_frames):
            voiced = i < len(self._f0) and self._f0[i] > 0.0
            self._faces.append((landmarks[i], voiced))


def whole_motion(windows, refiner, samples):
    """Motion of a file in one pass, refined likewise: what the stream is compared with.

    A file longer than the longest window is cut into such, with hard seams, as upstream does it.

    :param windows: frames to a function that opens the `Window` of that length
    :param samples: float32 [N] at 16 kHz
    :return: landmarks [T, 68, 3], blendshapes [T, 52], speech [T]; T = ceil(N / 640)
    """
    count = -(-len(samples) // HOP_SAMPLES)
    padded = np.pad(samples, (0, HOP_SAMPLES * count - len(samples)), "constant")
    fbank, f0 = Fbank(), F0()
    rows = np.concatenate((fbank.accept(padded), fbank.finish()))
    f0_hz = np.concatenate((f0.accept(padded), f0.finish()))[::2]
    levels = [level_dbfs(hop) for hop in padded.reshape(count, HOP_SAMPLES)]
    longest = max(windows)
    window = windows[min([n for n in windows if n >= count] or [longest])]()
    refiner.reset()
    frames = []
    for at in range(0, count, window.frames):
        landmarks = window.run(
            rows[FBANK_PER_FRAME * at : FBANK_PER_FRAME * (at + window.frames)],
            f0_hz[at : at + window.frames],
            at,
        )
        frames += [
            refiner.apply(
                face,
                levels[at + i : at + i + SOON_FRAMES],
                at + i < len(f0_hz) and f0_hz[at + i] > 0.0,
            )
            for i, face in enumerate(landmarks)
        ]
    return tuple(
        np.array([frame[i] for frame in frames], np.float32).reshape((count,) + shape)
        for i, shape in enumerate(((68, 3), (52,), ()))
    )
