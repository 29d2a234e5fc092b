"""Options that several verbs share."""

import dataclasses

from ..config import Settings, load_settings
from ..core.errors import UsageError


def add_model_arguments(parser):
    """Adds --config, --bundle, --lookahead and --no-blink."""
    parser.add_argument("--config", metavar="FILE", help="configuration file")
    parser.add_argument("--bundle", metavar="FOLDER", help="model instead of the configured one")
    parser.add_argument(
        "--lookahead", metavar="MS", type=int, help="look-ahead in ms instead of the configured one"
    )
    parser.add_argument("--no-blink", action="store_true", help="keep the eyes open")


def settings_of(options):
    """`config.Settings` of the configuration file, changed as the options say."""
    settings = load_settings(options.config) if options.config else Settings()
    if options.bundle:
        settings = _changed(settings, "model", bundle=options.bundle)
    if options.lookahead is not None:
        if options.lookahead not in (0, 40, 80, 160):
            raise UsageError(
                f"--lookahead {options.lookahead}: out of range; one of 0, 40, 80, 160"
            )
        settings = _changed(settings, "motion", lookahead_ms=options.lookahead)
    if options.no_blink:
        settings = _changed(settings, "motion", blink=False)
    return settings


def _changed(settings, section, **values):
    return dataclasses.replace(
        settings, **{section: dataclasses.replace(getattr(settings, section), **values)}
    )
