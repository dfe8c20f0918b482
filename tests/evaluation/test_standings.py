"""Means, differences and curves over photographs, against NumPy on all values at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert.evaluation.intervals import Moments, mean_interval, paired_share_interval, share_interval
from ovxai_convert.evaluation.measurements import Contender, Measurement
from ovxai_convert.evaluation.measures import MEASURES
from ovxai_convert.evaluation.naming import contender_names, interval_in_words, number_in_words, verdict
from ovxai_convert.evaluation.standings import Standings
from ovxai_convert.evaluation.summary_lines import summary_lines

A, B = Contender("m.xml", "reciprocam"), Contender("m.xml", "rise")
RANDOM, CENTRE = Contender("m.xml", "random"), Contender("m.xml", "centre")
DELETION, INSERTION, POINTING = (MEASURES[name] for name in ("deletion", "insertion", "pointing"))
ALL: Final = (A, B, RANDOM, CENTRE)


def row(
    contender: Contender, value: float | None, metric: str = "deletion", label: str = "cat", **more: Any
) -> Measurement:
    model, method, layer = contender
    return Measurement("p", model, method, layer, 0, label, 0.9, metric=metric, value=value, **more)


def interval_of(values: Any, kind: Any = mean_interval) -> Any:
    found = Moments()
    for value in values:
        found.add(float(value))
    return kind(found)


def test_means_and_differences() -> None:
    values = np.random.default_rng(0).random((12, 4))
    values[:, 1] = values[:, 0] + 0.1 + 0.01 * values[:, 1]
    standings = Standings(ALL)
    for each in values:
        standings.add([row(contender, value) for contender, value in zip(ALL, each, strict=True)])
    assert (standings.photographs, standings.unmeasured) == (12, 0)
    assert standings.measures == [DELETION]
    for contender, column in zip(ALL, values.T, strict=True):
        estimate = standings.estimate(contender, DELETION)
        assert estimate is not None
        assert estimate.mean == pytest.approx(column.mean())
        assert estimate.interval == pytest.approx(interval_of(column))
    found = standings.differences(DELETION)
    pairs = [(each.one.method, each.other.method) for each in found]
    assert pairs == [
        ("reciprocam", "rise"),
        ("reciprocam", "random"),
        ("reciprocam", "centre"),
        ("rise", "random"),
        ("rise", "centre"),
    ]
    first = found[0]
    assert first.estimate.mean == pytest.approx((values[:, 0] - values[:, 1]).mean())
    assert first.estimate.interval == pytest.approx(interval_of(values[:, 0] - values[:, 1]))
    assert first.better == A, "lower is better, and its spread is that of the differences alone"
    overlapping = [standings.estimate(each, DELETION) for each in (A, B)]
    assert overlapping[0] is not None
    assert overlapping[1] is not None
    assert overlapping[0].interval is not None
    assert overlapping[1].interval is not None
    assert overlapping[0].interval.high > overlapping[1].interval.low


def test_the_better_one_by_the_measure() -> None:
    for measure, better in ((DELETION, B), (INSERTION, A)):
        standings = Standings([A, B])
        for value in (0.8, 0.9):
            standings.add([row(A, value, measure.name), row(B, 0.1, measure.name)])
        (found,) = standings.differences(measure)
        assert found.better == better
        assert verdict(found, contender_names([A, B])) == f"better: {better.method}"
        alone = Standings([A, B])
        alone.add([row(A, 0.9, measure.name), row(B, 0.1, measure.name)])
        assert alone.differences(measure)[0].better is None, "of one photograph nobody knows"


def test_shares_have_intervals_of_shares() -> None:
    standings = Standings([A, RANDOM])
    hits = [1, 1, 1, 1, 0, 1, 1]
    for hit in hits:
        standings.add([row(A, hit, "pointing"), row(RANDOM, 0.25, "pointing")])
    estimate, chance = standings.estimate(A, POINTING), standings.estimate(RANDOM, POINTING)
    assert estimate is not None
    assert chance is not None
    assert estimate.interval == interval_of(hits, share_interval)
    assert chance.interval == (0.25, 0.25), "it is known"
    (difference,) = standings.differences(POINTING)
    assert difference.estimate.interval == interval_of([hit - 0.25 for hit in hits], paired_share_interval)


def test_a_photograph_counts_once_whatever_its_classes() -> None:
    standings = Standings([A, B])
    standings.add([row(A, 0.2), row(A, 0.6, label="dog"), row(B, 0.5), row(B, None, label="dog", error="no")])
    standings.add([row(A, 0.8), row(B, 0.8)])
    estimate = standings.estimate(A, DELETION)
    assert estimate is not None
    assert estimate.mean == pytest.approx(0.6)
    assert estimate.count == 2
    (difference,) = standings.differences(DELETION)
    assert difference.estimate.mean == pytest.approx((-0.3 + 0) / 2), "of the class that both have"
    twice = Standings([A, B])
    twice.add([row(A, 0.2), row(A, 0.6, label="dog"), row(B, 0.5, label="dog"), row(B, 0.4)])
    assert twice.differences(DELETION)[0].estimate.mean == pytest.approx((0.2 - 0.4 + 0.6 - 0.5) / 2)
    assert standings.classes == 3
    assert standings.reasons == {"no": 1}


def test_what_was_not_measured() -> None:
    standings = Standings([A, B])
    standings.add([Measurement("p", error="no such image")])
    standings.add([row(A, None, error="the score is 0")])
    standings.add([row(B, 0.5)])
    assert (standings.photographs, standings.unmeasured) == (1, 2)
    assert standings.estimate(A, DELETION) is None
    assert standings.differences(DELETION) == []
    assert standings.reasons == {"no such image": 1, "the score is 0": 1}
    lines = list(summary_lines(standings))
    assert lines[0].startswith("1 photograph measured; 2 more could not be measured")
    assert lines[-2:] == ["  1 x no such image", "  1 x the score is 0"]


def test_mean_curves_and_times() -> None:
    standings = Standings([A])
    standings.add([row(A, 0.5, curve=(1.0, 0.5, 0.0), seconds=2.0), row(A, 0.5, "insertion", seconds=2.0)])
    standings.add([row(A, 0.5, curve=(0.5, 0.5, 0.5), seconds=4.0)])
    standings.add([row(A, 0.5, curve=(0.0, 0.0))])
    curve = standings.curve(A, DELETION)
    assert curve is not None
    assert curve.scores.tolist() == [0.75, 0.5, 0.25]
    assert curve.fractions.tolist() == [0, 0.5, 1]
    assert standings.seconds(A) == 3
    assert standings.curve(A, INSERTION) is None
    assert standings.seconds(B) is None


def test_what_differs_in_one_thing_is_compared() -> None:
    layered = Contender("m.xml", "reciprocam", "block0")
    odd = Contender("m.xml", "activationmap", "block1")
    other = Contender("n.xml", "reciprocam")
    chance = Contender("n.xml", "random")
    everything = [A, layered, odd, B, RANDOM, other, chance]
    standings = Standings(everything)
    standings.add([row(each, 0.5) for each in everything])
    names = contender_names(everything)
    assert [(names[each.one], names[each.other]) for each in standings.differences(DELETION)] == [
        ("reciprocam, m.xml", "reciprocam at block0, m.xml"),
        ("reciprocam, m.xml", "activationmap at block1, m.xml"),
        ("reciprocam, m.xml", "rise, m.xml"),
        ("reciprocam, m.xml", "reciprocam, n.xml"),
        ("reciprocam at block0, m.xml", "rise, m.xml"),
        ("activationmap at block1, m.xml", "rise, m.xml"),
        ("reciprocam, m.xml", "random maps, m.xml"),
        ("reciprocam at block0, m.xml", "random maps, m.xml"),
        ("activationmap at block1, m.xml", "random maps, m.xml"),
        ("rise, m.xml", "random maps, m.xml"),
        ("reciprocam, n.xml", "random maps, n.xml"),
    ]


def test_words() -> None:
    assert contender_names([A, CENTRE]) == {A: "reciprocam", CENTRE: "centre of the picture"}
    apart = [Contender("a/m.xml", "rise"), Contender("b/m.xml", "rise")]
    assert list(contender_names(apart).values()) == ["rise, a/m.xml", "rise, b/m.xml"]
    assert [number_in_words(each, signed=True) for each in (0.1, -0.0001, -0.0006)] == [
        "+0.100",
        "0.000",
        "-0.001",
    ]
    assert interval_in_words(None) == "one photograph"
    standings = Standings([A, B])
    for _ in range(3):
        standings.add([row(A, 0.5), row(B, 0.5)])
    (same,) = standings.differences(DELETION)
    assert verdict(same, contender_names([A, B])) == "no difference"
