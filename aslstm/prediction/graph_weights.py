"""Takes the file of an ONNX graph and gives the names of its weights that hold NaN.

What a graph computes in 8 bits hides a NaN: the scores are finite, and wrong. The runtime does not show the weights, and a base
installation has no package ``onnx``, so the few fields that are needed are read from the file as protobuf writes them.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

# The numbers of these fields stand in onnx.proto, which never changes them.
_GRAPH_OF_MODEL, _WEIGHT_OF_GRAPH = 7, 5
_TYPE, _FLOATS, _NAME, _BYTES = 2, 4, 8, 9
_TYPES = {1: "<f4", 10: "<f2", 11: "<f8"}
_VARINT, _SIZED = 0, 2
_SIZES = {1: 8, 5: 4}


def nan_weights(path: Path) -> list[str]:
    """Return the names of the weights of a graph that hold NaN. Infinite numbers are left alone: a mask is made of them.

    Args:
        path: A graph that the runtime has read.
    """
    model = memoryview(path.read_bytes())
    graphs = (value for number, value in _fields(model) if number == _GRAPH_OF_MODEL)
    weights = (dict(_fields(value)) for graph in graphs for number, value in _fields(graph) if number == _WEIGHT_OF_GRAPH)
    return [bytes(weight.get(_NAME, b"")).decode("utf-8", "replace") for weight in weights if _has_nan(weight)]


def _has_nan(weight: dict[int, memoryview]) -> bool:
    kind = _TYPES.get(weight[_TYPE][0])
    numbers = weight.get(_BYTES, weight.get(_FLOATS))
    return kind is not None and numbers is not None and bool(np.isnan(np.frombuffer(numbers, kind)).any())


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the number and the bytes of each field of a message."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        if key & 7 == _VARINT:
            end = _varint(message, place)[1]
        elif key & 7 == _SIZED:
            size, place = _varint(message, place)
            end = place + size
        else:
            end = place + _SIZES[key & 7]
        yield key >> 3, message[place:end]
        place = end


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return a number, whose bytes have seven bits each with the lowest first, and the place behind it."""
    number = shift = 0
    while True:
        byte = message[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
