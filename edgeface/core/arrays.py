"""NumPy's files, read so that a small one cannot take much memory."""

import zipfile
import zlib
from typing import IO, BinaryIO, Dict, Optional, Sequence

import numpy as np

from .files import open_regular

_ALWAYS_BYTES = 64 << 20
_MOST_RATIO = (
    20  # of the size in memory to that of the file; numbers that were computed have 1 to 2
)


def read_npy(path: str) -> np.ndarray:
    """The array of an .npy.

    :raises OSError: the file cannot be read
    :raises ValueError: it is damaged, holds objects, or claims to be larger than it is
    """
    with open_regular(path) as file:
        return _array(file, _size_of(file))


def read_npz(path: str, names: Optional[Sequence[str]] = None) -> Dict[str, np.ndarray]:
    """Arrays of an .npz, those of `names` that are there.

    :raises OSError: the file cannot be read
    :raises ValueError: it is damaged, holds objects, or claims to be much larger than the file
    """
    with open_regular(path) as file:
        most = max(_ALWAYS_BYTES, _MOST_RATIO * _size_of(file))
        try:
            with zipfile.ZipFile(file) as archive:
                return _members(archive, names, most)
        except (
            zipfile.BadZipFile,
            EOFError,
            NotImplementedError,
            RuntimeError,
            zlib.error,
        ) as error:
            raise ValueError(f"a damaged zip file, {error}") from None


def _members(
    archive: zipfile.ZipFile, names: Optional[Sequence[str]], most: int
) -> Dict[str, np.ndarray]:
    found: Dict[str, np.ndarray] = {}
    for info in archive.infolist():
        name = info.filename[: -len(".npy")]
        if not info.filename.endswith(".npy") or not (names is None or name in names):
            continue
        most -= info.file_size
        if most < 0:
            raise ValueError("arrays much larger than the file")
        with archive.open(info) as member:
            found[name] = _array(member, info.file_size)
    return found


def _size_of(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _array(file: IO[bytes], size: int) -> np.ndarray:
    """An array out of a stream of so many bytes."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError("another version of NumPy's format")
    read_header = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    shape, fortran, kind = read_header(file)
    if kind.hasobject:
        raise ValueError("objects instead of numbers")
    count = 1
    for length in shape:
        if length < 0:
            raise ValueError("a negative length")
        count *= length
    if count * kind.itemsize > size:
        raise ValueError("an array larger than the file")
    data = bytearray()
    while len(data) < count * kind.itemsize:
        piece = file.read(count * kind.itemsize - len(data))
        if not piece:
            raise ValueError("ends before its array does")
        data += piece
    if not data:
        return np.zeros(shape, kind)
    return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")
