"""The recipe of a bundle: its stages, what they need, and which of them are done."""

import json
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Optional

import yaml

from edgeface.core.errors import DataError, EdgefaceError, UsageError, one_line
from edgeface.core.files import replacing

FILE = Path(__file__).with_name("recipe.yaml")
REPOSITORY = FILE.parent.parent
PACKAGE_KINDS = ("debian", "nonfree", "judges")
_RECORDS = "recipe"  # folder in the cache

Places = Dict[str, str]
"""What the placeholders of commands stand for."""


class StageFailed(EdgefaceError):
    """A stage's command ended with an error."""


@dataclass(frozen=True)
class Stage:
    """A step of the recipe.

    about: one line
    command: module and arguments, with placeholders
    outputs: what is removed before it is run afresh; other files it goes on with
    debian, nonfree, judges: packages, see recipe.yaml
    """

    name: str
    about: str
    command: str
    outputs: List[str] = field(default_factory=list)
    debian: List[str] = field(default_factory=list)
    nonfree: List[str] = field(default_factory=list)
    judges: List[str] = field(default_factory=list)

    def arguments(self, places: Places) -> List[str]:
        """Module and arguments."""
        return [part.format_map(places) for part in shlex.split(self.command)]


@dataclass(frozen=True)
class Recipe:
    """Stages in their order, the version of the bundle, requirements for pip."""

    version: str
    python: List[str]
    stages: List[Stage]

    def packages(self, kind: str) -> List[str]:
        """Debian packages of one of `PACKAGE_KINDS`, or requirements (`python`)."""
        if kind == "python":
            return self.python
        return sorted({name for stage in self.stages for name in getattr(stage, kind)})

    def index(self, name: str) -> int:
        """Place of a stage.

        :raises UsageError: there is none of that name
        """
        names = [stage.name for stage in self.stages]
        if name not in names:
            raise UsageError(f"unknown stage {name}; the recipe has {', '.join(names)}")
        return names.index(name)


def load(path: Path = FILE) -> Recipe:
    """Reads a recipe.

    :raises DataError: it is none
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        stages = [Stage(**stage) for stage in content["stages"]]
        recipe = Recipe(str(content["version"]), content["python"], stages)
    except (TypeError, KeyError, yaml.YAMLError) as error:
        raise DataError(f"{path}: no recipe: {one_line(error)}") from None
    names = [stage.name for stage in stages]
    if len(set(names)) < len(names):
        raise DataError(f"{path}: two stages have one name")
    return recipe


class Runner:
    """Runs a recipe, and remembers in the cache what is done.

    A stage is done when the command that it has now ended well. One that was begun with this
    command goes on; else it is run afresh. Where data and cache are does not count.

    :param places: what the placeholders stand for
    :param call: module and arguments to exit status
    """

    def __init__(
        self,
        recipe: Recipe,
        cache: Path,
        places: Places,
        call: Optional[Callable[[List[str]], int]] = None,
    ):
        self._recipe = recipe
        self._places = places
        self._records = Path(cache) / _RECORDS
        self._call = call or _call_module

    def is_done(self, stage: Stage) -> bool:
        """Whether a stage came to its end with the command that it has now."""
        record = self._record(stage)
        return record.get("command") == self._command(stage) and bool(record.get("done"))

    def run(self, first: Optional[str] = None, only: Optional[str] = None) -> None:
        """Runs the stages that are not done, and whatever follows one that was run afresh.

        :param first: run this stage and all that follow afresh
        :param only: run this stage afresh, and no other
        :raises UsageError: there is no such stage
        :raises StageFailed: a command failed; the same call goes on from there
        """
        stages = self._recipe.stages
        if only is not None:
            self._reset(stages[self._recipe.index(only)])
            stages = [stages[self._recipe.index(only)]]
        if first is not None:
            for stage in stages[self._recipe.index(first) :]:
                self._reset(stage)
        for stage in stages:
            number = f"[{self._recipe.index(stage.name) + 1}/{len(self._recipe.stages)}]"
            if self.is_done(stage):
                print(f"{number} {stage.name}: done", flush=True)
                continue
            print(f"{number} {stage.name}: {stage.about}", flush=True)
            self._run_one(stage)
            if only is None:
                self._outdate_after(stage)

    def _run_one(self, stage: Stage) -> None:
        begun = self._record(stage).get("command")
        if begun is not None and begun != self._command(stage):
            self._reset(stage)
        self._write(stage, done=False, seconds=0)
        began = time.monotonic()
        status = self._call(stage.arguments(self._places))
        if status != 0:
            raise StageFailed(
                f"stage {stage.name} failed with exit status {status}; the same command goes on "
                "from there"
            )
        self._write(stage, done=True, seconds=round(time.monotonic() - began))

    def _outdate_after(self, stage: Stage) -> None:
        """What was made of this stage's earlier results is made again."""
        for later in self._recipe.stages[self._recipe.index(stage.name) + 1 :]:
            if self._record(later).get("done"):
                self._reset(later)

    def _reset(self, stage: Stage) -> None:
        for output in stage.outputs:
            path = Path(output.format_map(self._places))
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()
        if self._path(stage).exists():
            self._path(stage).unlink()

    def _command(self, stage: Stage) -> str:
        return stage.command.replace("{version}", self._places["version"])

    def _path(self, stage: Stage) -> Path:
        return self._records / f"{stage.name}.json"

    def _record(self, stage: Stage) -> dict:
        path = self._path(stage)
        return json.loads(path.read_text()) if path.exists() else {}

    def _write(self, stage: Stage, done: bool, seconds: int) -> None:
        self._records.mkdir(parents=True, exist_ok=True)
        record = {"command": self._command(stage), "done": done, "seconds": seconds}
        with replacing(str(self._path(stage)), "w") as file:
            json.dump(record, file)


def _call_module(arguments: List[str]) -> int:
    return subprocess.run([sys.executable, "-m", *arguments], check=False).returncode
