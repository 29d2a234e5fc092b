"""What bundle.yaml says, as values of fixed fields."""

from typing import Dict, List, NamedTuple, Optional, Set, Union


class StepNetwork(NamedTuple):
    """Graphs of edgeface's own network.

    `context_frames`: how far back it can remember; `whole_frames`: frames that a whole graph takes;
    `steps`, `wholes`, `blocks`, `cpu_steps`: file names by look-ahead in ms. Bundles of earlier
    releases have no blocks, which are steps of many frames, or no steps for the CPU alone.
    """

    context_frames: int
    whole_frames: int
    steps: Dict[int, str]
    wholes: Dict[int, str]
    blocks: Dict[int, str]
    cpu_steps: Dict[int, str]

    @property
    def graphs(self) -> Set[str]:
        """Names of all graphs."""
        graphs = (self.steps, self.wholes, self.blocks, self.cpu_steps)
        return {name for kind in graphs for name in kind.values()}

    @property
    def named(self) -> Set[str]:
        """Names of all files that it needs beside weights."""
        return self.graphs


class WindowNetwork(NamedTuple):
    """An imported encoder and head, which take a window of sound at once.

    `past_frames`, `hop_frames`, `future_frames`: parts of a streaming window, multiples of 4;
    `encoders`, `heads`: file names by the frames of a window; `temperature`, `seed`: of the latent
    noise; `share`, `smoothing`: of `motion.refine.Refiner`; `database`: file of the subject's
    faces, or None.
    """

    past_frames: int
    hop_frames: int
    future_frames: int
    encoders: Dict[int, str]
    heads: Dict[int, str]
    temperature: float
    seed: int
    share: float
    smoothing: float
    database: Optional[str]

    @property
    def frames(self) -> int:
        """Frames of a streaming window."""
        return self.past_frames + self.hop_frames + self.future_frames

    @property
    def graphs(self) -> Set[str]:
        """Names of all graphs."""
        return set(self.encoders.values()) | set(self.heads.values())

    @property
    def named(self) -> Set[str]:
        """Names of all files that it needs beside weights."""
        named = self.graphs
        if self.database is not None:
            named.add(self.database)
        return named


class Description(NamedTuple):
    """What bundle.yaml says.

    `latency_ms`: the default look-ahead; `neutral`: the resting face, 68 lists of x, y, z; `files`:
    SHA-256 by name; `network`: the graphs; `crc32`: of the description's text.
    """

    name: str
    version: str
    licence: str
    origin: str
    sample_rate_hz: int
    frame_rate_hz: int
    latency_ms: int
    neutral: List[List[float]]
    files: Dict[str, str]
    network: Union[StepNetwork, WindowNetwork]
    crc32: int
