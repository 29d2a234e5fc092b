"""edgeface's own kind of model: a graph that takes one frame after another, for each look-ahead."""

import platform
from typing import Dict, Iterable, List

import numpy as np

from ..core.errors import DataError, UnavailableError
from ..core.rates import HOP_SAMPLES, frames_of_ms
from ..features.fbank import FBANK_PER_FRAME, MEL_BINS, SILENCE, Fbank
from .description import Description, StepNetwork
from .held_vowels import HeldVowels
from .model import Model, WholeMotion, join_motion
from .runtime.compute import Compute
from .runtime.providers import open_onnx, open_session
from .runtime.session import Session
from .stepper import LEAD_SAMPLES, RESULTS, CachedStepper, Stepper


class StepModel(Model):
    """A model of step graphs, graphs of many steps at once, and graphs to compare them with."""

    def __init__(self, folder: str, description: Description, network: StepNetwork) -> None:
        super().__init__(folder, description)
        self.network = network

    def lookahead_ms(self, wanted_ms: int) -> int:
        """The configured one: there is a graph for each."""
        return wanted_ms

    def lookahead_text(self) -> str:
        """Such as `0, 40 ms (default 40)`."""
        offered = ", ".join(str(ms) for ms in sorted(self.network.steps))
        return f"{offered} ms (default {self.latency_ms})"

    def streaming_files(self, lookahead_ms: int) -> List[str]:
        """The step graph's name."""
        return [self._name(self.network.steps, lookahead_ms)]

    def graph_files(self) -> Iterable[str]:
        """Names of all graphs, those of steps on the CPU included."""
        return self.network.graphs

    def step_file(self, lookahead_ms: int) -> str:
        """Path of the step graph with this look-ahead; DataError if there is none."""
        return self.path(self._name(self.network.steps, lookahead_ms))

    def cpu_step_file(self, lookahead_ms: int) -> str:
        """Path of the step graph that this machine's CPU runs; DataError if there is none.

        The bundle's graphs for CPUs read a third of the bytes and multiply three times as much,
        which pays on x86-64. On ARM it was not measured, and cores without dot-product
        instructions, as the Nano's, would gain nothing by reckoning.
        """
        graphs = self.network.cpu_steps
        if not graphs or platform.machine() != "x86_64":
            graphs = self.network.steps
        return self.path(self._name(graphs, lookahead_ms))

    def whole_file(self, lookahead_ms: int) -> str:
        """Path of the graph that computes many frames at once; DataError if there is none."""
        return self.path(self._name(self.network.wholes, lookahead_ms))

    def open_stepper(self, lookahead_ms: int, compute: Compute) -> Stepper:
        """Opens the step graph and lets it run through silence."""
        session = open_session(
            self.step_file(lookahead_ms), compute, self.cpu_step_file(lookahead_ms)
        )
        return self._stepper(session, lookahead_ms)

    def open_block_stepper(self, lookahead_ms: int, compute: Compute) -> Stepper:
        """Opens the block graph, if the bundle has one, and lets it run through silence."""
        if not self.network.blocks:
            return self.open_stepper(lookahead_ms, compute)
        path = self.path(self._name(self.network.blocks, lookahead_ms))
        session = open_session(path, compute._replace(keep_memory=True))
        return self._stepper(session, lookahead_ms)

    def whole_motion(self, samples: np.ndarray, lookahead_ms: int, compute: Compute) -> WholeMotion:
        """The motion of a whole file without any cache.

        The graph sees `whole_frames` at a time, of which the first `context_frames` (more than the
        network can remember) and the last ones of the look-ahead only surround those that count.
        """
        session = open_onnx(self.whole_file(lookahead_ms), compute)
        context, length = self.network.context_frames, self.network.whole_frames
        frames = -(-len(samples) // HOP_SAMPLES)
        lookahead = frames_of_ms(lookahead_ms)
        stream = self._padded_fbank(samples, frames + lookahead)
        useful = length - context - lookahead
        pieces = []
        for start in range(0, frames, useful):
            at = FBANK_PER_FRAME * start
            window = stream[None, at : at + FBANK_PER_FRAME * length]
            outputs = session.run(RESULTS, {"fbank": window})
            pieces.append([output[0, context : context + useful] for output in outputs])
        return join_motion(pieces, frames)

    def _stepper(self, session: Session, lookahead_ms: int) -> Stepper:
        stepper = CachedStepper(session, self.network.context_frames)
        return HeldVowels(stepper, frames_of_ms(lookahead_ms))

    def _padded_fbank(self, samples: np.ndarray, frames: int) -> np.ndarray:
        """Fbank of so many frames between stretches of silence, float32 [n, 80]."""
        padded = np.zeros(LEAD_SAMPLES + HOP_SAMPLES * frames, np.float32)
        padded[LEAD_SAMPLES : LEAD_SAMPLES + len(samples)] = samples
        fbank = Fbank()
        rows = np.concatenate((fbank.accept(padded), fbank.finish()))[: FBANK_PER_FRAME * frames]
        before = FBANK_PER_FRAME * self.network.context_frames
        after = before + FBANK_PER_FRAME * self.network.whole_frames
        silence = np.full((after, MEL_BINS), SILENCE, np.float32)
        return np.concatenate((silence[:before], rows, silence))

    def _name(self, graphs: Dict[int, str], lookahead_ms: int) -> str:
        if lookahead_ms not in graphs:
            offered = ", ".join(str(ms) for ms in sorted(graphs))
            raise DataError(
                f"bundle {self.folder}: no graph with a look-ahead of {lookahead_ms} ms; "
                f"it has {offered}"
            )
        return graphs[lookahead_ms]


def require_step_model(model: Model) -> StepModel:
    """The same model, which must be one of step graphs.

    :raises UnavailableError: it is an imported one
    """
    if not isinstance(model, StepModel):
        raise UnavailableError(
            f"bundle {model.folder}: an imported model has no step graph; "
            "this is for bundles like the package's"
        )
    return model
