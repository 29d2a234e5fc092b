"""NumPy's files: what a small one claims is not believed."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest

from edgeface.core.arrays import read_npy, read_npz


def header(shape, kind="<f4"):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize("kind", ["<f4", ">f8", "<i2", "?"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_read_as_numpy_reads_them(tmp_path, kind, shape, order):
    array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape), kind, order=order)
    np.save(str(tmp_path / "a.npy"), array)
    np.savez_compressed(str(tmp_path / "a.npz"), a=array, b=array)
    found = [read_npy(str(tmp_path / "a.npy")), read_npz(str(tmp_path / "a.npz"), ["a", "c"])["a"]]
    for got in found:
        assert got.dtype == array.dtype and got.shape == array.shape and (got == array).all()
    assert sorted(read_npz(str(tmp_path / "a.npz"))) == ["a", "b"]


@pytest.mark.parametrize("shape", [(1 << 32,), (1 << 20, 1 << 20), (10**30,), (-1,), (5,)])
def test_an_array_larger_than_its_file_is_refused(tmp_path, shape):
    content = header(shape) + bytes(16)
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError):
        read_npy(str(tmp_path / "a.npy"))
    with zipfile.ZipFile(str(tmp_path / "a.npz"), "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(ValueError):
        read_npz(str(tmp_path / "a.npz"))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """80 MB of zeros in 80 kB."""
    path = str(tmp_path / "a.npz")
    np.savez_compressed(path, a=np.zeros(20 << 20, np.float32))
    with pytest.raises(ValueError, match="much larger"):
        read_npz(path)
    assert read_npz(path, ["b"]) == {}


def test_a_size_in_the_zip_file_that_lies_is_found(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header((1 << 12,)) + bytes(4 << 12))
    content = bytearray(file.getvalue())
    at = content.rindex(b"PK\x01\x02") + 24  # the size in the directory
    content[at : at + 4] = struct.pack("<I", 0xFFFFFFF0)
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    pytest.raises(ValueError, read_npz, str(path))


def test_objects_are_refused(tmp_path):
    np.save(str(tmp_path / "a.npy"), np.array([{}]), allow_pickle=True)
    pytest.raises(ValueError, read_npy, str(tmp_path / "a.npy"))


def test_any_bytes_are_arrays_or_an_error(tmp_path):
    np.savez_compressed(str(tmp_path / "a.npz"), a=np.arange(50.0))
    whole = (tmp_path / "a.npz").read_bytes()
    rng = np.random.default_rng(1)
    path = tmp_path / "b.npz"
    for _ in range(300):
        damaged = bytearray(whole[: rng.integers(len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(3):
            if damaged:
                damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_npz(str(path))
        except (ValueError, OSError):
            continue


def test_only_regular_files_are_read(tmp_path):
    path = str(tmp_path / "a.npz")
    os.mkfifo(path)
    pytest.raises(OSError, read_npz, path)
    pytest.raises(OSError, read_npy, path)
