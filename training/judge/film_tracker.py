"""Command: lips of a film, by MediaPipe; runs in an environment of its own, which `films` makes.

Imports nothing of edgeface: what MediaPipe needs and what the training needs exclude each other.
"""

import sys
from typing import List, Optional, Sequence, Tuple

import cv2
import mediapipe
import numpy as np

# of MediaPipe's 478 points
INNER_LIPS = (13, 14)
CORNERS = (61, 291)
EYES = (33, 263)
_SCALE = 5.0  # of a part of a picture, whose face is too small to be found


def track(film: str, part: Optional[Sequence[int]]) -> List[Tuple[float, ...]]:
    """Lips of every picture in which a face is found twice, as it is and in the mirror.

    The mirror image shows how much of a gap or width is guessed.

    :param film: path
    :param part: left, top, right, bottom of the part of the picture to look at, in pixels; None
        for all of it
    :return: times in s, lip gaps and mouth widths in units of the outer-eye distance, and both in
        the mirror: five rows
    """
    meshes = [
        mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True, max_num_faces=1)
        for _ in range(2)
    ]
    frames = cv2.VideoCapture(film)
    found: List[Tuple[float, ...]] = []
    while True:
        read, picture = frames.read()
        if not read:
            return list(zip(*found))
        # before the reading, it is still that of the last picture
        time_s = frames.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if part:
            picture = enlarged(picture, part)
        as_it_is = lips_in(meshes[0], picture)
        mirrored = lips_in(meshes[1], cv2.flip(picture, 1))
        if as_it_is and mirrored:
            found.append((time_s, *as_it_is, *mirrored))


def enlarged(picture: np.ndarray, part: Sequence[int]) -> np.ndarray:
    """A part of a picture, larger."""
    left, top, right, bottom = part
    return cv2.resize(
        picture[top:bottom, left:right],
        None,
        fx=_SCALE,
        fy=_SCALE,
        interpolation=cv2.INTER_CUBIC,
    )


def lips_in(mesh, picture: np.ndarray) -> Optional[Tuple[float, float]]:
    """Gap and width of the lips that a FaceMesh finds; None where there is no face."""
    faces = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    if not faces:
        return None
    height, width = picture.shape[:2]
    points = np.array([[p.x * width, p.y * height, p.z * width] for p in faces[0].landmark])
    eyes, corners = (np.linalg.norm(points[a] - points[b]) for a, b in (EYES, CORNERS))
    upper, lower = (points[at, :2] for at in INNER_LIPS)  # their depths are guesses
    return float(np.linalg.norm(upper - lower) / eyes), float(corners / eyes)


if __name__ == "__main__":
    np.save(sys.argv[2], track(sys.argv[1], [int(edge) for edge in sys.argv[3:]]))
