"""An evaluation as one HTML page that stands alone: means, curves, differences, and the worst photographs.

The page holds no script, asks for nothing from outside, and its Content-Security-Policy forbids that it does.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from typing import Final

import cv2

from ovxai_convert.evaluation.examples import Example, Examples
from ovxai_convert.evaluation.measure_section import Legend, measure_section, number_cell
from ovxai_convert.evaluation.measurements import Contender
from ovxai_convert.evaluation.measures import Measure
from ovxai_convert.evaluation.naming import direction_in_words, model_names, number_in_words, seconds_in_words
from ovxai_convert.evaluation.standings import Standings
from ovxai_convert.explain.page import as_text, fact_item, page_head, page_part
from ovxai_convert.photographs.image_files import Pixels, encode_image

_ROOM: Final = "ovxai_convert.evaluation"
_JPEG: Final = (cv2.IMWRITE_JPEG_QUALITY, 85)
_MOST_REASONS: Final = 12


@dataclass(frozen=True)
class EvaluationFacts:
    """What holds for the whole page.

    Attributes:
        models: their paths.
        facts: terms and what is said of each, in order.
        notes: what one should know besides.
        written_by: a sentence for the foot of the page.
    """

    models: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    written_by: str


def evaluation_page(facts: EvaluationFacts, standings: Standings, examples: Examples | None = None) -> str:
    """The whole page as text, to be written as UTF-8; the same for the same arguments."""
    style = page_part("ovxai_convert.explain", "page.css") + page_part(_ROOM, "page.css")
    heading = ", ".join(model_names(facts.models).values())
    notes = "".join(f"<li>{as_text(note)}</li>" for note in facts.notes)
    return Template(page_part(_ROOM, "page.html")).substitute(
        head=page_head(f"{heading}: evaluation of explanations", style),
        heading=as_text(heading),
        facts="\n".join(fact_item(*fact) for fact in facts.facts),
        notes=f'<ul class="notes" aria-label="Notes">{notes}</ul>' if notes else "",
        body=_body(standings, examples),
        footer=as_text(facts.written_by),
    )


def _body(standings: Standings, examples: Examples | None) -> str:
    if not standings.photographs:
        return f'<p class="empty">No photograph was measured.</p>{_reasons(standings)}'
    legend, measures = Legend(standings.contenders), standings.measures
    shown = [_overview(standings, legend, measures)]
    shown += [measure_section(standings, legend, measure) for measure in measures]
    if examples is not None and examples.worst:
        shown.append(_worst(examples, legend))
    return "\n".join((*shown, _reasons(standings)))


def _overview(standings: Standings, legend: Legend, measures: Sequence[Measure]) -> str:
    heads = "".join(
        f'<th scope="col">{as_text(each.title)} <span class="aside">{direction_in_words(each)}</span></th>'
        for each in measures
    )
    best = {measure: _best(standings, legend.methods, measure) for measure in measures}
    rows = []
    for contender in legend.names:
        cells = [number_cell(each.title, _mean(standings, contender, each, best[each])) for each in measures]
        time = number_cell("Time per map", seconds_in_words(standings.seconds(contender)))
        rows.append(f'<tr><th scope="row">{legend.called(contender)}</th>{"".join(cells)}{time}</tr>')
    return (
        '<section><h2>All measures</h2><p class="reading">Means over photographs. The best mean of all '
        "methods is set in bold; whether it is more than chance, the differences below tell.</p>"
        f'<div class="wide"><table><thead><tr><th scope="col">Maps</th>{heads}'
        '<th scope="col">Time per map</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _mean(standings: Standings, contender: Contender, measure: Measure, best: Sequence[Contender]) -> str:
    estimate = standings.estimate(contender, measure)
    value = "-" if estimate is None else number_in_words(estimate.mean)
    return f"<strong>{value}</strong>" if contender in best else value


def _best(standings: Standings, methods: Sequence[Contender], measure: Measure) -> list[Contender]:
    """The methods, not baselines, with the best mean as it is shown; none of a single one."""
    means = {
        contender: round(estimate.mean, 3)
        for contender in methods
        if (estimate := standings.estimate(contender, measure)) is not None
    }
    if len(means) < 2:
        return []
    best = max(means.values()) if measure.higher_is_better else min(means.values())
    return [contender for contender, mean in means.items() if mean == best]


def _worst(examples: Examples, legend: Legend) -> str:
    name, title = legend.names[examples.contender], examples.measure.title.lower()
    figures = "".join(_example(example, title, legend) for example in examples.worst)
    return (
        f"<section><h2>Where {as_text(name)} does worst</h2>"
        f'<p class="reading">The photographs with the worst values of its {as_text(title)}, the worst one '
        "first. Each map is scaled by itself; boxes, if there are any, are drawn into the photograph.</p>"
        f"{figures}</section>"
    )


def _example(example: Example, title: str, legend: Legend) -> str:
    pictures = [_figure(example.photograph, "photograph", f"Photograph {example.path}")]
    for contender, overlay in example.overlays.items():
        name = legend.names[contender]
        pictures.append(_figure(overlay, name, f"Map by {name} of {example.path}"))
    score, value = number_in_words(example.score), number_in_words(example.value)
    return (
        f'<article class="example"><h3><bdi>{as_text(example.path)}</bdi></h3>'
        f'<p class="aside">{as_text(example.label)}, score {score}, {as_text(title)} {value}</p>'
        f'<div class="pictures">{"".join(pictures)}</div></article>'
    )


def _figure(picture: Pixels, caption: str, alternative: str) -> str:
    content = base64.b64encode(encode_image(picture, ".jpg", _JPEG)).decode("ascii")
    rows, columns = picture.shape[:2]
    return (
        f'<figure><img src="data:image/jpeg;base64,{content}" width="{columns}" height="{rows}" '
        f'alt="{as_text(alternative)}"><figcaption><bdi>{as_text(caption)}</bdi></figcaption></figure>'
    )


def _reasons(standings: Standings) -> str:
    reasons = standings.reasons.most_common(_MOST_REASONS)
    if not reasons:
        return ""
    left = len(standings.reasons) - len(reasons)
    items = [f"<li>{count} &times; {as_text(reason)}</li>" for reason, count in reasons]
    items += [f"<li>and {left} other reasons, which the table has</li>"] if left else []
    return (
        '<section><h2>What could not be measured</h2><p class="reading">Rows of the table without a value, '
        f'by reason.</p><ul class="reasons">{"".join(items)}</ul></section>'
    )
