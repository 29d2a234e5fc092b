"""Command lines of Python children that import what this process imports, and nothing else.

`python -m` and `python -c` look into the current folder first: a file named `numpy.py` there, or a
folder named `edgeface`, would take the place of the real one.
"""

import os
import sys
from typing import List

from .resources import PACKAGE


def edgeface_command(*arguments: str) -> List[str]:
    """The command line of `edgeface ARGUMENTS`."""
    return module_command("edgeface", *arguments)


def module_command(module: str, *arguments: str) -> List[str]:
    """The command line of `python -m MODULE ARGUMENTS`."""
    run = f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return python_command(run, *arguments)


def python_command(code: str, *arguments: str) -> List[str]:
    """The command line of `python -c CODE ARGUMENTS`."""
    # sys is built in, so this line itself imports nothing from the current folder
    code = f"import sys; sys.path[:] = {_search_path()!r}; {code}"
    flags = ["-I"] if sys.flags.isolated else []
    return [sys.executable] + flags + ["-c", code] + list(arguments)


def _search_path() -> List[str]:
    """Where this process finds modules; an empty entry is the current folder."""
    path = [entry for entry in sys.path if entry]
    above = os.path.dirname(PACKAGE)
    if above not in path:  # an editable installation finds the package by a hook
        path.append(above)
    return path
