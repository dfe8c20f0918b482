"""Rows of tables, as a run makes them and as nobody would."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from ovxai_convert.datasets.rows import Row

TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_NAMES: Final = TEXTS.filter(bool)  # CSV does not tell an empty text from none
_NUMBERS: Final = st.integers(0, 2**40)
_SCORES: Final = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Any row that a table can hold."""
    shape = draw(st.none() | st.tuples(st.integers(1, 5), st.integers(1, 5)))
    size = 0 if shape is None else shape[0] * shape[1]
    maybe = st.none() | _NAMES
    return Row(
        draw(_NAMES),
        sha256=draw(maybe),
        width=draw(st.none() | _NUMBERS),
        height=draw(st.none() | _NUMBERS),
        truth=draw(maybe),
        class_index=draw(st.none() | _NUMBERS),
        label=draw(maybe),
        score=draw(st.none() | _SCORES),
        rank=draw(st.none() | _NUMBERS),
        correct=draw(st.none() | st.booleans()),
        picture=draw(maybe),
        map=None if shape is None else draw(st.binary(min_size=size, max_size=size)),
        map_shape=shape,
        target_layer=draw(maybe),
        method=draw(maybe),
        seconds=draw(st.none() | _SCORES),
        error=draw(maybe),
        head=draw(maybe),
        run=draw(maybe),
    )


def explained(path: str, index: int = 0, run: str = "a", sha256: str = "00" * 32) -> Row:
    """A row of a photograph that was explained."""
    return Row(
        path,
        sha256,
        width=4,
        height=3,
        class_index=index,
        label=f"class {index}",
        score=0.1 + 0.2,
        rank=1,
        map=bytes(range(6)),
        map_shape=(2, 3),
        target_layer="/layer",
        method="reciprocam",
        seconds=0.25,
        run=run,
    )
