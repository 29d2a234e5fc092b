"""Command: lips of a film, by MediaPipe; runs in an environment of its own, which `training.filmed` makes.

Imports nothing of edgeface: what MediaPipe needs and what the training needs exclude each other.
"""

import sys

import cv2
import mediapipe
import numpy as np

INNER_LIPS, CORNERS, EYES = (13, 14), (61, 291), (33, 263)  # of MediaPipe's 478 points
_SCALE = 5.0  # of a part of a picture, whose face is too small to be found


def track(film, part):
    """Times in s, lip gaps and mouth widths in units of the outer-eye distance, and both in the mirror: five lists.

    The mirror image shows how much of a gap or width is guessed. Pictures in which no face is found twice are left out.

    :param film: path
    :param part: left, top, right, bottom of the part of the picture to look at, in pixels; None for all of it
    """
    seen, mirrored = (
        mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True, max_num_faces=1)
        for _ in range(2)
    )
    frames, found = cv2.VideoCapture(film), []
    while True:
        read, picture = frames.read()
        if not read:
            return list(zip(*found))
        time_s = (
            frames.get(cv2.CAP_PROP_POS_MSEC) / 1000
        )  # before the reading, it is still that of the last picture
        if part:
            left, top, right, bottom = part
            picture = cv2.resize(
                picture[top:bottom, left:right],
                None,
                fx=_SCALE,
                fy=_SCALE,
                interpolation=cv2.INTER_CUBIC,
            )
        lips = lips_in(seen, picture), lips_in(mirrored, cv2.flip(picture, 1))
        if all(lips):
            found.append((time_s, *lips[0], *lips[1]))


def lips_in(mesh, picture):
    """Gap and width of the lips that a FaceMesh finds; None where there is no face."""
    faces = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    if not faces:
        return None
    height, width = picture.shape[:2]
    points = np.array([[p.x * width, p.y * height, p.z * width] for p in faces[0].landmark])
    eyes, corners = (np.linalg.norm(points[a] - points[b]) for a, b in (EYES, CORNERS))
    upper, lower = (points[i, :2] for i in INNER_LIPS)  # their depths are guesses
    return np.linalg.norm(upper - lower) / eyes, corners / eyes


if __name__ == "__main__":
    np.save(sys.argv[2], track(sys.argv[1], [int(edge) for edge in sys.argv[3:]]))
