"""The heads that come with the package, and which face the page shows."""

import os

from ..core.resources import PACKAGE

HEADS = os.path.join(PACKAGE, "view", "heads")
LOOKS = ("ada", "otto")
"""by name; the first is shown where nobody chose"""

DRAWN = "drawn"
"""the face without a third dimension, which every browser can show"""

CHOSEN, OFFERED = "chosen", "offered"
"""whether somebody chose a head, or the page may show its drawn face where the browser is slow"""


def head_of(look: str) -> str:
    """Path of a look's GLB file."""
    return os.path.join(HEADS, f"{look}.glb")
