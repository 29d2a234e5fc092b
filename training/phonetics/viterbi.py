"""Forced alignment: the most likely times of phones, by the Viterbi algorithm."""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from .acoustic_model import CENTRE_S, STEP_S
from .phones import PHONES
from .timing import PhoneTimes

_SHORTEST = 2  # frames of a phone

Spelling = List[Tuple[str, bool]]
"""What must be heard: (phone, whether it may be left out) of each."""


class _States(NamedTuple):
    """A phone has `_SHORTEST` states in a row, of which the last may repeat."""

    phone: np.ndarray  # of each state, as an index into the spelling
    may_stay: np.ndarray  # bool
    skip: np.ndarray  # state from which a pause may be left out, -1 where there is none


def align(logs: np.ndarray, wanted: Spelling) -> Optional[Tuple[PhoneTimes, float]]:
    """Most likely times of phones; every phone lasts 20 ms or more.

    :param logs: log likelihoods [T, phones], of `acoustic_model.likelihoods`
    :return: the times, and the mean of the log likelihoods in speech over the best possible; None
        where the sound is too short
    """
    states = _states(wanted)
    columns = np.array([PHONES.index(phone) for phone, _ in wanted])[states.phone]
    emitted = logs[:, columns]
    score, came = _search(emitted, states, optional_first=wanted[0][1])
    last = len(states.phone) - 1
    ends = [last, last - _SHORTEST] if wanted[-1][1] else [last]
    end = max(ends, key=lambda state: score[state])
    if not np.isfinite(score[end]):
        return None
    path = _backtrack(came, end)
    spoken = columns[path] != PHONES.index("sil")
    best = logs.max(1)
    fit = (logs[np.arange(len(logs)), columns[path]] - best)[spoken].mean()
    return _times(states.phone[path], wanted), float(fit)


def _states(wanted: Spelling) -> _States:
    phone = np.repeat(np.arange(len(wanted)), _SHORTEST)
    first = np.arange(len(phone)) % _SHORTEST == 0
    last = np.arange(len(phone)) % _SHORTEST == _SHORTEST - 1
    skip = np.full(len(phone), -1)
    for state in np.flatnonzero(first):
        at = phone[state]
        # before a phone comes the one before it, or the one before a pause that is left out
        if at >= 2 and wanted[at - 1][1]:
            skip[state] = state - _SHORTEST - 1
    return _States(phone, last, skip)


def _search(
    emitted: np.ndarray, states: _States, optional_first: bool
) -> Tuple[np.ndarray, np.ndarray]:
    """Forward pass: score of each state at the end [S], and whence each came [T, S]."""
    count = len(states.phone)
    score = np.full(count, -np.inf)
    score[0] = emitted[0, 0]
    if optional_first:
        score[_SHORTEST] = emitted[0, _SHORTEST]
    came = np.zeros((len(emitted), count), np.int32)
    own = np.arange(count)
    for t in range(1, len(emitted)):
        stay = np.where(states.may_stay, score, -np.inf)
        advance = np.append(-np.inf, score[:-1])
        leave_out = np.where(states.skip >= 0, score[states.skip], -np.inf)
        options = np.stack([stay, advance, leave_out])
        best = options.argmax(0)
        came[t] = np.choose(best, (own, own - 1, states.skip))
        score = options[best, own] + emitted[t]
    return score, came


def _backtrack(came: np.ndarray, state: int) -> np.ndarray:
    """States on the best path that ends in `state`, int [T]."""
    path = np.empty(len(came), int)
    for t in range(len(came) - 1, -1, -1):
        path[t] = state
        state = came[t, state]
    return path


def _times(phone: np.ndarray, wanted: Spelling) -> PhoneTimes:
    """Times of the phones of which one is spoken in each frame [T], as an index into `wanted`."""
    edges = np.flatnonzero(np.diff(phone)) + 1
    firsts = np.append(0, edges)
    lasts = np.append(edges, len(phone))
    time_s = [max(0.0, float(t * STEP_S + CENTRE_S - STEP_S / 2)) for t in range(len(phone) + 1)]
    return [(time_s[a], time_s[b], wanted[phone[a]][0]) for a, b in zip(firsts, lasts)]
