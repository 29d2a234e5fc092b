"""The newest log object as a text file for node_exporter's textfile collector."""

import re
from typing import Any, Dict, Iterator, Tuple

from ..core.files import replacing

_LEFT_OUT = ("latency_bins_ms",)  # for drawing
_Labels = Tuple[Tuple[str, str], ...]


def metrics(values: Dict[str, Any], prefix: str = "edgeface") -> str:
    """A line `name{labels} value` for each number of a log object; None is left out."""
    lines = []
    for key, value in values.items():
        if key not in _LEFT_OUT:
            metric = f"{prefix}_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}"
            lines += [f"{metric}{_braced(labels)} {number!r}" for labels, number in _numbers(value)]
    return "\n".join(lines) + "\n"


def _numbers(value: Any, labels: _Labels = ()) -> Iterator[Tuple[_Labels, float]]:
    """All numbers in a value, each with the keys that lead to it as labels `name`, `k1`, ..."""
    if isinstance(value, (bool, int, float)):
        yield labels, float(value)
    elif isinstance(value, dict):
        label = f"k{len(labels)}" if labels else "name"
        for key, inner in value.items():
            text = re.sub(r'["\\\n]', "_", str(key))
            yield from _numbers(inner, labels + ((label, text),))


def _braced(labels: _Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{text}"' for name, text in labels)
    return f"{{{pairs}}}"


def write_metrics(path: str, values: Dict[str, Any]) -> None:
    """Replaces the file at once.

    :raises OSError: it cannot be written
    """
    with replacing(path, "w") as file:
        file.write(metrics(values))
