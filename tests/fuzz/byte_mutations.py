"""Mutations of files whose structure is not known, or is only bytes: bits, numbers, pieces."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from typing import Final

_WHOLE: Final = (0, 1, -1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, -(2**31), 2**20, 100_000)
_MOST: Final = 6


def mutated(rng: random.Random, content: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Content spoiled in one to some places, perhaps with pieces of others in it."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, _MOST))):
        rng.choice(_WAYS)(rng, data, others)
    return bytes(data)


_Way = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def _place(rng: random.Random, data: bytearray) -> int:
    """Somewhere, as often near the start as in all the rest: headers matter most."""
    end = max(len(data), 1)
    return rng.randrange(min(end, 64) if rng.random() < 0.4 else end)


def _range(rng: random.Random, data: bytearray) -> slice:
    start = _place(rng, data)
    return slice(start, start + rng.choice((1, 2, 4, 8, 16, 64, 256)))


def _flip(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _set(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(rng, data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))


def _number(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A number of 2, 4 or 8 bytes, most often where one may stand: at a multiple of its size."""
    size, kind = rng.choice(((2, "h"), (4, "i"), (4, "i"), (8, "q")))
    if len(data) < size:
        return
    start = min(_place(rng, data), len(data) - size)
    start -= start % size if rng.random() < 0.7 else 0
    layout = rng.choice("<<>") + kind
    (now,) = struct.unpack_from(layout, data, start)
    value = rng.choice((rng.choice(_WHOLE), now + 1, now - 1, now * 2, -now))
    half = 1 << (8 * size - 1)
    struct.pack_into(layout, data, start, (value + half) % (2 * half) - half)


def _delete(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_range(rng, data)]


def _repeat(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    where = _range(rng, data)
    data[where.start : where.start] = data[where] * rng.choice((1, 1, 2, 50))


def _insert(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = _place(rng, data)
    data[start:start] = rng.randbytes(rng.choice((1, 2, 4, 32)))


def _fill(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    where = _range(rng, data)
    data[where] = bytes([rng.choice((0, 0xFF, 0x41))]) * len(data[where])


def _truncate(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _swap(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    one, other = _range(rng, data), _range(rng, data)
    data[one], data[other] = bytes(data[other]), bytes(data[one])


def _splice(rng: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    if others:
        other = bytearray(rng.choice(others))
        data[_range(rng, data)] = other[_range(rng, other)]


_WAYS: Final[tuple[_Way, ...]] = (
    _flip,
    _flip,
    _set,
    _set,
    _number,
    _number,
    _number,
    _delete,
    _repeat,
    _insert,
    _fill,
    _truncate,
    _swap,
    _splice,
)
