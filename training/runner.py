"""Runs a recipe: what is not done, side by side where one stage needs nothing of the other."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Dict, List, Optional, Set

from edgeface.core.errors import EdgefaceError

from .processes import Processes
from .recipe import Recipe, Stage
from .records import Records


class StageFailed(EdgefaceError):
    """A stage's command ended with an error."""


class Runner:
    """Runs a recipe, and remembers what is done; used once.

    A stage that was begun with the command that it has now goes on; else it is run afresh.

    :param jobs: how many stages run at once, at most
    :param processes: that run their commands
    """

    def __init__(self, recipe: Recipe, records: Records, jobs: int, processes: Processes):
        self._recipe = recipe
        self._records = records
        self._jobs = jobs
        self._processes = processes
        self._waiting: List[Stage] = []
        self._running: Dict[Future, Stage] = {}
        self._done: Set[str] = set()
        self._failures: List[StageFailed] = []

    def run(self, first: Optional[str] = None) -> None:
        """Runs the stages that are not done, and whatever comes after one that was run.

        :param first: run this stage and all that come after it afresh
        :raises UsageError: there is no such stage
        :raises StageFailed: a command failed; the same call goes on from there
        """
        if first is not None:
            stage = self._recipe.stage(first)
            for one in (stage, *self._recipe.followers(stage)):
                self._records.reset(one)
        self._waiting = list(self._recipe.stages)
        self._run_waiting()

    def run_only(self, name: str) -> None:
        """Runs a stage afresh, and no other; what was made of its earlier results stays.

        :raises UsageError: there is no such stage
        :raises StageFailed: its command failed; the next `run` goes on from there
        """
        stage = self._recipe.stage(name)
        self._records.reset(stage)
        self._waiting = [stage]
        self._done = {one.name for one in self._recipe.stages}
        self._run_waiting()

    def _run_waiting(self) -> None:
        """Runs stages until none waits, or until one has failed and the others have ended."""
        with ThreadPoolExecutor(self._jobs) as threads:
            try:
                self._start_ready(threads)
                while self._running:
                    for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                        self._end(self._running.pop(future), future.result())
                    if not self._failures:
                        self._start_ready(threads)
            except BaseException:
                self._processes.stop()
                raise
        if self._failures:
            raise self._failures[0]

    def _start_ready(self, threads: ThreadPoolExecutor) -> None:
        """Starts what may run, as far as `jobs` go."""
        for stage in list(self._waiting):
            if not self._done.issuperset(stage.after):
                continue
            if self._records.is_done(stage):
                self._done.add(stage.name)
                self._print(stage, "done")
            elif len(self._running) < self._jobs:
                self._print(stage, stage.about)
                self._running[threads.submit(self._call, stage)] = stage
            else:
                continue
            self._waiting.remove(stage)

    def _call(self, stage: Stage) -> int:
        """Runs a stage's command, in a thread of its own; its exit status."""
        self._records.begin(stage)
        began_s = time.monotonic()
        status = self._processes.run(stage.name, stage.arguments(self._records.places))
        self._records.spend(stage, round(time.monotonic() - began_s))
        return status

    def _end(self, stage: Stage, status: int) -> None:
        if status != 0:
            failure = f"stage {stage.name} failed with exit status {status}"
            self._failures.append(StageFailed(f"{failure}; the same command goes on from there"))
            self._print(stage, f"failed with exit status {status}")
            return
        for later in self._recipe.followers(stage):
            # what was made of earlier results is made again; `run_only` has none of it waiting
            if later in self._waiting and self._records.is_begun(later):
                self._records.reset(later)
        self._records.finish(stage)  # last: cut off before, this stage runs again
        self._done.add(stage.name)
        self._print(stage, f"took {timedelta(seconds=self._records.seconds(stage))}")

    def _print(self, stage: Stage, text: str) -> None:
        number = self._recipe.stages.index(stage) + 1
        print(f"[{number}/{len(self._recipe.stages)}] {stage.name}: {text}", flush=True)
