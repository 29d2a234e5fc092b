"""Options and output that several commands share."""

import argparse
import dataclasses
import sys
from typing import Any

from ..config import Settings, load_settings
from ..core.errors import UsageError
from ..core.rates import LOOKAHEADS_MS


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds --config, --bundle, --lookahead and --no-blink."""
    parser.add_argument("--config", metavar="FILE", help="configuration file")
    parser.add_argument("--bundle", metavar="FOLDER", help="model instead of the configured one")
    parser.add_argument(
        "--lookahead", metavar="MS", type=int, help="look-ahead in ms instead of the configured one"
    )
    parser.add_argument("--no-blink", action="store_true", help="keep the eyes open")


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of the configuration file, changed as the options say.

    :param options: those of `add_model_arguments`
    :raises UsageError: an option is out of range
    :raises ConfigurationError: the file is invalid
    """
    settings = load_settings(options.config) if options.config else Settings()
    if options.bundle:
        settings = _changed(settings, "model", bundle=options.bundle)
    if options.lookahead is not None:
        if options.lookahead not in LOOKAHEADS_MS:
            offered = ", ".join(str(ms) for ms in LOOKAHEADS_MS)
            raise UsageError(f"--lookahead {options.lookahead}: out of range; one of {offered}")
        settings = _changed(settings, "motion", lookahead_ms=options.lookahead)
    if options.no_blink:
        settings = _changed(settings, "motion", blink=False)
    return settings


def print_progress(line: str) -> None:
    """Writes a line about work that goes on to stderr, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _changed(settings: Settings, section: str, **values: Any) -> Settings:
    changed = dataclasses.replace(getattr(settings, section), **values)
    return dataclasses.replace(settings, **{section: changed})
