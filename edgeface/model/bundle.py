"""A bundle: the folder that holds a model, its licence and its hashes."""

import hashlib
import os
import zlib

import yaml

from ..errors import DataError, MissingInputError

DESCRIPTION = "bundle.yaml"
DEFAULT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "default")
_FIELDS = {
    "name": str, "version": str, "licence": str, "origin": str, "sample_rate_hz": int,
    "frame_rate_hz": int, "latency_ms": int, "context_frames": int, "whole_frames": int,
    "steps": dict, "wholes": dict, "neutral": list, "files": dict,
}


class Bundle:
    """A verified bundle.

    `latency_ms` is its default look-ahead; `context_frames` what the network can
    remember; `neutral` the resting face, 68 lists of x, y, z; `crc32` identifies
    the model in shared memory.

    :param folder: path of the folder
    :raises MissingInputError: no such folder or no bundle.yaml in it
    :raises DataError: the description is damaged, or a file is not what it says
    """

    def __init__(self, folder=DEFAULT):
        self.folder = str(folder)
        path = os.path.join(self.folder, DESCRIPTION)
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError as error:
            raise MissingInputError("bundle %s: %s; give the folder that holds %s"
                                    % (self.folder, error.strerror or error, DESCRIPTION)) from None
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

    def _graph(self, graphs, lookahead_ms):
        if lookahead_ms not in graphs:
            raise DataError("bundle %s: no graph with a look-ahead of %s ms; it has %s"
                            % (self.folder, lookahead_ms, ", ".join(map(str, sorted(graphs)))))
        return os.path.join(self.folder, graphs[lookahead_ms])

    def _take(self, text, path):
        try:
            fields = yaml.safe_load(text)
        except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
            raise DataError("%s: not YAML (%s); fetch the bundle again"
                            % (path, " ".join(str(error).split())[:120])) from None
        if not isinstance(fields, dict):
            raise DataError("%s: not a bundle description; fetch the bundle again" % path)
        for name, kind in _FIELDS.items():
            if not isinstance(fields.get(name), kind):
                raise DataError("%s: field '%s' is missing or no %s; fetch the bundle again"
                                % (path, name, kind.__name__))
            setattr(self, name, fields[name])
        named = set(self.steps.values()) | set(self.wholes.values())
        unknown = sorted(str(name) for name in named if name not in self.files)
        if unknown:
            raise DataError("%s: no hash for %s; fetch the bundle again" % (path, ", ".join(unknown)))

    def _verify(self, name):
        path = os.path.join(self.folder, str(name))
        if os.path.basename(str(name)) != name:
            raise DataError("%s: file name %r leaves the bundle" % (self.folder, name))
        digest = hashlib.sha256()
        try:
            with open(path, "rb") as file:
                for piece in iter(lambda: file.read(1 << 20), b""):
                    digest.update(piece)
        except OSError as error:
            raise DataError("%s: %s; fetch the bundle again" % (path, error.strerror or error)) from None
        if digest.hexdigest() != self.files[name]:
            raise DataError("%s: damaged, its SHA-256 is not the one in %s; fetch the bundle again"
                            % (path, DESCRIPTION))
