"""Which file holds the configuration, and its settings."""

import errno
import os
from typing import Optional

from ..core.errors import ConfigurationError, MissingInputError
from ..core.files import read_regular
from .parser import parse_settings
from .settings import Settings

MOST_BYTES = 1 << 16
_WRONG_FILE = (errno.EISDIR, errno.EINVAL, errno.EFBIG)  # no configuration, whatever it is
INSTALLED = "/etc/edgeface/edgeface.yaml"


def configuration_file(given: Optional[str]) -> str:
    """The file that every verb reads: the given one, else the installed one if it can be read.

    :param given: what `--config` names, if anything; "" for the defaults
    :return: its path; "" where there is none
    """
    if given is not None:
        return given
    return INSTALLED if os.access(INSTALLED, os.R_OK) else ""


def load_settings(path: str) -> Settings:
    """Reads a configuration file.

    :raises MissingInputError: it cannot be read
    :raises ConfigurationError: it is invalid
    """
    try:
        text = read_regular(path, MOST_BYTES)
    except OSError as error:
        kind = ConfigurationError if error.errno in _WRONG_FILE else MissingInputError
        raise kind(f"configuration {path}: {error.strerror}; check the path") from None
    return parse_settings(text, path)
