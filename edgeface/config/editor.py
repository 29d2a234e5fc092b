"""Changes values in the text of a configuration file; order, comments and quotes stay."""

from dataclasses import fields, replace
from typing import Any, Dict, Iterator, List, Tuple

import yaml

from ..core.errors import ConfigurationError, UnavailableError
from ..core.files import output_file, read_regular
from .file import MOST_BYTES
from .parser import parse_settings
from .settings import Motion, Settings, Shape

_STEP = "  "  # before what is nested

Changes = Dict[str, Any]
"""New whole numbers by key; those of a section are changes themselves."""
_Edit = Tuple[int, int, str]  # first and last character of what is replaced, and by what


def with_calibration(text: str, motion: Motion, path: str = "configuration") -> str:
    """The text of a configuration file with the strength and the shapes of `motion`.

    :param path: what errors name
    :raises ConfigurationError: it is invalid, or written in a way that cannot be changed
    """
    settings = parse_settings(text, path)
    wanted = replace(
        settings, motion=replace(settings.motion, strength=motion.strength, shapes=motion.shapes)
    )
    changes = _calibration_changes(settings.motion, motion)
    changed = edited(text, {"motion": changes}) if changes else text
    try:
        understood = _comparable(parse_settings(changed, path)) == _comparable(wanted)
    except ConfigurationError:
        understood = False
    if not understood:  # aliases, or braces that end in a comma
        raise ConfigurationError(
            f"{path}: its section 'motion' is written in a way that cannot be changed here; write"
            " strength and shapes into it by hand"
        )
    return changed


def save_calibration(path: str, motion: Motion) -> None:
    """Writes strength and shapes into a configuration file, which is created if it is not there.

    :raises ConfigurationError: it is invalid, or written in a way that cannot be changed
    :raises UnavailableError: it cannot be read or written
    """
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        text = ""
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8; save it as UTF-8 first") from None
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}; check the path") from None
    changed = with_calibration(text, motion, path)
    with output_file(path, "w", encoding="utf-8", newline="") as file:
        file.write(changed)


def _calibration_changes(old: Motion, new: Motion) -> Changes:
    changes: Changes = {}
    if new.strength != old.strength:
        changes["strength"] = new.strength
    before = dict(old.shapes)
    after = dict(new.shapes)
    shapes = {}
    for name in [*before, *(name for name in after if name not in before)]:
        was = before.get(name, Shape())
        is_now = after.get(name, Shape())
        values = {key.name: getattr(is_now, key.name) for key in fields(Shape)}
        differing = {key: value for key, value in values.items() if value != getattr(was, key)}
        if differing:
            shapes[name] = differing
    if shapes:
        changes["shapes"] = shapes
    return changes


def _comparable(settings: Settings) -> Settings:
    """The same whether a shape that is left as it is was written down or not, in any order."""
    shapes = tuple(sorted(pair for pair in settings.motion.shapes if pair[1] != Shape()))
    return replace(settings, motion=replace(settings.motion, shapes=shapes))


def edited(text: str, changes: Changes) -> str:
    """YAML with other values.

    :param text: a mapping, or nothing but comments
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return "\n".join([*text.splitlines(), *_block(changes, "")]) + "\n"
    # from the end on, so that what is before keeps its place; of two insertions at the same place
    # the one that is indented less is made first, and ends up behind the other
    for start, end, replacement in sorted(_edits(text, root, changes), reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _edits(text: str, mapping: yaml.MappingNode, changes: Changes) -> Iterator[_Edit]:
    """What makes a mapping of the text say what `changes` says."""
    present = {key.value: value for key, value in mapping.value}
    new = {key: change for key, change in changes.items() if key not in present}
    for key, change in changes.items():
        if key in present:
            yield from _value_edits(text, mapping, present[key], change)
    if not new:
        return
    if mapping.flow_style:
        start = mapping.start_mark.index + 1
        yield start, start, _flow(new)[1:-1] + (", " if present else "")
    else:
        column = mapping.value[0][0].start_mark.column
        at = _line_end(text, _end(mapping))
        yield at, at, "".join(f"\n{line}" for line in _block(new, " " * column))


def _value_edits(
    text: str, mapping: yaml.MappingNode, value: yaml.Node, change: Any
) -> Iterator[_Edit]:
    start, end = value.start_mark.index, value.end_mark.index
    if not isinstance(change, dict):
        yield start, end, str(change)
    elif isinstance(value, yaml.MappingNode) and value.value:
        yield from _edits(text, value, change)
    elif mapping.flow_style:
        yield start, end, f" {_flow(change)}"
    else:  # nothing, or {}: what comes goes below
        column = mapping.value[0][0].start_mark.column
        at = _line_end(text, end)
        lines = _block(change, " " * column + _STEP)
        yield start, end, ""
        yield at, at, "".join(f"\n{line}" for line in lines)


def _end(node: yaml.Node) -> int:
    """Where its last character is: a mapping of PyYAML ends with the comments behind it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return end


def _line_end(text: str, at: int) -> int:
    """End of the line that holds the character before `at`."""
    if text[at - 1 : at] == "\n":
        return at - 1
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _block(changes: Changes, indent: str) -> List[str]:
    """Lines of keys and values; what is nested twice is in braces."""
    lines = []
    for key, change in changes.items():
        if isinstance(change, dict) and any(isinstance(inner, dict) for inner in change.values()):
            lines.append(f"{indent}{key}:")
            lines += _block(change, indent + _STEP)
        else:
            lines.append(f"{indent}{key}: {_flow(change)}")
    return lines


def _flow(change: Any) -> str:
    if not isinstance(change, dict):
        return str(change)
    return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in change.items())}}}"
