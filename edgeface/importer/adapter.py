"""The step from FastHuBERT's values to those of HuBERT that a motion network was trained on: a matrix.

The study leaves it open. The matrix becomes part of the motion network's first convolution.
"""

import numpy as np

from ..core.errors import DataError, MissingInputError, UnavailableError

_RIDGE = 1e-3  # of the mean variance of a value
_HELD_OUT = 10  # every tenth frame is not fitted but predicted


def read_arrays(path, names, wanted=()):
    """Arrays of an .npz, a dict of those of `names` that are there; errors as `study.checkpoint`.

    :param wanted: names that must be there
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            found = {name: data[name] for name in names if name in data.files}
    except FileNotFoundError:
        raise MissingInputError(f"{path}: no such file; check the path") from None
    except Exception as error:  # whatever a parser does with rubbish
        raise DataError(f"{path}: no .npz ({' '.join(str(error).split())[:120]})") from None
    for name in wanted:
        if name not in found:
            raise DataError(f"{path}: it has no array '{name}'")
    for name, array in found.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise DataError(f"{path}: '{name}' holds values that are no numbers")
    return found


def fit_adapter(paths):
    """Matrix float32 [D, C] from `fasthubert` [T, C] to `hubert` [T or 2 T, D] of .npz files, and its R2.

    R2 is that of held-out frames. HuBERT has 50 frames a second; every second one is heard, as upstream does it.

    :raises DataError: a file is damaged or its arrays do not fit
    """
    inputs, outputs = [], []
    for path in paths:
        arrays = read_arrays(path, ("fasthubert", "hubert"), ("fasthubert", "hubert"))
        fast, slow = arrays["fasthubert"], arrays["hubert"]
        if fast.ndim != 2 or slow.ndim != 2:
            raise DataError(f"{path}: not two arrays [frames, values]")
        if len(slow) > 1.5 * len(fast):
            slow = slow[::2]
        if abs(len(fast) - len(slow)) > 8:  # upstream cuts up to seven frames off
            raise DataError(f"{path}: {len(fast)} frames beside {len(slow)}")
        count = min(len(fast), len(slow))
        inputs.append(fast[:count].astype(np.float64))
        outputs.append(slow[:count].astype(np.float64))
        if inputs[-1].shape[1] != inputs[0].shape[1] or outputs[-1].shape[1] != outputs[0].shape[1]:
            raise DataError(f"{path}: other widths than {paths[0]}")
    x, y = np.concatenate(inputs), np.concatenate(outputs)
    held_out = np.arange(len(x)) % _HELD_OUT == 0
    gram = x[~held_out].T.dot(x[~held_out])
    gram[np.diag_indices(len(gram))] += _RIDGE * np.trace(gram) / len(gram) + 1e-12
    matrix = np.linalg.solve(gram, x[~held_out].T.dot(y[~held_out]))
    error = ((x[held_out].dot(matrix) - y[held_out]) ** 2).sum()
    return matrix.T.astype(np.float32), 1.0 - error / (
        (y[held_out] - y[~held_out].mean(0)) ** 2
    ).sum()


def save_adapter(path, matrix):
    """Writes what `--adapter` takes; UnavailableError if it cannot."""
    try:
        with open(path, "wb") as file:
            np.savez_compressed(file, matrix=matrix)
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}; choose another place") from None
