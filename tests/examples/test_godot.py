"""The Godot example: syntax of Godot 4, and run by a real Godot 3 without a screen."""

import os
import random
import shutil
import socket
import subprocess
import threading

import pytest
from support.bridge_frames import frame_of
from support.process import wait_for

import edgeface
from edgeface.bridge.osc import Osc

pytestmark = pytest.mark.system
SCRIPT = os.path.join(os.path.dirname(edgeface.__file__), "examples", "godot", "edgeface_osc.gd")
# a mesh with two shapes, the script below it, and what it sets
RUNNER = """
extends SceneTree

func _init():
    var triangle = []
    triangle.resize(ArrayMesh.ARRAY_MAX)
    triangle[ArrayMesh.ARRAY_VERTEX] = PoolVector3Array([Vector3(), Vector3(1, 0, 0), Vector3()])
    var mesh = ArrayMesh.new()
    mesh.add_blend_shape("jawOpen")
    mesh.add_blend_shape("mouthSmileLeft")
    mesh.add_surface_from_arrays(Mesh.PRIMITIVE_TRIANGLES, triangle, [triangle, triangle])
    var head = MeshInstance.new()
    head.mesh = mesh
    get_root().add_child(head)
    var face = load("res://edgeface_osc.gd").new()
    face.port = int(OS.get_environment("EDGEFACE_PORT"))
    face.connect("heard", self, "_heard", [head])
    head.add_child(face)
    print("listening")

func _heard(shape, value, head):
    print("%s %.3f %s %s" % [
        shape, value, head.get("blend_shapes/jawOpen"), head.get("blend_shapes/mouthSmileLeft")
    ])
"""


def test_the_script_is_valid_for_godot_4():
    from gdtoolkit.linter import lint_code
    from gdtoolkit.parser import parser

    with open(SCRIPT, encoding="utf-8") as file:
        code = file.read()
    parser.parse(code)
    assert lint_code(code) == []


@pytest.fixture
def godot(tmp_path):
    """Godot with the script: its port, and the lines that it prints."""
    shutil.copy(SCRIPT, str(tmp_path))
    (tmp_path / "project.godot").write_text("config_version=4\n")
    (tmp_path / "runner.gd").write_text(RUNNER)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["godot3-server", "--path", str(tmp_path), "-s", "runner.gd"],
        env=dict(os.environ, EDGEFACE_PORT=str(port), HOME=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    reader.start()
    try:
        wait_for(lambda: "listening\n" in lines, 60)
        yield port, lines
    finally:
        process.kill()
        process.wait()
        reader.join(30)


def test_godot_moves_a_mesh_and_survives_noise(godot):
    port, lines = godot
    osc = Osc("/edgeface")
    noise = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        for datagram in osc.encode(frame_of(jawOpen=0.5, mouthSmileLeft=0.25), 0.0):
            sender.send(datagram)
        wait_for(lambda: "level -20.000 0.5 0.25\n" in lines, 60)
        for size in range(100):
            junk = bytes(noise.getrandbits(8) for _ in range(size))
            sender.send(junk)
            sender.send(b"#bundle\0\0\0\0\0\0\0\0\x01" + junk)
            sender.send(datagram[: 4 * size])
        (datagram,) = osc.encode(frame_of(jawOpen=0.75, mouthSmileLeft=0.25), 0.1)
        moved = "jawOpen 0.750 0.75 0.25\n"  # the noise may have filled Godot's buffer
        wait_for(lambda: sender.send(datagram) and moved in lines, 60)
    assert not [line for line in lines if "SCRIPT ERROR" in line]
