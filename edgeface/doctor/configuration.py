"""The configuration that the other checks follow."""

import os
from typing import Tuple

from ..config import Settings, load_settings
from .finding import OK, Finding


def configuration(path: str) -> Tuple[Settings, Finding]:
    """Reads it, or takes the defaults where there is none.

    :raises ConfigurationError: it is invalid
    """
    if not os.path.exists(path):
        return Settings(), Finding("configuration", OK, f"{path} is missing; defaults are used")
    return load_settings(path), Finding("configuration", OK, path)
