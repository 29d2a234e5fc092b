"""A bundle: the folder that holds a model, its licence and its hashes."""

import hashlib
import os
import zlib
from typing import NamedTuple, Optional

import yaml

from ..core.errors import DataError, MissingInputError, UnavailableError
from ..core.resources import DEFAULT_BUNDLE

DESCRIPTION = "bundle.yaml"
_FIELDS = {
    "name": str,
    "version": str,
    "licence": str,
    "origin": str,
    "sample_rate_hz": int,
    "frame_rate_hz": int,
    "latency_ms": int,
    "neutral": list,
    "files": dict,
}
_STEP_FIELDS = {"context_frames": int, "whole_frames": int, "steps": dict, "wholes": dict}
_PAIR_FIELDS = {"window": dict, "encoder": dict, "motion": dict}
_PAIR_LIMITS = {"temperature": (0.0, 10.0), "share": (0.0, 1.0), "smoothing": (0.0, 0.99)}
_MOST_FRAMES = 4096


class Pair(NamedTuple):
    """An imported encoder and head, which hear a window at once (`model.window`).

    `encoders` and `heads`: frames to graph file; `share` and `smoothing` as `motion.refine.Refiner` wants them;
    `database`: file of the subject's faces, or None.
    """

    past_frames: int
    hop_frames: int
    future_frames: int
    encoders: dict
    heads: dict
    temperature: float
    seed: int
    share: float
    smoothing: float
    database: Optional[str]

    @property
    def frames(self):
        """Of a streaming window."""
        return self.past_frames + self.hop_frames + self.future_frames


class Bundle:
    """A verified bundle.

    `latency_ms` is its default look-ahead; `context_frames` what the network can
    remember; `neutral` the resting face, 68 lists of x, y, z; `crc32` identifies
    the model in shared memory; `pair` is None but for imported networks, which
    have no step graphs.

    :param folder: path of the folder
    :raises MissingInputError: no such folder or no bundle.yaml in it
    :raises DataError: the description is damaged, or a file is not what it says
    """

    def __init__(self, folder=DEFAULT_BUNDLE):
        self.folder = str(folder)
        path = os.path.join(self.folder, DESCRIPTION)
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError as error:
            raise MissingInputError(
                f"bundle {self.folder}: {error.strerror or error}; give the folder that holds {DESCRIPTION}"
            ) from None
        self.crc32 = zlib.crc32(text)
        self._take(text, path)
        for name in sorted(self.files):
            self._verify(name)

    def step_file(self, lookahead_ms):
        """Path of the step graph with this look-ahead; DataError if the bundle has none."""
        return self._graph(self.steps, lookahead_ms)

    def whole_file(self, lookahead_ms):
        """Path of the graph that computes many frames at once."""
        return self._graph(self.wholes, lookahead_ms)

    def lookahead_ms(self, wanted_ms):
        """What is really heard ahead of a frame: that of an imported pair lies in its window."""
        return self.latency_ms if self.pair else wanted_ms

    def streaming_files(self, lookahead_ms):
        """Names of the graphs that a stream runs."""
        if self.pair:
            return [self.pair.encoders[self.pair.frames], self.pair.heads[self.pair.frames]]
        return [os.path.basename(self.step_file(lookahead_ms))]

    @property
    def graphs(self):
        """Paths of all graphs."""
        names = (
            set(self.pair.encoders.values()) | set(self.pair.heads.values())
            if self.pair
            else set(self.steps.values()) | set(self.wholes.values())
        )
        return [os.path.join(self.folder, name) for name in sorted(names)]

    def _graph(self, graphs, lookahead_ms):
        if self.pair:
            raise UnavailableError(
                f"bundle {self.folder}: an imported pair has no such graph; this is for bundles like the package's"
            )
        if lookahead_ms not in graphs:
            raise DataError(
                f"bundle {self.folder}: no graph with a look-ahead of {lookahead_ms} ms; it has {', '.join(map(str, sorted(graphs)))}"
            )
        return os.path.join(self.folder, graphs[lookahead_ms])

    def _take(self, text, path):
        try:
            fields = yaml.safe_load(text)
        except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
            raise DataError(
                f"{path}: not YAML ({' '.join(str(error).split())[:120]}); fetch the bundle again"
            ) from None
        if not isinstance(fields, dict):
            raise DataError(f"{path}: not a bundle description; fetch the bundle again")
        self.pair = None
        imported = "window" in fields
        for name, other in (("encoder", "fasthubert"), ("motion", "audio2motion")):
            if imported and name not in fields:
                raise DataError(
                    f"{path}: only half a pair; add the other half with `edgeface import {other} CKPT -o {self.folder}`"
                )
        self._set(fields, _FIELDS, path)
        self._set(fields, _PAIR_FIELDS if imported else _STEP_FIELDS, path)
        if not imported:
            named = set(self.steps.values()) | set(self.wholes.values())
        else:
            try:
                self.pair = _pair(self.window, self.encoder, self.motion)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise DataError(
                    f"{path}: window, encoder or motion is not understood ({error}); import again"
                ) from None
            named = (
                set(self.pair.encoders.values())
                | set(self.pair.heads.values())
                | {self.pair.database} - {None}
            )
        unknown = sorted(str(name) for name in named if name not in self.files)
        if unknown:
            raise DataError(f"{path}: no hash for {', '.join(unknown)}; fetch the bundle again")

    def _set(self, fields, kinds, path):
        for name, kind in kinds.items():
            if not isinstance(fields.get(name), kind):
                raise DataError(
                    f"{path}: field '{name}' is missing or no {kind.__name__}; fetch the bundle again"
                )
            setattr(self, name, fields[name])

    def _verify(self, name):
        path = os.path.join(self.folder, str(name))
        if os.path.basename(str(name)) != name:
            raise DataError(f"{self.folder}: file name {name!r} leaves the bundle")
        digest = hashlib.sha256()
        try:
            with open(path, "rb") as file:
                for piece in iter(lambda: file.read(1 << 20), b""):
                    digest.update(piece)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}; fetch the bundle again") from None
        if digest.hexdigest() != self.files[name]:
            raise DataError(
                f"{path}: damaged, its SHA-256 is not the one in {DESCRIPTION}; fetch the bundle again"
            )


def _pair(window, encoder, motion):
    """`Pair` of these sections; ValueError and the like if they make none."""
    lengths = [window[name] for name in ("past", "hop", "future")]
    if (
        not all(type(n) is int and 0 <= n <= _MOST_FRAMES and n % 4 == 0 for n in lengths)
        or not lengths[1]
    ):
        raise ValueError("window: past, hop and future must be multiples of 4")
    encoders, heads = dict(encoder["graphs"]), dict(motion["graphs"])
    if sum(lengths) not in encoders or set(encoders) != set(heads):
        raise ValueError(f"no graphs for a window of {sum(lengths)} frames")
    if not all(type(n) is int and 0 < n <= _MOST_FRAMES for n in encoders):
        raise ValueError("graphs: not by a number of frames")
    values = {name: float(motion[name]) for name in _PAIR_LIMITS}
    for name, (low, high) in _PAIR_LIMITS.items():
        if not low <= values[name] <= high:
            raise ValueError(f"motion.{name}: out of range, {low:g} to {high:g}")
    database = motion.get("database")
    if not (database is None or isinstance(database, str)):
        raise ValueError("motion.database: no name")
    return Pair(
        *lengths,
        encoders=encoders,
        heads=heads,
        seed=int(motion["seed"]) & 0xFFFFFFFF,
        database=database,
        **values,
    )
