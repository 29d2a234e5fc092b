"""A whole head as a GLB file, and its licence."""

import numpy as np

from .eyes import eye_nodes, eyes
from .glb import Glb, Node
from .hair import hair, scalp
from .makehuman import MakeHuman
from .mouth import mouth
from .people import Person
from .skin import body_of, skin
from .strands import strands
from .sweater import sweater, without_hidden_skin

_COPYRIGHT = "CC0 1.0; after MakeHuman (hm08) and Face Units 01 by Mika Suominen"
_NOTE = """\
The heads in this folder are in the public domain under CC0 1.0, which follows. They are made by
`python -m training.head` of edgeface from the base mesh hm08 and the targets of MakeHuman
(makehumancommunity.org, as in MPFB2) and from the asset pack Face Units 01 by Mika Suominen, all
CC0. Hair, brows, lashes, eyes, teeth, clothes and colours are edgeface's own, and CC0, too.

"""


def head(source: MakeHuman, person: Person) -> bytes:
    """Somebody's head with all of ARKit's blendshapes, as a GLB file."""
    body = body_of(source, person)
    nodes = [
        Node("Bust", np.zeros(3), None),
        Node("Chest", body.joints["neck"], "Bust"),
        Node("Head", body.joints["head"], "Chest"),
        *(Node(name, place, "Head") for name, place in eye_nodes(body)),
    ]
    file = Glb(nodes, {"copyright": _COPYRIGHT})
    for mesh in (
        skin(body, person, scalp(body), without_hidden_skin(body)),
        *mouth(source, body),
        *eyes(source, body, person),
        *strands(source, body, person),
        *hair(body, person),
        *sweater(body, person),
    ):
        file.add(mesh)
    return file.bytes()


def licence(source: MakeHuman) -> str:
    """What the folder's LICENSE says."""
    return _NOTE + source.licence
