"""Command: makes a bundle of the default model by the recipe, `training/recipe.yaml`; resumable.

Examples:
    python -m training --list
    python -m training --data ../shared/data --device cuda
    python -m training --from animate
    python -m training --only evaluate
"""

import argparse
from datetime import timedelta
from pathlib import Path

from edgeface.core.errors import UsageError

from .command import run
from .processes import Processes, stopped_by_signals
from .recipe import PACKAGE_KINDS, REPOSITORY, Recipe, load
from .records import Records
from .runner import Runner

_JOBS = 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        default=Path("../shared/data"),
        help="folder that holds grid_s1 and kerstin; default: %(default)s",
    )
    add(
        "--cache",
        type=Path,
        default=Path("~/.cache/edgeface"),
        help="folder for all that is made, about 20 GB, outside of the repository;\n"
        "default: %(default)s",
    )
    add("--out", type=Path, help="folder of the new bundle; default: bundle, in the cache")
    add("--device", default="cpu", help="of PyTorch: cpu, cuda; default: %(default)s")
    add(
        "--jobs",
        type=int,
        default=_JOBS,
        metavar="N",
        help="stages that run at once, at most, each with its share of the cores; with 1 they\n"
        "show progress bars on a terminal; default: %(default)s",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--from",
        dest="first",
        metavar="STAGE",
        help="run this stage and all that come after it afresh",
    )
    which.add_argument("--only", metavar="STAGE", help="run this stage alone, afresh")
    which.add_argument(
        "--list", action="store_true", help="print the stages, what is done, and how long it took"
    )
    which.add_argument(
        "--packages",
        choices=[*PACKAGE_KINDS, "python"],
        help="print what the stages need, for apt or pip",
    )
    return parser


def _print_stages(recipe: Recipe, records: Records) -> None:
    seconds = {stage.name: records.seconds(stage) for stage in recipe.stages}
    done = [stage.name for stage in recipe.stages if records.is_done(stage)]
    for stage in recipe.stages:
        took = timedelta(seconds=seconds[stage.name]) if stage.name in done else ""
        mark = "done" if stage.name in done else "-"
        print(f"{stage.name:16} {mark:5} {took!s:>8}  {stage.about}")
    chain = [name for name in recipe.longest_chain(seconds) if name in done]
    print(f"\nall that are done: {timedelta(seconds=sum(seconds.values()))}")
    print(f"longest chain: {timedelta(seconds=sum(seconds[name] for name in chain))}", end="")
    print(f" ({', '.join(chain)})" if chain else "")


def main() -> None:
    """Command line.

    :raises UsageError: the cache is in the repository, or a stage is unknown
    """
    options = _parser().parse_args()
    if options.jobs < 1:
        raise UsageError(f"--jobs is {options.jobs}, must be 1 or more")
    recipe = load()
    if options.packages:
        print("\n".join(recipe.packages(options.packages)))
        return
    cache = options.cache.expanduser().resolve()
    if REPOSITORY in (cache, *cache.parents):
        raise UsageError(f"--cache {cache} is in the repository; choose a folder outside of it")
    places = {
        "data": str(options.data.resolve()),
        "cache": str(cache),
        "out": str((options.out or cache / "bundle").resolve()),
        "device": options.device,
        "version": recipe.version,
    }
    records = Records(cache, places)
    if options.list:
        _print_stages(recipe, records)
        return
    jobs = 1 if options.only else options.jobs
    runner = Runner(recipe, records, jobs, Processes(jobs))
    with stopped_by_signals():
        if options.only:
            runner.run_only(options.only)
        else:
            runner.run(options.first)


if __name__ == "__main__":
    run(main)
