"""English actors of an adventure game, Debian's beneath-a-steel-sky: what they say, line by line.

A directory tells where each numbered file begins in the one that holds them all. A line is a number of a section;
its sound, 8 bits at 11 kHz, packed, is a file of its own. The texts of a section lie bit by bit in another: how many
pairs of bits each takes, then the bits, a code for each letter. Of the code there are several, one for each edition
of the game, in the program that plays it, as trees of (left, right, letter).
"""

import re
import struct
from pathlib import Path

import numpy as np
import soxr

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

from .propack import is_packed, unpack

_GAME = Path("/usr/share/scummvm/beneath-a-steel-sky")
_PLAYER = Path("/usr/games/scummvm")
_TEXTS, _SOUNDS = 60600, 50000  # numbers of the first files
_FIRST_LINES = (
    0,
    600,
    1100,
    2430,
    3380,
    4530,
    5080,
    5230,
)  # of each section, in the numbers of the sounds
_HEADER_BYTES = 22  # of a sound
_RATE_HZ = 11025
_NODE_BYTES = 3
_FEWEST_NODES, _MOST_NODES = 100, 256  # of a tree; a byte numbers them


def files(directory, disk):
    """Number of each file to its bytes.

    :param directory: bytes of the game's `sky.dnr`, `disk` of its `sky.dsk`
    """
    (count,) = struct.unpack_from("<I", directory)
    found = {}
    for at in range(4, 4 + 8 * count, 8):
        number = int.from_bytes(directory[at : at + 2], "little")
        begin = int.from_bytes(directory[at + 2 : at + 5], "little")
        size = int.from_bytes(directory[at + 5 : at + 8], "little") & 0x3FFFFF
        if begin & 0x800000:
            begin = (begin & 0x7FFFFF) << 4
        found[number] = disk[begin : begin + size]
    return found


def trees(program):
    """Every tree that lies in the bytes of a program, each as bytes from its root on."""
    found = []
    for root in re.finditer(rb"(?=\x01[\x02-\xff]\x00)", program, re.DOTALL):
        tree = program[root.start() : root.start() + _NODE_BYTES * _MOST_NODES]
        reached, waiting = set(), [0]
        while waiting:
            node = waiting.pop()
            # what lies beyond the end is neither a leaf nor a branch
            left, right, letter = tree[_NODE_BYTES * node : _NODE_BYTES * (node + 1)].ljust(
                _NODE_BYTES, b"\1"
            )
            is_leaf = left == right == 0
            if node in reached or (not is_leaf and (letter or not (left and right))):
                break
            reached.add(node)
            waiting += [] if is_leaf else [left, right]
        else:
            if _FEWEST_NODES < len(reached) == max(reached) + 1:  # many, without gaps: no accident
                found.append(tree)
    return found


def texts(section, tree):
    """What the lines of a section say, as a list.

    :param section: bytes of its file
    """
    sizes, at = struct.unpack_from("<HH", section)
    at, found = at * 8, []
    for size in section[sizes : at // 8]:
        end = at + 2 * ((size & 0x7F) << 3 if size & 0x80 else size)
        found.append(_text(section, at, end, tree))
        at = end
    return found


def _text(section, bit, end, tree):
    letters, node = b"", 0
    while bit < min(end, 8 * len(section)):
        node = tree[_NODE_BYTES * node + (section[bit // 8] >> (7 - bit % 8) & 1)]
        bit += 1
        left, _, letter = tree[_NODE_BYTES * node : _NODE_BYTES * (node + 1)]
        if not left:
            if not letter:
                break
            letters, node = letters + bytes([letter]), 0
    return letters.decode("latin-1")


def lines():
    """Every line that has a sound, as (name, text, samples float32 [N] at 16 kHz).

    :raises UnavailableError: the game is not installed, or not what plays it
    """
    if not (_GAME.exists() and _PLAYER.exists()):
        raise UnavailableError(
            "no actors of beneath-a-steel-sky; apt install beneath-a-steel-sky scummvm"
        )
    found = files((_GAME / "sky.dnr").read_bytes(), (_GAME / "sky.dsk").read_bytes())
    sections = [found[_TEXTS + section] for section in range(len(_FIRST_LINES))]
    # in another edition's code, words have other letters, or signs amid them
    said = max(
        ([texts(section, tree) for section in sections] for tree in trees(_PLAYER.read_bytes())),
        key=lambda said: len(re.findall(r"\b(?:the|you|what|with|was)\b", str(said).lower())),
    )
    for first, section in zip(_FIRST_LINES, said):
        for number, text in enumerate(section, _SOUNDS + first):
            if number in found:
                sound = found[number][_HEADER_BYTES:]
                levels = np.frombuffer(unpack(sound) if is_packed(sound) else sound, np.uint8)
                yield (
                    f"sky-{number}",
                    text,
                    soxr.resample(
                        (levels.astype(np.float32) - 128) / 128, _RATE_HZ, SAMPLE_RATE_HZ
                    ),
                )
