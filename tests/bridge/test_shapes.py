import numpy as np

from edgeface.bridge.shapes import PASCAL, clean


def test_what_no_receiver_can_take_never_leaves():
    strange = np.zeros(52, np.float32)
    strange[:6] = np.nan, np.inf, -np.inf, 1.5, -0.5, 0.25
    values = clean(strange)
    assert values[:6] == [0, 1, 0, 1, 0, 0.25]
    assert len(values) == 52
    assert all(type(value) is float for value in values)
    assert np.isnan(strange[0])  # the frame belongs to others, too


def test_names_of_other_tools():
    assert PASCAL[0] == "EyeBlinkLeft"
    assert PASCAL[17] == "JawOpen"
    assert PASCAL[51] == "TongueOut"
