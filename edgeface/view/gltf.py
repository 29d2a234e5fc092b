"""Reads the description in a GLB file, and refuses what would hurt the page that shows it."""

import json
import os
import stat
import struct
from typing import Any, BinaryIO, Dict, List

from ..core.errors import DataError, MissingInputError

LARGEST = 256 << 20  # bytes of a file; avatars have 1 to 60 MB
_LARGEST_JSON = 16 << 20  # bytes
_MOST_ITEMS = 1 << 23  # of an accessor: vertices, or indices
_LARGEST_BUFFER = 512 << 20  # bytes, once unpacked
_MAGIC = b"glTF"
_HEADER = struct.Struct("<4sII")
_CHUNK = struct.Struct("<I4s")
_EXPORT = "export it as a GLB file with everything in it"
_COMPRESSED = {
    "KHR_draco_mesh_compression": "compressed meshes (Draco)",
    "KHR_texture_basisu": "compressed pictures (KTX2)",
}

Object = Dict[str, Any]


def read_description(path: str) -> Object:
    """The glTF object of a GLB or VRM file.

    :raises MissingInputError: the file cannot be read
    :raises DataError: it is damaged, too large, or not complete in itself
    """
    try:
        with open(path, "rb", opener=_open) as file:
            return _checked(path, _parsed(path, file))
    except OSError as error:
        raise MissingInputError(
            f"{path}: {error.strerror}; name a GLB or VRM file that user {os.geteuid()} may read"
        ) from None


def objects(parent: Any, key: str) -> List[Object]:
    """The objects of a list in an object; anything else is left out."""
    values = parent.get(key) if isinstance(parent, dict) else None
    return (
        [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    )


def child(parent: Any, *keys: str) -> Object:
    """An object within objects; empty where there is none."""
    for key in keys:
        parent = parent.get(key) if isinstance(parent, dict) else None
    return parent if isinstance(parent, dict) else {}


def _open(path: str, flags: int) -> int:
    # a pipe must not block
    return os.open(path, flags | os.O_NONBLOCK)


def _parsed(path: str, file: BinaryIO) -> Any:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path}: no regular file; name a GLB or VRM file")
    if status.st_size > LARGEST:
        raise DataError(
            f"{path}: {status.st_size >> 20} MB, too large for the page; reduce its pictures and"
            f" meshes to {LARGEST >> 20} MB"
        )
    head = file.read(_HEADER.size + _CHUNK.size)
    if head[:4] != _MAGIC:
        raise DataError(f"{path}: no GLB or VRM file; {_EXPORT}")
    if len(head) < _HEADER.size + _CHUNK.size:
        raise DataError(f"{path}: damaged, it ends within its header; {_EXPORT} again")
    _, version, length = _HEADER.unpack_from(head)
    size, kind = _CHUNK.unpack_from(head, _HEADER.size)
    if version != 2:
        raise DataError(f"{path}: glTF version {version}, where 2 is read; {_EXPORT} again")
    if length > status.st_size:
        raise DataError(
            f"{path}: damaged, {status.st_size} of {length} bytes; copy or {_EXPORT} again"
        )
    if kind != b"JSON" or size > min(_LARGEST_JSON, length - len(head)):
        raise DataError(f"{path}: damaged, its description is no JSON chunk; {_EXPORT} again")
    try:
        return json.loads(file.read(size).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged description ({error}); {_EXPORT} again") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _checked(path: str, gltf: Any) -> Object:
    if not isinstance(gltf, dict) or not objects(gltf, "nodes"):
        raise DataError(f"{path}: nothing in it to show; {_EXPORT} again")
    required = gltf.get("extensionsRequired")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name in _COMPRESSED:
            raise DataError(f"{path}: {_COMPRESSED[name]} are not read; export it without")
    for item in objects(gltf, "buffers") + objects(gltf, "images"):
        uri = item.get("uri", "data:")
        if not (isinstance(uri, str) and uri.startswith("data:")):
            raise DataError(f"{path}: needs the file {str(uri)[:80]!r} beside it; {_EXPORT}")
    for item in objects(gltf, "accessors"):
        if not _within(item.get("count"), _MOST_ITEMS):
            raise DataError(f"{path}: damaged, it claims {item.get('count')!r:.40} vertices")
    _check_unpacked(path, gltf)
    _check_tree(path, gltf)
    return gltf


def _check_unpacked(path: str, gltf: Object) -> None:
    """Buffers that are compressed, or that have no bytes in the file, say how large they become."""
    views = [
        child(view, "extensions", "EXT_meshopt_compression")
        for view in objects(gltf, "bufferViews")
    ]
    sizes = [item.get("byteLength") for item in objects(gltf, "buffers")]
    for view in filter(None, views):
        count: Any = view.get("count")
        stride: Any = view.get("byteStride")
        if not (_within(count, _MOST_ITEMS) and _within(stride, 256)):
            raise DataError(f"{path}: damaged, its compressed meshes claim no possible size")
        sizes.append(count * stride)
    if not all(_within(size, _LARGEST_BUFFER) for size in sizes):
        raise DataError(f"{path}: damaged, it claims more than {_LARGEST_BUFFER >> 20} MB of data")


def _within(value: Any, most: int) -> bool:
    return isinstance(value, int) and 0 <= value <= most


def _check_tree(path: str, gltf: Object) -> None:
    """No node is below itself, or below two others: a loader would not come to an end."""
    nodes = gltf["nodes"]
    waiting = [at for scene in objects(gltf, "scenes") for at in set(_indices(scene.get("nodes")))]
    seen = set()
    while waiting:
        at = waiting.pop()
        node = nodes[at] if 0 <= at < len(nodes) else None
        if not isinstance(node, dict):
            raise DataError(f"{path}: damaged, node {at} does not exist; {_EXPORT} again")
        if at in seen:
            raise DataError(f"{path}: damaged, node {at} is in two places; {_EXPORT} again")
        seen.add(at)
        waiting += _indices(node.get("children"))


def _indices(values: Any) -> List[int]:
    if not isinstance(values, list):
        return []
    return [value for value in values if isinstance(value, int)]
