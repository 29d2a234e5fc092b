"""What the layer knows of a frame's sound, and makes of it: who speaks, and what is stressed."""

import math
from typing import NamedTuple

from ..core.rates import FRAME_RATE_HZ

_ATTACK = 0.25  # of the way to a new level of activity, per frame
_RELEASE = 0.06
_ACTIVE = 0.2  # from the first frame of speech until a second after the last one
# a voice's usual level and pitch are those of its last seconds
_MEAN_FRAMES = round(2.5 * FRAME_RATE_HZ)
_FIRST_DBFS = -25.0
_FIRST_FRAMES = 8  # that this level counts for
_LOUD_DB = 9.0  # above the usual level: a stressed syllable
_HIGH_SEMITONES = 4.0
_OCTAVE_ERROR_SEMITONES = 9.0  # F0 that leaps so far is no melody
_SMOOTHING = 0.4  # of prominence and melody, per frame
_STRESS = 0.45  # of prominence
_STRESS_FRAMES = 10  # between two stresses at least
_PHRASE_FRAMES = 20  # of speech, before a pause ends a phrase
_PAUSE_FRAMES = 7


class Sound(NamedTuple):
    """A frame's sound.

    `level_dbfs`; `f0_hz`, 0 where unvoiced; `speech`, whether it is; `heard`, whether a microphone
    hears it, so that somebody else speaks: the face listens.
    """

    level_dbfs: float
    f0_hz: float
    speech: bool
    heard: bool = False


class Talk:
    """Follows a conversation, frame by frame.

    `speaking` and `listening`: how much the face does so, 0..1; `melody`: how far the pitch is
    from the usual one, about -1..1; `stressed`, `began`, `ended`: whether a stressed syllable or
    a phrase begins, or a phrase has ended, with this frame.
    """

    def __init__(self) -> None:
        self.speaking = 0.0
        self.listening = 0.0
        self.melody = 0.0
        self.stressed = False
        self.began = False
        self.ended = False
        self._prominence = 0.0
        self._usual_dbfs = _FIRST_DBFS
        self._usual_pitch = 0.0  # log2 of Hz, 0: not known yet
        self._known_frames = _FIRST_FRAMES
        self._since_stress = _STRESS_FRAMES
        self._spoken = 0  # frames of the phrase
        self._paused = _PAUSE_FRAMES

    @property
    def speaks(self) -> bool:
        """Whether the face speaks, or has just spoken."""
        return self.speaking > _ACTIVE

    @property
    def listens(self) -> bool:
        """Whether the face listens, or has just listened; never while it speaks."""
        return not self.speaks and self.listening > _ACTIVE

    def take(self, sound: Sound) -> None:
        """Takes the sound of the next frame."""
        self.speaking = _towards(self.speaking, sound.speech and not sound.heard)
        self.listening = _towards(self.listening, sound.speech and sound.heard)
        self._follow_phrase(sound.speech)
        self._follow_stress(sound)

    def _follow_phrase(self, speech: bool) -> None:
        self.began = speech and self._paused >= _PAUSE_FRAMES
        if self.began:
            self._spoken = 0
        self._paused = 0 if speech else self._paused + 1
        self._spoken += speech
        self.ended = self._paused == _PAUSE_FRAMES and self._spoken >= _PHRASE_FRAMES

    def _follow_stress(self, sound: Sound) -> None:
        melody = loud = 0.0
        if sound.speech:
            self._known_frames = min(_MEAN_FRAMES, self._known_frames + 1)
            if sound.f0_hz > 0.0:
                pitch = math.log2(sound.f0_hz)
                if self._usual_pitch == 0.0:
                    self._usual_pitch = pitch
                semitones = 12.0 * (pitch - self._usual_pitch)
                self._usual_pitch += (pitch - self._usual_pitch) / self._known_frames
                if abs(semitones) < _OCTAVE_ERROR_SEMITONES:
                    melody = semitones / _HIGH_SEMITONES
            loud = (sound.level_dbfs - self._usual_dbfs) / _LOUD_DB
            self._usual_dbfs += (sound.level_dbfs - self._usual_dbfs) / self._known_frames
        self.melody += _SMOOTHING * (melody - self.melody)
        before = self._prominence
        prominence = 0.7 * max(0.0, min(1.5, loud)) + 0.3 * max(0.0, melody)
        self._prominence += _SMOOTHING * (prominence - before)
        self._since_stress += 1
        self.stressed = before < _STRESS <= self._prominence and (
            self._since_stress >= _STRESS_FRAMES
        )
        if self.stressed:
            self._since_stress = 0


def _towards(activity: float, active: bool) -> float:
    return activity + (_ATTACK * (1.0 - activity) if active else -_RELEASE * activity)
