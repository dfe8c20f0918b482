"""What entries of others say of a classifier's answer, and how its numbers are read then."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.predictions import ScoresOutput, answered_classes
from ovxai_convert.source.answers import (
    NO_ANSWER_HINTS,
    Answer,
    AnswerHints,
    answer_hints,
    answer_of,
)
from ovxai_convert.source.metadata import labels_of, model_info_of
from tests.answer_forms import Form

HEADS: Final[dict[str, Any]] = {
    "num_multiclass_heads": 2,
    "num_multilabel_classes": 2,
    "num_single_label_classes": 5,
    "head_idx_to_logits_range": {"0": [0, 2], "1": [2, 5]},
    "all_groups": [["cat", "dog"], ["red", "green", "dark blue"], ["indoors"], ["blurred"]],
    "class_to_group_idx": {},
    "label_to_idx": {},
}
CONFIG: Final = json.dumps({"cls_heads_info": HEADS, "label_tree_edges": []})


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(np.asarray(values, np.float64))
    return np.asarray(powers / powers.sum())


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({}, NO_ANSWER_HINTS),
        ({"multilabel": "True"}, AnswerHints(multilabel=True)),
        ({"multilabel": "YES", "confidence_threshold": "0.3"}, AnswerHints(True, threshold=0.3)),
        ({"multilabel": "False", "confidence_threshold": "None"}, AnswerHints(multilabel=False)),
        ({"hierarchical": "False", "hierarchical_config": "junk"}, NO_ANSWER_HINTS),
        ({"hierarchical": "True", "hierarchical_config": CONFIG}, AnswerHints(groups=((0, 2), (2, 5)))),
        ({"multilabel": "true"}, AnswerHints(multilabel=False)),
        ({"hierarchical": "1", "hierarchical_config": CONFIG}, NO_ANSWER_HINTS),
        (
            {"multilabel": "True", "hierarchical": "True", "hierarchical_config": CONFIG},
            AnswerHints(multilabel=True),
        ),
    ],
    ids=str,
)
def test_entries(entries: dict[str, str], expected: AnswerHints) -> None:
    assert answer_hints(entries) == expected


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"confidence_threshold": "high"}, "'high' of confidence_threshold, which is no number"),
        ({"confidence_threshold": "1.5"}, "lies between 0 and 1; 1.5 does not"),
        ({"hierarchical": "True"}, "hierarchical_config does not hold"),
        ({"hierarchical": "True", "hierarchical_config": "[]"}, "hierarchical_config does not hold"),
        (
            {
                "hierarchical": "True",
                "hierarchical_config": json.dumps(
                    {"cls_heads_info": {**HEADS, "head_idx_to_logits_range": {"0": [2, 2], "1": [2, 5]}}}
                ),
            },
            "a group without classes",
        ),
    ],
    ids=str,
)
def test_entries_without_sense(entries: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        answer_hints(entries)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("activation", "hints", "expected"),
    [
        ("none", NO_ANSWER_HINTS, Answer("softmax")),
        ("softmax", NO_ANSWER_HINTS, Answer("as_is")),
        ("log_softmax", NO_ANSWER_HINTS, Answer("exp")),
        ("argmax", NO_ANSWER_HINTS, Answer("rank")),
        ("none", AnswerHints(multilabel=True), Answer("sigmoid", multilabel=True)),
        ("sigmoid", AnswerHints(True, threshold=0.2), Answer("as_is", multilabel=True, threshold=0.2)),
        ("none", AnswerHints(groups=((0, 2),)), Answer("groups", ((0, 2),), multilabel=True)),
        ("none", AnswerHints(multilabel=False), Answer("softmax")),
    ],
)
def test_answers(activation: str, hints: AnswerHints, expected: Answer) -> None:
    assert answer_of(Form(activation, 7), hints) == expected


def test_groups_of_more_classes_than_there_are() -> None:
    with pytest.raises(UsageError, match="more than the 4 classes"):
        answer_of(Form("none", 4), AnswerHints(groups=((0, 5),)))


def test_user_goes_before_the_model() -> None:
    model = AnswerHints(True, ((0, 2),), 0.3)
    assert NO_ANSWER_HINTS.or_else(model) == model
    assert AnswerHints(threshold=0.9).or_else(model) == AnswerHints(True, ((0, 2),), 0.9)
    assert AnswerHints(multilabel=False).or_else(model) == AnswerHints(False, None, 0.3)


LOGITS: Final = np.array([[2.0, 1.0, -1.0, 0.5, 3.0, -2.0, 0.7]], np.float32)


def probabilities(logits: np.ndarray, answer: Answer) -> np.ndarray:
    return np.asarray(ScoresOutput(0, answer)({0: logits}, 1)[0])


def test_groups_are_read_each_for_itself() -> None:
    found = probabilities(LOGITS, Answer("groups", ((0, 2), (2, 5)), True))
    expected = [*softmax(LOGITS[0, :2]), *softmax(LOGITS[0, 2:5]), *(1 / (1 + np.exp(-LOGITS[0, 5:])))]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    again = probabilities(found[np.newaxis], Answer("groups", ((0, 2), (2, 5)), True))
    np.testing.assert_array_equal(again, found, "they are probabilities already")
    small = np.array([[2.0, 1.0, -1.0, 0.5, 3.0, 0.2, 0.7]], np.float32)
    small_found = probabilities(small, Answer("groups", ((0, 2), (2, 5)), True))
    np.testing.assert_allclose(small_found[5:], 1 / (1 + np.exp(-small[0, 5:])), rtol=1e-6)


def test_sigmoids() -> None:
    found = probabilities(LOGITS, Answer("sigmoid", multilabel=True))
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-LOGITS[0])), rtol=1e-6)
    extremes = probabilities(np.array([[-1e30, 1e30, 0.0]], np.float32), Answer("sigmoid", multilabel=True))
    assert extremes.tolist() == [0, 1, 0.5]


def test_what_is_answered() -> None:
    found = np.array([0.7, 0.3, 0.1, 0.2, 0.7, 0.6, 0.4], np.float32)
    assert answered_classes(found, None) == [0]
    assert answered_classes(found, Answer("softmax")) == [0]
    assert answered_classes(found, Answer("sigmoid", multilabel=True)) == [0, 4, 5]
    assert answered_classes(found, Answer("sigmoid", multilabel=True, threshold=0.9)) == [0], (
        "the best at least"
    )
    assert answered_classes(found, Answer("groups", ((0, 2), (2, 5)), True)) == [0, 4, 5]
    assert answered_classes(found, Answer("groups", ((0, 2), (2, 5)), True, 0.35)) == [0, 4, 5, 6]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({"labels": "cat dog bird"}, ("cat", "dog", "bird")),
        ({"labels": "cat dog"}, ("other", "cat", "dog")),
        ({"labels": "a_cat b c", "label_info": '{"label_names": ["a cat", "b", "c"]}'}, ("a cat", "b", "c")),
        ({"labels": "a b c", "label_info": '{"label_names": ["x"]}'}, ("a", "b", "c")),
        ({"labels": "a b c", "label_info": "no JSON"}, ("a", "b", "c")),
        ({"labels": "a b c", "label_info": '{"label_names": 7}'}, ("a", "b", "c")),
        ({"labels": "c b a", "hierarchical_config": CONFIG}, ("c", "b", "a")),
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["IR", "ONNX"])
def test_labels(where: str, entries: dict[str, str], expected: tuple[str, ...]) -> None:
    model, metadata = cnn(CnnSpec()), {}
    for key, value in entries.items():
        if where == "IR":
            model.set_rt_info(value, ["model_info", key])
        else:
            metadata[f"model_info {key}"] = value
    assert model_info_of(model, metadata) == entries
    assert labels_of(model, metadata, 3) == expected


def test_labels_of_groups_are_in_the_order_of_the_scores() -> None:
    model = cnn(CnnSpec(classes=7))
    metadata = {
        "model_info hierarchical_config": CONFIG,
        "model_info labels": "g f e d c b a",
    }
    names = ("cat", "dog", "red", "green", "dark blue", "indoors", "blurred")
    assert labels_of(model, metadata, 7) == names


@pytest.mark.parametrize("last", ["Infinity", "NaN", "1e999", '"9"', "null"])
def test_groups_without_an_end(last: str) -> None:
    config = f'{{"num_multiclass_heads": 1, "head_idx_to_logits_range": {{"0": [10, {last}]}}}}'
    entries = {"hierarchical": "True", "hierarchical_config": f'{{"cls_heads_info": {config}}}'}
    with pytest.raises(UsageError, match="hierarchical"):
        answer_hints(entries)
