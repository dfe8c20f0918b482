"""Scores: probabilities out of every kind of output, and a user's own function under watch."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.explain.predictions import BestClassesOutput, PostprocessedScores, ScoresOutput
from ovxai_convert.source.answers import NO_ANSWER_HINTS, answer_of
from tests.answer_forms import Form

LOGITS: Final = np.array([[1.0, -2.0, 3.5], [0.0, 0.5, -0.5]], np.float32)
POWERS: Final = np.exp(LOGITS.astype(np.float64))
PROBABILITIES: Final = (POWERS / POWERS.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    ("activation", "output", "expected"),
    [
        ("none", LOGITS, PROBABILITIES),
        ("softmax", PROBABILITIES, PROBABILITIES),
        ("log_softmax", np.log(PROBABILITIES), PROBABILITIES),
        ("sigmoid", 1 / (1 + np.exp(-LOGITS)), 1 / (1 + np.exp(-LOGITS))),
    ],
)
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1, 1)], ids=["flat", "map"])
def test_output_as_probabilities(activation: str, output: Any, expected: Any, shape: tuple[int, ...]) -> None:
    found = ScoresOutput(1, answer_of(Form(activation, 3), NO_ANSWER_HINTS))(
        {0: np.zeros(9), 1: output.reshape(shape)}, 2
    )
    assert found.shape == (2, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("shape", "samples"), [((0, 3), 1), ((1, 0), 1), ((3, 1), 2)])
def test_numbers_that_are_no_rows(shape: tuple[int, ...], samples: int) -> None:
    read = ScoresOutput(0, answer_of(Form("none", 3), NO_ANSWER_HINTS))
    with pytest.raises(ModelReadError, match=rf"answers {samples} images with \[{shape[0]}, {shape[1]}\]"):
        read({0: np.zeros(shape, np.float32)}, samples)


def test_large_logits_do_not_overflow() -> None:
    found = ScoresOutput(0, answer_of(Form("none", 3), NO_ANSWER_HINTS))(
        {0: np.array([[1000.0, 0.0, -1000.0]], np.float32)}, 1
    )
    assert found.tolist() == [[1, 0, 0]]


def test_probabilities_behind_a_mean_stay() -> None:
    """The mean of two heads behind a Softmax each adds up to 1 and is no row of logits."""
    mean = (PROBABILITIES + PROBABILITIES[::-1]) / 2
    read = ScoresOutput(0, answer_of(Form("none", 3), NO_ANSWER_HINTS))
    np.testing.assert_array_equal(read({0: mean}, 2), mean)
    halves = read({0: mean / 2}, 2)
    np.testing.assert_allclose(halves.sum(axis=1), 1, rtol=1e-6)
    assert abs(halves - mean).max() > 0.1


def test_a_single_logit_stays() -> None:
    """A Softmax would make it 1, whatever it is."""
    assert ScoresOutput(0, answer_of(Form("none", 1), NO_ANSWER_HINTS))(
        {0: np.array([[-2.5], [4.0]], np.float32)}, 2
    ).tolist() == [[-2.5], [4]]


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_index_of_the_best_class(shape: tuple[int, ...]) -> None:
    found = BestClassesOutput(1, 4)({1: np.array([3, 0]).reshape(shape)}, 2)
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]


def test_indices_of_the_best_classes() -> None:
    found = BestClassesOutput(0, 4)({0: np.array([[3, 1], [2, 0]], np.int32)}, 2)
    assert found.tolist() == [[0, 0.5, 0, 1], [0.5, 0, 1, 0]]


def test_scores_are_a_copy() -> None:
    """An inference request writes its results into the same memory again."""
    output = PROBABILITIES.copy()
    for read in (
        ScoresOutput(0, answer_of(Form("softmax", 3), NO_ANSWER_HINTS)),
        PostprocessedScores(lambda results: results[0]),
    ):
        found = read({0: output}, 2)
        assert not np.shares_memory(found, output)


@pytest.mark.parametrize(
    ("found", "samples"),
    [
        (LOGITS, 2),
        (LOGITS[0], 1),
        (LOGITS[:1], 1),
        (LOGITS.astype(np.float64).tolist(), 2),
        (LOGITS.astype(np.int32), 2),
        (LOGITS > 0, 2),
    ],
    ids=["array", "one", "one-row", "list", "whole", "bool"],
)
def test_function_that_returns_scores(found: Any, samples: int) -> None:
    scores = PostprocessedScores(lambda _: found, 3)({}, samples)
    assert scores.dtype == np.float32
    assert scores.shape == (samples, 3)
    np.testing.assert_array_equal(scores, np.asarray(found, np.float32).reshape(samples, 3))


@pytest.mark.parametrize(
    ("found", "samples", "text"),
    [
        (LOGITS, 1, r"float32 of shape \(2, 3\); scores of 1 sample\(s\) are numbers of shape \(1, 3\)"),
        (LOGITS[0], 2, r"shape \(3,\)"),
        (LOGITS[:, :2], 2, r"shape \(2, 2\)"),
        (LOGITS[np.newaxis], 2, r"shape \(1, 2, 3\)"),
        (np.float32(1), 1, r"shape \(\)"),
        (np.zeros((1, 0)), 1, r"shape \(1, 0\)"),
        (None, 1, "object"),
        (["cat", "dog", "bird"], 1, "<U4"),
        (LOGITS[:1].astype(complex), 1, "complex128"),
    ],
    ids=["rows", "row", "classes", "axes", "number", "nothing", "none", "text", "complex"],
)
def test_function_that_returns_something_else(found: Any, samples: int, text: str) -> None:
    with pytest.raises(UsageError, match=text) as caught:
        PostprocessedScores(lambda _: found, 3)({}, samples)
    assert str(caught.value).startswith("postprocess_fn returned ")
    assert "\n" not in str(caught.value)


def test_number_of_classes_may_be_open() -> None:
    assert PostprocessedScores(lambda _: LOGITS)({}, 2).shape == (2, 3)
    with pytest.raises(UsageError, match=r"\(1, K\)"):
        PostprocessedScores(lambda _: LOGITS)({}, 1)


def test_exception_of_the_function_comes_through() -> None:
    with pytest.raises(KeyError, match="logits"):
        PostprocessedScores(lambda results: results["logits"])({}, 1)
