"""An evaluation over photographs: each is measured by itself, and a later process goes on where one ended."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ovxai_convert import ModelReadError, UsageError
from ovxai_convert.datasets.sources import Item
from ovxai_convert.evaluation.annotations import AnnotatedPicture, Annotations, ObjectBox
from ovxai_convert.evaluation.inquiry import Inquiry
from ovxai_convert.evaluation.measurements import Measurement
from ovxai_convert.evaluation.running import Evaluation
from tests.evaluation.cases import LABELS, evaluated, photograph, picture

WHEN = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)


def test_random_maps_are_those_of_the_photograph(tmp_path: Path) -> None:
    evaluation = Evaluation([evaluated(tmp_path)], Inquiry(("deletion",), "cat", 3))
    item = photograph(tmp_path / "a.png")

    def by_chance(number: int) -> float | None:
        rows, _ = evaluation.measured(item, number)
        return next(row.value for row in rows if row.method == "random")

    assert by_chance(0) == by_chance(0)
    assert by_chance(0) != by_chance(1)


def test_going_on_is_as_one_run(tmp_path: Path) -> None:
    items = [photograph(tmp_path / f"{number}.png", picture(number)) for number in range(4)]
    items.insert(2, Item(tmp_path / "none.png", "none"))
    model = evaluated(tmp_path)
    whole, first, second = (
        Evaluation([model], Inquiry(("deletion",), steps=3, baselines=("random",))) for _ in range(3)
    )

    def run(evaluation: Evaluation, numbers: range) -> list[Measurement]:
        found: list[Measurement] = []
        for number in numbers:
            try:
                rows, _ = evaluation.measured(items[number], number)
            except ModelReadError:
                rows = evaluation.failed(items[number], "no such image")
            found += rows
        return found

    run(whole, range(5))
    paths = second.go_on(run(first, range(3)))
    assert paths == {str(item.path) for item in items[:3]}
    run(second, range(3, 5))
    for one, other in zip(whole.standings.contenders, second.standings.contenders, strict=True):
        assert one == other
        for measure in whole.standings.measures:
            expected, found = (each.standings.estimate(one, measure) for each in (whole, second))
            assert expected is not None
            assert found is not None
            assert found.mean == pytest.approx(expected.mean)
            assert found.count == expected.count == 4
            assert found.interval == pytest.approx(expected.interval)
    assert second.standings.reasons == {"no such image": 1}
    assert second.standings.unmeasured == 1


def test_boxes_of_another_size_cost_no_other_measure(tmp_path: Path) -> None:
    pictures = [
        AnnotatedPicture("a.png", (ObjectBox("cat", 0, 0, 9, 9), ObjectBox("lynx", 0, 0, 1, 1)), (14, 10)),
        AnnotatedPicture("b.png", (ObjectBox("cat", 0, 0, 9, 9),), (10, 14)),
    ]
    asked = Inquiry(("pointing", "deletion"), "cat", 3, baselines=())
    evaluation = Evaluation([evaluated(tmp_path)], asked, Annotations(pictures))
    assert evaluation.notes == ("labels of boxes that are no classes of the model: 'lynx'",)
    good, bad = (
        {row.metric: row for row in evaluation.measured(photograph(tmp_path / name), 0)[0]}
        for name in ("a.png", "b.png")
    )
    assert good["pointing"].value is not None
    assert "of a picture of 10x14 pixels; the photograph has 14x10" in str(bad["pointing"].error)
    assert bad["deletion"].value == good["deletion"].value
    assert evaluation.examples.measure.name == "pointing"


def test_what_is_asked_for_has_to_be_possible(tmp_path: Path) -> None:
    model = evaluated(tmp_path)
    with pytest.raises(UsageError, match="needs boxes"):
        Evaluation([model], Inquiry(("pointing",)))
    with pytest.raises(UsageError, match="no class labelled 'lion'"):
        Evaluation([model], Inquiry(targets="lion"))
    Evaluation([model], Inquiry(targets="truth"))
    with pytest.raises(ModelReadError, match="no such image"):
        Evaluation([model], Inquiry()).measured(Item(tmp_path / "none.png", "none"), 0)


def test_page_tells_how_it_was_measured(tmp_path: Path) -> None:
    model = evaluated(tmp_path, ["reciprocam", "vitreciprocam"])
    evaluation = Evaluation(
        [model], Inquiry(("deletion",), LABELS[0], 3, cover="blur", random_maps=2, seed=9)
    )
    evaluation.measured(photograph(tmp_path / "a.png"), 0)
    page = evaluation.page(WHEN)
    for said in (
        "2026-11-27 12:30 UTC",
        "3 steps, covered with the photograph blurred",
        "2 of each photograph, seed 9",
        "not possible: vitreciprocam",
        "mean 100, scale 64",
        f"<dd>{LABELS[0]}</dd>",
    ):
        assert said in page, said
    without = Evaluation([model], Inquiry(("deletion",), baselines=("centre",))).page(WHEN)
    assert "Random maps" not in without
