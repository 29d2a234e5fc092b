"""The manifest of what the training hears, and the cache of its sounds (needs PyTorch)."""

import numpy as np
import pytest

from edgeface.core.errors import DataError, MissingInputError
from training.data.manifest import (
    PERSON,
    SYNTHESISER,
    TEST,
    TRAIN,
    Manifest,
    Utterance,
    split_by_name,
)
from training.data.store import Store

UTTERANCE = Utterance("a", PERSON, "somewhere", "CC0-1.0", language="de", text="Grüß Gott")


def test_a_manifest_that_grows_is_always_valid_and_the_last_record_counts(tmp_path):
    path = tmp_path / "manifest.jsonl"
    manifest = Manifest(path)
    manifest.add(UTTERANCE)
    manifest.add(Utterance("b", SYNTHESISER, "flite", "free", split=TEST, weight=2.0))
    manifest.add(Utterance("a", PERSON, "somewhere", "CC0-1.0", seconds=3.0))
    assert "Grüß" in path.read_text("utf-8").splitlines()[0]
    again = Manifest(path)
    assert [(one.id, one.seconds) for one in again] == [("a", 3.0), ("b", 0.0)]
    assert [one.id for one in again.find(split=TRAIN)] == ["a"]
    assert [one.id for one in again.find((SYNTHESISER,))] == ["b"] and again["b"].weight == 2.0


def test_a_line_that_another_stage_is_writing_is_left_out(tmp_path):
    path = tmp_path / "manifest.jsonl"
    Manifest(path).add(UTTERANCE)
    line = path.read_bytes()
    for end in range(1, len(line)):
        path.write_bytes(line + line[:end])
        assert [one.id for one in Manifest(path)] == ["a"]


@pytest.mark.parametrize(
    "line", ["{", '{"id": "a"}', '{"id": "a", "mood": "gay"}', '{"id": "a", "kind": "bird"}']
)
def test_a_line_that_is_no_record_is_named(line, tmp_path):
    path = tmp_path / "manifest.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"manifest\.jsonl, line 1"):
        Manifest(path)


def test_values_that_a_record_must_not_have_are_named():
    with pytest.raises(DataError, match="split is 'judged', must be one of"):
        Utterance("a", PERSON, "somewhere", "CC0-1.0", split="judged")
    with pytest.raises(DataError, match="kind is 'actor'"):
        Utterance("a", "actor", "somewhere", "CC0-1.0")


def test_what_is_stored_is_read_again_and_may_be_cut(tmp_path):
    store = Store(tmp_path / "cache")
    samples = (0.1 * np.random.default_rng(1).standard_normal(16100)).astype(np.float32)
    said = [(0.0, 0.5, "m"), (0.5, 1.0, "aa")]
    assert store.add(UTTERANCE, samples, said).seconds == 1.0  # whole frames
    assert store.add(Utterance("b", PERSON, "x", "y"), samples, said, 0.5).seconds == 0.48
    again = Store(tmp_path / "cache")
    assert again.phones(again.manifest["a"]) == said
    assert again.samples(again.manifest["a"]) == pytest.approx(samples[:16000], abs=1e-4)
    assert again.seconds("b") == 0.48 and again.seconds("c") == 0.0
    with pytest.raises(MissingInputError, match="no music in it"):
        again.find(("music",))


def test_one_name_in_ten_is_for_the_test_and_always_the_same_one():
    splits = [split_by_name(f"name {number}") for number in range(1000)]
    assert 70 < splits.count(TEST) < 130
    assert [split_by_name(name) for name in ("pwip7s", "bbaf2n", "lgiz3s")] == [TEST, TRAIN, TEST]
