"""Bundles: every damage of the description is found, and nothing in one leads outside of it."""

import hashlib
import os
import random
import shutil

import numpy as np
import pytest
import yaml
from support.process import edgeface

from edgeface.build import load_model
from edgeface.core.errors import DataError, EdgefaceError
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.model.bundle import DESCRIPTION, read_bundle
from edgeface.model.external_data import external_files
from edgeface.model.seal import sealed, without_seal


@pytest.fixture(scope="module")
def page():
    with open(os.path.join(DEFAULT_BUNDLE, DESCRIPTION), "rb") as file:
        return file.read()


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(DEFAULT_BUNDLE, str(folder))
    return folder


@pytest.fixture
def small(copy, monkeypatch):
    """A copy whose hashes are taken to be right: thousands of pages are read in a test."""
    monkeypatch.setattr("edgeface.model.bundle.sha256_of", _Hashes(copy))
    monkeypatch.setattr("edgeface.model.bundle.external_files", lambda graph: set())
    monkeypatch.setattr("edgeface.model.bundle.read_regular", _read_page)
    return copy


def _read_page(path, most):
    if not path.endswith(DESCRIPTION):
        return b""
    with open(path, "rb") as file:
        return file.read()


class _Hashes:
    def __init__(self, folder):
        self._known = {}
        for name in os.listdir(str(folder)):
            self._known[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    def __call__(self, path):
        if os.path.basename(path) not in self._known:
            raise FileNotFoundError(2, "not there")
        return self._known[os.path.basename(path)]


def values(description):
    return description._replace(crc32=0)


def flips(page, count, seed):
    """Pages with one to three bits changed, or a byte replaced."""
    rng = random.Random(seed)
    for turn in range(count):
        damaged = bytearray(page)
        for _ in range(1 + turn % 3):
            at = rng.randrange(len(page))
            damaged[at] = rng.randrange(256) if turn % 2 else damaged[at] ^ 1 << rng.randrange(8)
        yield bytes(damaged)


def test_every_damaged_page_is_refused_or_says_the_same(small, page):
    good = values(read_bundle(str(small)))
    refused = 0
    for damaged in flips(page, 600, 1):
        (small / DESCRIPTION).write_bytes(damaged)
        try:
            assert values(read_bundle(str(small))) == good
        except DataError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 560


def test_every_beginning_of_a_page_is_refused_or_says_the_same(small, page):
    good = values(read_bundle(str(small)))
    for length in range(0, len(page), 17):
        (small / DESCRIPTION).write_bytes(page[:length])
        try:
            assert values(read_bundle(str(small))) == good
        except DataError:
            continue


def test_a_page_without_a_seal_is_read_and_damage_is_one_error(small, page):
    """Bundles of earlier releases: nothing but an error of one line comes of any damage."""
    old = page[: page.rindex(b"sha256: ")]
    (small / DESCRIPTION).write_bytes(old)
    read_bundle(str(small))
    for damaged in flips(old, 600, 2):
        (small / DESCRIPTION).write_bytes(damaged)
        try:
            read_bundle(str(small))
        except DataError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "change",
    [
        {"latency_ms": 10**400},
        {"latency_ms": True},
        {"latency_ms": 60},
        {"context_frames": -1},
        {"context_frames": 300},
        {"whole_frames": 10**9},
        {"sample_rate_hz": 8000},
        {"frame_rate_hz": 0},
        {"neutral": [[10**400, 0, 0]] * 68},
        {"neutral": [[float("nan"), 0, 0]] * 68},
        {"steps": {80: ["step_80.onnx"]}},
        {"steps": {"eighty": "step_80.onnx", 80: "step_80.onnx"}},
        {"steps": {80: "../bundle/step_80.onnx"}},
        {"files": {"step_80.onnx": 7}},
        {"files": {7: "0" * 64}},
        {"files": {"../x": "0" * 64}},
        {"files": {"a\0b": "0" * 64}},
        {"files": {"..": "0" * 64}},
    ],
)
def test_values_that_cannot_be_are_refused(copy, page, change):
    fields = dict(without_seal(yaml.safe_load(page)), **change)
    (copy / DESCRIPTION).write_text(sealed(yaml.safe_dump(fields)))
    with pytest.raises(DataError) as caught:
        read_bundle(str(copy))
    assert str(copy) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [b"[" * 5000, b"!!int ''", b"!!timestamp x", b"!!bool maybe", b"a: &a [*a]", b"\xff", b"- 1"],
)
def test_yaml_that_parsers_choke_on_is_one_error(copy, text):
    (copy / DESCRIPTION).write_bytes(text)
    with pytest.raises(DataError) as caught:
        read_bundle(str(copy))
    assert "\n" not in str(caught.value)


def test_text_behind_the_seal_is_damage(copy, page):
    (copy / DESCRIPTION).write_bytes(page + b"licence: none\n")
    pytest.raises(DataError, read_bundle, str(copy))


@pytest.mark.parametrize("name", [DESCRIPTION, "weights.bin", "step_80.onnx"])
def test_links_out_of_a_bundle_are_refused(copy, tmp_path, name):
    os.rename(str(copy / name), str(tmp_path / "elsewhere"))
    (copy / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="outside of the bundle"):
        read_bundle(str(copy))


def test_links_within_a_bundle_and_to_it_are_followed(copy, tmp_path):
    os.rename(str(copy / "weights.bin"), str(copy / "w"))
    (copy / "weights.bin").symlink_to("w")
    (tmp_path / "link").symlink_to("bundle")
    assert read_bundle(str(tmp_path / "link")).name == "edgeface-grid"


@pytest.mark.parametrize("name", [DESCRIPTION, "weights.bin"])
def test_what_is_no_regular_file_is_refused(copy, name):
    os.unlink(str(copy / name))
    os.mkfifo(str(copy / name))
    with pytest.raises(DataError, match="not a regular file"):
        read_bundle(str(copy))


def test_a_description_of_any_size_is_not_read(copy):
    with open(str(copy / DESCRIPTION), "ab") as file:
        file.truncate(1 << 33)
    with pytest.raises(DataError, match="larger than"):
        read_bundle(str(copy))


def test_verify_wants_a_hash_for_every_file(copy, page):
    assert edgeface("model", "verify", str(copy)).returncode == 0
    (copy / "more.bin").write_bytes(b"x")
    result = edgeface("model", "verify", str(copy))
    assert result.returncode == 65 and "more.bin" in result.stderr
    os.unlink(str(copy / "more.bin"))
    fields = without_seal(yaml.safe_load(page))
    del fields["files"]["weights.bin"]
    (copy / DESCRIPTION).write_text(sealed(yaml.safe_dump(fields)))
    result = edgeface("model", "verify", str(copy))
    assert result.returncode == 65 and "no hash for weights.bin" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_default_bundle_is_sealed(page):
    text = page[: page.rindex(b"sha256: ")].decode()
    assert page.decode() == sealed(text)
    assert len(load_model().neutral) == 68


def varint(value):
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(data) + bytes([value])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def entry(place, backwards=False):
    """The pair of a tensor that names its file."""
    parts = [field(1, b"location"), field(2, place.encode())]
    return field(13, b"".join(reversed(parts) if backwards else parts))


def graphs(place):
    """Models in which a tensor names a file: an initializer, a constant, one of a subgraph."""
    tensor = field(8, b"weights") + entry(place)
    constant = field(1, field(5, field(1, b"value") + field(5, tensor)))
    branch = field(1, field(5, field(6, field(5, tensor))))
    yield field(7, field(5, tensor))
    yield field(7, field(5, entry(place, backwards=True)))
    yield field(7, constant)
    yield field(7, branch)
    yield field(7, field(15, field(1, tensor)))
    yield field(25, field(7, field(5, field(10, tensor))))


@pytest.mark.parametrize("place", ["/etc/hostname", "../secret", "other.bin"])
def test_graphs_read_only_files_whose_hash_is_known(copy, page, place):
    for graph in graphs(place):
        assert external_files(graph) == {place}
        (copy / "step_80.onnx").write_bytes(graph)
        fields = without_seal(yaml.safe_load(page))
        fields["files"]["step_80.onnx"] = hashlib.sha256(graph).hexdigest()
        (copy / DESCRIPTION).write_text(sealed(yaml.safe_dump(fields)))
        with pytest.raises(DataError) as caught:
            read_bundle(str(copy))
        assert place in str(caught.value) and "\n" not in str(caught.value)


def test_any_bytes_are_a_graph_or_an_error():
    rng = np.random.default_rng(3)
    for graph in graphs("a.bin"):
        for _ in range(100):
            damaged = bytearray(graph)
            damaged[rng.integers(len(damaged))] = rng.integers(256)
            try:
                external_files(bytes(damaged))
            except ValueError:
                continue


def test_bundles_in_folders_of_any_name(copy, tmp_path, speech_wav):
    """Also where the locale knows ASCII alone, and where the name is no text at all."""
    environment = dict(os.environ, LANG="C", LC_ALL="C", PYTHONCOERCECLOCALE="0")
    for name in ("é".encode(), b"\xff"):
        folder = os.fsencode(str(tmp_path)) + b"/" + name
        os.rename(os.fsencode(str(copy)), folder)
        out = folder + b".npz"
        result = edgeface("motion", speech_wav, "--bundle", folder, "-o", out, env=environment)
        assert result.returncode == 0, result.stderr
        assert os.path.exists(out)
        os.rename(folder, os.fsencode(str(copy)))


def test_missing_bundles_are_one_line(tmp_path):
    for folder in (str(tmp_path / "missing"), str(tmp_path / ("x" * 300)), "/etc/hostname"):
        with pytest.raises(EdgefaceError) as caught:
            read_bundle(folder)
        assert caught.value.exit_code in (65, 66)
