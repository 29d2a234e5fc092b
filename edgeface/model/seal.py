"""The last line of bundle.yaml: a hash of all the lines before it.

It finds damage that still makes a description, such as another digit in the resting face.
"""

import hashlib
import re
from typing import Any, Dict, Optional

_KEY = "sha256"
_LAST_LINE = re.compile(rb"^sha256: ([0-9a-f]{64})\n\Z", re.MULTILINE)
# what is left of it when it is damaged, too: no other field begins a line and holds a hash in it
_REMAINS = re.compile(rb"^[^\s{][^\n{]*[0-9a-f]{16}[^\n]*\s*\Z", re.MULTILINE)


def sealed(text: str) -> str:
    """A description with its seal.

    :param text: YAML, which ends with a line break
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text}{_KEY}: {digest}\n"


def without_seal(fields: Dict[str, Any]) -> Dict[str, Any]:
    """The fields of a description that is to be written again."""
    return {name: value for name, value in fields.items() if name != _KEY}


def is_damaged(content: bytes, fields: Dict[str, Any]) -> bool:
    """Whether a description is not what it was sealed as; those of earlier releases have no seal.

    :param content: of the file
    :param fields: the same, parsed
    """
    found = _LAST_LINE.search(content)
    wanted: Optional[str] = None
    if found is not None:
        wanted = found.group(1).decode()
        content = content[: found.start()]
    elif _KEY not in fields and _REMAINS.search(content) is None:
        return False
    return hashlib.sha256(content).hexdigest() != wanted
