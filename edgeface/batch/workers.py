"""Converts files in child processes of this machine."""

import os
import pickle
import queue
import subprocess
import threading
from collections import deque
from typing import Any, Iterator, Sequence, Set

from ..core.child import module_command
from .job import FAILED, Job, Order, Outcome

_PATIENCE_S = 10.0
# for libraries that would start a thread per core in each child
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def convert_here(jobs: Sequence[Job], order: Order, count: int) -> Iterator[Outcome]:
    """Outcomes of jobs, as they come.

    A child that dies costs the file that it had. When the caller stops early, the children leave
    whole files only.

    :param count: how many children work at once
    :raises EdgefaceError: as `convert`
    """
    workers = _Workers(jobs, order)
    try:
        for _ in range(min(count, len(jobs))):
            threading.Thread(target=workers.serve, name="edgeface-batch", daemon=True).start()
        for _ in jobs:
            outcome = workers.found.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        workers.stop()


class _Workers:
    """Threads that each give one job after another to a child."""

    def __init__(self, jobs: Sequence[Job], order: Order) -> None:
        self.found: queue.Queue[Any] = queue.Queue()  # outcomes, and exceptions that end it all
        self._order = order
        self._waiting = deque(jobs)
        self._lock = threading.Lock()
        self._children: Set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def serve(self) -> None:
        """What a thread does."""
        child = None
        try:
            while True:
                job = self._waiting.popleft()
                child = child or self._start()
                outcome = self._ask(child, job)
                if outcome is None:
                    code = child.wait()
                    child = None
                    problem = f"{job.source}: its process ended with {code}; -9: too little memory"
                    outcome = Outcome(job, FAILED, problem=f"{problem}, use fewer --jobs")
                self.found.put(outcome)
        except IndexError:  # nothing is waiting
            pass
        except Exception as error:  # of a thread, which nobody would hear of: the caller raises it
            self.found.put(error)

    def stop(self) -> None:
        """Ends the children; what is not whole yet, they remove."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()
        for child in self._children:
            child.terminate()
        for child in self._children:
            try:
                child.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        """A child; IndexError when no more is to be done."""
        with self._lock:
            if self._stopped:
                raise IndexError
            child = subprocess.Popen(
                module_command("edgeface.batch.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=dict(os.environ, **_ONE_THREAD),
                start_new_session=True,  # Ctrl-C reaches it through `stop` alone, once
            )
            self._children.add(child)
        return child

    def _ask(self, child: "subprocess.Popen[bytes]", job: Job) -> Any:
        """What comes of a job; None where the child has died."""
        assert child.stdin is not None and child.stdout is not None
        try:
            pickle.dump((job, self._order), child.stdin)
            child.stdin.flush()
            return pickle.load(child.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            return None
