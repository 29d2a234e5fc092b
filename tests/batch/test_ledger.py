import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.batch.job import Finished
from edgeface.batch.ledger import NAME, Ledger
from edgeface.core.errors import UnavailableError


def test_what_was_added_is_known_the_next_time_wherever_the_folder_is(tmp_path):
    name = os.fsdecode(b"\xff \n\xc3\xbc.npz")
    ledger = Ledger(str(tmp_path / "out"))
    assert ledger.before(str(tmp_path / "out" / "a" / name)) is None
    ledger.add(str(tmp_path / "out" / "a" / name), Finished("made", "old"))
    ledger.add(str(tmp_path / "out" / "a" / name), Finished("made", "new"))
    ledger.close()
    os.rename(str(tmp_path / "out"), str(tmp_path / "moved"))
    again = Ledger(str(tmp_path / "moved"))
    assert again.before(str(tmp_path / "moved" / "a" / name)) == Finished("made", "new")
    again.close()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.binary(max_size=40)
        | st.recursive(
            st.none() | st.text(),
            lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        ).map(lambda value: json.dumps(value).encode())
        | st.just(b'{"file": "a.npz", "made_of": "m", "sha256": "s"')
        | st.just(b'{"file": ["a.npz"], "made_of": "m", "sha256": "s"}')
    )
)
def test_damaged_lines_are_nothing(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("out")
    (folder / NAME).write_bytes(b"\n".join(lines))
    ledger = Ledger(str(folder))
    target = str(folder / "a.npz")
    assert ledger.before(target) is None
    ledger.add(target, Finished("1", "2"))
    ledger.close()
    again = Ledger(str(folder))
    assert again.before(target) == Finished("1", "2")
    again.close()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="file"):
        Ledger(str(tmp_path / "file"))
