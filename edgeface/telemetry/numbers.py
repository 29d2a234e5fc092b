"""Values of a log object, whatever an older or newer version, or a damaged disk, left there."""

from typing import Any, Dict, List, Optional

Object = Dict[str, Any]  # an object of the log

_LARGEST = 1e15  # no value of a log is larger; JSON may hold infinity, and integers of any size


def number(value: Any, *path: str) -> Optional[float]:
    """A number deep in an object, or None where there is anything else."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return value if -_LARGEST < value < _LARGEST else None  # which NaN is not, either


def text(value: Any, default: str = "?") -> str:
    """A string of an object, or the default where there is anything else."""
    return value if isinstance(value, str) else default


def fields(values: Object, name: str) -> List[str]:
    """Names in a part of an object; none where there is anything else."""
    part = values.get(name)
    return list(part) if isinstance(part, dict) else []
