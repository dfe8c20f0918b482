"""One measure's part of an evaluation's page: its curves, its means, and how sure their differences are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ovxai_convert.evaluation.drawing import (
    CurveLine,
    balanced_scale,
    curves_drawn,
    estimate_drawn,
    scale_of,
)
from ovxai_convert.evaluation.measurements import Contender
from ovxai_convert.evaluation.measures import Measure
from ovxai_convert.evaluation.naming import (
    LEVEL_IN_WORDS,
    contender_names,
    direction_in_words,
    interval_in_words,
    number_in_words,
    verdict,
)
from ovxai_convert.evaluation.standings import Difference, Estimate, Standings
from ovxai_convert.explain.page import as_text

_COLOURS: Final = 6
"""Colours of methods in the style sheet; more begin anew."""
_BELOW: Final = {"deletion": "pixels covered", "insertion": "pixels shown"}
_INTERVAL: Final = f"{LEVEL_IN_WORDS} interval"


class Legend:
    """Names and colours of contenders, in their order."""

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.names = contender_names(contenders)
        self.methods = [contender for contender in contenders if not contender.is_baseline]
        self.colours = {contender: contender.method for contender in contenders if contender.is_baseline}
        self.colours |= {each: f"c{place % _COLOURS + 1}" for place, each in enumerate(self.methods)}

    def called(self, contender: Contender) -> str:
        """A name behind a patch of its colour, HTML."""
        patch = f'<i class="patch {self.colours[contender]}"></i>'
        return f'<span class="name">{patch}<bdi>{as_text(self.names[contender])}</bdi></span>'


def measure_section(standings: Standings, legend: Legend, measure: Measure) -> str:
    """All of one measure, HTML."""
    reading = f"{as_text(measure.tells)} {direction_in_words(measure).capitalize()}."
    return (
        f'<section><h2>{as_text(measure.title)}</h2><p class="reading">{reading}</p>'
        f'<div class="beside">{_chart(standings, legend, measure)}{_means(standings, legend, measure)}</div>'
        f"{_differences(legend, standings.differences(measure))}</section>"
    )


def table_html(heads: Sequence[str], rows: str) -> str:
    """A table that may be wider than the window; texts of its head, HTML of its rows."""
    cells = "".join(f'<th scope="col">{as_text(head)}</th>' for head in heads)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>'


def number_cell(head: str, text: str) -> str:
    """A number in a table, with the head of its column for where that is not shown; HTML."""
    return f'<td class="number" data-label="{as_text(head)}">{text}</td>'


def _chart(standings: Standings, legend: Legend, measure: Measure) -> str:
    lines = [
        CurveLine(curve, name, legend.colours[contender])
        for contender, name in legend.names.items()
        if (curve := standings.curve(contender, measure)) is not None
    ]
    if not lines:
        return ""
    below = _BELOW.get(measure.name, "")
    return curves_drawn(lines, below, f"{measure.title}: mean scores by the share of {below}")


def _means(standings: Standings, legend: Legend, measure: Measure) -> str:
    estimates = {
        contender: estimate
        for contender in legend.names
        if (estimate := standings.estimate(contender, measure)) is not None
    }
    scale = scale_of([edge for estimate in estimates.values() for edge in _edges(estimate)])
    rows = "".join(
        f'<tr><th scope="row">{legend.called(contender)}</th>'
        + number_cell("Mean", number_in_words(estimate.mean))
        + number_cell(_INTERVAL, interval_in_words(estimate.interval))
        + f'<td class="drawn">{estimate_drawn(estimate, scale, legend.colours[contender])}</td>'
        + number_cell("Photographs", str(estimate.count))
        + "</tr>"
        for contender, estimate in estimates.items()
    )
    return table_html(["Maps", "Mean", _INTERVAL, f"{scale.low:g} to {scale.high:g}", "Photographs"], rows)


def _differences(legend: Legend, differences: Sequence[Difference]) -> str:
    if not differences:
        return ""
    scale = balanced_scale([edge for each in differences for edge in _edges(each.estimate)])
    rows = []
    for each in differences:
        colour = "unclear" if each.better is None else legend.colours[each.better]
        pair = f'{legend.called(each.one)} <span class="minus">less</span> {legend.called(each.other)}'
        rows.append(
            f'<tr><th scope="row">{pair}</th>'
            + number_cell("Difference", number_in_words(each.estimate.mean, signed=True))
            + number_cell(_INTERVAL, interval_in_words(each.estimate.interval, signed=True))
            + f'<td class="drawn">{estimate_drawn(each.estimate, scale, colour, marked=0.0)}</td>'
            + number_cell("Photographs", str(each.estimate.count))
            + f'<td data-label="Verdict">{as_text(verdict(each, legend.names))}</td></tr>'
        )
    heads = ["Maps", "Difference", _INTERVAL, f"{scale.low:g} to {scale.high:g}", "Photographs", "Verdict"]
    return (
        '<h3>Differences on the same photographs</h3><p class="reading">Each interval stands by itself: of '
        f"twenty, one misses by chance.</p>{table_html(heads, ''.join(rows))}"
    )


def _edges(estimate: Estimate) -> tuple[float, ...]:
    return (estimate.mean,) if estimate.interval is None else (estimate.mean, *estimate.interval)
