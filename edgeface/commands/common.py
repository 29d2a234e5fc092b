"""Options and output that several commands share."""

import argparse
import dataclasses
import sys
from typing import Any

from ..config import Settings, configuration_file, load_settings
from ..core.errors import UsageError
from ..core.rates import LOOKAHEADS_MS
from ..shm.layout import segment_path


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """Adds --config; every verb that follows settings has it and reads the same file."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="configuration file; otherwise the installed one, if there is one",
    )


def configured(options: argparse.Namespace) -> Settings:
    """The settings of the configuration file; says which it is where it was not named.

    :param options: those of `add_config_argument`; `config` becomes the file that was chosen
    :raises MissingInputError: the file cannot be read
    :raises ConfigurationError: it is invalid
    """
    named = options.config is not None
    options.config = configuration_file(options.config)
    if not options.config:
        return Settings()
    settings = load_settings(options.config)
    if not named:
        print_progress(f"edgeface: settings of {options.config}")
    return settings


def add_segment_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds --shm and --config, of verbs that read a segment."""
    parser.add_argument("--shm", metavar="NAME", help="shared memory instead of the configured one")
    add_config_argument(parser)


def segment_name(options: argparse.Namespace) -> str:
    """The segment that is meant, named or configured.

    :param options: those of `add_segment_arguments`
    :raises UsageError: it is no valid name
    :raises ConfigurationError: the configuration is invalid
    """
    return valid_segment(configured(options).output.shm if options.shm is None else options.shm)


def valid_segment(name: str) -> str:
    """The same name.

    :raises UsageError: no segment can have it
    """
    try:
        segment_path(name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return name


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds --config, --bundle, --lookahead, --no-blink and --mouth-only."""
    add_config_argument(parser)
    parser.add_argument("--bundle", metavar="FOLDER", help="model instead of the configured one")
    parser.add_argument(
        "--lookahead", metavar="MS", type=int, help="look-ahead in ms instead of the configured one"
    )
    parser.add_argument("--no-blink", action="store_true", help="keep the eyes open")
    parser.add_argument(
        "--mouth-only", action="store_true", help="move neither eyes and lids nor head and brows"
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of the configuration file, changed as the options say.

    :param options: those of `add_model_arguments`
    :raises UsageError: an option is out of range
    :raises ConfigurationError: the file is invalid
    """
    settings = configured(options)
    if options.bundle:
        settings = _changed(settings, "model", bundle=options.bundle)
    if options.lookahead is not None:
        if options.lookahead not in LOOKAHEADS_MS:
            offered = ", ".join(str(ms) for ms in LOOKAHEADS_MS)
            raise UsageError(f"--lookahead {options.lookahead}: out of range; one of {offered}")
        settings = _changed(settings, "motion", lookahead_ms=options.lookahead)
    if options.no_blink:
        settings = _changed(settings, "motion", blink=False)
    if options.mouth_only:
        settings = _changed(settings, "motion", head=0, gaze=0, brows=0, blink=False)
    return settings


def print_progress(line: str) -> None:
    """Writes a line about work that goes on to stderr, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _changed(settings: Settings, section: str, **values: Any) -> Settings:
    changed = dataclasses.replace(getattr(settings, section), **values)
    return dataclasses.replace(settings, **{section: changed})
