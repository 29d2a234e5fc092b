"""Reading foreign checkpoints, also hostile and damaged ones (`make test-torch`)."""

import os
import pickle
import random
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from support.networks import weights

from edgeface.core.errors import DataError, MissingInputError
from edgeface.importer.adapter import read_arrays
from edgeface.importer.checkpoint import read_checkpoint, read_statistics
from edgeface.importer.unpickler import Opaque


class Evil:
    """What a hostile file asks for when it is unpickled."""

    def __init__(self, target):
        self._target = target

    def __reduce__(self):
        return os.system, (f"touch {self._target}",)


def test_layouts_and_precisions_are_read(numbers, checkpoints, tmp_path):
    plain, tuned = (
        read_checkpoint(checkpoints[name])["model"] for name in ("fasthubert", "fine_tuned")
    )
    for name, value in weights(numbers, "fasthubert").items():
        assert (plain[name] == value.numpy()).all()
    assert tuned["w2v_encoder.w2v_model.layer_norm.bias"].dtype == np.float16
    assert isinstance(read_checkpoint(checkpoints["fine_tuned"])["task"], Opaque)
    path, base = str(tmp_path / "t.pt"), torch.arange(12.0).reshape(3, 4)
    torch.save(
        {
            "t": base.t(),
            "part": base[1:, 2:],
            "b": base.bfloat16(),
            "p": torch.nn.Parameter(base),
            "i": torch.tensor(7),
            "none": torch.zeros(0, 3),
        },
        path,
    )
    got = read_checkpoint(path)
    assert (got["t"] == base.t().numpy()).all() and (got["part"] == base[1:, 2:].numpy()).all()
    assert (got["b"] == base.numpy()).all() and (got["p"] == base.numpy()).all()
    assert got["i"] == 7 and got["i"].shape == () and got["none"].size == 0


def test_statistics_are_read(tmp_path):
    mean, std = np.arange(80, dtype=np.float32), np.full(80, 2.0, np.float32)
    np.save(str(tmp_path / "c.npy"), {"mean": mean, "std": std})
    np.savez(str(tmp_path / "c.npz"), mean=mean, std=std)
    for name in ("c.npy", "c.npz"):
        assert (read_statistics(str(tmp_path / name))[0] == mean).all()
    np.save(str(tmp_path / "bad.npy"), {"mean": mean, "std": Evil(str(tmp_path / "hit"))})
    np.savez(str(tmp_path / "zero.npz"), mean=mean, std=0 * std)
    for name in ("bad.npy", "zero.npz"):
        with pytest.raises(DataError):
            read_statistics(str(tmp_path / name))
    assert not (tmp_path / "hit").exists()


def archive(path, pickled, **files):
    """A zip file as torch writes it."""
    with zipfile.ZipFile(path, "w", files.pop("compression", zipfile.ZIP_STORED)) as file:
        file.writestr("a/data.pkl", pickled)
        for name, data in files.items():
            file.writestr(f"a/data/{name.lstrip('_')}", data)
    return path


def tensor(count, offset, size, stride):
    """A pickle of {"model": tensor of storage 0}, written by hand."""

    def integers(values):
        return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"

    return (
        b"\x80\x02}X\x05\x00\x00\x00modelctorch._utils\n_rebuild_tensor_v2\n("
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ"
        + struct.pack("<i", count)
        + b"tQJ"
        + struct.pack("<i", offset)
        + integers(size)
        + integers(stride)
        + b"\x89}tRs."
    )


def test_hostile_files_do_nothing(tmp_path):
    hit = tmp_path / "hit"
    torch.save({"model": Evil(str(hit))}, str(tmp_path / "evil.pt"))
    assert isinstance(read_checkpoint(str(tmp_path / "evil.pt"))["model"], Opaque)
    with open(str(tmp_path / "old.pt"), "wb") as file:
        pickle.dump(Evil(str(hit)), file)
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "program.pt"))
    bomb = (
        b"\x80\x02]"
        + b"q\x00"
        + b"".join(
            b"]h" + bytes([i]) + b"ah" + bytes([i]) + b"aq" + bytes([i + 1]) for i in range(60)
        )
        + b"."
    )
    keys = b"\x80\x02)" + b"".join(
        b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(60)
    )
    good = tensor(4, 0, (2, 2), (2, 1))
    assert (
        read_checkpoint(archive(str(tmp_path / "good.pt"), good, _0=b"\0" * 16))["model"] == 0
    ).all()
    cases = {
        "old": None,
        "program": None,
        "hash": (b"\x80\x02}" + keys[2:] + b"Ns.", {}),
        "memo": (b"\x80\x02Nr\xff\xff\xff\x7f0.", {}),
        "long": (b"\x80\x02\x8b\xff\xff\xff\x7f.", {}),
        "big": (tensor(4, 0, (2**30, 2**30), (1, 1)), {"_0": b"\0" * 16}),
        "stretched": (tensor(4, 0, (2**30,), (0,)), {"_0": b"\0" * 16}),
        "beyond": (tensor(4, 3, (2,), (1,)), {"_0": b"\0" * 16}),
        "negative": (tensor(4, -1, (2,), (1,)), {"_0": b"\0" * 16}),
        "short": (tensor(4, 0, (2,), (1,)), {"_0": b"\0" * 8}),
        "absent": (good, {}),
        "compressed": (good, {"_0": b"\0" * 16, "compression": zipfile.ZIP_DEFLATED}),
    }
    for name, case in cases.items():
        path = str(tmp_path / f"{name}.pt")
        if case:
            archive(path, case[0], **case[1])
        with pytest.raises(DataError) as caught:
            read_checkpoint(path)
        assert f"{name}.pt" in str(caught.value) and "\n" not in str(caught.value)
    read_checkpoint(archive(str(tmp_path / "nested.pt"), bomb))  # of no use, but it ends
    assert not hit.exists()


def peak_bytes(call):
    """Memory that Python and NumPy held at most during a call."""
    tracemalloc.start()
    try:
        call()
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def refused(path, word):
    with pytest.raises(DataError, match=word) as caught:
        read_checkpoint(path)
    assert path in str(caught.value) and "\n" not in str(caught.value)


def test_a_small_file_cannot_claim_much_memory(tmp_path):
    """8 MB whose 2,000 tensors of one storage would be 16 GB; buffers of 16 GB in a few bytes."""
    base = torch.zeros(2 << 20)
    shared = str(tmp_path / "shared.pt")
    torch.save({f"t{number}": base[:] for number in range(2000)}, shared)
    assert os.path.getsize(shared) < 9 << 20
    assert peak_bytes(lambda: refused(shared, "much larger than the file")) < 300 << 20
    path = str(tmp_path / "buffer.pt")
    for code in (b"\x96", b"\x97", b"\x98"):
        archive(path, b"\x80\x05" + code + struct.pack("<Q", 1 << 34))
        assert peak_bytes(lambda: refused(path, "a buffer")) < 50 << 20


def test_storages_that_are_shared_a_little_are_read(tmp_path):
    base = torch.arange(1000.0)
    torch.save({f"t{number}": base[number:] for number in range(20)}, str(tmp_path / "a.pt"))
    found = read_checkpoint(str(tmp_path / "a.pt"))
    assert (found["t7"] == base[7:].numpy()).all()


def test_sizes_in_the_zip_file_that_lie_are_found(tmp_path):
    path = archive(str(tmp_path / "a.pt"), tensor(4, 0, (2, 2), (2, 1)), _0=b"\0" * 16)
    with open(path, "rb") as file:
        content = bytearray(file.read())
    at = content.rindex(b"PK\x01\x02") + 20
    content[at : at + 8] = struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0)
    with open(path, "wb") as file:
        file.write(content)
    assert peak_bytes(lambda: refused(path, "larger than the file")) < 50 << 20


def test_only_regular_files_are_read(tmp_path):
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    for read in (read_checkpoint, read_statistics):
        with pytest.raises(MissingInputError, match="not a regular file"):
            read(path)
    with pytest.raises(DataError, match="not a regular file"):
        read_arrays(path, ["a"])


def test_arrays_that_claim_too_much_are_refused(tmp_path):
    """Databases, bases, adapters and statistics: 80 kB that would be 80 MB."""
    path = str(tmp_path / "a.npz")
    np.savez_compressed(path, mean=np.zeros(20 << 20, np.float32), std=np.ones(80, np.float32))
    for read in (read_statistics, lambda name: read_arrays(name, ["mean"])):
        with pytest.raises(DataError, match="much larger"):
            read(path)


def test_damaged_checkpoints_end_in_an_error_or_in_arrays(checkpoints, tmp_path):
    """400 files with bytes changed, cut or doubled."""
    rng, path = random.Random(7), str(tmp_path / "fuzz.pt")
    with open(checkpoints["fasthubert"], "rb") as file:
        whole = file.read()
    with zipfile.ZipFile(checkpoints["fasthubert"]) as file:
        name = next(n for n in file.namelist() if n.endswith("data.pkl"))
        pickled, storages = (
            file.read(name),
            {n: file.read(n) for n in file.namelist() if "/data/" in n},
        )
    refused = 0
    for turn in range(400):
        if turn % 2:  # the pickle alone, below valid checksums
            data = bytearray(pickled)
            for _ in range(rng.randint(1, 6)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            archive(
                path, bytes(data), **{f"_{n.split('/data/')[1]}": d for n, d in storages.items()}
            )
        else:
            data = bytearray(whole[: rng.randrange(len(whole))] if turn % 4 else whole)
            for _ in range(rng.randint(1, 30)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            with open(path, "wb") as file:
                file.write(data)
        try:
            read_checkpoint(path)
        except DataError:
            refused += 1
    assert refused > 200
