"""A bundle: the folder that holds a model, its licence and its hashes.

The description, bundle.yaml, is read into values of fixed fields, and every file that it names is
verified before anything else looks at it. Nothing in a bundle leads to a file outside of it.
"""

import errno
import os
import re
from typing import Dict, List

from ..core.errors import DataError, MissingInputError, one_line
from ..core.files import read_regular, sha256_of
from .description import Description
from .external_data import external_files
from .page import is_file_name, parse

DESCRIPTION = "bundle.yaml"
MOST_BYTES = 1 << 20  # of a description; it has a few kB
_MOST_GRAPH_BYTES = 1 << 31  # what a protocol buffer can hold
# what may be in a bundle without a hash, because nothing reads it
_DOCUMENTS = re.compile(r"(.*\.(md|txt)|LICEN[CS]E.*|NOTICE.*)", re.IGNORECASE)


def read_bundle(folder: str) -> Description:
    """The description of a bundle all of whose files are as it says.

    :raises MissingInputError: there is no such folder, or no bundle.yaml in it
    :raises DataError: the description is damaged, or a file is not what it says
    """
    path = os.path.join(folder, DESCRIPTION)
    try:
        _require_inside(folder, DESCRIPTION)
        text = read_regular(path, MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise MissingInputError(
            f"bundle {folder}: {error.strerror or error}; give the folder that holds {DESCRIPTION}"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; fetch the bundle again") from None
    description = parse(text, folder, path)
    for name in sorted(description.files):
        _verify(folder, name, description.files[name])
    for name in sorted(description.network.graphs):
        _verify_references(folder, name, description.files)
    return description


def unlisted_files(folder: str, description: Description) -> List[str]:
    """Names in a bundle's folder, documents aside, whose content its description does not know."""
    return [
        name
        for name in sorted(os.listdir(folder))
        if name != DESCRIPTION
        and name not in description.files
        and _DOCUMENTS.fullmatch(name) is None
    ]


def _verify(folder: str, name: str, wanted: str) -> None:
    path = os.path.join(folder, name)
    try:
        _require_inside(folder, name)
        digest = sha256_of(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; fetch the bundle again") from None
    if digest != wanted:
        raise DataError(
            f"{path}: damaged, its SHA-256 is not the one in {DESCRIPTION}; fetch the bundle again"
        )


def _require_inside(folder: str, name: str) -> None:
    """Raises OSError if a file is a link that leads out of the folder."""
    target = os.path.realpath(os.path.join(folder, name))
    if os.path.dirname(target) != os.path.realpath(folder):
        raise OSError(errno.EXDEV, "a link to a file outside of the bundle")


def _verify_references(folder: str, name: str, files: Dict[str, str]) -> None:
    """Whether a graph reads only files whose hash is known."""
    path = os.path.join(folder, name)
    try:
        needed = external_files(read_regular(path, _MOST_GRAPH_BYTES))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {one_line(error)}; fetch the bundle again") from None
    for other in sorted(needed):
        if not is_file_name(other):
            raise DataError(f"{path}: reads {other!a} outside of the bundle; fetch it again")
        if other not in files:
            raise DataError(
                f"{os.path.join(folder, DESCRIPTION)}: no hash for {other}, which {name} reads;"
                " fetch the bundle again"
            )
