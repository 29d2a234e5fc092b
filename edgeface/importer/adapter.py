"""The step from FastHuBERT's values to those of HuBERT that a motion network was trained on.

The study leaves it open. Here it is a matrix, which becomes part of the motion network's first
convolution.
"""

from typing import Dict, List, Sequence, Tuple

import numpy as np

from ..core.arrays import read_npz
from ..core.errors import DataError, MissingInputError, UnavailableError, one_line

_RIDGE = 1e-3  # of the mean variance of a value
_HELD_OUT = 10  # every tenth frame is not fitted but predicted
_MOST_FRAMES_CUT = 8  # upstream cuts up to seven frames off


def read_arrays(
    path: str, names: Sequence[str], required: Sequence[str] = ()
) -> Dict[str, np.ndarray]:
    """Arrays of numbers in an .npz, those of `names` that are there.

    :raises MissingInputError: the file is missing
    :raises DataError: it is damaged, lacks a required array, or holds something else than numbers
    """
    try:
        found = read_npz(path, names)
    except FileNotFoundError:
        raise MissingInputError(f"{path}: missing; check the path") from None
    except Exception as error:  # whatever a parser does with rubbish
        raise DataError(f"{path}: no .npz ({one_line(error, 120)})") from None
    for name in required:
        if name not in found:
            raise DataError(f"{path}: it has no array '{name}'")
    for name, array in found.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise DataError(f"{path}: '{name}' holds values that are no numbers")
    return found


def read_array(path: str, name: str) -> np.ndarray:
    """One array of an .npz; errors as `read_arrays`."""
    return read_arrays(path, [name], [name])[name]


def fit_adapter(paths: Sequence[str]) -> Tuple[np.ndarray, float]:
    """Fits the matrix by ridge regression.

    :param paths: .npz files with `fasthubert` [T, C] and `hubert` [T or 2 T, D] of the same sound;
        of HuBERT's 50 frames a second every second one counts, as upstream does it
    :return: float32 [D, C], and R2 of the frames that were held out
    :raises DataError: a file is damaged or its arrays do not fit
    """
    inputs: List[np.ndarray] = []
    outputs: List[np.ndarray] = []
    for path in paths:
        fast, slow = _read_features(path)
        if inputs and (fast.shape[1], slow.shape[1]) != (inputs[0].shape[1], outputs[0].shape[1]):
            raise DataError(f"{path}: other widths than {paths[0]}")
        inputs.append(fast)
        outputs.append(slow)
    x = np.concatenate(inputs)
    y = np.concatenate(outputs)
    held_out = np.arange(len(x)) % _HELD_OUT == 0
    fitted = ~held_out
    gram = x[fitted].T.dot(x[fitted])
    gram[np.diag_indices(len(gram))] += _RIDGE * np.trace(gram) / len(gram) + 1e-12
    matrix = np.linalg.solve(gram, x[fitted].T.dot(y[fitted]))
    residual = ((x[held_out].dot(matrix) - y[held_out]) ** 2).sum()
    variance = ((y[held_out] - y[fitted].mean(0)) ** 2).sum()
    return matrix.T.astype(np.float32), 1.0 - residual / variance


def save_adapter(path: str, matrix: np.ndarray) -> None:
    """Writes what `--adapter` takes; UnavailableError if it cannot."""
    try:
        with open(path, "wb") as file:
            np.savez_compressed(file, matrix=matrix)
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}; choose another place") from None


def _read_features(path: str) -> Tuple[np.ndarray, np.ndarray]:
    """Frames of both encoders at 25 Hz: float64 [T, C] and [T, D]."""
    arrays = read_arrays(path, ("fasthubert", "hubert"), ("fasthubert", "hubert"))
    fast = arrays["fasthubert"]
    slow = arrays["hubert"]
    if fast.ndim != 2 or slow.ndim != 2:
        raise DataError(f"{path}: not two arrays [frames, values]")
    if len(slow) > 1.5 * len(fast):
        slow = slow[::2]
    if abs(len(fast) - len(slow)) > _MOST_FRAMES_CUT:
        raise DataError(f"{path}: {len(fast)} frames beside {len(slow)}")
    count = min(len(fast), len(slow))
    return fast[:count].astype(np.float64), slow[:count].astype(np.float64)
