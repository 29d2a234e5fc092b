"""The configuration that the other checks follow."""

import os
from typing import Iterator, Optional

from ..config import INSTALLED, Settings, configuration_file, load_settings
from ..core.advice import as_root
from .finding import OK, WARN, Finding


class Configuration:
    """The settings of a file, read when a check needs them.

    :param path: what `--config` names; None: what every verb then reads
    """

    def __init__(self, path: Optional[str]) -> None:
        self._path = path
        self._settings: Optional[Settings] = None

    def check(self) -> Iterator[Finding]:
        """Which file it is, and that it is valid.

        :raises ConfigurationError: it is invalid
        :raises MissingInputError: it cannot be read
        """
        path = configuration_file(self._path)
        if path:
            load_settings(path)
            yield Finding("configuration", OK, path)
        elif self._path is None and os.path.exists(INSTALLED):
            found = f"{INSTALLED}: you cannot read it; these checks use the defaults"
            yield Finding("configuration", WARN, found, as_root("edgeface doctor"))
        else:
            yield Finding("configuration", OK, f"no {INSTALLED}; the defaults are used")

    @property
    def settings(self) -> Settings:
        """The settings; the defaults where they cannot be read, which `check` reports."""
        if self._settings is None:
            path = configuration_file(self._path)
            try:
                self._settings = load_settings(path) if path else Settings()
            except Exception:  # `check` reports it; the other checks look at the defaults
                self._settings = Settings()
        return self._settings
