"""Configuration: a YAML file of sections to frozen settings.

Every setting has a default, a unit and a range; an unknown key, a wrong type or
a value out of range is an error that names line, key and nearest valid name.
"""

import difflib
from dataclasses import dataclass, field, fields

import yaml

from .core.errors import ConfigurationError, MissingInputError
from .source import SPECS


def _setting(default, text, choices=None, span=None):
    return field(default=default, metadata={"text": text, "choices": choices, "span": span})


@dataclass(frozen=True)
class Audio:
    """Where sound comes from."""

    sources: tuple = _setting(("mic",), "the most important first: " + SPECS)
    hold_ms: int = _setting(
        500,
        "how long a voice that pauses keeps the word before the next source is heard, in ms",
        span=(0, 10000),
    )
    playback: str = _setting(
        "",
        "output device that plays what fifo:, unix:, cmd: and monitor: deliver, so delayed"
        " that the lips agree; default: the default one; empty: none",
    )
    playback_delay_ms: int = _setting(
        0, "further delay of that sound, as long as the screen is slow, in ms", span=(0, 1000)
    )


@dataclass(frozen=True)
class Model:
    """What computes the face."""

    bundle: str = _setting("", "folder of a bundle; empty for the one in the package")
    provider: str = _setting(
        "cpu",
        "what computes: auto is the fastest that works; cuda, tensorrt, and native for"
        " TensorRT without ONNX Runtime, are demanded",
        ("cpu", "auto", "cuda", "tensorrt", "native"),
    )


@dataclass(frozen=True)
class Motion:
    """How the face moves."""

    lookahead_ms: int = _setting(
        80,
        "sound heard after a frame before it is shown, in ms; more is more accurate",
        (0, 40, 80, 160),
    )
    blink: bool = _setting(True, "whether the eyes blink")


@dataclass(frozen=True)
class Output:
    """Where frames go."""

    shm: str = _setting("edgeface", "name of the shared memory below /dev/shm")
    mode: str = _setting(
        "0640", "its permission bits, octal in quotes", ("0600", "0640", "0644", "0660", "0666")
    )
    group: str = _setting("", "its group; empty for the group of the process")


@dataclass(frozen=True)
class Telemetry:
    """What the operator reads."""

    log: str = _setting("", "folder of the log, such as /var/log/edgeface; empty for none")
    interval_s: int = _setting(60, "seconds that a line of the log covers", span=(1, 3600))
    file_kb: int = _setting(1024, "size of a log file in kB", span=(16, 65536))
    total_kb: int = _setting(16384, "size of all log files in kB", span=(64, 1048576))
    prometheus: str = _setting(
        "", "text file for node_exporter's textfile collector; empty for none"
    )


@dataclass(frozen=True)
class Settings:
    """All sections."""

    audio: Audio = Audio()
    model: Model = Model()
    motion: Motion = Motion()
    output: Output = Output()
    telemetry: Telemetry = Telemetry()


def load_settings(path):
    """Reads a configuration file.

    :raises MissingInputError: it is not there
    :raises ConfigurationError: it is not understood
    """
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        raise MissingInputError(f"configuration {path}: {error.strerror}; check the path") from None
    return parse_settings(text, path)


def parse_settings(text, path="configuration"):
    """Settings from YAML (str or bytes); `path` is what errors name. Errors as `load_settings`."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigurationError(
            "{}{}: not YAML: {}".format(
                path,
                " line %d" % (mark.line + 1) if mark else "",
                getattr(error, "problem", None) or "not text",
            )
        ) from None
    if root is None:
        return Settings()
    names = {section.name: type(section.default) for section in fields(Settings)}
    sections = {}
    for name, node, line in _pairs(root, "the file", path):
        if name not in names:
            raise ConfigurationError(
                "%s line %d: unknown section '%s'; %s" % (path, line, name, _nearest(name, names))
            )
        sections[name] = _section(names[name], name, node, path)
    return Settings(**sections)


def _section(kind, name, node, path):
    settings = {setting.name: setting for setting in fields(kind)}
    values = {}
    if isinstance(node, yaml.ScalarNode) and node.value == "":
        return kind()
    for key, value_node, line in _pairs(node, f"section '{name}'", path):
        where = "%s line %d: %s.%s" % (path, line, name, key)
        if key not in settings:
            raise ConfigurationError(f"{where}: unknown key; {_nearest(key, settings)}")
        setting = settings[key]
        wanted = type(setting.default)
        value = _list(value_node) if wanted is tuple else _scalar(value_node)
        if type(value) is not wanted:
            raise ConfigurationError(
                "{}: {} is no {}; {}".format(
                    where, _shown(value_node), _KINDS[wanted], setting.metadata["text"]
                )
            )
        choices = setting.metadata["choices"]
        if choices and value not in choices:
            raise ConfigurationError(
                "{}: {!r} is out of range; one of {}".format(
                    where, value, ", ".join(map(str, choices))
                )
            )
        span = setting.metadata["span"]
        if span and not span[0] <= value <= span[1]:
            raise ConfigurationError(
                "%s: %r is out of range; %d to %d" % (where, value, span[0], span[1])
            )
        values[key] = value
    return kind(**values)


_KINDS = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    tuple: "list of texts, such as [mic]",
}


def _pairs(node, what, path):
    if not isinstance(node, yaml.MappingNode):
        raise ConfigurationError(
            "%s line %d: %s must hold keys and values" % (path, node.start_mark.line + 1, what)
        )
    seen = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        name = key.value if isinstance(key, yaml.ScalarNode) else str(key.tag)
        if name in seen:
            raise ConfigurationError("%s line %d: '%s' occurs twice; keep one" % (path, line, name))
        seen.add(name)
        yield name, value, line


def _scalar(node):
    if not isinstance(node, yaml.ScalarNode):
        return None
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):  # such as a date with month 13
        return None
    finally:
        loader.dispose()


def _list(node):
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        return None
    values = tuple(_scalar(item) for item in node.value)
    return values if all(isinstance(value, str) for value in values) else None


def _shown(node):
    return repr(node.value) if isinstance(node, yaml.ScalarNode) else "what stands there"


def _nearest(name, valid):
    close = difflib.get_close_matches(name, list(valid), 1, 0.0)
    return f"did you mean '{close[0]}'?"


def _dump(value):
    if isinstance(value, tuple):
        return "[{}]".format(", ".join(map(_dump, value)))
    return (
        yaml.safe_dump(
            value, width=float("inf"), default_style='"' if isinstance(value, str) else None
        )
        .strip()
        .split("\n")[0]
    )


def print_settings(settings):
    """The settings as a commented configuration file, str; reading it gives them back."""
    lines = []
    for section in fields(settings):
        value = getattr(settings, section.name)
        lines.append(f"{section.name}:  # {type(value).__doc__}")
        for setting in fields(value):
            text, choices, span = (setting.metadata[key] for key in ("text", "choices", "span"))
            if choices:
                text += "; one of " + ", ".join(map(str, choices))
            if span:
                text += "; %d to %d" % span
            dumped = _dump(getattr(value, setting.name))
            lines.append(f"  {setting.name}: {dumped}  # {text}")
    return "\n".join(lines) + "\n"
