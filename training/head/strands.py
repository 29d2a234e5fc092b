"""Brows and lashes, hair by hair: thin triangles that move with the skin."""

import re
from typing import Dict, List

import numpy as np

from .glb import Mesh
from .makehuman import MakeHuman
from .people import Person
from .skin import Body, linear, pruned
from .surface import front, normals, unit

# MakeHuman's vertices along the lids of the left eye, from the nose outwards: where lashes begin,
# in the middle, and their tips
_UPPER = (
    (14762, 14761, 14760, 14743, 14742, 14744, 14745, 14746, 14747, 14748, 14749),
    (14771, 14774, 14775, 14794, 14795, 14791, 14790, 14789, 14788, 14787, 14786),
    (14807, 14806, 14809, 14816, 14817, 14815, 14814, 14813, 14812, 14811, 14810),
)
_LIDS = re.compile("eye|cheekSquint|browDown")  # shapes that move lashes
_LOWER = (
    (14759, 14758, 14757, 14756, 14755, 14754, 14753, 14752, 14751),
    (14776, 14777, 14778, 14779, 14780, 14781, 14782, 14783, 14784),
    (14830, 14834, 14835, 14836, 14837, 14838, 14839, 14840, 14831),
)
# along a brow, from the nose outwards: x and y from the eye's centre, dm; the roots' width;
# the hairs' way, degrees from outwards to up
_BROW = (
    (-0.115, 0.172, 0.05, 66.0),
    (-0.03, 0.197, 0.062, 38.0),
    (0.075, 0.217, 0.055, 16.0),
    (0.18, 0.208, 0.04, -6.0),
    (0.28, 0.155, 0.018, -28.0),
)


def lashes(source: MakeHuman, body: Body, person: Person) -> Mesh:
    """Upper and lower lashes of both eyes."""
    random = np.random.default_rng(11)
    lines, shapes = [], {}
    for rows, count, length in ((_UPPER, 54, 0.9), (_LOWER, 30, 0.5)):
        numbers = np.array(rows)
        for side in (1, -1):
            at = (np.arange(count) + random.uniform(0.2, 0.8, count)) / count * (len(rows[0]) - 1)
            fan = np.clip(at + random.uniform(-0.25, 0.25, count), 0, len(rows[0]) - 1)
            part = length * random.uniform(0.75, 1.0, count)
            lines.append(_bent(body.vertices, numbers, at, fan, part) * (side, 1, 1))
            for name in filter(_LIDS.match, body.shapes):
                moved = source.shape(name if side > 0 else _other_side(name)) * (side, 1, 1)
                shapes.setdefault(name, []).append(_bent(moved, numbers, at, fan, part))
    line = np.concatenate(lines, axis=1)
    moved = {name: np.concatenate(parts, axis=1) for name, parts in shapes.items()}
    colour = linear(person.hair) * 0.25
    return _strips("Lashes", line, moved, 0.0034, np.tile(colour, (line.shape[1], 1)), person)


def _other_side(name: str) -> str:
    """What does on the left what a shape does on the right."""
    sides = {"Left": "Right", "Right": "Left"}
    return re.sub("(Left|Right)$", lambda side: sides[side.group()], name)


def _bent(
    values: np.ndarray, numbers: np.ndarray, at: np.ndarray, fan: np.ndarray, part: np.ndarray
) -> np.ndarray:
    """Three points of each lash: root, middle and tip, [3, K, 3]; the tip bends upwards."""
    root, middle, tip = (
        _between(values[row], where) for row, where in zip(numbers, (at, fan, fan))
    )
    part = part[:, None]
    reach = root + part * (tip - root)
    return np.stack((root, 0.4 * root + 0.35 * reach + 0.25 * middle, reach))


def _between(row: np.ndarray, at: np.ndarray) -> np.ndarray:
    below = np.minimum(at.astype(int), len(row) - 2)
    part = (at - below)[:, None]
    return row[below] * (1 - part) + row[below + 1] * part


def brows(body: Body, person: Person) -> Mesh:
    """Both brows."""
    random = np.random.default_rng(13)
    path = np.array(_BROW)
    spots = []
    for side in (1, -1):
        count = person.brows
        along = np.sort(random.uniform(0, 1, count)) * (len(path) - 1)
        x, y, wide, angle = (np.interp(along, np.arange(len(path)), column) for column in path.T)
        y = y + wide * random.uniform(-0.5, 0.5, count)
        angle = np.radians(
            angle
            + random.normal(0, 9, count)
            - 30 * (y - np.interp(along, np.arange(5), path[:, 1])) / wide
        )
        length = random.uniform(0.06, 0.1, count) * np.interp(
            along, [0, 1, 3, 4], [0.75, 1, 1, 0.8]
        )
        roots = np.stack((x, y), 1)
        way = np.stack((np.cos(angle), np.sin(angle)), 1) * length[:, None]
        droop = np.stack((np.zeros(count), -0.25 * length), 1)
        points = [roots, roots + 0.55 * way, roots + way + droop * 0.5]
        eye = body.joints["l-eye"][:2]
        for points_2d, lift in zip(points, (0.0, 0.012, 0.008)):
            spot = front(body.surface, (points_2d + eye) * [side, 1])
            spots.append((spot, lift))
    surface_normals = normals(body.surface)

    def line(values: np.ndarray, lifted: bool) -> np.ndarray:
        rows = []
        for spot, lift in spots:
            row = spot.of(values)
            rows.append(row + lift * unit(spot.of(surface_normals)) if lifted else row)
        return np.stack([np.concatenate((rows[k], rows[k + 3])) for k in range(3)])

    middle = line(body.surface.points, True)
    moved = {name: line(shape, False) for name, shape in body.shapes.items()}
    shade = random.uniform(0.6, 1.15, middle.shape[1])[:, None]
    return _strips("Brows", middle, moved, 0.0046, linear(person.hair) * 0.75 * shade, person)


def _strips(
    name: str,
    line: np.ndarray,
    moved: Dict[str, np.ndarray],
    wide: float,
    colours: np.ndarray,
    person: Person,
) -> Mesh:
    """Hairs of five points each, flat towards the front, that end in a tip."""
    count = line.shape[1]
    way = unit(line[2] - line[0])
    aside = (
        unit(np.stack((way[:, 1], -way[:, 0], np.zeros(count)), 1)) * wide / 2
    )  # to the right of it
    order = (0, 0, 1, 1, 2)
    points = np.stack(
        (line[0] - aside, line[0] + aside, line[1] - 0.8 * aside, line[1] + 0.8 * aside, line[2]), 1
    )
    first = 5 * np.arange(count)[:, None, None]
    triangles = (first + np.array([(0, 1, 2), (1, 3, 2), (2, 3, 4)])).reshape(-1, 3)
    shapes: Dict[str, np.ndarray] = {}
    for shape, rows in moved.items():
        delta = pruned(np.stack([rows[k] for k in order], 1).reshape(-1, 3))
        if delta.any():
            shapes[shape] = delta
    up = np.tile(unit(np.array([0.0, 0.35, 1.0])), (5 * count, 1))
    return Mesh(
        name, points.reshape(-1, 3), up, triangles, np.repeat(colours, 5, axis=0), shapes, 0.6
    )


def strands(source: MakeHuman, body: Body, person: Person) -> List[Mesh]:
    """Brows and lashes."""
    return [brows(body, person), lashes(source, body, person)]
