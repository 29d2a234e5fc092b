import pytest

from edgeface.core.errors import one_line


@pytest.mark.parametrize(
    "limit, wanted",
    [(None, "cannot open: no disk"), (6, "cannot"), (-4, "disk"), (99, "cannot open: no disk")],
)
def test_an_error_of_many_lines_becomes_one(limit, wanted):
    assert one_line(OSError("cannot  open:\n\tno disk\n"), limit) == wanted


def test_an_error_without_a_text_is_empty():
    assert one_line(ValueError()) == one_line("", 10) == ""
