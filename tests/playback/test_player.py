"""The pass-through: the clock of the sound card is corrected, in hours of virtual time."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgeface.devices.sample_clock import SampleClock
from edgeface.playback.player import Player
from edgeface.playback.resample import VariableResampler

SECOND_NS = 10**9


class Card:
    """A sound card in virtual time: knows when its samples are heard, in truth and as it says."""

    name = "card"
    stopped = False

    def __init__(self, rate_hz, true_rate_hz, jitter_ns=0):
        self.rate_hz, self._period_ns, self._jitter_ns = rate_hz, 1e9 / true_rate_hz, jitter_ns
        self._random = np.random.RandomState(1)
        self._clock, self._said = SampleClock(rate_hz), 0
        self.written = []  # (position, samples)
        self.now_ns = 0

    def open(self):
        pass

    def close(self):
        pass

    def pass_time(self, now_ns):
        self.now_ns = now_ns

    def position_at(self, ns):
        while (self._said + 1) * self._period_ns <= self.now_ns:
            heard_ns = int(
                self._said * self._period_ns + self._random.uniform(-1, 1) * self._jitter_ns
            )
            self._clock.update(self._said, heard_ns)
            self._said += self.rate_hz // 100
        return self._clock.position(ns)

    def write(self, position, samples):
        self.written.append((position, len(samples)))

    def true_ns(self, position):
        return position * self._period_ns


def ready(card, delay_ns=120 * 10**6):
    player = Player(card, delay_ns)
    player.open()
    player._ready.wait(5)
    return player


def talk(player, card, begin_s, seconds):
    """Plays so much; for every block, how many ms too late its first sample is heard."""
    errors = []
    for k in range(int(seconds * 100)):
        audio_ns = int(begin_s * SECOND_NS) + k * 10**7
        card.pass_time(audio_ns + 10**7)
        behind = player._resampler.behind
        player.play(np.zeros(160, np.float32), audio_ns)
        position = card.written[-1][0]
        if k:
            errors.append((card.true_ns(position) + behind * 62500 - audio_ns - 120e6) / 1e6)
    return np.array(errors)


@pytest.mark.parametrize(
    "rate_hz, true_rate_hz, seconds",
    [
        pytest.param(16000, 16008, 3600, marks=pytest.mark.slow),
        (16000, 15992, 300),
        (48000, 48024, 300),
        (44100, 44100, 300),
    ],
)
def test_an_hour_stays_within_5_ms_and_never_jumps(rate_hz, true_rate_hz, seconds):
    card = Card(rate_hz, true_rate_hz, jitter_ns=3 * 10**6)
    player = ready(card)
    errors = talk(player, card, 1.0, seconds)
    print(f"largest error after the settling: {np.abs(errors[1000:]).max():.2f} ms")
    assert player.jumps == 1  # the start
    assert np.abs(errors[1000:]).max() < 5
    assert np.abs(errors).max() < 20
    ends = [position + count for position, count in card.written]
    assert ends[:-1] == [
        position for position, _ in card.written[1:]
    ]  # nothing is cut out or repeated


def test_after_a_pause_the_sound_is_in_its_place_at_once():
    card = Card(16000, 16008)
    player = ready(card)
    talk(player, card, 1.0, 30.0)
    errors = talk(player, card, 60.0, 5.0)
    assert player.jumps == 2 and np.abs(errors).max() < 5


def test_a_missing_device_costs_the_sound_and_nothing_else():
    card = Card(16000, 16000)
    player = Player(card, 0)
    player.play(np.zeros(160, np.float32), 10**9)
    assert card.written == []


@pytest.mark.parametrize("ratio", [1.0, 1.001, 44100 / 16000, 3.0])
def test_a_tone_is_resampled_without_distortion(ratio):
    resampler = VariableResampler()
    for hz in (100.0, 1000.0, 5000.0):
        resampler.reset()
        x = np.sin(2 * np.pi * hz * np.arange(16000) / 16000).astype(np.float32)
        y = np.concatenate(
            [resampler.accept(x[at : at + 160], ratio) for at in range(0, 16000, 160)]
        )
        moments = np.arange(len(y)) / ratio - VariableResampler.delay
        wanted = np.sin(2 * np.pi * hz * moments / 16000)
        assert np.abs(y - wanted)[200:-200].max() < 2e-3
        assert abs(len(y) - 16000 * ratio) <= 20 * ratio


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.floats(1.0, 3.1)), max_size=12))
@example([(1, 1.0000000000000002)])
def test_resampling_any_blocks_at_any_ratios_loses_nothing(blocks):
    """The moments are always where the ratios say; a ramp comes out as a ramp."""
    resampler, taken, moments, out = VariableResampler(), 0, [], []
    for count, ratio in blocks:
        first = taken - resampler.behind
        y = resampler.accept(np.arange(taken, taken + count, dtype=np.float32), ratio)
        moments += list(first + np.arange(len(y)) / ratio)
        out += list(y)
        taken += count
        assert resampler.behind <= resampler.delay + 1 / 1.0 + 1e-6
    moments, out = np.array(moments), np.array(out)
    inner = moments > 40
    assert np.abs(out[inner] - moments[inner]).max(initial=0) < 0.02 + 1e-3 * taken
