"""edgeface: live sound in, 25 face frames a second out, in shared memory.

Renderers in Python need one class, and text-to-speech programs another:

    from edgeface import Reader, Voice
"""

from .shm.reader import Reader
from .voice import Voice

__version__ = "0.1.0"
__all__ = ["Reader", "Voice"]
