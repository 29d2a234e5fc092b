"""Skin: the part of the body that is seen, what moves it, and its colours."""

from typing import Dict, NamedTuple

import numpy as np

from edgeface.motion.face import BLENDSHAPES

from .glb import Mesh
from .makehuman import MakeHuman
from .people import Person
from .surface import Surface, compact, normals, occlusion, smooth, unit

BUST = 2.6  # dm below the head's joint, of what is looked at
_LEAST = 0.005  # dm; what moves less is left at rest
_UPPER_LIP, _LOWER_LIP = 474, 493
_LIPS_APART = 0.002  # dm, at rest
_CORNERS = (11757, 5143)


class Body(NamedTuple):
    """Somebody's head, neck and shoulders, in decimetres."""

    surface: Surface
    shapes: Dict[str, np.ndarray]
    """what each blendshape adds, float64 [N, 3]"""
    follows: np.ndarray
    """how much each point follows the head, float64 [N]"""
    lips: np.ndarray
    """where lips are, float64 [N], 0 to 1"""
    vertices: np.ndarray
    """of MakeHuman, all of this person: float64 [V, 3]"""
    numbers: np.ndarray
    """of the points, among those vertices"""
    joints: Dict[str, np.ndarray]
    hidden: np.ndarray
    """how much of the sky each point does not see, float64 [N]"""


def body_of(source: MakeHuman, person: Person) -> Body:
    """Somebody without colours."""
    vertices = source.person(person.targets)
    for name, part in person.mood.items():
        vertices += part * source.shape(name)
    vertices = _shut(source, vertices)
    names = ("head", "neck", "l-eye", "r-eye", "l-clavicle")
    joints = {name: source.joint(name, vertices) for name in names}
    lowest = joints["head"][1] - BUST
    triangles = [
        (face[0], face[k], face[k + 1])
        for face in source.groups["body"]
        if vertices[face, 1].max() > lowest
        for k in range(1, len(face) - 1)
    ]
    surface, used = compact(vertices, np.array(triangles))
    shapes = {name: pruned(source.shape(name)[used]) for name in BLENDSHAPES}
    return Body(
        surface,
        {name: moved for name, moved in shapes.items() if moved.any()},
        source.follows_head()[used],
        smooth(surface, source.marked("lips")[used].astype(float), 1),
        vertices,
        used,
        joints,
        _hidden(surface, shapes),
    )


def _hidden(surface: Surface, shapes: Dict[str, np.ndarray]) -> np.ndarray:
    """Occlusion. What a closed lid or an open mouth brings to light counts as it is then."""
    hidden = occlusion(surface.points, normals(surface), surface)
    for pose in ({"eyeBlinkLeft": 1, "eyeBlinkRight": 1}, {"jawOpen": 0.5, "mouthFunnel": 0.4}):
        points = surface.points + sum(part * shapes[name] for name, part in pose.items())
        posed = surface._replace(points=points)
        there = np.flatnonzero(((points - surface.points) ** 2).sum(axis=1) > _LEAST**2)
        then = occlusion(points[there], normals(posed)[there], posed)
        hidden[there] = np.minimum(hidden[there], then)
    return hidden


def _shut(source: MakeHuman, vertices: np.ndarray) -> np.ndarray:
    """Somebody whose lips, which MakeHuman leaves a little open, meet."""
    gap = vertices[_UPPER_LIP, 1] - vertices[_LOWER_LIP, 1] - _LIPS_APART
    closing = source.shape("mouthClose")
    by_one = closing[_LOWER_LIP, 1] - closing[_UPPER_LIP, 1]
    return vertices + gap / by_one * closing


def pruned(moved: np.ndarray) -> np.ndarray:
    """A shape without what hardly moves."""
    length = np.sqrt((moved**2).sum(axis=1, keepdims=True))
    return moved * np.clip((length - _LEAST) / _LEAST, 0, 1)


def linear(colour: np.ndarray) -> np.ndarray:
    """SRGB of 0 to 255 as light, 0 to 1."""
    return (np.asarray(colour, float) / 255) ** 2.2


def skin(body: Body, person: Person, scalp: np.ndarray, seen: np.ndarray) -> Mesh:
    """The mesh of the skin.

    :param scalp: how far inside the hairline each point is, dm
    :param seen: the triangles that nothing covers
    """
    part, used = compact(body.surface.points, seen)
    shapes = {name: moved[used] for name, moved in body.shapes.items()}
    return Mesh(
        "Face",
        part.points,
        normals(body.surface)[used],
        part.triangles,
        _colours(body, person, scalp)[used],
        {name: moved for name, moved in shapes.items() if moved.any()},
        roughness=0.62,
        follows=body.follows[used],
    )


def _colours(body: Body, person: Person, scalp: np.ndarray) -> np.ndarray:
    points = body.surface.points
    eye = body.joints["l-eye"]
    mouth = body.vertices[[_UPPER_LIP, _LOWER_LIP]].mean(axis=0)
    tip = points[points[:, 2].argmax()]  # of the nose
    aside = np.abs(points[:, 0])

    def spot(x: float, y: float, z: float, wide: float, high: float) -> np.ndarray:
        way = np.stack((aside - x, points[:, 1] - y, points[:, 2] - z)) / [[wide], [high], [wide]]
        return np.exp(-(way**2).sum(axis=0))

    base = linear(person.skin)
    colours = np.tile(base, (len(points), 1))
    blood = np.array([1.12, 0.8, 0.76])
    red = (
        0.4 * spot(0.42, (eye[1] + mouth[1]) / 2 + 0.02, eye[2] - 0.02, 0.24, 0.2)
        + 0.5 * spot(0, tip[1], tip[2], 0.18, 0.14)
        + 0.5 * spot(0, mouth[1] - 0.42, mouth[2], 0.22, 0.16)
        + 0.8 * spot(0.72, eye[1] - 0.15, 0.35, 0.14, 0.35)  # ears
        + 0.5 * spot(eye[0], eye[1], eye[2] + 0.15, 0.2, 0.1)  # lids
    )
    colours *= blood ** np.minimum(red, 1)[:, None]
    pale = 0.5 * spot(0, eye[1] + 0.75, eye[2] + 0.2, 0.5, 0.35)  # forehead
    colours *= np.array([1.0, 1.04, 1.02]) ** pale[:, None]
    shade = spot(eye[0] - 0.05, eye[1] - 0.16, eye[2] + 0.1, 0.16, 0.07)  # under the eyes
    colours *= np.array([0.9, 0.84, 0.88]) ** shade[:, None]
    lips = body.lips[:, None]
    colours = colours * (1 - lips) + linear(person.lips) * lips
    inside = _inside(body)[:, None]
    colours = colours * (1 - inside) + linear((120, 40, 40)) * inside
    covered = np.clip((scalp + 0.04) / 0.1, 0, 1)[:, None]
    colours = colours * (1 - covered) + 0.4 * linear(person.hair) * covered
    return colours * shaded(body.hidden)


def shaded(hidden: np.ndarray) -> np.ndarray:
    """What is left of light in hollows, redder the deeper: float64 [N, 3]."""
    open_part = np.clip(1 - 0.75 * hidden, 0.12, 1)[:, None]
    return open_part ** np.array([0.8, 1.05, 1.1])


def _inside(body: Body) -> np.ndarray:
    """Where the mouth's cavity is: what lies behind the lips and is hidden."""
    points = body.surface.points
    mouth = body.vertices[[_UPPER_LIP, _LOWER_LIP]].mean(axis=0)
    corner = body.vertices[_CORNERS[0]]
    way = unit(points - [0, mouth[1], mouth[2] - 0.45])
    turned = (way * normals(body.surface)).sum(axis=1) < -0.2
    near = (np.abs(points[:, 0]) < corner[0] + 0.1) & (np.abs(points[:, 1] - mouth[1]) < 0.55)
    deep = points[:, 2] < mouth[2] - 0.06
    return smooth(body.surface, (turned & near & deep & (points[:, 2] > 0.3)).astype(float), 1)
