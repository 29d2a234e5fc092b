"""Settings as a configuration file."""

from dataclasses import fields, is_dataclass
from typing import Any, Iterator, List

import yaml

from .settings import Settings


def print_settings(settings: Settings) -> str:
    """The settings as a commented configuration file; reading it gives them back."""
    lines: List[str] = []
    for section in fields(settings):
        lines += _field(section, getattr(settings, section.name), "")
    return "\n".join(lines) + "\n"


def _field(setting: Any, value: Any, indent: str) -> Iterator[str]:
    """The lines of a dataclass's field: of a section, of settings by name, or of one setting."""
    if is_dataclass(value):
        yield f"{indent}{setting.name}:  # {type(value).__doc__}"
        for inner in fields(value):
            yield from _field(inner, getattr(value, inner.name), indent + "  ")
    elif "kind" in setting.metadata:
        yield f"{indent}{setting.name}:{'' if value else ' {}'}  # {setting.metadata['text']}"
        for key in fields(setting.metadata["kind"]):
            text = f"{key.name}: {_dump(key.default)}  # {_explained(key.metadata)}"
            yield f"{indent}  # NAME.{text}"
        for name, entry in value:
            values = [f"{key.name}: {_dump(getattr(entry, key.name))}" for key in fields(entry)]
            yield f"{indent}  {name}: {{{', '.join(values)}}}"
    else:
        yield f"{indent}{setting.name}: {_dump(value)}  # {_explained(setting.metadata)}"


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
