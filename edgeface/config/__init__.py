"""Configuration: a YAML file of sections to frozen settings.

Every setting has a default, a meaning and a range. An unknown key, a wrong type or a value out of
range is an error that names the line, the key and the nearest valid name.
"""

from .file import INSTALLED, configuration_file, load_settings
from .parser import parse_sections, parse_settings
from .printer import print_settings
from .settings import (
    MOUTH_ONLY,
    Audio,
    Bridge,
    Model,
    Motion,
    Output,
    Settings,
    Shape,
    Telemetry,
    entries,
    setting,
)

__all__ = [
    "INSTALLED",
    "MOUTH_ONLY",
    "Audio",
    "Bridge",
    "Model",
    "Motion",
    "Output",
    "Settings",
    "Shape",
    "Telemetry",
    "configuration_file",
    "entries",
    "load_settings",
    "parse_sections",
    "parse_settings",
    "print_settings",
    "setting",
]
