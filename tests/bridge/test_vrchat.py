"""VRChat parameters: python-osc as the receiver, values by VRCFaceTracking's rules."""

import pytest
from hypothesis import given, settings
from support.bridge_frames import any_frame, frame_of
from support.osc import decoded, one_value_each

from edgeface.bridge.vrchat import VrChat
from edgeface.motion.frame import NEUTRAL

pytestmark = pytest.mark.system
PLAIN = "/avatar/parameters/v2/"
PREFIXED = "/avatar/parameters/FT/v2/"


def parameters(**shapes):
    return one_value_each(VrChat().encode(frame_of(**shapes), 0.0))


def moved(**shapes):
    """The parameters under the plain name that these shapes move."""
    return {
        address[len(PLAIN) :]: pytest.approx(value)
        for address, value in parameters(**shapes).items()
        if address.startswith(PLAIN) and value
    }


@settings(max_examples=50, deadline=None)
@given(any_frame)
def test_any_frame_stays_in_range_and_fits_into_datagrams(frame):
    datagrams = VrChat().encode(frame, 0.0)
    assert all(len(datagram) < 1472 for datagram in datagrams)
    for address, (value,) in decoded(datagrams):
        if address.endswith("Active"):
            assert value is (frame.flags & NEUTRAL == 0)
        else:
            assert isinstance(value, float)
            assert -1.000001 <= value <= 1.000001


def test_every_parameter_has_both_names():
    found = parameters(jawOpen=0.5)
    plain = {name[len(PLAIN) :]: value for name, value in found.items() if name.startswith(PLAIN)}
    prefixed = {
        name[len(PREFIXED) :]: value for name, value in found.items() if name.startswith(PREFIXED)
    }
    assert plain == prefixed
    assert len(plain) + len(prefixed) + 2 == len(found)


def test_eyes_are_left_to_the_avatar():
    assert not [name for name in parameters(eyeBlinkLeft=1.0) if "Eye" in name]


def test_parameters_of_single_shapes():
    assert moved(jawOpen=0.5) == {"JawOpen": 0.5}
    assert moved(mouthClose=0.5) == {"MouthClosed": 0.5}
    assert moved(jawLeft=0.5) == {"JawLeft": 0.5, "JawX": -0.5}
    assert moved(mouthShrugUpper=0.5) == {"MouthRaiserUpper": 0.5}
    assert moved(noseSneerLeft=0.5) == {"NoseSneerLeft": 0.5, "NoseSneer": 0.25}
    assert moved(mouthUpperUpRight=0.4) == {
        "MouthUpperUpRight": 0.4,
        "MouthUpperUp": 0.2,
        "MouthOpen": 0.1,
    }
    assert moved(mouthRight=0.5) == {
        **dict.fromkeys(("MouthUpperRight", "MouthLowerRight"), 0.5),
        **dict.fromkeys(("MouthX", "MouthUpperX", "MouthLowerX"), 0.5),
    }
    assert moved(mouthRollLower=0.4) == {
        **dict.fromkeys(("LipSuckLowerLeft", "LipSuckLowerRight", "LipSuckLower"), 0.4),
        "LipSuck": 0.2,
    }
    assert moved(mouthPucker=0.4) == {
        "LipPucker" + part: 0.4
        for part in ("", "Upper", "Lower", "UpperLeft", "UpperRight", "LowerLeft", "LowerRight")
    }
    assert moved(mouthSmileLeft=0.4) == {
        **dict.fromkeys(("MouthCornerPullLeft", "MouthCornerSlantLeft", "MouthSmileLeft"), 0.4),
        **dict.fromkeys(("SmileFrownLeft", "SmileSadLeft"), 0.4),
        **dict.fromkeys(("SmileFrown", "SmileSad"), 0.2),
    }
    assert moved(browInnerUp=0.4) == {
        **dict.fromkeys(("BrowInnerUp", "BrowInnerUpLeft", "BrowInnerUpRight"), 0.4),
        **dict.fromkeys(("BrowExpression", "BrowExpressionLeft", "BrowExpressionRight"), 0.2),
    }
    assert moved(browDownRight=0.4) == {
        **dict.fromkeys(("BrowDownRight", "BrowLowererRight", "BrowPinchRight"), 0.4),
        "BrowDown": 0.2,
        "BrowExpressionRight": -0.4,
        "BrowExpression": -0.2,
    }


def test_only_what_changed_is_said_and_everything_once_a_second():
    vrchat = VrChat()
    everything = one_value_each(vrchat.encode(frame_of(jawOpen=0.5), 5.0))
    assert vrchat.encode(frame_of(jawOpen=0.5), 5.5) == []
    assert one_value_each(vrchat.encode(frame_of(jawOpen=0.6), 5.6)) == {
        PLAIN + "JawOpen": pytest.approx(0.6),
        PREFIXED + "JawOpen": pytest.approx(0.6),
    }
    assert one_value_each(vrchat.encode(frame_of(jawOpen=0.5), 6.0)) == everything


def test_tracking_ends_with_the_live_sound():
    vrchat = VrChat()
    active = "/avatar/parameters/LipTrackingActive"
    assert one_value_each(vrchat.encode(frame_of(), 0.0))[active] is True
    assert one_value_each(vrchat.encode(frame_of(flags=NEUTRAL), 0.1)) == {
        active: False,
        "/avatar/parameters/ExpressionTrackingActive": False,
    }
