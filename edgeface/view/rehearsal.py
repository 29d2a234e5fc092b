"""A sentence that is spoken once and shown under any calibration."""

from dataclasses import replace
from typing import List, Tuple

import numpy as np

from ..build import build_pipeline, calibration_of, load_model
from ..config import MOUTH_ONLY, Motion, Settings
from ..motion.calibration import Calibration
from ..motion.face import LANDMARKS
from ..motion.frame import Frame
from ..source.file import read_whole

_RIDGE = 1e-4  # of the mean square of a blendshape that is fully on


class Rehearsal:
    """The frames of a sentence before any calibration.

    `landmarks`: [T, 68, 3]; `blendshapes`: [T, 52]; `poses`: [T, 10], head and gaze.

    :param path: of a sound file
    :param settings: of the model, and of what lives beside the mouth
    :raises EdgefaceError: the model or the sound cannot be used
    """

    def __init__(self, path: str, settings: Settings) -> None:
        self._model = load_model(settings.model.bundle)
        motion = settings.motion
        # the sound and blinks alone: what else moves would blur what a shape does
        plain = replace(MOUTH_ONLY, lookahead_ms=motion.lookahead_ms, blink=motion.blink)
        frames = self._frames(path, replace(settings, motion=plain))
        self.landmarks = np.array([frame.landmarks for frame in frames])
        self.blendshapes = np.array([frame.blendshapes for frame in frames])
        lively = self._frames(path, settings)
        self.poses = np.array([np.concatenate((frame.head, frame.gaze)) for frame in lively])
        self._effects = self._fit_effects()

    def _frames(self, path: str, settings: Settings) -> List[Frame]:
        pipeline = build_pipeline(settings, self._model)
        return pipeline.accept(read_whole(path)) + pipeline.finish()

    def _fit_effects(self) -> np.ndarray:
        """How each blendshape moves the points of this sentence's faces: float32 [52, 204].

        A ridge regression; what rests in the sentence moves nothing.
        """
        shapes = self.blendshapes.astype(np.float64)
        moved = (self.landmarks - np.asarray(self._model.neutral)).reshape(len(shapes), -1)
        gram = shapes.T.dot(shapes)
        gram[np.diag_indices_from(gram)] += _RIDGE * len(shapes)
        return np.linalg.solve(gram, shapes.T.dot(moved)).astype(np.float32)

    def perform(self, motion: Motion) -> Tuple[np.ndarray, np.ndarray]:
        """The sentence with a strength and shapes.

        Landmarks follow the strength alone; to show what the shapes do, the points that are drawn
        are moved by as much as these shapes move them in the sentence.

        :return: points to draw, float32 [T, 68, 3]; blendshapes, float32 [T, 52]
        """
        calibration = calibration_of(motion, self._model.neutral)
        without_shapes = calibration_of(replace(motion, shapes=()), self._model.neutral)
        points, shapes = self._calibrated(calibration)
        _, plain = self._calibrated(without_shapes)
        points += (shapes - plain).dot(self._effects).reshape(-1, LANDMARKS, 3)
        return points, shapes

    def _calibrated(self, calibration: Calibration) -> Tuple[np.ndarray, np.ndarray]:
        faces = [calibration.apply(*face) for face in zip(self.landmarks, self.blendshapes)]
        return np.array([face[0] for face in faces]), np.array([face[1] for face in faces])
