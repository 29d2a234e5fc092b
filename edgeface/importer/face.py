"""From what a motion network computes to landmarks of edgeface's face."""

from typing import Dict, NamedTuple

import numpy as np

from ..build import load_model
from ..core.errors import DataError, UsageError

# origin and unit of the face, see docs/contract.md, section 4
_ORIGIN = 27
_EYES = (36, 45)
# distance between the outer corners of the eyes of the BFM's mean face in its own units, assumed
# where no basis says it
_BFM_EYES = 0.9
_UPSTREAM_SCALE = 10  # of landmarks that networks compute


class FaceBasis(NamedTuple):
    """Landmarks are `motion @ matrix + offset`.

    `neutral`: the resting face, float32 [68, 3]; `matrix`: float32 [outputs, 204]; `offset`:
    float32 [204]; `scale`: the unit of edgeface's face in those of the network.
    """

    neutral: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    scale: float

    def landmarks(self, faces: np.ndarray) -> np.ndarray:
        """Faces in upstream's units, ten times offsets [N, 204], as landmarks float32 [N, 204]."""
        offsets = faces.astype(np.float32) / _UPSTREAM_SCALE / self.scale
        return (self.neutral.reshape(204) + offsets).astype(np.float32)


def face_of(outputs: int, basis: Dict[str, np.ndarray], path: str) -> FaceBasis:
    """What makes landmarks of a network's motion.

    :param outputs: of the network: 204, landmarks, or coefficients of the BFM
    :param basis: `mean` [68, 3], `exp` [204, outputs], `id` [204, 80] of the BFM at the landmarks
        and `identity` [80] of the subject, as far as they are known
    :param path: what errors name
    :raises DataError: an array has another shape
    :raises UsageError: coefficients without a basis
    """
    shapes = {"mean": (68, 3), "exp": (204, outputs), "id": (204, 80), "identity": (80,)}
    for name, shape in shapes.items():
        if name in basis and basis[name].shape != shape:
            raise DataError(f"{path}: {name} of the basis is {basis[name].shape}, not {shape}")
    rest = np.array(load_model().neutral, np.float64).reshape(204)
    scale = _BFM_EYES
    if "mean" in basis:
        rest = np.asarray(basis["mean"], np.float64).reshape(204)
        if "id" in basis and "identity" in basis:
            rest = rest + basis["id"].astype(np.float64).dot(basis["identity"])
        face = rest.reshape(68, 3)
        scale = float(np.linalg.norm(face[_EYES[1]] - face[_EYES[0]]))
        rest = ((face - face[_ORIGIN]) / scale).reshape(204)
    if outputs == 204:
        matrix = np.eye(204) / _UPSTREAM_SCALE / scale
    elif "exp" in basis and "mean" in basis:
        matrix = basis["exp"].astype(np.float64).T / scale
    else:
        raise UsageError(
            f"{path}: it makes {outputs} coefficients, which only the landmarks of the BFM turn "
            f"into a face; give --basis with mean [68, 3] and exp [204, {outputs}]"
        )
    return FaceBasis(
        rest.reshape(68, 3).astype(np.float32),
        matrix.astype(np.float32),
        rest.astype(np.float32),
        scale,
    )
