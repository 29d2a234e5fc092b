"""Options of the commands that judge a bundle."""

import argparse
from pathlib import Path
from typing import Optional

from edgeface.core.resources import DEFAULT_BUNDLE


def bundle_parser(about: Optional[str], data: str) -> argparse.ArgumentParser:
    """A parser with `--data` and `--bundle`.

    :param about: the command's docstring
    :param data: what the folder of the data holds
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help=f"folder that holds {data}")
    add("--bundle", default=DEFAULT_BUNDLE, help="folder; default: the package's own")
    return parser
