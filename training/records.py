"""Which stages of a recipe are done, and how long they took; kept in the cache."""

import json
import shutil
from pathlib import Path

from edgeface.core.files import replacing

from .recipe import Places, Stage

_FOLDER = "recipe"  # in the cache


class Records:
    """A file for each stage that was begun.

    A stage is done when the command that it has now ended well. Where data and cache are does not
    count.

    :param places: what the placeholders of commands stand for
    """

    def __init__(self, cache: Path, places: Places):
        self.places = places
        self._folder = Path(cache) / _FOLDER

    def is_begun(self, stage: Stage) -> bool:
        """Whether a stage was begun with any command, or came to its end."""
        return self._path(stage).exists()

    def is_done(self, stage: Stage) -> bool:
        """Whether a stage came to its end with the command that it has now."""
        record = self._read(stage)
        return record.get("command") == self._command(stage) and bool(record.get("done"))

    def seconds(self, stage: Stage) -> int:
        """How long a stage took in all its runs, 0 where it is not done."""
        return int(self._read(stage)["seconds"]) if self.is_done(stage) else 0

    def begin(self, stage: Stage) -> None:
        """A stage begins, or goes on; what it had made with another command is removed."""
        if self.is_begun(stage) and self._read(stage)["command"] != self._command(stage):
            self.reset(stage)
        self._write(stage, False, self._read(stage).get("seconds", 0))

    def spend(self, stage: Stage, seconds: int) -> None:
        """A stage that was begun has run for so long."""
        self._write(stage, False, self._read(stage)["seconds"] + seconds)

    def finish(self, stage: Stage) -> None:
        """A stage that was begun has come to its end."""
        self._write(stage, True, self._read(stage)["seconds"])

    def reset(self, stage: Stage) -> None:
        """A stage shall be run afresh."""
        for output in stage.outputs:
            path = Path(output.format_map(self.places))
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()
        if self.is_begun(stage):
            self._path(stage).unlink()

    def _command(self, stage: Stage) -> str:
        return stage.command.replace("{version}", self.places["version"])

    def _path(self, stage: Stage) -> Path:
        return self._folder / f"{stage.name}.json"

    def _read(self, stage: Stage) -> dict:
        return json.loads(self._path(stage).read_text()) if self.is_begun(stage) else {}

    def _write(self, stage: Stage, done: bool, seconds: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        record = {"command": self._command(stage), "done": done, "seconds": seconds}
        with replacing(str(self._path(stage)), "w") as file:
            json.dump(record, file)
