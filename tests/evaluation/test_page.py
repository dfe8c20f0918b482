"""The page: stands alone, keeps text text, says what was measured and how sure that is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from ovxai_convert.evaluation.annotations import ObjectBox
from ovxai_convert.evaluation.drawing import balanced_scale, scale_of
from ovxai_convert.evaluation.examples import MOST_EXAMPLES, Examples
from ovxai_convert.evaluation.measurements import Contender, Measurement
from ovxai_convert.evaluation.measures import MEASURES
from ovxai_convert.evaluation.measuring import Measured
from ovxai_convert.evaluation.page import EvaluationFacts, evaluation_page
from ovxai_convert.evaluation.standings import Standings
from ovxai_convert.photographs.preprocessing import FieldOfView
from tests.explain.report_cases import HOSTILE, Page
from tests.explain.test_report import outside_references

MODEL: Final = "models/small.xml"
A, B = Contender(MODEL, "reciprocam"), Contender(MODEL, "rise", HOSTILE)
RANDOM, CENTRE = Contender(MODEL, "random"), Contender(MODEL, "centre")
FACTS: Final = EvaluationFacts(
    (MODEL,), (("Photographs", "5"), ("Classes", "the model's answer")), ("not possible: x",), "By us."
)


def row(contender: Contender, metric: str, value: float, path: str = "p", **more: object) -> Measurement:
    whole = Measurement(path, *contender[:2], contender.target_layer, 0, HOSTILE, 0.9)
    curve = (0.9, value, 0.1) if metric in ("deletion", "insertion") else None
    seconds = None if contender.is_baseline else 0.5
    return replace(whole, metric=metric, value=value, curve=curve, seconds=seconds)


def standings(photographs: int = 5) -> Standings:
    found = Standings([A, B, RANDOM, CENTRE])
    for number in range(photographs):
        found.add(
            row(contender, metric, 0.1 * place + 0.01 * number + 0.2)
            for place, contender in enumerate((A, B, RANDOM, CENTRE))
            for metric in ("deletion", "pointing", "adcc")
        )
    return found


def examples(count: int = 3) -> Examples:
    found = Examples(A, MEASURES["deletion"])
    picture = np.full((300, 500, 3), 90, np.uint8)
    region = FieldOfView(100, 0, 400, 300)
    for number in range(count):
        measured = Measured(
            (row(A, "deletion", 0.1 + 0.01 * (number * 7 % count), f"{number}{HOSTILE}"),),
            {A: (np.eye(4), region), B: (np.ones((4, 4)), region)},
        )
        found.add(measured, picture, [ObjectBox("cat", 50, 60, 450, 200)])
    return found


@pytest.fixture
def text() -> str:
    return evaluation_page(FACTS, standings(), examples())


def test_stands_alone_and_holds_no_script(text: str) -> None:
    assert outside_references(text) == []
    assert Page(text).count("script") == 0
    assert "style=" not in text, "which the policy forbids"
    (policy,) = [
        str(attributes["content"])
        for _, attributes in Page(text).elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.pop("default-src") == "'none'"
    assert directives.pop("img-src") == "data:"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives.pop("style-src"))
    assert set(directives.values()) == {"'none'"}
    assert "$" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_what_it_says(text: str) -> None:
    page = Page(text)
    for expected in (
        "small.xml",
        "the model's answer",
        "not possible: x",
        "By us.",
        "All measures",
        "Deletion",
        "lower is better",
        "Pointing game",
        "Differences on the same photographs",
        "better: reciprocam",
        "random maps",
        "centre of the picture",
        "Where reciprocam does worst",
        "500 ms",
    ):
        assert expected in page.text, expected
    assert page.text.count(HOSTILE.replace("\udcff", "?")) >= 10, "as text, wherever it stands"
    assert page.count("polyline") == 4, "curves of deletion"
    best = re.findall(r"<strong>([\d.]+)</strong>", text)
    assert best == ["0.220", "0.320", "0.320"], "lower, higher, higher; of the methods alone"


def test_same_arguments_same_page(text: str) -> None:
    assert text == evaluation_page(FACTS, standings(), examples())


def test_rows_for_all_that_was_measured(text: str) -> None:
    overview, per_measure, differences = 1 + 4, 1 + 4, 1 + 5
    assert Page(text).count("tr") == overview + 3 * (per_measure + differences)
    assert Page(text).count("svg") == 1 + 3 * (4 + 5)


def test_of_one_photograph_and_of_none() -> None:
    alone = evaluation_page(FACTS, standings(1))
    assert "one photograph" in alone
    assert "better: " not in alone
    failed = Standings([A])
    failed.add([Measurement("p", error=f"no such image {HOSTILE}")])
    page = Page(evaluation_page(FACTS, failed))
    assert "No photograph was measured." in page.text
    assert "no such image" in page.text
    many = standings()
    for number in range(20):
        many.add([Measurement("p", error=f"reason {number}")])
    assert "and 8 other reasons" in Page(evaluation_page(FACTS, many)).text


def test_the_worst_photographs() -> None:
    found = examples(20)
    values = [example.value for example in found.worst]
    assert values == pytest.approx([0.1 + 0.01 * each for each in range(19, 19 - MOST_EXAMPLES, -1)])
    first = found.worst[0]
    assert max(first.photograph.shape) == 240
    assert list(first.overlays) == [A, B]
    overlay = first.overlays[A]
    assert overlay.shape == first.photograph.shape
    assert (overlay[:, :40] == 45).all(), "what the model has not seen is shown darker"
    assert len(np.unique(overlay[:, 60:180].reshape(-1, 3), axis=0)) > 50
    box = first.photograph
    assert (box[29, 24:216] == 255).all(), "the upper edge of the box, 60 of 300 rows down"
    assert not (box[120] == 255).all(axis=1)[40:200].any()
    higher = Examples(A, MEASURES["insertion"])
    for number in range(3):
        higher.add(Measured((row(A, "insertion", float(number)),), {}), np.zeros((9, 9, 3), np.uint8), None)
    assert [example.value for example in higher.worst] == [0, 1, 2]
    higher.add(Measured((row(B, "insertion", 0.0),), {}), np.zeros((9, 9, 3), np.uint8), None)
    assert len(higher.worst) == 3, "another one's is not looked at"


def test_scales() -> None:
    assert scale_of([0.2, 0.9]) == (0, 1)
    assert scale_of([-0.07, 0.9]) == (-0.1, 1)
    assert scale_of([3.2, 1.1]) == (0, 5)
    assert balanced_scale([-0.013, 0.002]) == (-0.02, 0.02)
    assert balanced_scale([0.0]) == (-1, 1)
    assert scale_of([0.0, 0.5]).at(2.0, 10, 20) == 20
