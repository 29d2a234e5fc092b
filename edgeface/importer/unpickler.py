"""Python's own unpickler, which builds arrays, dicts and plain values only.

All other objects become `Opaque`, and no name in the file is ever imported.
"""

import io
import pickle
from typing import Any, Callable, Iterable, Optional, Sequence

import numpy as np

BFLOAT16 = "bfloat16"
_MOST_DIMENSIONS = 8
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
# of a type, a name and a count: the flat array
Storage = Callable[[str, str, int], np.ndarray]


class Opaque:
    """Replaces an object of a class that is not built: accepts everything and keeps nothing."""

    def _make(cls: Any, *_args: Any, **_options: Any) -> Any:  # noqa: N805
        return object.__new__(cls)

    def _ignore(self, *_args: Any, **_options: Any) -> None:
        return None

    __new__ = _make
    __init__ = __call__ = __setstate__ = append = extend = __setitem__ = _ignore


_BUFFERS = (0x96, 0x97, 0x98)  # BYTEARRAY8, NEXT_BUFFER, READONLY_BUFFER of protocol 5
# what may be the key of a dict
_KEYS = (str, bytes, int, float, bool, type(None), Opaque)


class _Array:
    """A NumPy array while its pickle is read."""

    value: Any = None

    def __setstate__(self, state: tuple) -> None:
        _version, shape, dtype, fortran, data = state
        if isinstance(data, list):  # of objects; the dict of statistics is one
            self.value = data
            return
        self.value = np.frombuffer(data, dtype.value).reshape(shape, order="F" if fortran else "C")


class _Kind:
    """A NumPy dtype while its pickle is read: numbers only."""

    def __init__(self, name: str, *_: object) -> None:
        self._name = name
        self.value = None if name.startswith("O") else self._number("<")

    def __setstate__(self, state: tuple) -> None:
        if self.value is not None:
            self.value = self._number("<" if state[1] in ("|", "=") else state[1])

    def _number(self, order: Any) -> np.dtype:
        kind = np.dtype(self._name).newbyteorder(order)
        if kind.kind not in "biuf":
            raise ValueError(f"an array of {self._name!r}")
        return kind


# Python's own unpickler: the one in C lets a file ask for any amount of memory
_PythonUnpickler: Any = pickle._Unpickler  # type: ignore[attr-defined]


class Unpickler(_PythonUnpickler):
    """Reads a pickle from bytes.

    :param storage: what makes the arrays of tensors; None where the file may have none
    :param most_bytes: of all tensors together, each of which is a copy of a part of a storage
    """

    dispatch = dict(_PythonUnpickler.dispatch)

    def __init__(self, data: bytes, storage: Optional[Storage] = None, most_bytes: int = 0) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._storage = storage
        self._bytes_left = most_bytes

    def find_class(self, module: str, name: str) -> Any:
        """Never a class of the file's choice.

        Classes are made for each call, so that nothing can be changed for good.
        """
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("collections", "OrderedDict"):
            return type("OrderedDict", (dict,), {})
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return lambda storage, offset, size, stride, *_: self._counted(
                _tensor(storage, offset, size, stride)
            )
        if module == "torch._utils" and name == "_rebuild_parameter":
            return lambda data, *_: data
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return lambda *_: _Array()
        if (module, name) == ("numpy", "dtype"):
            return type("dtype", (_Kind,), {})
        return type("Opaque", (Opaque,), {})

    def _counted(self, tensor: np.ndarray) -> np.ndarray:
        """The tensor; ValueError if there are too many now, as those that share one storage."""
        self._bytes_left -= tensor.nbytes
        if self._bytes_left < 0:
            raise ValueError("tensors much larger than the file")
        return tensor

    def persistent_load(self, key: Any) -> np.ndarray:
        """A storage as a flat array."""
        if self._storage is None:
            raise pickle.UnpicklingError("a storage outside a checkpoint")
        _, kind, name, _location, count = key
        return self._storage(kind, str(name), count)

    def get_extension(self, _code: int) -> None:
        """Refuses extensions, which are imports by number."""
        raise pickle.UnpicklingError("an extension")

    def _check(self, keys: Iterable[Any]) -> None:
        """Refuses tuples of tuples, which can take for ever to hash."""
        if not all(isinstance(key, _KEYS) for key in keys):
            raise pickle.UnpicklingError("a key that is no text or number")

    def load_setitem(self) -> None:
        """One item of a dict, whose key is checked."""
        self._check(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        """Items of a dict, whose keys are checked."""
        self._check(self.stack[::2])
        super().load_setitems()

    def load_dict(self) -> None:
        """A dict, whose keys are checked."""
        self._check(self.stack[::2])
        super().load_dict()

    def load_set(self) -> None:
        """Refuses sets."""
        raise pickle.UnpicklingError("a set")

    def load_buffer(self) -> None:
        """Refuses buffers, whose memory is taken before anything is read."""
        raise pickle.UnpicklingError("a buffer")

    dispatch.update(
        {
            pickle.SETITEM[0]: load_setitem,
            pickle.SETITEMS[0]: load_setitems,
            pickle.DICT[0]: load_dict,
            pickle.ADDITEMS[0]: load_set,
            pickle.FROZENSET[0]: load_set,
            **dict.fromkeys(_BUFFERS, load_buffer),
        }
    )


def _tensor(storage: Any, offset: int, size: Sequence[int], stride: Sequence[int]) -> np.ndarray:
    """A copy of the part of a storage that is a tensor; ValueError if it is none."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise ValueError("a tensor without a storage")
    if len(size) != len(stride) or len(size) > _MOST_DIMENSIONS:
        raise ValueError("a tensor of so many dimensions")
    if not all(type(n) is int and n >= 0 for n in (offset, *size, *stride)):
        raise ValueError("a tensor whose sizes are no numbers")
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
