"""Imported models: an encoder and a head that take a window of sound at once."""

from typing import Iterable, List, Optional

import numpy as np

from ..core.arrays import read_npy
from ..core.errors import DataError, one_line
from ..core.rates import FRAME_MS, HOP_SAMPLES
from ..features.f0 import F0
from ..features.fbank import FBANK_PER_FRAME, Fbank
from ..features.level import level_dbfs
from ..motion.refine import NEIGHBOURS, SOON_FRAMES, Refiner
from .description import Description, WindowNetwork
from .model import Model, WholeMotion, join_motion
from .runtime.compute import Compute
from .runtime.providers import open_onnx
from .stepper import Stepper
from .window import Window, WindowStepper


class WindowModel(Model):
    """A model with its look-ahead in its window, whose faces are refined before they are shown."""

    runs_natively = False

    def __init__(self, folder: str, description: Description, network: WindowNetwork) -> None:
        super().__init__(folder, description)
        self.network = network

    def lookahead_ms(self, wanted_ms: int) -> int:
        """That of the window, whatever is configured."""
        return self.latency_ms

    def lookahead_text(self) -> str:
        """Such as `440 ms: every 160 ms a window of 1440 ms`."""
        hop_ms = FRAME_MS * self.network.hop_frames
        window_ms = FRAME_MS * self.network.frames
        return f"{self.latency_ms} ms: every {hop_ms} ms a window of {window_ms} ms"

    def streaming_files(self, lookahead_ms: int) -> List[str]:
        """Names of encoder and head of a streaming window."""
        frames = self.network.frames
        return [self.network.encoders[frames], self.network.heads[frames]]

    def graph_files(self) -> Iterable[str]:
        """Names of encoders and heads of all lengths."""
        return [*self.network.encoders.values(), *self.network.heads.values()]

    def open_stepper(self, lookahead_ms: int, compute: Compute) -> Stepper:
        """Opens encoder and head of a streaming window."""
        self.check_provider(compute.provider)
        window = self._open_window(self.network.frames, compute)
        return WindowStepper(window, self.network, self.make_refiner())

    def whole_motion(self, samples: np.ndarray, lookahead_ms: int, compute: Compute) -> WholeMotion:
        """The motion of a file in one pass, refined as in a stream.

        A file longer than the longest window is cut into windows with hard seams, as upstream does.
        """
        count = -(-len(samples) // HOP_SAMPLES)
        padded = np.pad(samples, (0, HOP_SAMPLES * count - len(samples)), "constant")
        fbank = Fbank()
        rows = np.concatenate((fbank.accept(padded), fbank.finish()))
        f0 = F0()
        f0_hz = np.concatenate((f0.accept(padded), f0.finish()))[::2]
        levels = [level_dbfs(hop) for hop in padded.reshape(count, HOP_SAMPLES)]
        window = self._open_window(self._length_for(count), compute)
        refiner = self.make_refiner()
        pieces = []
        for at in range(0, count, window.frames):
            window_rows = rows[FBANK_PER_FRAME * at : FBANK_PER_FRAME * (at + window.frames)]
            known_f0_hz = f0_hz[at : at + window.frames].tolist()
            faces = []
            for i, face in enumerate(window.run(window_rows, known_f0_hz, at), at):
                voiced = i < len(f0_hz) and f0_hz[i] > 0.0
                faces.append(refiner.apply(face, levels[i : i + SOON_FRAMES], voiced))
            pieces.append([np.array(part, np.float32) for part in zip(*faces)])
        return join_motion(pieces, count)

    def make_refiner(self) -> Refiner:
        """What its faces go through.

        :raises DataError: the file of the subject's faces holds something else
        """
        network = self.network
        neutral = np.array(self.neutral, np.float32)
        return Refiner(neutral, self._subject(), network.share, network.smoothing)

    def _subject(self) -> Optional[np.ndarray]:
        """Faces of the subject, float32 [N, 204], or None."""
        if self.network.database is None:
            return None
        path = self.path(self.network.database)
        try:
            faces = read_npy(path)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: no faces ({one_line(error)}); import again") from None
        enough = faces.ndim == 2 and faces.shape[1] == 204 and len(faces) >= NEIGHBOURS
        if not enough or faces.dtype.kind != "f" or not np.isfinite(faces).all():
            raise DataError(f"{path}: not at least {NEIGHBOURS} faces of 204 numbers; import again")
        return faces.astype(np.float32)

    def _length_for(self, count: int) -> int:
        """Frames of the shortest window that takes so many frames, or of the longest there is."""
        lengths = sorted(self.network.encoders)
        return next((length for length in lengths if length >= count), lengths[-1])

    def _open_window(self, frames: int, compute: Compute) -> Window:
        encoder = open_onnx(self.path(self.network.encoders[frames]), compute)
        head = open_onnx(self.path(self.network.heads[frames]), compute)
        return Window(encoder, head, frames, self.network)
