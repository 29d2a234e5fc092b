"""What is done, and what is done already; in this process."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from edgeface.batch.job import FAILED, KEPT, MADE, Job, Order, convert
from edgeface.config import Model, Motion, Settings
from edgeface.core.errors import MissingInputError, UnavailableError
from edgeface.core.resources import DEFAULT_BUNDLE

PLAIN = Settings()


@pytest.fixture
def job(speech_wav, tmp_path):
    return Job(speech_wav, str(tmp_path / "out" / "a" / "speech.npz"))


def after(job, settings=PLAIN, run="run"):
    """The outcome, and the job as the next run knows it."""
    outcome = convert(job, Order(settings, run))
    return outcome, job._replace(before=outcome.finished)


def test_a_file_is_done_once(job):
    outcome, job = after(job)
    assert (outcome.state, outcome.sound_s) == (MADE, 3.0)
    with np.load(job.target) as file:
        assert len(file["landmarks"]) == 75
    outcome, again = after(job, run="another")
    assert (outcome.state, outcome.sound_s, again) == (KEPT, 0.0, job)


def test_it_is_done_again_where_that_makes_a_difference(job, tmp_path):
    _, job = after(job)
    with open(job.target, "r+b") as file:
        file.truncate(1000)
    assert after(job)[0].state == MADE
    os.unlink(job.target)
    assert after(job)[0].state == MADE
    os.utime(job.source)
    outcome, job = after(job)
    assert outcome.state == MADE
    assert after(job, Settings(motion=Motion(lookahead_ms=40)), "sooner")[0].state == MADE
    outcome, job = after(job)
    assert outcome.state == MADE  # the file is that of the other settings
    audio = dataclasses.replace(PLAIN.audio, sources=("monitor",))
    assert after(job, dataclasses.replace(PLAIN, audio=audio), "a")[0].state == KEPT
    folder = str(tmp_path / "bundle")
    shutil.copytree(DEFAULT_BUNDLE, folder)
    other = Settings(model=Model(bundle=folder))
    assert after(job, other, "same")[0].state == KEPT
    page = os.path.join(folder, "bundle.yaml")
    with open(page) as file:
        text = file.read().replace("edgeface-grid", "edgeface-other")
    with open(page, "w") as file:
        file.write(text[: text.rindex("sha256:")])
    assert after(job, other, "different")[0].state == MADE


def test_what_is_wrong_with_a_file_is_its_outcome(job, tmp_path, monkeypatch):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    for source, reason in (
        (str(bad), "bad.wav"),
        (str(tmp_path / "missing.wav"), "check the path"),
    ):
        outcome, _ = after(job._replace(source=source))
        assert (outcome.state, outcome.finished) == (FAILED, None) and reason in outcome.problem
    monkeypatch.setattr("edgeface.pipeline.level_dbfs", lambda samples: 1 / 0)
    outcome, _ = after(job)
    assert outcome.state == FAILED and "internal error: ZeroDivisionError" in outcome.problem
    assert not os.path.exists(job.target)


def test_what_is_wrong_with_all_files_is_raised(job, tmp_path):
    with pytest.raises(MissingInputError, match="/nowhere"):
        after(job, Settings(model=Model(bundle="/nowhere")), "nowhere")
    (tmp_path / "out").write_text("")
    with pytest.raises(UnavailableError, match=r"speech\.npz"):
        after(job)
