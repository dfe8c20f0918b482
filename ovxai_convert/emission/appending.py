"""Adding to an ONNX file without touching what stands in it: its bytes are copied, ours come behind.

A file is one message of protocol buffers: fields one after another, each with its number and length, in any
order. What is repeated may be continued anywhere in its message. So nodes, constants and outputs are put at
the end of the field that holds the graph, whose length alone changes, and entries of metadata at the end of
the file. No byte of what was there is written anew, as a program that reads a message and writes it again
would do.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import onnx

from ovxai_convert.errors import ModelReadError, WriteError

_GRAPH: Final = onnx.ModelProto.DESCRIPTOR.fields_by_name["graph"].number
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_LARGEST: Final = 2**31 - 1
"""Bytes that a message may have."""
_AT_ONCE: Final = 16 * 2**20


def write_appended(source: Path, target: Path, graph: onnx.GraphProto, metadata: Mapping[str, str]) -> None:
    """Write a copy of an ONNX file whose graph goes on with another's nodes, constants and outputs.

    Raises:
        ModelReadError: the file has no graph.
        WriteError: it would be larger than a message may be, or cannot be written.
    """
    entries = onnx.ModelProto(
        metadata_props=[onnx.StringStringEntryProto(key=key, value=value) for key, value in metadata.items()]
    )
    more, last = graph.SerializeToString(deterministic=True), entries.SerializeToString()
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = [field for field in _fields(content) if field.number == _GRAPH]
        if not found:
            raise ModelReadError(f"{source}: the ONNX file has no graph")
        held = found[-1]
        length = _varint(held.stop - held.start + len(more))
        size = held.length_at + len(length) + len(content) - held.start + len(more) + len(last)
        if size > _LARGEST:
            raise WriteError(
                f"{target}: of {size} bytes, more than an ONNX file may have; "
                "store the weights of the source as external data"
            )
        with target.open("wb") as out:
            _copy(content, 0, held.length_at, out)
            out.write(length)
            _copy(content, held.start, held.stop, out)
            out.write(more)
            _copy(content, held.stop, len(content), out)
            out.write(last)


class _Field(NamedTuple):
    """A field of a message: its number, where its length stands, and where its content starts and stops."""

    number: int
    length_at: int
    start: int
    stop: int


def _fields(content: mmap.mmap) -> Iterator[_Field]:
    """The fields of a message that was parsed before, and so is whole."""
    place = 0
    while place < len(content):
        tag, at = _read_varint(content, place)
        number, kind = tag >> 3, tag & 7
        if kind == _LENGTH:
            length, start = _read_varint(content, at)
        elif kind == _VARINT:
            length, start = 0, _read_varint(content, at)[1]
        else:
            length, start = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}[kind], at
        yield _Field(number, at, start, start + length)
        place = start + length


def _read_varint(content: mmap.mmap, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return value, place


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _copy(content: mmap.mmap, start: int, stop: int, out: BinaryIO) -> None:
    for first in range(start, stop, _AT_ONCE):
        out.write(content[first : min(first + _AT_ONCE, stop)])
