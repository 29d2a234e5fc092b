"""Configuration: a YAML file of sections to frozen settings.

Every setting has a default, a meaning and a range. An unknown key, a wrong type or a value out of
range is an error that names the line, the key and the nearest valid name.
"""

import difflib
import errno
import os
from dataclasses import dataclass, field, fields
from typing import Any, Iterable, Iterator, Optional, Tuple, Union

import yaml

from .core.errors import ConfigurationError, MissingInputError, one_line
from .core.files import read_regular
from .core.rates import LOOKAHEADS_MS
from .source import SPECS

_MOST_BYTES = 1 << 16  # of a configuration file
_MOST_CHARACTERS = 4096  # of a text setting
_SHOWN_CHARACTERS = 80  # of what is invalid, in a message


def _setting(
    default: Any,
    text: str,
    choices: Optional[Tuple[Any, ...]] = None,
    span: Optional[Tuple[int, int]] = None,
) -> Any:
    """A field with its meaning; of the valid values either the choices or the range is given."""
    return field(default=default, metadata={"text": text, "choices": choices, "span": span})


@dataclass(frozen=True)
class Audio:
    """Where sound comes from."""

    sources: Tuple[str, ...] = _setting(("mic",), f"in order of priority, highest first: {SPECS}")
    hold_ms: int = _setting(
        500,
        "how long a source that pauses keeps its priority before the next one is active, in ms",
        span=(0, 10000),
    )
    gain_db: int = _setting(0, "gain of microphones, in dB", span=(-40, 40))
    auto_gain: bool = _setting(
        False, "whether a quiet voice in a microphone is raised further, by 30 dB at most"
    )
    playback: str = _setting(
        "",
        "output device that plays the sound of fifo:, unix:, cmd: and monitor: sources, delayed so"
        " that the lips agree; default: the system's; empty: none",
    )
    playback_delay_ms: int = _setting(
        0, "further delay of that sound, to match a slow screen, in ms", span=(0, 1000)
    )


@dataclass(frozen=True)
class Model:
    """What computes the face."""

    bundle: str = _setting("", "folder of a bundle; empty: the one in the package")
    provider: str = _setting(
        "cpu",
        "what computes: auto is the fastest one that works, with the CPU as fallback; cuda,"
        " tensorrt, and native (TensorRT without ONNX Runtime) are required where they are named",
        choices=("cpu", "auto", "cuda", "tensorrt", "native"),
    )


@dataclass(frozen=True)
class Motion:
    """How the face moves."""

    lookahead_ms: int = _setting(
        80,
        "how much sound after a frame is awaited before it is shown, in ms; more is more accurate",
        choices=LOOKAHEADS_MS,
    )
    blink: bool = _setting(True, "whether the eyes blink")


@dataclass(frozen=True)
class Output:
    """Where frames go."""

    shm: str = _setting("edgeface", "name of the shared memory below /dev/shm")
    mode: str = _setting(
        "0640",
        "its permission bits, octal in quotes",
        choices=("0600", "0640", "0644"),  # only its owner may write, or cut it short
    )
    group: str = _setting("", "its group; empty: the group of the process")


@dataclass(frozen=True)
class Telemetry:
    """What the operator reads."""

    log: str = _setting("", "folder of the log, such as /var/log/edgeface; empty: none")
    interval_s: int = _setting(60, "seconds that a line of the log covers", span=(1, 3600))
    file_kb: int = _setting(1024, "size of a log file in kB", span=(16, 65536))
    total_kb: int = _setting(16384, "size of all log files in kB", span=(64, 1048576))
    prometheus: str = _setting("", "text file for node_exporter's textfile collector; empty: none")


@dataclass(frozen=True)
class Settings:
    """All sections."""

    audio: Audio = Audio()
    model: Model = Model()
    motion: Motion = Motion()
    output: Output = Output()
    telemetry: Telemetry = Telemetry()


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


_KINDS = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    tuple: "a list of texts, such as [mic]",
}


def load_settings(path: str) -> Settings:
    """Reads a configuration file.

    :raises MissingInputError: it cannot be read
    :raises ConfigurationError: it is invalid
    """
    try:
        text = read_regular(path, _MOST_BYTES)
    except OSError as error:
        kind = ConfigurationError if error.errno in _WRONG_FILE else MissingInputError
        raise kind(f"configuration {path}: {error.strerror}; check the path") from None
    return parse_settings(text, path)


def parse_settings(text: Union[str, bytes], path: str = "configuration") -> Settings:
    """Settings from YAML.

    :param path: what errors name
    :raises ConfigurationError: it is invalid
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise ConfigurationError(f"{path}: nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not text"
        raise ConfigurationError(f"{path}{line}: not YAML: {_shown(problem)}") from None
    if root is None:
        return Settings()
    kinds = {section.name: type(section.default) for section in fields(Settings)}
    sections = {}
    for name, node, line_number in _pairs(root, "the file", path):
        if name not in kinds:
            raise ConfigurationError(
                f"{path} line {line_number}: unknown section '{name}'; {_nearest(name, kinds)}"
            )
        sections[name] = _section(kinds[name], name, node, path)
    return Settings(**sections)


def _section(kind: Any, name: str, node: yaml.Node, path: str) -> Any:
    """The section's dataclass `kind` with the values of a YAML node."""
    if isinstance(node, yaml.ScalarNode) and node.value == "":
        return kind()
    settings = {setting.name: setting for setting in fields(kind)}
    values = {}
    for key, value_node, line_number in _pairs(node, f"section '{name}'", path):
        where = f"{path} line {line_number}: {name}.{key}"
        if key not in settings:
            raise ConfigurationError(f"{where}: unknown key; {_nearest(key, settings)}")
        values[key] = _value(settings[key], value_node, where)
    return kind(**values)


def _value(setting: Any, node: yaml.Node, where: str) -> Any:
    """The value of a dataclass's field, checked against type, choices and range."""
    kind = type(setting.default)
    value = _list(node) if kind is tuple else _scalar(node)
    if type(value) is not kind:
        shown = f"'{_shown(node.value)}'" if isinstance(node, yaml.ScalarNode) else "this value"
        raise ConfigurationError(
            f"{where}: {shown} is not {_KINDS[kind]}; {setting.metadata['text']}"
        )
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str):
            _check_text(text, where)
    choices = setting.metadata["choices"]
    if choices and value not in choices:
        valid = ", ".join(map(str, choices))
        raise ConfigurationError(f"{where}: '{_shown(value)}' is out of range; one of {valid}")
    span = setting.metadata["span"]
    if span and not span[0] <= value <= span[1]:
        raise ConfigurationError(f"{where}: {value!r} is out of range; {span[0]} to {span[1]}")
    return value


def _check_text(text: str, where: str) -> None:
    """Refuses what no file, device or group can be called.

    :raises ConfigurationError: it is such a text
    """
    if "\0" in text:
        raise ConfigurationError(f"{where}: contains a NUL character; remove it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ConfigurationError(f"{where}: contains a lone surrogate; remove it")
    if len(text) > _MOST_CHARACTERS:
        raise ConfigurationError(f"{where}: has {len(text)} characters; at most {_MOST_CHARACTERS}")


def _shown(text: object) -> str:
    """A part of the file in a message: printable, on one line, not too long."""
    characters = one_line(text, _SHOWN_CHARACTERS)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in characters)


def _pairs(node: yaml.Node, what: str, path: str) -> Iterator[Tuple[str, yaml.Node, int]]:
    """Key, value and line of each entry."""
    if not isinstance(node, yaml.MappingNode):
        line_number = node.start_mark.line + 1
        raise ConfigurationError(f"{path} line {line_number}: {what} must hold keys and values")
    seen = set()
    for key, value in node.value:
        line_number = key.start_mark.line + 1
        name = _shown(key.value if isinstance(key, yaml.ScalarNode) else key.tag)
        if name in seen:
            raise ConfigurationError(f"{path} line {line_number}: '{name}' occurs twice; keep one")
        seen.add(name)
        yield name, value, line_number


def _scalar(node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        return None
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except Exception:  # PyYAML's constructors trust their tags: `!!bool x` is a KeyError
        return None
    finally:
        loader.dispose()


def _list(node: yaml.Node) -> Optional[Tuple[str, ...]]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        return None
    values = tuple(_scalar(item) for item in node.value)
    return values if all(isinstance(value, str) for value in values) else None


def _nearest(name: str, valid: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(valid), 1, 0.0)
    return f"did you mean '{close[0]}'?"


def print_settings(settings: Settings) -> str:
    """The settings as a commented configuration file; reading it gives them back."""
    lines = []
    for section in fields(settings):
        values = getattr(settings, section.name)
        lines.append(f"{section.name}:  # {type(values).__doc__}")
        for setting in fields(values):
            value = _dump(getattr(values, setting.name))
            lines.append(f"  {setting.name}: {value}  # {_explained(setting.metadata)}")
    return "\n".join(lines) + "\n"


def _explained(metadata: Any) -> str:
    text: str = metadata["text"]
    if metadata["choices"]:
        text += f"; one of {', '.join(map(str, metadata['choices']))}"
    if metadata["span"]:
        text += f"; {metadata['span'][0]} to {metadata['span'][1]}"
    return text


def _dump(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_dump, value))}]"
    style = '"' if isinstance(value, str) else None
    dumped: str = yaml.safe_dump(value, width=float("inf"), default_style=style)
    return dumped.strip().split("\n")[0]
