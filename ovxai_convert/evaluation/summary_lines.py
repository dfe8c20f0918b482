"""An evaluation as lines of text: means with their intervals, and differences, measure by measure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ovxai_convert.evaluation.measures import Measure
from ovxai_convert.evaluation.naming import (
    LEVEL_IN_WORDS,
    contender_names,
    direction_in_words,
    interval_in_words,
    number_in_words,
    verdict,
)
from ovxai_convert.evaluation.standings import Standings

_MOST_REASONS: Final = 8


def summary_lines(standings: Standings) -> Iterator[str]:
    """What a terminal shows at the end."""
    photographs = "1 photograph" if standings.photographs == 1 else f"{standings.photographs} photographs"
    more = f"; {standings.unmeasured} more could not be measured" if standings.unmeasured else ""
    yield f"{photographs} measured{more}; intervals of {LEVEL_IN_WORDS} over photographs"
    for measure in standings.measures:
        yield ""
        yield f"{measure.title} ({direction_in_words(measure)})"
        yield from _means(standings, measure)
        yield from _differences(standings, measure)
    if standings.reasons:
        yield ""
        yield "Rows without a value:"
    for reason, count in standings.reasons.most_common(_MOST_REASONS):
        yield f"  {count} x {reason}"
    if len(standings.reasons) > _MOST_REASONS:
        yield f"  and {len(standings.reasons) - _MOST_REASONS} other reasons"


def _means(standings: Standings, measure: Measure) -> Iterator[str]:
    names = contender_names(standings.contenders)
    width = max(map(len, names.values()))
    for contender, name in names.items():
        estimate = standings.estimate(contender, measure)
        if estimate is not None:
            interval = interval_in_words(estimate.interval)
            yield f"  {name:<{width}}  {number_in_words(estimate.mean)}  {interval:<16}  n {estimate.count}"


def _differences(standings: Standings, measure: Measure) -> Iterator[str]:
    names = contender_names(standings.contenders)
    found = standings.differences(measure)
    pairs = [f"{names[each.one]} - {names[each.other]}" for each in found]
    width = max(map(len, pairs), default=0)
    for each, pair in zip(found, pairs, strict=True):
        mean = number_in_words(each.estimate.mean, signed=True)
        interval = interval_in_words(each.estimate.interval, signed=True)
        yield f"    {pair:<{width}}  {mean:>6}  {interval:<16}  {verdict(each, names)}"
