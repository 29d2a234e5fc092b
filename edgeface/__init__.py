"""edgeface: live sound in, 25 face frames a second out, in shared memory.

Renderers in Python need one class:

    from edgeface import Reader
"""

from .shm.reader import Reader

__version__ = "0.1.0"
__all__ = ["Reader"]
