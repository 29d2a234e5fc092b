"""Rob Northen's ProPack, method 1: how games of the nineties packed their files."""

import struct

from edgeface.core.errors import DataError

_MARK = b"RNC\1"
_HEADER = struct.Struct(
    ">4xII"
)  # unpacked and packed bytes, and checksums, which the lengths make needless here
_HEADER_BYTES = 18
_LONGEST_CODE = 16


def is_packed(data):
    """Whether bytes begin as a packed file does."""
    return data.startswith(_MARK)


def unpack(data):
    """The bytes that were packed.

    :raises DataError: they are damaged
    """
    size, packed = _HEADER.unpack_from(data)
    bits, out = _Bits(data[: _HEADER_BYTES + packed]), bytearray()
    bits.take(2)  # "locked" and "has a key"
    while len(out) < size:
        literals, distances, lengths = (bits.codes() for _ in range(3))
        for left in range(bits.take(16), 0, -1):
            out += bits.bytes(bits.number(literals))
            if left > 1:
                distance, length = bits.number(distances) + 1, bits.number(lengths) + 2
                if distance > len(out):
                    raise DataError("a packed file refers to what comes before it")
                again = out[-distance:]  # repeated where it is shorter than what is asked for
                out += (again * (length // distance + 1))[:length]
    return bytes(out)


class _Bits:
    """Numbers in words of 16 bits, the lowest bit first, with whole bytes in between."""

    def __init__(self, data):
        self._data, self._at, self._word, self._left = data, _HEADER_BYTES, 0, 0

    def bytes(self, count):
        """As many whole bytes; they lie before the next word."""
        self._at += count
        return self._data[self._at - count : self._at]

    def take(self, count):
        """A number of `count` bits."""
        if count > self._left:
            if self._at >= len(self._data):
                raise DataError("a packed file ends early")
            self._word |= int.from_bytes(self.bytes(2), "little") << self._left
            self._left += 16
        number = self._word & ((1 << count) - 1)
        self._word >>= count
        self._left -= count
        return number

    def codes(self):
        """A canonical Huffman code: (bits, code) to symbol."""
        bits, codes, code = [self.take(4) for _ in range(self.take(5))], {}, 0
        for length in range(1, _LONGEST_CODE):
            for symbol in (symbol for symbol, its in enumerate(bits) if its == length):
                codes[length, code] = symbol
                code += 1
            code <<= 1
        return codes

    def number(self, codes):
        """A number: its code says how many bits it has, the rest of it, below the highest one, follows."""
        code = 0
        for length in range(1, _LONGEST_CODE):
            code = code << 1 | self.take(1)
            if (length, code) in codes:
                bits = codes[length, code]
                return bits if bits < 2 else 1 << (bits - 1) | self.take(bits - 1)
        raise DataError("a packed file is damaged")
