"""Arrays out of foreign checkpoints, without running anything that is in the file.

Reads PyTorch's zip format and pickled NumPy files.
"""

import io
import os
import zipfile
from typing import Any, BinaryIO, Dict, Tuple

import numpy as np

from ..core.arrays import read_npz
from ..core.errors import DataError, MissingInputError, one_line
from ..core.files import open_regular
from ..features.fbank import MEL_BINS
from .unpickler import BFLOAT16, Unpickler

_MOST_PICKLE_BYTES = 64 << 20
# tensors may share storages, and are float32 where the file has bfloat16; more is a bomb
_ALWAYS_BYTES = 64 << 20
_MOST_RATIO = 8


def _open(path: str) -> BinaryIO:
    try:
        return open_regular(path)
    except OSError as error:
        raise MissingInputError(f"{path}: {error.strerror}; check the path") from None


def read_checkpoint(path: str) -> Any:
    """What a file of `torch.save` holds: dicts, lists, plain values, arrays; `Opaque` for the rest.

    :raises MissingInputError: the file is missing, or is no regular one
    :raises DataError: it is no checkpoint, or damaged
    """
    with _open(path) as file:
        if not file.read(2) == b"PK":
            raise DataError(
                f"{path}: no checkpoint of PyTorch 1.6 or newer (a zip file); "
                "load an older one and save it again"
            )
        try:
            with zipfile.ZipFile(file) as archive:
                return _from_archive(archive, os.fstat(file.fileno()).st_size)
        except Exception as error:  # whatever parsers do with rubbish
            raise DataError(
                f"{path}: damaged, or no checkpoint ({_reason(error)}); fetch it again"
            ) from None


def _from_archive(archive: zipfile.ZipFile, size: int) -> Any:
    infos = {info.filename: info for info in archive.infolist()}
    if sum(info.file_size for info in infos.values()) > size:
        raise ValueError("its parts are larger than the file")
    pickles = [name for name in infos if name.endswith("data.pkl") and name.count("/") <= 1]
    if len(pickles) != 1:
        raise ValueError("it has no data.pkl")
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos.values()):
        raise ValueError("it is compressed")  # torch never does, and a bomb must
    root = pickles[0][: -len("data.pkl")]
    if f"{root}constants.pkl" in infos:
        raise ValueError("it is a TorchScript program, not a checkpoint")
    if f"{root}byteorder" in infos and archive.read(f"{root}byteorder") != b"little":
        raise ValueError("it is big-endian")
    if infos[pickles[0]].file_size > _MOST_PICKLE_BYTES:
        raise ValueError("its data.pkl is too large")
    kept: Dict[str, Tuple[str, np.ndarray]] = {}

    def storage(kind: str, name: str, count: int) -> np.ndarray:
        if name not in kept:
            data = archive.read(infos[f"{root}data/{name}"])
            if kind == BFLOAT16:
                array = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
            else:
                array = np.frombuffer(data, kind)
            if len(array) != count:
                raise ValueError(f"storage {name} is not as long as it says")
            kept[name] = (kind, array)
        if kept[name][0] != kind:
            raise ValueError(f"storage {name} has two types")
        return kept[name][1]

    most_bytes = max(_ALWAYS_BYTES, _MOST_RATIO * size)
    return Unpickler(archive.read(pickles[0]), storage, most_bytes).load()


def read_statistics(path: str) -> Tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of Fbank, each float32 [80].

    :param path: `global_cmvn.npy`, which is a pickled dict, or an .npz
    :raises MissingInputError: the file is missing
    :raises DataError: it is damaged, or holds something else
    """
    with _open(path) as file:
        content = file.read(_MOST_PICKLE_BYTES)
    try:
        if content.startswith(b"PK"):
            found = read_npz(path, ("mean", "std"))
        else:
            stream = io.BytesIO(content)
            np.lib.format.read_magic(stream)
            np.lib.format.read_array_header_1_0(stream)
            value = Unpickler(stream.read()).load().value[0]
            found = {name: value[name].value for name in ("mean", "std")}
        mean = np.asarray(found["mean"], np.float32).reshape(MEL_BINS)
        std = np.asarray(found["std"], np.float32).reshape(MEL_BINS)
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
            raise ValueError("its numbers cannot be a mean and a deviation")
    except Exception as error:  # whatever parsers do with rubbish
        raise DataError(
            f"{path}: no statistics of {MEL_BINS} mel bins, mean and std ({_reason(error)})"
        ) from None
    return mean, std


def _reason(error: Exception) -> str:
    return one_line(error, 120) or type(error).__name__
