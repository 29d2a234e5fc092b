"""Level of a face frame."""

import numpy as np

FLOOR_DBFS = -120.0  # digital silence


def level_dbfs(samples: np.ndarray) -> float:
    """Root mean square in dB relative to a full-scale square wave, at least -120.

    :param samples: float32 [n], n > 0
    """
    power = float(np.dot(samples, samples)) / len(samples)
    return max(FLOOR_DBFS, 10.0 * np.log10(power + 1e-12))
