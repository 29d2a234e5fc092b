"""edgeface: live sound in, 25 face frames a second out, in shared memory.

Renderers in Python need one class, and text-to-speech programs another:

    from edgeface import Reader, Voice
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shm.reader import Reader
    from .voice import Voice

__version__ = "0.2.0"
__all__ = ["Reader", "Voice"]


class _Package(ModuleType):
    """Imports the public classes when they are first used: `edgeface --version` needs no numpy."""

    def __getattr__(self, name: str) -> object:
        if name == "Reader":
            from .shm.reader import Reader

            return Reader
        if name == "Voice":
            from .voice import Voice

            return Voice
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")


# a function `__getattr__` in the module needs Python 3.7
sys.modules[__name__].__class__ = _Package
