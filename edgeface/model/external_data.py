"""Which other files an ONNX graph reads, found without loading it.

ONNX Runtime before 1.17 reads whatever path a graph names, also outside of the graph's folder.
Fields: onnx.proto3 of ONNX 1.14, the messages that lead to tensors; wire format: Protocol Buffers.
"""

from typing import Dict, Iterator, List, Set, Tuple, Union

_LOCATION = b"location"
_MOST_DEPTH = 64
# message to the numbers of the fields that lead to tensors, and what they hold
_FIELDS: Dict[str, Dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {1: "key", 2: "value"},
}


def external_files(graph: bytes) -> Set[str]:
    """What the tensors of a graph give as the place of their data.

    :param graph: content of an .onnx file
    :raises ValueError: it is no ONNX file, and yet may name some
    """
    if _LOCATION not in graph:
        return set()
    try:
        return set(_walk(memoryview(graph), "model", 0))
    except IndexError:
        raise ValueError("damaged protocol buffer") from None


def _walk(data: memoryview, kind: str, depth: int) -> Iterator[str]:
    if depth > _MOST_DEPTH:
        raise ValueError("graphs in graphs without end")
    if kind == "entry":
        yield from _location(data)
        return
    known = _FIELDS[kind]
    for number, value in _fields(data):
        inner = known.get(number)
        if inner is None:
            continue
        if isinstance(value, int):
            raise ValueError("a number where a message belongs")
        if _LOCATION in bytes(value):  # of a graph's hundreds of nodes, none
            yield from _walk(value, inner, depth + 1)


def _location(entry: memoryview) -> Iterator[str]:
    """The value of a pair whose key is the location; of repeated fields the last one counts."""
    pair: List[bytes] = [b"", b""]
    for number, value in _fields(entry):
        if number in (1, 2) and not isinstance(value, int):
            pair[number - 1] = bytes(value)
    if pair[0] == _LOCATION:
        yield pair[1].decode("utf-8")


def _fields(data: memoryview) -> Iterator[Tuple[int, Union[int, memoryview]]]:
    """Numbers and values of the fields of a message."""
    at = 0
    end = len(data)
    while at < end:
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == 2:
            length, at = _varint(data, at)
            if at + length > end:
                raise ValueError("a field longer than its message")
            yield tag >> 3, data[at : at + length]
            at += length
        elif wire == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError("a field of a kind that ONNX does not have")


def _varint(data: memoryview, at: int) -> Tuple[int, int]:
    """A number, and where the next one begins; IndexError at the end of the data."""
    value = data[at]
    at += 1
    if value < 0x80:  # nearly always
        return value, at
    value &= 0x7F
    for shift in range(7, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")
