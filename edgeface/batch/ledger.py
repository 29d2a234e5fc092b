"""What earlier runs have finished in a folder: one line of JSON a file, only ever appended."""

import contextlib
import json
import os
from typing import Dict, Optional

from ..core.errors import UnavailableError
from .job import Finished

NAME = ".edgeface-motion.jsonl"


class Ledger:
    """Reads and appends.

    A line that is damaged, or was cut off, costs doing its file again. Of several lines the last
    one counts.

    :param folder: of the files; created
    :raises UnavailableError: it cannot be written
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        path = os.path.join(folder, NAME)
        try:
            os.makedirs(folder, exist_ok=True)
            self._file = open(path, "a+b", buffering=0)
        except OSError as error:
            raise UnavailableError(
                f"{path}: {error.strerror or error}; choose another folder"
            ) from None
        self._finished: Dict[str, Finished] = {}
        self._file.seek(0)
        content = self._file.read()
        for line in content.splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                fields = json.loads(line.decode())
                made_of = fields["made_of"]
                self._finished[fields["file"]] = Finished(made_of, fields["sha256"])
        if content and not content.endswith(b"\n"):
            self._file.write(b"\n")

    def before(self, target: str) -> Optional[Finished]:
        """What is known of a file."""
        return self._finished.get(self._key(target))

    def add(self, target: str, finished: Finished) -> None:
        """Takes note of a file that is finished."""
        line = dict(finished._asdict(), file=self._key(target))
        self._file.write(json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _key(self, target: str) -> str:
        return os.path.relpath(target, self._folder)
