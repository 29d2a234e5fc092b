"""edgeface: live sound in, 25 face frames a second out, in shared memory."""

__version__ = "0.1.0"
