"""Eyeballs with iris and pupil, and the shade that lids throw on them."""

from typing import List, Tuple

import numpy as np

from .glb import Mesh
from .makehuman import MakeHuman
from .people import Person
from .skin import Body, linear
from .surface import Surface, normals, occlusion, unit

_SIDES = {"Left": "l", "Right": "r"}
_SPOKES = 40
_IRIS = 0.44  # its radius, of the eyeball's
_PUPIL = 0.36  # its radius, of the iris'
_CORNEA = 0.035  # how far it stands out, of the eyeball's radius
# from the middle to the back: radius in irises, and what is between
_RINGS = (0.0, 0.2, 0.33, 0.36, 0.39, 0.5, 0.62, 0.74, 0.86, 0.94, 1.0, 1.06, 1.2, 1.5, 1.9, 2.1)
_WHITE = (222, 214, 207)
_VEINS = (205, 160, 150)
_SHADE_STEPS = (14, 24)  # of its grid, high and wide
_SHADE_REACH = (0.62, 1.0)  # rad, up and aside
_LIFT = 1.045  # eyeballs' radii


def eyes(source: MakeHuman, body: Body, person: Person) -> List[Mesh]:
    """Both eyeballs and both shades."""
    centre = body.joints["l-eye"]
    ball = body.vertices[source.members("helper-l-eye")]
    radius = float(np.sqrt(((ball - centre) ** 2).sum(axis=1)).mean())
    shades = [
        _shade(side, body.joints[f"{letter}-eye"], radius, body) for side, letter in _SIDES.items()
    ]
    return [_ball(centre, radius, person), *shades]


def _ball(centre: np.ndarray, radius: float, person: Person) -> Mesh:
    rings = np.array(_RINGS)
    angles = np.arange(_SPOKES) * 2 * np.pi / _SPOKES
    aside = (
        rings * _IRIS
    )  # radius from the axis, in eyeballs; from 1 on, degrees behind the equator
    polar = np.where(aside < 0.9, np.arcsin(np.minimum(aside, 0.9)), 1.12 + (rings - 1.9) * 2.5)
    bulge = 1 + _CORNEA * np.maximum(1 - (rings / 1.12) ** 2, 0)
    out = np.sin(polar)[:, None] * bulge[:, None]
    points = np.stack(
        (
            out * np.cos(angles),
            out * np.sin(angles),
            np.tile(np.cos(polar) * bulge, (_SPOKES, 1)).T,
        ),
        axis=-1,
    )
    colours = _painted(rings, person)
    points, colours = points[1:].reshape(-1, 3), colours[1:].reshape(-1, 3)
    points = np.vstack(([[0, 0, 1 + _CORNEA]], points))
    colours = np.vstack((linear((6, 5, 5))[None], colours))
    triangles = [(0, 1 + k, 1 + (k + 1) % _SPOKES) for k in range(_SPOKES)]
    for ring in range(len(rings) - 2):
        for k in range(_SPOKES):
            a, b = 1 + ring * _SPOKES + k, 1 + ring * _SPOKES + (k + 1) % _SPOKES
            triangles += [(a, a + _SPOKES, b), (b, a + _SPOKES, b + _SPOKES)]
    surface = Surface(centre + radius * points, np.array(triangles))
    return Mesh(
        "Eyeball",
        surface.points,
        normals(surface),
        surface.triangles,
        colours,
        {},
        0.15,
        parents=tuple(f"{side}Eye" for side in _SIDES),
    )


def _painted(rings: np.ndarray, person: Person) -> np.ndarray:
    """Colours of rings and spokes: float64 [rings, spokes, 3]."""
    streaks = np.random.default_rng(7).uniform(-1, 1, (len(rings), _SPOKES))
    streaks = 0.6 * streaks[:1] + 0.4 * streaks  # most of them run from the pupil to the rim
    iris, dark = linear(person.iris), linear((6, 5, 5))
    white, veins = linear(_WHITE), linear(_VEINS)
    colours = np.empty((len(rings), _SPOKES, 3))
    for ring, radius in enumerate(rings):
        if radius <= _PUPIL - 0.02:
            colours[ring] = dark
        elif radius < 1.0:
            near = np.clip((radius - _PUPIL) / 0.3, 0, 1)  # warmer about the pupil
            tint = iris * (1.25 * near + (1 - near) * np.array([1.5, 1.15, 0.8]))
            rim = 1 - 0.75 * np.clip((radius - 0.78) / 0.2, 0, 1)
            colours[ring] = tint * rim * (1 + 0.38 * streaks[ring])[:, None]
            if radius < _PUPIL + 0.01:
                colours[ring] *= 0.35
        else:
            edge = np.clip((radius - 1.0) / 0.1, 0, 1)
            back = np.clip((radius - 1.2) / 0.9, 0, 1) ** 2
            colours[ring] = iris * 0.3 * (1 - edge) + edge * (white * (1 - back) + veins * back)
    return np.clip(colours, 0, 1)


def _shade(side: str, centre: np.ndarray, radius: float, body: Body) -> Mesh:
    """A film over the eyeball that stays where it is; dark where skin is near."""
    high, wide = _SHADE_STEPS
    up, along = np.meshgrid(
        np.linspace(-1, 1, high) * _SHADE_REACH[0],
        np.linspace(-1, 1, wide) * _SHADE_REACH[1],
        indexing="ij",
    )
    ways = np.stack((np.sin(along) * np.cos(up), np.sin(up), np.cos(along) * np.cos(up)), -1)
    ways = unit(ways.reshape(-1, 3))
    points = centre + _LIFT * radius * ways
    triangles = []
    for row in range(high - 1):
        for column in range(wide - 1):
            a = row * wide + column
            triangles += [(a, a + 1, a + wide), (a + 1, a + wide + 1, a + wide)]
    hidden = occlusion(points, ways, body.surface)
    above = np.clip(
        ways[:, 1] / 0.35 + 0.2, 0, 1
    )  # light comes from above: the upper lid shades more
    dark = (
        np.clip((hidden - 0.16) * 1.3, 0, 0.45) + 0.32 * np.clip(hidden * 2.2 - 0.3, 0, 1) * above
    )
    colours = np.hstack(
        (np.tile(linear((58, 26, 20)), (len(points), 1)), np.clip(dark, 0, 0.85)[:, None])
    )
    return Mesh(f"{side}EyeShade", points, ways, np.array(triangles), colours, {}, 1.0)


def eye_nodes(body: Body) -> List[Tuple[str, np.ndarray]]:
    """Names and places of what turns them."""
    return [(f"{side}Eye", body.joints[f"{letter}-eye"]) for side, letter in _SIDES.items()]
