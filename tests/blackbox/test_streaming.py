from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.blackbox.streaming import Batches, scored
from ovxai_convert.errors import UsageError
from tests.blackbox.functions import Floats


def three_batches() -> Batches:
    return iter([np.zeros((2, 4), np.float32), np.zeros((2, 4), np.float32), np.zeros((1, 4), np.float32)])


def returning(*shapes: tuple[int, ...], fill: float = 0.0) -> Callable[[Batches], Iterator[Floats]]:
    def stream(batches: Batches) -> Iterator[Floats]:
        for shape, _ in zip(shapes, batches, strict=False):
            yield np.full(shape, fill, np.float32)

    return stream


def test_scores_in_order() -> None:
    assert [each.shape for each in scored(returning((2, 3), (2, 3), (1, 3)), three_batches())] == [
        (2, 3),
        (2, 3),
        (1, 3),
    ]


@pytest.mark.parametrize(
    ("shapes", "fill", "says"),
    [
        (((2, 3), (2, 3), (2, 3)), 0.0, r"scores for 1 inputs must have shape \(1, 3\), not \(2, 3\)"),
        (((2, 3), (1, 3)), 0.0, r"scores for 2 inputs"),
        (((2, 3), (2, 4)), 0.0, r"must have shape \(2, 3\), not \(2, 4\)"),
        (((2,),), 0.0, r"must have shape \(2, K\), not \(2,\)"),
        (((2, 3, 1),), 0.0, r"must have shape \(2, K\)"),
        (((2, 0),), 0.0, "at least one class"),
        (((2, 3),), np.nan, "finite"),
        (((2, 3),), np.inf, "finite"),
        (((2, 3), (2, 3)), 0.0, "no scores for some batches"),
        ((), 0.0, "no scores for some batches"),
    ],
)
def test_scores_that_do_not_fit(shapes: tuple[tuple[int, ...], ...], fill: float, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        list(scored(returning(*shapes, fill=fill), three_batches()))


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (np.full((2, 3), 1e300), "finite"),
        (np.array([["a"], ["b"]]), "numbers"),
        (np.zeros((2, 1), complex), "numbers"),
    ],
)
def test_scores_that_are_no_float32(scores: NDArray[Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        next(scored(lambda batches: (scores for _ in batches), three_batches()))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32])
def test_other_numbers_become_float32(dtype: type) -> None:
    scores: NDArray[Any] = np.arange(6, dtype=dtype).reshape(2, 3)
    first = next(scored(lambda batches: (scores for _ in batches), three_batches()))
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, scores)


def test_scores_of_nothing() -> None:
    def stream(batches: Batches) -> Iterator[Floats]:
        yield np.zeros((2, 3), np.float32)

    with pytest.raises(UsageError, match="was not given"):
        list(scored(stream, three_batches()))


def test_batches_pulled_and_never_scored() -> None:
    def stream(batches: Batches) -> Iterator[Floats]:
        list(batches)
        yield np.zeros((2, 3), np.float32)

    with pytest.raises(UsageError, match="no scores for some"):
        list(scored(stream, three_batches()))


def test_a_plain_iterator_is_a_stream() -> None:
    scores = scored(lambda batches: iter([batch[:, :3] for batch in batches]), three_batches())
    assert len(next(scores)) == 2
    scores.close()
