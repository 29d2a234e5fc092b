"""Hair of the head: ribbons that grow from the scalp, lie on it, and fall.

`TEXCOORD_0` says where a point is: across a ribbon in the fractional part of 64 u, the ribbon's
number (modulo 64) in its whole part, and along it, from root to tip, in v.
"""

from typing import List, NamedTuple, Tuple

import numpy as np

from .glb import Mesh
from .people import Person
from .skin import Body, linear
from .surface import normals, unit

_NUMBERS = 64
_FRINGE = 2.0  # how much denser, per area, hair is at the forehead
# the hairline: height above the eyes, dm, by the angle from the front, degrees
_LINE = (
    (0, 22, 40, 56, 66, 76, 90, 108, 125, 150, 180),
    (0.76, 0.77, 0.66, 0.5, 0.26, 0.1, 0.22, 0.2, -0.15, -0.42, -0.5),
)


class Style(NamedTuple):
    """How hair lies. Lengths are decimetres."""

    ribbons: int
    wide: float
    points: int
    """of a ribbon, along it"""
    top: float
    """length of hair above the forehead"""
    sides: float
    """length of hair at the temples and the nape"""
    part: float
    """where the parting is, to the left of the middle"""
    lift: float
    """how steeply hair rises from the scalp"""
    fall: float
    """how fast it turns downwards"""
    back: float
    """how far hair of the forehead is combed backwards, per length aside"""
    lowest: float
    """height to which hair reaches, below the eyes"""


STYLES = {
    "bob": Style(320, 0.16, 8, 1.9, 1.5, 0.28, 0.22, 0.22, 0.15, 0.95),
    "short": Style(500, 0.10, 5, 0.5, 0.2, 0.3, 0.6, 0.1, 0.7, 0.7),
}


def scalp(body: Body) -> np.ndarray:
    """How far inside the hairline each point of the skin is, in decimetres: float64 [N]."""
    points = body.surface.points
    eye = body.joints["l-eye"]
    axis = _axis(body)
    angle = np.degrees(np.arctan2(np.abs(points[:, 0]), points[:, 2] - axis[2]))
    inside = points[:, 1] - eye[1] - np.interp(angle, *_LINE)
    ears = (np.abs(points[:, 0]) > 0.74) & (points[:, 1] < eye[1] + 0.25)
    return np.where(ears, -1, inside)


def _axis(body: Body) -> np.ndarray:
    """The middle of the skull."""
    points = body.surface.points
    skull = points[points[:, 1] > body.joints["l-eye"][1] + 0.3]
    return (skull.max(axis=0) + skull.min(axis=0)) / 2


def hair(body: Body, person: Person) -> List[Mesh]:
    """The ribbons."""
    style = STYLES[person.style]
    random = np.random.default_rng(17)
    depth = scalp(body)
    outward = normals(body.surface)
    roots, ups = _roots(body, depth, outward, style, random)
    lines, tops = _grown(body, roots, ups, style, random)
    return [_ribbons(lines, tops, style, person, random)]


def _roots(
    body: Body, depth: np.ndarray, outward: np.ndarray, style: Style, random: np.random.Generator
) -> Tuple[np.ndarray, np.ndarray]:
    """Where hair grows, evenly, and which way is out."""
    triangles = body.surface.triangles
    triangles = triangles[(depth[triangles] > 0.02).all(axis=1)]
    a, b, c = (body.surface.points[triangles[:, k]] for k in range(3))
    size = np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1))
    many = 12 * style.ribbons
    chosen = np.searchsorted(np.cumsum(size) / size.sum(), random.uniform(0, 1, many))
    chosen = np.minimum(chosen, len(size) - 1)
    u, v = random.uniform(0, 1, (2, many))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    shares = np.stack((1 - u - v, u, v), 1)
    places = (body.surface.points[triangles[chosen]] * shares[:, :, None]).sum(axis=1)
    ups = unit((outward[triangles[chosen]] * shares[:, :, None]).sum(axis=1))
    eye, axis = body.joints["l-eye"], _axis(body)
    fringe = np.exp(-((places[:, 1] - eye[1] - 0.76) ** 2) / 0.05) * (places[:, 2] > axis[2] + 0.3)
    parting = np.exp(-(((places[:, 0] - style.part) / 0.12) ** 2)) * (places[:, 1] > eye[1] + 0.7)
    dense = 1 + _FRINGE * np.maximum(fringe, parting)  # where hair begins, it is seen to
    # one after the other, the one that is farthest from all before
    kept = [0]
    nearest = ((places - places[0]) ** 2).sum(axis=1)
    while len(kept) < style.ribbons:
        kept.append(int((nearest * dense).argmax()))
        nearest = np.minimum(nearest, ((places - places[kept[-1]]) ** 2).sum(axis=1))
    return places[kept], ups[kept]


def _grown(
    body: Body, roots: np.ndarray, ups: np.ndarray, style: Style, random: np.random.Generator
) -> Tuple[np.ndarray, np.ndarray]:
    """Lines of hair, [points, K, 3], and which way is out at each point of them."""
    axis, eye = _axis(body), body.joints["l-eye"]
    count = len(roots)
    round_skull = _skull(body)
    high = np.clip((roots[:, 1] - eye[1] - 0.1) / 0.7, 0, 1)
    length = (style.sides + (style.top - style.sides) * high**1.5) * random.uniform(
        0.85, 1.1, count
    )
    steps = style.points - 1
    step = length / (steps * 4)
    parting = style.part + random.normal(0, 0.05, count)
    way = _combed(roots, ups, axis, style, high, parting)
    way = unit(way + random.normal(0, 0.07, (count, 3)))
    layer = random.uniform(0.03, 0.11, count) * (0.6 + 0.6 * high)
    place, lines, tops = roots - 0.02 * ups, [], []
    for k in range(4 * steps + 1):
        part = k / (4 * steps)
        near, out = _nearest(round_skull, place)
        if k % 4 == 0:
            lines.append(place.copy())
            tops.append(out)
        rise = style.lift * (1 - part) ** 2 * high
        tangent = unit(way - (way * out).sum(axis=1, keepdims=True) * out)
        way = unit(0.8 * way + 0.2 * tangent + np.array([0, -style.fall, 0]) * (0.3 + part))
        place = place + step[:, None] * unit(way + rise[:, None] * out)
        above = ((place - near) * out).sum(axis=1)
        least = layer * min(1, 3 * part + 0.15)
        place = place + np.maximum(least - above, 0)[:, None] * out
        stays = place[:, 1] < eye[1] - style.lowest
        place[stays, 1] = lines[-1][stays, 1] - 0.001
    return np.stack(lines), np.stack(tops)


def _skull(body: Body) -> Tuple[np.ndarray, np.ndarray]:
    points, out = body.surface.points, normals(body.surface)
    eye = body.joints["l-eye"]
    head = points[:, 1] > eye[1] - 1.2
    deep = body.hidden > 0.6
    kept = head & ~deep
    return points[kept], out[kept]


def _nearest(
    skull: Tuple[np.ndarray, np.ndarray], places: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    points, out = skull
    chosen = ((places[:, None] - points[None]) ** 2).sum(axis=2).argmin(axis=1)
    return points[chosen], out[chosen]


def _combed(
    roots: np.ndarray,
    ups: np.ndarray,
    axis: np.ndarray,
    style: Style,
    high: np.ndarray,
    parting: np.ndarray,
) -> np.ndarray:
    """Which way hair leaves the scalp: away from the parting on top, down and back at the sides."""
    aside = np.where(roots[:, 0] > parting, 1.0, -1.0)
    back = np.clip((axis[2] + 0.35 - roots[:, 2]) / 0.8, 0, 1)  # 0 at the forehead
    top = np.stack(
        (
            aside * (1 - 0.5 * back),
            np.full(len(roots), 0.0),
            -style.back - (1.05 - style.back) * back,
        ),
        1,
    )
    side = np.stack((0 * aside, np.full(len(roots), -1.0), np.full(len(roots), -0.45)), 1)
    way = high[:, None] * top + (1 - high[:, None]) * side
    return unit(way - (way * ups).sum(axis=1, keepdims=True) * ups)


def _ribbons(
    lines: np.ndarray, tops: np.ndarray, style: Style, person: Person, random: np.random.Generator
) -> Mesh:
    rows, count, _ = lines.shape
    ahead = unit(np.gradient(lines, axis=0))
    aside = unit(np.cross(ahead, tops))
    out = unit(np.cross(aside, ahead))
    along = np.linspace(0, 1, rows)[:, None, None]
    wide = style.wide * random.uniform(0.75, 1.2, count)[None, :, None]
    half = wide / 2 * np.minimum(1, 0.55 + 2 * along) * (1 - 0.5 * along**3)
    points = np.stack((lines - half * aside, lines + half * aside), axis=2)  # [rows, K, 2, 3]
    normal = np.stack((unit(out - 0.55 * aside), unit(out + 0.55 * aside)), axis=2)
    shade = random.uniform(0.7, 1.25, count)[None, :, None] * (0.55 + 0.6 * along)
    colours = np.repeat((linear(person.hair) * shade)[:, :, None], 2, axis=2)
    numbers = np.arange(count) % _NUMBERS
    across = np.array([0.01, 0.99])
    u = np.broadcast_to((numbers[None, :, None] + across) / _NUMBERS, (rows, count, 2))
    v = np.broadcast_to(along, (rows, count, 2))
    at = np.arange(rows * count * 2).reshape(rows, count, 2)
    a, b, c, d = at[:-1, :, 0], at[:-1, :, 1], at[1:, :, 0], at[1:, :, 1]
    triangles = np.concatenate(
        [np.stack(corners, -1).reshape(-1, 3) for corners in ((a, b, c), (b, d, c))]
    )
    return Mesh(
        "Hair",
        points.reshape(-1, 3),
        normal.reshape(-1, 3),
        triangles,
        colours.reshape(-1, 3),
        {},
        0.5,
        uv=np.stack((u, v), -1).reshape(-1, 2),
        both_sides=True,
    )
