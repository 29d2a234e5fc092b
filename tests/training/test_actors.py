"""Actors of two games that the training hears or judges by (`make test-torch`)."""

import io
import json
import struct

import numpy as np
import pytest
import soundfile
import torch

from edgeface.core.errors import DataError, UnavailableError
from training import actors, amazon_queen, drascula, propack, steel_sky
from training.align import respelled


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
    talk = dialogue(
        7,
        [(0x9C, "Howdy.*03"), (5, "No sound.")],
        [(0xA, "You see...*01*FLI live here.*0AGood bye."), (0x10, "Mmh.")],
        levels,
    )
    parts = {
        "BOB2.DOG": talk,
        "MAP.PCX": b"a picture",
        "07009CJ1.SB": b"howdy",
        "07000AP1.SB": b"see",
        "07000AP3.SB": b"home",
        "07000AP2.SB": b"nothing is said",
        "080010P1.SB": b"of another dialogue",
    }
    assert list(amazon_queen.pieces(game(parts))) == [
        ("joe-07009CJ1", "Howdy.", b"howdy"),
        ("bob-07000AP1", "You see...", b"see"),
        ("bob-07000AP3", "I live here.", b"home"),
    ]


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
    parts = {
        "C7B.CUT": talk,
        "QUEEN2.JAS": things,
        "C7B__021.SB": b"boss",
        "C7B__023.SB": b"come",
        "C7B__041.SB": b"here",
        "C7B__022.SB": b"nothing is said",
        "JOE00411.SB": b"tree",
        "JOE00422.SB": b"very",
    }
    assert list(amazon_queen.pieces(game(parts))) == [
        ("scene-C7B__021", "Boss?", b"boss"),
        ("scene-C7B__023", "Come in!", b"come"),
        ("scene-C7B__041", "I\xb4m here.", b"here"),
        ("joe-JOE00411", "It's a tree.", b"tree"),
        ("joe-JOE00422", "Very tall.", b"very"),
    ]


def test_the_sound_of_a_piece_is_read(tmp_path, monkeypatch):
    sound = io.BytesIO()
    soundfile.write(sound, np.sin(np.arange(11025) / 4) / 4, 11025, format="MP3")
    (tmp_path / "queen.1c").write_bytes(
        game({"BOB.DOG": dialogue(7, [(0, "Mama.")], []), "070000J1.SB": sound.getvalue()})
    )
    monkeypatch.setattr(amazon_queen, "_GAME", tmp_path / "queen.1c")
    ((name, text, samples),) = amazon_queen.lines()
    assert (name, text) == ("joe-070000J1", "Mama.")
    assert 15000 < len(samples) < 21000 and 0.2 < np.abs(samples).max() < 0.4


def test_a_line_is_heard_where_all_its_sound_is_in_its_phones(monkeypatch):
    times = {
        "Mama.": [(0.1, 0.9, "m")],
        "Half of it.": [(0.1, 0.4, "hh")],
        "Another.": None,
    }  # of pocketsphinx
    monkeypatch.setattr(actors, "Aligner", lambda: None)
    monkeypatch.setattr(actors, "said", lambda aligner, samples, text: times[text])
    samples = np.where(
        np.abs(np.arange(16000) / 16000 - 0.5) < 0.38, np.sin(np.arange(16000) / 4) / 4, 0
    )
    found = actors.heard([(text.lower(), text, samples) for text in times])
    assert [(name, phones) for name, _, phones in found] == [("mama.", times["Mama."])]


def test_what_is_aligned_anew_of_a_game_is_kept_once(tmp_path, monkeypatch, capsys):
    samples = np.sin(np.arange(16000) / 4).astype(np.float32) / 4
    phones = [(0.0, 1.0, "aa")]
    better = iter(
        ([(0.0, 1.0, "m")], None, [(0.0, 0.3, "m")])
    )  # well, not at all, with much left over
    monkeypatch.setattr(actors, "_GAMES", (amazon_queen,))
    monkeypatch.setattr(amazon_queen, "lines", lambda: [(name, "", samples) for name in "abc"])
    monkeypatch.setattr(actors, "Aligner", lambda: None)
    monkeypatch.setattr(actors, "said", lambda *line: phones)
    monkeypatch.setattr(actors, "_learnt", lambda cache, rough: torch.nn.Linear(1, 1))
    monkeypatch.setattr(actors, "aligned", lambda *line: next(better))
    (tmp_path / "speech").mkdir()
    for _ in range(
        2
    ):  # the second time it is done already, and nothing is left to draw from `better`
        actors.collect(tmp_path)
    assert sorted(path.name for path in (tmp_path / "speech").iterdir()) == [
        "actor-a.flac",
        "actor-a.json",
    ]
    assert json.loads((tmp_path / "speech" / "actor-a.json").read_text()) == [[0.0, 1.0, "m"]]
    assert capsys.readouterr().out.endswith(
        "actors of amazon_queen: 1 lines, 0.0 minutes to hear\n"
    )


def test_pauses_may_be_left_out_where_another_aligner_found_one():
    assert respelled([(0, 1, "sil"), (1, 2, "m"), (2, 3, "pau"), (3, 4, "aa")]) == [
        ("sil", True),
        ("m", False),
        ("sil", True),
        ("aa", False),
        ("sil", True),
    ]


def line(text):
    text = text.encode("cp850")
    size = 2 + len(text) + -len(text) % 4 + 2
    return struct.pack(">H", size) + text.ljust(size - 2, b"\0")


def test_the_lines_of_a_game_are_told_apart_by_language_and_role(tmp_path, monkeypatch):
    first = "THAT'S THE SECOND BIGGEST DOOR I'VE SEEN IN MY LIFE"
    said = [["", first, "NO"], ["", "BAÑO"]] + [
        ["", "HM"]
    ] * 8  # the hero, Dracula, eight more; line 0 is empty
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
        ("human-en-1", "en-us", first.lower()),
        ("human-en-2", "en-us", "no"),
        ("human-actors-D1", "es", "baño es"),
        ("human-actors-VB1", "es", "hm es"),
    ]
    samples = spoken[0].samples()
    assert samples.shape == (16000,) and np.abs(samples).max() < 1e-3


def test_what_is_packed_is_unpacked():
    # written by hand: numbers of up to 4 bits are symbols 0 to 4, all with codes of 3 bits, 0 to 4 from the left
    out = Packer()
    out.bits(0, 2)
    for _ in range(3):
        out.bits(5, 5)
        for _ in range(5):
            out.bits(3, 4)
    out.bits(2, 16)  # twice literals, once a repetition between them
    out.number(3)
    out.bytes(b"abc")
    out.number(2 - 1)  # distance 2
    out.number(7 - 2)  # length 7
    out.number(1)
    out.bytes(b"!")
    assert propack.unpack(out.packed(11)) == b"abcbcbcbcb!"
    for damaged in (out.packed(11)[:-9], out.packed(12)):
        with pytest.raises(DataError):
            propack.unpack(damaged)


class Packer:
    """What `propack` unpacks: bits, lowest first, in words that stand before the bytes that follow their first bit."""

    def __init__(self):
        self.data, self.word, self.used = bytearray(), None, 16

    def bits(self, value, count):
        for at in range(count):
            if self.used == 16:
                self.word, self.used = len(self.data), 0
                self.data += b"\0\0"
            self.data[self.word + self.used // 8] |= (value >> at & 1) << self.used % 8
            self.used += 1

    def number(self, value):
        symbol = value.bit_length()
        for at in (2, 1, 0):
            self.bits(symbol >> at & 1, 1)
        if symbol > 1:
            self.bits(value - (1 << (symbol - 1)), symbol - 1)

    def bytes(self, data):
        self.data += data

    def packed(self, size):
        return b"RNC\1" + struct.pack(">II", size, len(self.data)) + b"\0" * 6 + bytes(self.data)


def codes(letters):
    """A tree of (left, right, letter) that leads to each letter, and how: letter to bits."""
    nodes, how, at = b"", {}, 0
    for letter in letters[:-1]:  # a comb: each letter is one branch to the right farther
        nodes += bytes([at + 1, at + 2, 0]) + bytes([0, 0, letter])
        how[letter], at = f"{'1' * (at // 2)}0", at + 2
    how[letters[-1]] = "1" * (at // 2)
    return nodes + bytes([0, 0, letters[-1]]), how


def section(lines, how):
    """The texts of a section, each in whole pairs of bits."""
    bits, sizes = "", b""
    for text in lines:
        said = "".join(how[letter] for letter in text.encode() + b"\0")
        said += "0" * (-len(said) % 2)
        while len(said) // 2 >= 128 and len(said) // 2 % 8:
            said += "0"
        pairs = len(said) // 2
        sizes, bits = sizes + bytes([pairs if pairs < 128 else 128 | pairs >> 3]), bits + said
    bits += "0" * (-len(bits) % 8)
    return (
        struct.pack("<HH", 6, 6 + len(sizes))
        + b"\0\0"
        + sizes
        + int(bits, 2).to_bytes(len(bits) // 8, "big")
    )


def test_lines_are_read_by_the_tree_that_makes_words_of_them(tmp_path, monkeypatch):
    letters = sorted(set(range(32, 123)))
    right, how = codes(b"\0" + bytes(letters))
    wrong, _ = codes(b"\0" + bytes(letters[5:] + letters[:5]))
    (tmp_path / "scummvm").write_bytes(b"\1\2\0 no tree" + wrong + b"code" + right + b"more code")
    sound = bytes(range(100, 150)) * 100
    said = ["I", "What are you doing with the LADDER?", "Was it the cat?", "No sound."]
    bodies = {60600 + number: section(said if number == 2 else ["?"], how) for number in range(8)}
    bodies[51101], bodies[51102] = b"\0" * 22 + sound, b"\0" * 22 + sound[::-1]
    disk, directory = b"\0" * 16, struct.pack("<I", len(bodies))
    for at, (number, body) in enumerate(bodies.items()):
        disk += b"\0" * (-len(disk) % 16)
        begin = 0x800000 | len(disk) >> 4 if at % 2 else len(disk)  # both ways to tell it
        directory += struct.pack("<H", number) + (begin | (len(body) | 0x800000) << 24).to_bytes(
            6, "little"
        )
        disk += body
    (tmp_path / "sky.dnr").write_bytes(directory)
    (tmp_path / "sky.dsk").write_bytes(disk)
    monkeypatch.setattr(steel_sky, "_GAME", tmp_path)
    monkeypatch.setattr(steel_sky, "_PLAYER", tmp_path / "scummvm")
    found = list(steel_sky.lines())
    assert [(name, text) for name, text, _ in found] == [
        ("sky-51101", said[1]),
        ("sky-51102", said[2]),
    ]
    assert [len(samples) for _, _, samples in found] == [7256, 7256]
    assert np.corrcoef(found[0][2], found[1][2][::-1])[0, 1] > 0.99


def test_who_lacks_a_game_is_told_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(amazon_queen, "_GAME", tmp_path / "queen.1c")
    monkeypatch.setattr(steel_sky, "_GAME", tmp_path / "sky")
    monkeypatch.setattr(drascula, "_GAME", tmp_path)
    with pytest.raises(UnavailableError, match="flight-of-the-amazon-queen"):
        next(amazon_queen.lines())
    with pytest.raises(UnavailableError, match="beneath-a-steel-sky scummvm"):
        next(steel_sky.lines())
    with pytest.raises(UnavailableError, match="drascula-spanish"):
        drascula.spoken()
