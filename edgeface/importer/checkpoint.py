"""Arrays out of foreign checkpoints; nothing that is in the file is run.

Reads PyTorch's zip format and pickled NumPy files with Python's own unpickler,
which may build arrays, dicts and plain values only; all other objects become
`Opaque`, and no name in the file is ever imported.
"""

import io
import pickle
import zipfile

import numpy as np

from ..core.errors import DataError, MissingInputError

_MOST_PICKLE_BYTES = 64 << 20
_MOST_DIMENSIONS = 8
_BFLOAT16 = "bfloat16"
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": _BFLOAT16,
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class Opaque:
    """Stands for an object of a class that is not built; takes whatever a pickle does to it and keeps nothing."""

    def _make(cls, *_args, **_options):  # noqa: N805
        return object.__new__(cls)

    def _ignore(self, *_args, **_options):
        return None

    __new__ = _make
    __init__ = __call__ = __setstate__ = append = extend = __setitem__ = _ignore


# what may be the key of a dict
_KEYS = (str, bytes, int, float, bool, type(None), Opaque)


class _Array:
    """A NumPy array while its pickle is read."""

    value = None

    def __setstate__(self, state):
        _version, shape, dtype, fortran, data = state
        if isinstance(data, list):  # of objects; the dict of statistics is one
            self.value = data
            return
        self.value = np.frombuffer(data, dtype.value).reshape(shape, order="F" if fortran else "C")


class _Kind:
    """A NumPy dtype while its pickle is read: numbers only."""

    def __init__(self, name, *_):
        self._name = name
        self.value = None if name.startswith("O") else self._number("<")

    def __setstate__(self, state):
        if self.value is not None:
            self.value = self._number("<" if state[1] in ("|", "=") else state[1])

    def _number(self, order):
        kind = np.dtype(self._name).newbyteorder(order)
        if kind.kind not in "biuf":
            raise ValueError(f"an array of {self._name!r}")
        return kind


class _Unpickler(
    pickle._Unpickler
):  # Python's own: the one in C lets a file ask for any amount of memory
    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, data, storage=None):
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._storage = storage

    def find_class(self, module, name):
        """Never a class of the file's choice; what is built anew each time cannot be tampered with for good."""
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("collections", "OrderedDict"):
            return type("OrderedDict", (dict,), {})
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return lambda storage, offset, size, stride, *_: _tensor(storage, offset, size, stride)
        if module == "torch._utils" and name == "_rebuild_parameter":
            return lambda data, *_: data
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return lambda *_: _Array()
        if (module, name) == ("numpy", "dtype"):
            return type("dtype", (_Kind,), {})
        return type("Opaque", (Opaque,), {})

    def persistent_load(self, key):
        """A storage: flat array."""
        if self._storage is None:
            raise pickle.UnpicklingError("a storage outside a checkpoint")
        _, kind, name, _location, count = key
        return self._storage(kind, str(name), count)

    def get_extension(self, _code):
        """Extensions are imports by number."""
        raise pickle.UnpicklingError("an extension")

    def _check(self, keys):
        """Hashing tuples of tuples can take for ever."""
        if not all(isinstance(key, _KEYS) for key in keys):
            raise pickle.UnpicklingError("a key that is no text or number")

    def load_setitem(self):
        self._check(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self):
        self._check(self.stack[::2])
        super().load_setitems()

    def load_dict(self):
        self._check(self.stack[::2])
        super().load_dict()

    def load_set(self):
        raise pickle.UnpicklingError("a set")

    dispatch.update(
        {
            pickle.SETITEM[0]: load_setitem,
            pickle.SETITEMS[0]: load_setitems,
            pickle.DICT[0]: load_dict,
            pickle.ADDITEMS[0]: load_set,
            pickle.FROZENSET[0]: load_set,
        }
    )


def _tensor(storage, offset, size, stride):
    if not (
        isinstance(storage, np.ndarray)
        and storage.ndim == 1
        and len(size) == len(stride) <= _MOST_DIMENSIONS
        and all(type(n) is int and n >= 0 for n in (offset,) + tuple(size) + tuple(stride))
    ):
        raise ValueError("a tensor that is none")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    # no stride of zero: a small file must not become a large array
    if 0 in size:
        return np.zeros(0, storage.dtype).reshape([0 if n == 0 else 1 for n in size])
    if last >= len(storage) or any(step == 0 and n > 1 for n, step in zip(size, stride)):
        raise ValueError("a tensor larger than its storage")
    if np.prod(np.array(size, float)) > len(storage):
        raise ValueError("a tensor larger than its storage")
    strides = [step * storage.itemsize for step in stride]
    return np.array(np.lib.stride_tricks.as_strided(storage[offset:], size, strides), order="C")


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read(8)
    except OSError as error:
        raise MissingInputError(f"{path}: {error.strerror}; check the path") from None


def read_checkpoint(path):
    """What a file of `torch.save` holds: dicts, lists, plain values, arrays, and `Opaque` for the rest.

    :raises MissingInputError: the file is not there
    :raises DataError: it is no checkpoint, or damaged
    """
    if not _read(path).startswith(b"PK"):
        raise DataError(
            f"{path}: no checkpoint of PyTorch 1.6 or newer (a zip file); load an older one and save it again"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return _from_archive(archive)
    except Exception as error:  # whatever parsers do with rubbish
        raise DataError(
            f"{path}: damaged, or no checkpoint ({' '.join(str(error).split())[:120] or type(error).__name__}); fetch it again"
        ) from None


def _from_archive(archive):
    infos = {info.filename: info for info in archive.infolist()}
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
    kept = {}

    def storage(kind, name, count):
        if name not in kept:
            data = archive.read(infos[f"{root}data/{name}"])
            if kind == _BFLOAT16:
                array = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
            else:
                array = np.frombuffer(data, kind)
            if len(array) != count:
                raise ValueError(f"storage {name} is not as long as it says")
            kept[name] = kind, array
        if kept[name][0] != kind:
            raise ValueError(f"storage {name} has two types")
        return kept[name][1]

    return _Unpickler(archive.read(pickles[0]), storage).load()


def read_statistics(path):
    """Mean and standard deviation of `global_cmvn.npy` (a pickled dict) or of an .npz: two float32 [80].

    Errors as `read_checkpoint`.
    """
    start = _read(path)
    try:
        if start.startswith(b"PK"):
            with np.load(path, allow_pickle=False) as data:
                found = {name: data[name] for name in ("mean", "std")}
        else:
            with open(path, "rb") as file:
                np.lib.format.read_magic(file)
                np.lib.format.read_array_header_1_0(file)
                value = _Unpickler(file.read(_MOST_PICKLE_BYTES)).load().value[0]
            found = {name: value[name].value for name in ("mean", "std")}
        mean, std = (np.asarray(found[name], np.float32).reshape(80) for name in ("mean", "std"))
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
            raise ValueError("its numbers cannot be a mean and a deviation")
    except Exception as error:  # likewise
        raise DataError(
            f"{path}: no statistics of 80 mel bins, mean and std ({' '.join(str(error).split())[:120] or type(error).__name__})"
        ) from None
    return mean, std
