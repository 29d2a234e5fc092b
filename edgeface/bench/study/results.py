"""What the study measures, and the names of it."""

from typing import Callable, Dict, List, NamedTuple, Optional, Set, Tuple

import numpy as np

LARGE = "HuBERT large"
BASE = "HuBERT base"
FAST = "FastHuBERT base"
DEFAULT = "edgeface default, ONNX, with face"

STAGES = ("conversion", "encoder", "F0", "batch preparation", "audio to motion")
REGIONS = {
    "lips": slice(48, 68),
    "jaw": slice(0, 17),
    "eyes": slice(36, 48),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
}
PICTURE_PX = 512

# an encoder and what runs it; the default model has no second name
Key = Tuple[str, str]
DEFAULT_KEY: Key = (DEFAULT, "")
# seconds by clip, float64 [clips], by stage
Stages = Dict[str, np.ndarray]


class Encoder(NamedTuple):
    """A speech encoder in one runtime.

    `run`: float32 [N] at 16 kHz to features float32 [T, C], None in results; `bytes`: of its file;
    `open_s` and `first_s`: cold, from the file to the first features.
    """

    name: str
    runtime: str
    run: Optional[Callable[[np.ndarray], np.ndarray]]
    bytes: int
    open_s: float
    first_s: float

    @property
    def key(self) -> Key:
        """Name and runtime."""
        return self.name, self.runtime

    @property
    def title(self) -> str:
        """Name and runtime as a table shows them."""
        return f"{self.name}, {self.runtime}"


class LongRun(NamedTuple):
    """One encoder on the long clip: the time it took, and the size of its file."""

    spent_s: float
    bytes: int


class Stream(NamedTuple):
    """One way to stream: its algorithmic latency, and the time that a frame takes."""

    latency_s: float
    frame_s: float


class Results(NamedTuple):
    """Everything that was measured.

    `encoders`: each with its times in s by clip, float64 [clips]; `default`: those of edgeface's
    whole path; `before`, `after`: stages of GeneFace++ with HuBERT large in PyTorch, and with
    FastHuBERT in ONNX; `landmarks`: of every clip, [T, 68, 3]; `values`: a sample of the features
    of each encoder; `cosine`: 8-bit features against float32; `lengths_s`: of the clips; `trained`:
    what has trained weights; `watts`: above idle, empty where nothing measures; `long`: on the clip
    of `long_s`; `neutral`: the resting face, [68, 3].
    """

    encoders: List[Tuple[Encoder, np.ndarray]]
    default: np.ndarray
    before: Stages
    after: Stages
    landmarks: Dict[Key, List[np.ndarray]]
    values: Dict[str, np.ndarray]
    cosine: float
    lengths_s: np.ndarray
    trained: Set[str]
    watts: Dict[Key, float]
    long: Dict[Key, LongRun]
    long_s: float
    streams: Dict[str, Stream]
    neutral: np.ndarray

    @property
    def sound_s(self) -> float:
        """Seconds of sound in all clips."""
        return float(self.lengths_s.sum())

    @property
    def default_s(self) -> float:
        """Seconds that edgeface's whole path takes for all clips, reading them included."""
        return float(self.before["conversion"].sum() + self.default.sum())
