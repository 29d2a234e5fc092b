"""Actors of two games that the training hears or judges by (`make test-study`)."""

import io
import struct

import numpy as np
import pytest
import soundfile

from edgeface.errors import UnavailableError
from edgeface.training import actors, drascula
from edgeface.training.align import respelled


def answer(number, text):
    text = text.encode("latin-1")
    entry = struct.pack(">IB", number, len(text)) + text
    return entry + b"\0" * (-len(entry) % 4)


def dialogue(number, by_hero, by_other, levels=1):
    """A part of the game; `levels` below 0 stands for as many."""
    tree = b"\0" * 96 * abs(levels)
    hero, other = (b"".join(answer(*one) for one in said) for said in (by_hero, by_other))
    begin = 32 + len(tree) + len(hero)
    header = struct.pack(">h2xH16xHH6x", levels, number, begin, begin + len(other))
    return b"AmBk" + b"\0" * 16 + header + tree + hero + other + b"after it"


def game(parts):
    first = 15 + 21 * len(parts)
    table, bodies = b"QTBLCEM10".ljust(12, b"\0") + b"\1" + struct.pack(">H", len(parts)), b""
    for name, body in parts.items():
        table += struct.pack(">12sBII", name.encode(), 1, first + len(bodies), len(body))
        bodies += body
    return table + bodies


@pytest.mark.parametrize("levels", [2, -2])
def test_what_is_said_in_a_dialogue_has_the_sound_of_its_number(levels):
    talk = dialogue(7, [(0x9C, "Howdy.*03"), (5, "No sound.")],
                    [(0xA, "You see...*01*FLI live here.*0AGood bye."), (0x10, "Mmh.")], levels)
    parts = {"BOB2.DOG": talk, "MAP.PCX": b"a picture", "07009CJ1.SB": b"howdy", "07000AP1.SB": b"see",
             "07000AP3.SB": b"home", "07000AP2.SB": b"nothing is said", "080010P1.SB": b"of another dialogue"}
    assert list(actors.lines(game(parts))) == [
        ("joe-07009CJ1", "Howdy.", b"howdy"), ("bob-07000AP1", "You see...", b"see"),
        ("bob-07000AP3", "I live here.", b"home")]


def scene(texts):
    """A part of the game; a text of no length has no padding."""
    packed = b""
    for text in texts:
        packed += bytes([len(text)]) + text.encode("latin-1")
        if text:
            packed += b"\0" * (len(packed) % 2)
    return b"\0" * 20 + struct.pack(">8x2H", 12, 12 + len(packed)) + packed + b"after it"


def test_what_is_said_in_scenes_and_of_things_has_the_sound_of_its_place():
    talk = scene(["", "*15", "Boss?*16*01Come in!*02", "", "I\xb4m here.*FL", ""])
    things = "It's a tree.*14\r\nIt's tall*14Very tall.*24\r\na name".encode()
    parts = {"C7B.CUT": talk, "QUEEN2.JAS": things, "C7B__021.SB": b"boss", "C7B__023.SB": b"come",
             "C7B__041.SB": b"here", "C7B__022.SB": b"nothing is said", "JOE00411.SB": b"tree", "JOE00422.SB": b"very"}
    assert list(actors.lines(game(parts))) == [
        ("scene-C7B__021", "Boss?", b"boss"), ("scene-C7B__023", "Come in!", b"come"),
        ("scene-C7B__041", "I\xb4m here.", b"here"),
        ("joe-JOE00411", "It's a tree.", b"tree"), ("joe-JOE00422", "Very tall.", b"very")]


def test_a_line_is_heard_where_all_its_sound_is_in_its_phones(monkeypatch):
    times = {"Mama.": [(0.1, 0.9, "m")], "Half of it.": [(0.1, 0.4, "hh")], "Another.": None}  # of pocketsphinx
    monkeypatch.setattr(actors, "Aligner", lambda: None)
    monkeypatch.setattr(actors, "said", lambda aligner, samples, text: times[text])
    sound = io.BytesIO()
    tone = np.sin(np.arange(11025) / 4) / 4
    soundfile.write(sound, np.where(np.abs(np.arange(11025) / 11025 - 0.5) < 0.38, tone, 0), 11025, format="MP3")
    talk = dialogue(7, list(enumerate(times)), [])
    (name, samples, phones), = actors.heard(game({"BOB.DOG": talk, "070000J1.SB": sound.getvalue(),
                                                  "070001J1.SB": sound.getvalue(), "070002J1.SB": sound.getvalue()}))
    assert (name, phones) == ("joe-070000J1", times["Mama."])
    assert 15000 < len(samples) < 21000 and 0.2 < np.abs(samples).max() < 0.4


def test_pauses_may_be_left_out_where_another_aligner_found_one():
    assert respelled([(0, 1, "sil"), (1, 2, "m"), (2, 3, "pau"), (3, 4, "aa")]) == [
        ("sil", True), ("m", False), ("sil", True), ("aa", False), ("sil", True)]


def line(text):
    text = text.encode("cp850")
    size = 2 + len(text) + -len(text) % 4 + 2
    return struct.pack(">H", size) + text.ljust(size - 2, b"\0")


def test_the_lines_of_a_game_are_told_apart_by_language_and_role(tmp_path, monkeypatch):
    first = "THAT'S THE SECOND BIGGEST DOOR I'VE SEEN IN MY LIFE"
    said = [["", first, "NO"], ["", "BAÑO"]] + [["", "HM"]] * 8  # the hero, Dracula, eight more; line 0 is empty
    data = b"DRASCULA" + b"other tables"
    for lines in said:
        data += struct.pack(">H", len(lines))
        for language in ("", " es", " de", " fr", " it", " ru"):
            texts = b"".join(line(text and text + language) for text in lines)
            data += struct.pack(">HH", len(texts) + 2, 0) + texts
    monkeypatch.setattr(drascula, "_GAME", tmp_path)
    for path in ("en/1.ALS", "en/2.ALS", "es/D1.ALS", "es/VB1.ALS", "es/VB9.ALS"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"\x80" * 11025)
    (tmp_path / "en" / "drascula.dat").write_bytes(data + b"more tables")
    spoken = drascula.spoken()
    assert [(one.name, one.voice, one.text) for one in spoken] == [
        ("human-en-1", "en-us", first.lower()), ("human-en-2", "en-us", "no"),
        ("human-actors-D1", "es", "baño es"), ("human-actors-VB1", "es", "hm es")]
    samples = spoken[0].samples()
    assert samples.shape == (16000,) and np.abs(samples).max() < 1e-3


def test_who_lacks_a_game_is_told_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(actors, "_GAME", tmp_path / "queen.1c")
    monkeypatch.setattr(drascula, "_GAME", tmp_path)
    with pytest.raises(UnavailableError, match="flight-of-the-amazon-queen"):
        actors.collect(tmp_path)
    with pytest.raises(UnavailableError, match="drascula-spanish"):
        drascula.spoken()
