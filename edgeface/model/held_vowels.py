"""Held vowels: lips stay open as long as a vowel is sung or drawn out.

The training taught the network that what does not change is no speech: hum, organs and engines
leave the face at rest, but lips closed after less than a second of a held vowel, too. What the
network says when a sound begins is right. So where it says speech, and the sound does not change
from then on, its face is held until the sound changes or fades away; then the network has its say
again. What begins without speech is never held.

Sounds are compared by their spectral envelope, the first cosine coefficients of the log-mel
spectrum, which hardly know the pitch: vibrato and melodies do not end a vowel. A held sound must
rise above what was heard while nobody spoke, or a fan would be taken for the vowel when the
speaker pauses.

All follows from the features and faces of single frames. Where the model looks ahead, the sound of
the next frame is known, too: lips begin to let go of a vowel before it ends, without any latency.
"""

from collections import deque
from typing import Deque, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..features.fbank import FBANK_PER_FRAME, MEL_BINS, SILENCE
from .stepper import Faces, Stepper

_DB = float(10.0 / np.log(10.0))  # of a natural logarithm of power
_COEFFICIENTS = 8  # the first one is the level
_RANGE = 12.0  # natural logarithm: what is fainter than the loudest band by more does not count
_AHEAD = 1  # frames
_FADE = 0.5  # per frame, from the network's face to the held one and back

# root mean squares over the bands: how far the envelope may be from its mean
_CHANGE_DB = 3.3
_CHANGE_HELD_DB = 6.0
_MEAN_FRAMES = 10  # the mean follows what changes slowly
_DROP_DB = 8.0
_DECAY_DB = 0.4  # per frame, which voices may fade by without having dropped
_RISE_DB = 12.0
_DROP_BEFORE_DB = 4.0  # until it is held; reverberation has fallen by more

_HOLD_FRAMES = 6  # without a change, of which so many have a pitch:
_VOICED_FRAMES = 3
_SETTLED_FRAMES = 2  # until lips have left the phone before
_SPEECH = 0.5  # probability
_SURE = 0.9  # share of the highest one so far

_NO_SPEECH = 0.3  # probability
_AFTER_SPEECH_FRAMES = 8
_RISING = 0.25  # share of a frame's level in the background's, where it is louder
_FALLING = 0.02
_ABOVE_DB = 19.0  # by which the quarter of the bands that rise most must rise on average
_BANDS_ABOVE = MEL_BINS // 4


def _cosines() -> np.ndarray:
    """From bands to level and envelope, whose length is the root mean square of the bands."""
    k = np.arange(_COEFFICIENTS)
    basis = np.cos(np.pi / MEL_BINS * (np.arange(MEL_BINS)[:, None] + 0.5) * k)
    return (basis * np.where(k == 0, 1.0, np.sqrt(2.0)) * _DB / MEL_BINS).astype(np.float32)


_COSINES = _cosines()
_MEAN = np.full(FBANK_PER_FRAME, 1.0 / FBANK_PER_FRAME, np.float32)


class _Sound(NamedTuple):
    """Sound of a frame."""

    bands: np.ndarray  # natural logarithms of power, float32 [80]
    level_db: float  # mean of the bands
    envelope: Sequence[float]  # dB, [7]; few numbers are faster than an array


class _Face(NamedTuple):
    """What the network says about a frame."""

    landmarks: np.ndarray
    blendshapes: np.ndarray
    speech: float


class HeldVowels(Stepper):
    """Holds the faces of another stepper as long as a vowel is held.

    :param stepper: of a network that says whether a frame is speech
    :param lookahead_frames: of that stepper
    """

    def __init__(self, stepper: Stepper, lookahead_frames: int) -> None:
        self.provider = stepper.provider
        self.frames = stepper.frames
        self._stepper = stepper
        self._lookahead = lookahead_frames
        self._ahead = min(_AHEAD, lookahead_frames)
        rows = FBANK_PER_FRAME * self.frames
        self._silent_sounds = _sounds(np.full((rows, MEL_BINS), SILENCE, np.float32))
        self.reset()

    def reset(self) -> None:
        """Starts a new stream, as if there had been digital silence for ever."""
        self._stepper.reset()
        self._unknown = self._lookahead  # faces to come that lie before the stream
        self._sounds: Deque[_Sound] = deque()
        self._f0_hz: Deque[float] = deque()
        self._background = _Background()
        self._stretch: Optional[_Stretch] = None
        self._face: Optional[_Face] = None  # that is shown
        self._share = 0.0  # of it

    def step(
        self, fbank: np.ndarray, f0_hz: Sequence[float], levels_dbfs: Sequence[float]
    ) -> Faces:
        """The faces of n more frames."""
        faces = self._stepper.step(fbank, f0_hz, levels_dbfs)
        return self._hold(faces, _sounds(fbank), f0_hz)

    def rest(self) -> Optional[Faces]:
        """The other stepper's silent faces, unless a vowel has not faded yet."""
        faces = None if self._face is not None else self._stepper.rest()
        if faces is None:
            return None
        return self._hold(faces, self._silent_sounds, [0.0] * self.frames)

    def _hold(self, faces: Faces, sounds: Sequence[_Sound], f0_hz: Sequence[float]) -> Faces:
        landmarks, blendshapes, speech = faces
        self._sounds.extend(sounds)
        self._f0_hz.extend(f0_hz)
        outside = min(self._unknown, self.frames)
        self._unknown -= outside
        shown = speech
        for i in range(outside, self.frames):
            face = _Face(landmarks[i], blendshapes[i], float(speech[i]))
            self._hear(face)
            if self._face is not None:
                if shown is speech:
                    shown = speech.copy()
                shown[i] = self._show(face)
        return landmarks, blendshapes, shown

    def _hear(self, face: _Face) -> None:
        """Takes the next frame, and what the network says about it."""
        now = self._sounds[0]
        soon = self._sounds[self._ahead]
        self._sounds.popleft()
        voiced = self._f0_hz.popleft() > 0.0
        if self._stretch is None or not self._stretch.extend(soon, self._background):
            self._stretch = _Stretch(soon)
        self._stretch.judge(face, voiced)
        held = self._stretch.held
        self._background.hear(now.bands, held or face.speech > _NO_SPEECH)
        if held:
            self._face = self._stretch.face
        self._share = min(1.0, max(0.0, self._share + (_FADE if held else -_FADE)))
        if self._share == 0.0:
            self._face = None

    def _show(self, face: _Face) -> float:
        """Puts the held face over the network's, in place; the probability of speech."""
        assert self._face is not None
        share = np.float32(self._share)
        face.landmarks[:] += share * (self._face.landmarks - face.landmarks)
        face.blendshapes[:] += share * (self._face.blendshapes - face.blendshapes)
        return face.speech + self._share * (self._face.speech - face.speech)


class _Stretch:
    """Sound that does not change, and what the network says about it.

    :param sound: of the first frame
    """

    def __init__(self, sound: _Sound) -> None:
        self.held = False
        self.face: Optional[_Face] = None  # to be held
        self._is_speech = True  # of all frames since the first
        self._length = 0  # frames after the first
        self._voiced = 0
        self._highest = 0.0  # probability of speech since lips have settled
        self._envelope = sound.envelope
        self._level = self._loudest = self._ceiling = self._latest = sound.level_db

    def extend(self, sound: _Sound, background: "_Background") -> bool:
        """Takes the next frame; False where the sound changes."""
        level = sound.level_db
        self._ceiling = max(level, self._ceiling - _DECAY_DB)
        off = [now - mean for now, mean in zip(sound.envelope, self._envelope)]
        most = _CHANGE_HELD_DB if self.held else _CHANGE_DB
        if sum([one * one for one in off]) >= most * most:
            return False
        if not self._ceiling - _DROP_DB < level < self._level + _RISE_DB:
            return False
        if (self._is_speech or self.face is not None) and not background.is_below(sound.bands):
            return False
        self._length += 1
        share = 1.0 / min(self._length + 1, _MEAN_FRAMES)
        self._envelope = [mean + share * one for mean, one in zip(self._envelope, off)]
        self._level += share * (level - self._level)
        self._loudest = max(self._loudest, level)
        self._latest = level
        return True

    def judge(self, face: _Face, voiced: bool) -> None:
        """Takes what the network says about the newest frame, and decides whether it is held."""
        self._voiced += voiced
        if self.held:
            return
        if self._length >= 1 and face.speech < _SPEECH:
            self._is_speech = False
        sure = face.speech >= _SURE * self._highest
        if self._is_speech and sure and self._length >= _SETTLED_FRAMES:
            self.face = _Face(face.landmarks.copy(), face.blendshapes.copy(), face.speech)
            self._highest = max(self._highest, face.speech)
        self.held = (
            self.face is not None
            and self._length >= _HOLD_FRAMES
            and self._voiced >= _VOICED_FRAMES
            and self._latest > self._loudest - _DROP_BEFORE_DB
        )


class _Background:
    """What is heard while nobody speaks: a level of each band that rises fast and falls slowly."""

    def __init__(self) -> None:
        self._bands = np.full(MEL_BINS, SILENCE, np.float32)
        self._quiet = 0  # frames since somebody spoke

    def hear(self, bands: np.ndarray, is_speech: bool) -> None:
        """Takes the next frame."""
        self._quiet = 0 if is_speech else self._quiet + 1
        if self._quiet > _AFTER_SPEECH_FRAMES:
            risen = bands - self._bands
            self._bands += np.maximum(_RISING * risen, _FALLING * risen)

    def is_below(self, bands: np.ndarray) -> bool:
        """Whether a sound rises far above it."""
        risen = bands - self._bands
        risen.partition(MEL_BINS - _BANDS_ABOVE)
        return float(np.add.reduce(risen[-_BANDS_ABOVE:])) > _BANDS_ABOVE * _ABOVE_DB / _DB


def _sounds(fbank: np.ndarray) -> Tuple[_Sound, ...]:
    """Sound of n frames, of float32 [4 n, 80]."""
    bands = _MEAN.dot(fbank.reshape(-1, FBANK_PER_FRAME, MEL_BINS))
    loudest = np.maximum.reduce(bands, axis=1, keepdims=True)
    shapes = np.maximum(bands, loudest - np.float32(_RANGE)).dot(_COSINES).tolist()
    return tuple(_Sound(own, shape[0], shape[1:]) for own, shape in zip(bands, shapes))
