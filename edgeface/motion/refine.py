"""What is done to the landmarks of an imported network before they are shown.

In this order: drawn towards the subject's own faces (locally linear embedding,
Roweis and Saul, 2000, as GeneFace does it), kept within the range of these faces,
smoothed, and brought to rest in silence. Blinks are up to the idle layer, as with
every model.
"""

from typing import Optional, Sequence, Tuple

import numpy as np

from .face import LANDMARKS, ShapeMap

NEIGHBOURS = 10
_RIDGE = 1e-3  # of the mean diagonal; without it equal neighbours cannot be solved
_RANGE = (3, 97)  # percentiles of the subject's landmarks
_QUIET_DBFS = -50.0
_PAUSE_FRAMES = 8  # shorter than a breath
_FADE_FRAMES = 5
_VOICED_FRAMES = 5  # speech goes on so long after the last voiced sound
SOON_FRAMES = 3  # whose level counts, this one included


def embed(points: np.ndarray, database: np.ndarray, ridge: float = _RIDGE) -> np.ndarray:
    """Each point as the best affine mixture of its 10 nearest neighbours.

    :param points: float32 [T, D]
    :param database: float32 [N, D], N >= 10
    :return: float32 [T, D]
    """
    fused = np.empty_like(points)
    for i, point in enumerate(points):
        distances = ((database - point) ** 2).sum(1)
        near = database[np.argpartition(distances, NEIGHBOURS - 1)[:NEIGHBOURS]]
        offsets = (near - point).astype(np.float64)
        gram = offsets.dot(offsets.T)
        gram[np.diag_indices(NEIGHBOURS)] += ridge * np.trace(gram) / NEIGHBOURS + 1e-12
        weights = np.linalg.solve(gram, np.ones(NEIGHBOURS))
        fused[i] = (weights / weights.sum()).dot(near)
    return fused


class Refiner:
    """The steps for a stream of faces.

    :param neutral: resting face, [68, 3]
    :param database: faces of the subject, float32 [N, 204], or None
    :param share: how far a face is drawn towards the database, 0 to 1
    :param smoothing: share of the face before in the next, 0 to less than 1
    """

    def __init__(
        self,
        neutral: np.ndarray,
        database: Optional[np.ndarray] = None,
        share: float = 0.0,
        smoothing: float = 0.0,
    ) -> None:
        self._neutral = np.asarray(neutral, np.float32)
        self._map = ShapeMap()
        self._database = database
        self._share = share
        self._smoothing = smoothing
        if database is not None:
            self._low, self._high = np.percentile(database, _RANGE, axis=0)
        self.reset()

    def reset(self) -> None:
        """Forgets the faces before."""
        self._last: Optional[np.ndarray] = None
        self._awake = 0.0  # share of the network's movement that is shown
        self._quiet = _PAUSE_FRAMES  # frames since the last sound
        self._unvoiced = _VOICED_FRAMES  # frames since the last voiced sound

    def rest(self) -> Tuple[np.ndarray, np.ndarray, float]:
        """The resting face, as `apply` gives it."""
        still = np.zeros((LANDMARKS, 3), np.float32)
        return self._neutral.copy(), self._map.shapes(still), 0.0

    def apply(
        self, landmarks: np.ndarray, levels_dbfs: Sequence[float], voiced: bool
    ) -> Tuple[np.ndarray, np.ndarray, float]:
        """The face to be shown.

        :param landmarks: of the network, float32 [68, 3]
        :param levels_dbfs: of this frame and, as far as they are known, the next ones; the
            first `SOON_FRAMES` count
        :param voiced: whether the frame has an F0
        :return: (landmarks [68, 3], blendshapes [52], 1 if this is speech, else 0)
        """
        face = landmarks.reshape(-1)
        if self._database is not None:
            face = face + np.float32(self._share) * (embed(face[None], self._database)[0] - face)
            face = np.clip(face, self._low, self._high).astype(np.float32)
        if self._last is not None:
            face = face + np.float32(self._smoothing) * (self._last - face)
        self._last = face
        self._quiet = 0 if max(levels_dbfs[:SOON_FRAMES]) > _QUIET_DBFS else self._quiet + 1
        step = -1.0 if self._quiet >= _PAUSE_FRAMES else 1.0
        self._awake = min(1.0, max(0.0, self._awake + step / _FADE_FRAMES))
        self._unvoiced = 0 if voiced else self._unvoiced + 1
        moved = np.float32(self._awake) * (face.reshape(LANDMARKS, 3) - self._neutral)
        return (
            self._neutral + moved,
            self._map.shapes(moved),
            float(self._unvoiced < _VOICED_FRAMES),
        )
