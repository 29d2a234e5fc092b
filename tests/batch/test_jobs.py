import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeface.batch.jobs import jobs_of
from edgeface.core.errors import MissingInputError, UsageError


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("corpus/x.flac", "corpus/a/x.flac", "corpus/a/b/y.flac", "corpus/a/b/y.wav"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()
    os.makedirs("corpus/a.flac")


def places(*arguments):
    return {job.source: job.target for job in jobs_of(arguments, "out", ".npz")}


def test_a_pattern_keeps_its_tree(corpus):
    assert places("corpus/**/*.flac") == {
        "corpus/x.flac": "out/x.npz",
        "corpus/a/x.flac": "out/a/x.npz",
        "corpus/a/b/y.flac": "out/a/b/y.npz",
    }
    assert places("corpus/*/x.flac") == {"corpus/a/x.flac": "out/a/x.npz"}
    assert places("*/x.flac") == {"corpus/x.flac": "out/corpus/x.npz"}


def test_files_keep_the_tree_below_the_folder_that_they_share(corpus):
    assert places("corpus/x.flac", "corpus/a/b/y.wav") == {
        "corpus/x.flac": "out/x.npz",
        "corpus/a/b/y.wav": "out/a/b/y.npz",
    }
    assert places("corpus/a/b/y.wav") == {"corpus/a/b/y.wav": "out/y.npz"}


def test_files_that_differ_in_their_suffix_keep_it(corpus):
    assert places("corpus/**/y.*") == {
        "corpus/a/b/y.flac": "out/a/b/y.flac.npz",
        "corpus/a/b/y.wav": "out/a/b/y.wav.npz",
    }


def test_a_file_named_like_a_pattern_is_a_file(corpus):
    open("[1].wav", "w").close()
    assert places("[1].wav") == {"[1].wav": "out/[1].npz"}


def test_what_cannot_be(corpus):
    with pytest.raises(MissingInputError, match=r"corpus/\*\.mp3"):
        places("corpus/x.flac", "corpus/*.mp3")
    with pytest.raises(UsageError, match=r"out/x\.flac\.npz.*corpus/x\.flac"):
        places("corpus/*.flac", "corpus/a/*.flac")


@settings(max_examples=50, deadline=None)
@given(st.sets(st.text("ab.-ü \n", min_size=1), min_size=1))
def test_no_two_files_go_to_the_same_place(names):
    try:
        jobs = jobs_of([f"/a/{name}" for name in names], "out", ".csv")
    except UsageError:  # such as a.wav, a.flac and a.wav.mp3
        return
    assert len({job.target for job in jobs}) == len({os.path.abspath(job.source) for job in jobs})
