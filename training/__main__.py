"""Command: makes a bundle of the default model by the recipe, `training/recipe.yaml`; resumable.

Examples:
    python -m training --list
    python -m training --data ../shared/data --device cuda
    python -m training --from animate
    python -m training --only evaluate
"""

import argparse
from pathlib import Path

from edgeface.core.errors import UsageError

from .command import run
from .recipe import PACKAGE_KINDS, REPOSITORY, Runner, load


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
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--from", dest="first", metavar="STAGE", help="run this stage and all later ones afresh"
    )
    which.add_argument("--only", metavar="STAGE", help="run this stage alone, afresh")
    which.add_argument("--list", action="store_true", help="print the stages and what is done")
    which.add_argument(
        "--packages",
        choices=[*PACKAGE_KINDS, "python"],
        help="print what the stages need, for apt or pip",
    )
    return parser


def main() -> None:
    """Command line.

    :raises UsageError: the cache is in the repository, or a stage is unknown
    """
    options = _parser().parse_args()
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
    runner = Runner(recipe, cache, places)
    if options.list:
        for stage in recipe.stages:
            mark = "done" if runner.is_done(stage) else "-"
            print(f"{stage.name:16} {mark:5} {stage.about}")
        return
    runner.run(options.first, options.only)


if __name__ == "__main__":
    run(main)
