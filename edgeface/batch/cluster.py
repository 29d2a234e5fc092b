"""Converts files on a Dask cluster, whose machines see the same folders."""

import dataclasses
import os
from typing import Iterator, Sequence

from ..config import Settings
from ..core.advice import install_extra
from ..core.errors import UnavailableError, one_line
from .job import FAILED, Job, Order, Outcome, convert

_PATIENCE_S = 5


def convert_there(jobs: Sequence[Job], order: Order, address: str) -> Iterator[Outcome]:
    """Outcomes of jobs, as they come; what a worker had that died, another one does.

    :param address: of the scheduler, such as `tcp://host:8786`
    :raises UnavailableError: there is no such scheduler, or `distributed` is not installed
    :raises EdgefaceError: as `convert`
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise UnavailableError(
            f"--dask: the package distributed is missing; {install_extra('dask')}"
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE_S)
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"--dask {address}: {one_line(error, 160)}; start `dask scheduler` there"
        ) from None
    order = order._replace(settings=_anywhere(order.settings))
    with client:
        futures = {}
        for job in jobs:
            there = job._replace(
                source=os.path.abspath(job.source), target=os.path.abspath(job.target)
            )
            futures[client.submit(convert, there, order, pure=False)] = job
        for future in as_completed(futures):
            job = futures.pop(future)
            try:
                yield future.result()._replace(job=job)
            except KilledWorker:
                problem = f"{job.source}: the workers that had it died, one after another"
                yield Outcome(job, FAILED, problem=f"{problem}; see their logs")
            future.release()


def _anywhere(settings: Settings) -> Settings:
    """The same settings for a process in another folder."""
    bundle = settings.model.bundle
    model = dataclasses.replace(settings.model, bundle=bundle and os.path.abspath(bundle))
    return dataclasses.replace(settings, model=model)
