"""The recipe of a bundle: its stages, what they come after, and what they need."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Mapping, Set

import yaml

from edgeface.core.errors import DataError, UsageError, one_line

FILE = Path(__file__).with_name("recipe.yaml")
REPOSITORY = FILE.parent.parent
PACKAGE_KINDS = ("debian", "nonfree", "judges")

Places = Dict[str, str]
"""What the placeholders of commands stand for."""


@dataclass(frozen=True)
class Stage:
    """A step of the recipe.

    about: one line
    command: module and arguments, with placeholders
    after: names of the stages above it whose results it reads
    outputs: what is removed before it is run afresh; other files it goes on with
    debian, nonfree, judges: packages, see recipe.yaml
    """

    name: str
    about: str
    command: str
    after: List[str] = field(default_factory=list)
    outputs: List[str] = field(default_factory=list)
    debian: List[str] = field(default_factory=list)
    nonfree: List[str] = field(default_factory=list)
    judges: List[str] = field(default_factory=list)

    def arguments(self, places: Places) -> List[str]:
        """Module and arguments."""
        return [part.format_map(places) for part in shlex.split(self.command)]


@dataclass(frozen=True)
class Recipe:
    """Stages, each below those that it comes after; version of the bundle; requirements for pip."""

    version: str
    python: List[str]
    stages: List[Stage]

    def packages(self, kind: str) -> List[str]:
        """Debian packages of one of `PACKAGE_KINDS`, or requirements (`python`)."""
        if kind == "python":
            return self.python
        return sorted({name for stage in self.stages for name in getattr(stage, kind)})

    def stage(self, name: str) -> Stage:
        """The stage of that name.

        :raises UsageError: there is none
        """
        named = {stage.name: stage for stage in self.stages}
        if name not in named:
            raise UsageError(f"unknown stage {name}; the recipe has {', '.join(named)}")
        return named[name]

    def followers(self, stage: Stage) -> List[Stage]:
        """All stages that come after one, directly or not."""
        names = {stage.name}
        found = []
        for later in self.stages:
            if names.intersection(later.after):
                names.add(later.name)
                found.append(later)
        return found

    def longest_chain(self, seconds: Mapping[str, int]) -> List[str]:
        """Names of stages, each after the one before it, that take longest together."""

        def total(chain: List[str]) -> int:
            return sum(seconds[name] for name in chain)

        chains: Dict[str, List[str]] = {}
        for stage in self.stages:
            before = max((chains[name] for name in stage.after), key=total, default=[])
            chains[stage.name] = [*before, stage.name]
        return max(chains.values(), key=total, default=[])


def load(path: Path = FILE) -> Recipe:
    """Reads a recipe.

    :raises DataError: it is none
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        stages = [Stage(**stage) for stage in content["stages"]]
        recipe = Recipe(str(content["version"]), content["python"], stages)
        _require_order(path, stages)
    except (TypeError, KeyError, yaml.YAMLError) as error:
        raise DataError(f"{path}: no recipe: {one_line(error)}") from None
    return recipe


def _require_order(path: Path, stages: List[Stage]) -> None:
    above: Set[str] = set()
    for stage in stages:
        if stage.name in above:
            raise DataError(f"{path}: two stages have the name {stage.name}")
        for name in stage.after:
            if name not in above:
                raise DataError(f"{path}: {stage.name} comes after {name}, no stage above it")
        above.add(stage.name)
