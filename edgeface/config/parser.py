"""From YAML to settings."""

import difflib
import re
from dataclasses import fields, is_dataclass
from typing import Any, Iterable, Iterator, Optional, Tuple, Type, TypeVar, Union, cast

import yaml

from ..core.errors import ConfigurationError, one_line
from .settings import Settings

_MOST_CHARACTERS = 4096  # of a text setting
_SHOWN_CHARACTERS = 80  # of what is invalid, in a message
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")  # of an entry, where any is valid
_KINDS = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    tuple: "a list of texts, such as [mic]",
}


_Kind = TypeVar("_Kind")


def parse_settings(text: Union[str, bytes], path: str = "configuration") -> Settings:
    """Settings from YAML.

    :param path: what errors name
    :raises ConfigurationError: it is invalid
    """
    return parse_sections(Settings, text, path)


def parse_sections(kind: Type[_Kind], text: Union[str, bytes], path: str) -> _Kind:
    """A dataclass of sections, each made by `settings.setting` and `entries`, from YAML.

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
        return kind()
    sections = {
        section.name: section for section in fields(cast(Any, kind))
    }  # 3.6 has no type for them
    values = {}
    for name, node, line_number in _pairs(root, "the file", path):
        if name not in sections:
            raise ConfigurationError(
                f"{path} line {line_number}: unknown section '{name}'; {_nearest(name, sections)}"
            )
        values[name] = _field(sections[name], name, node, path, line_number)
    return kind(**values)


def _field(setting: Any, name: str, node: yaml.Node, path: str, line_number: int) -> Any:
    """The value of a dataclass's field: a section, settings by name, or one setting.

    :param name: the whole key, such as `motion.blink`
    :param line_number: where the key is
    """
    if is_dataclass(setting.default):
        return _section(type(setting.default), name, node, path)
    if "kind" in setting.metadata:
        return _entries(setting.metadata, name, node, path)
    return _value(setting, node, f"{path} line {line_number}: {name}")


def _section(kind: Any, name: str, node: yaml.Node, path: str) -> Any:
    """The dataclass `kind` with the values of a YAML node."""
    if _is_empty(node):
        return kind()
    settings = {setting.name: setting for setting in fields(kind)}
    values = {}
    for key, value_node, line_number in _pairs(node, f"section '{name}'", path):
        if key not in settings:
            raise ConfigurationError(
                f"{path} line {line_number}: {name}.{key}: unknown key; {_nearest(key, settings)}"
            )
        values[key] = _field(settings[key], f"{name}.{key}", value_node, path, line_number)
    try:
        return kind(**values)
    except ValueError as error:  # what only several values together show
        line_number = node.start_mark.line + 1
        raise ConfigurationError(f"{path} line {line_number}: {name}: {error}") from None


def _entries(metadata: Any, name: str, node: yaml.Node, path: str) -> Tuple[Tuple[str, Any], ...]:
    """Pairs of a name and its settings."""
    if _is_empty(node):
        return ()
    names = metadata["names"]
    read = []
    for entry, value_node, line_number in _pairs(node, f"section '{name}'", path):
        where = f"{path} line {line_number}: {name}.{entry}"
        if names is not None and entry not in names:
            raise ConfigurationError(f"{where}: unknown name; {_nearest(entry, names)}")
        if names is None and not _NAME.match(entry):
            raise ConfigurationError(f"{where}: no valid name; up to 32 letters, digits, - and _")
        read.append((entry, _section(metadata["kind"], f"{name}.{entry}", value_node, path)))
    return tuple(read)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == ""


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
