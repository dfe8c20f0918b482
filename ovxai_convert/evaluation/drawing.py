"""Drawings of an evaluation's page as SVG text: mean curves, and means with their intervals.

Colours and strokes are the style sheet's, by classes; nothing here needs a style of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from ovxai_convert.blackbox.metrics import ScoreCurve
from ovxai_convert.evaluation.intervals import Interval
from ovxai_convert.evaluation.standings import Estimate
from ovxai_convert.explain.page import as_text

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 480, 270, 44, 12, 10, 42
_BAR_WIDTH, _BAR_HEIGHT, _BAR_EDGE = 240, 22, 6
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(NamedTuple):
    """From where to where an axis goes."""

    low: float
    high: float

    def at(self, value: float, start: float, end: float) -> float:
        """Where a value stands between two places of a drawing."""
        share = (value - self.low) / (self.high - self.low)
        return start + min(1.0, max(0.0, share)) * (end - start)


class CurveLine(NamedTuple):
    """A curve, what it is called, and the class of its colour."""

    curve: ScoreCurve
    name: str
    colour: str


def scale_of(values: Sequence[float]) -> Scale:
    """0 to 1 where all values lie there, else as far as they reach, to round numbers."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low >= 0 and high <= 1:
        return Scale(0.0, 1.0)
    return Scale(-_round_above(-low) if low < 0 else 0.0, _round_above(high))


def balanced_scale(values: Sequence[float]) -> Scale:
    """As far to either side of 0 as the farthest value, to a round number."""
    most = _round_above(max(map(abs, values), default=1.0))
    return Scale(-most, most)


def _round_above(value: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten; 1 for what is not above 0."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - 1e-9))


def curves_drawn(lines: Sequence[CurveLine], below: str, label: str) -> str:
    """Curves in one drawing, scores upwards from 0 on, fractions from 0 to 100 % to the right."""
    scale = scale_of([float(score) for line in lines for score in line.curve.scores])
    right, base = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<svg class="curves" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{as_text(label)}">'
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = scale.low + share * (scale.high - scale.low)
        row = scale.at(value, base, _TOP)
        parts.append(f'<path class="grid" d="M{_LEFT} {row:.1f}H{right}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 6}" y="{row + 4:.1f}">{value:.3g}</text>')
    for percent in (0, 50, 100):
        column = _LEFT + percent / 100 * (right - _LEFT)
        place = {0: "", 50: " middle", 100: " end"}[percent]
        parts.append(f'<text class="tick{place}" x="{column:.1f}" y="{base + 18}">{percent} %</text>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text class="tick middle" x="{middle:.1f}" y="{base + 35}">{as_text(below)}</text>')
    for line in reversed(lines):
        places = " ".join(
            f"{_LEFT + fraction * (right - _LEFT):.1f},{scale.at(float(score), base, _TOP):.1f}"
            for fraction, score in zip(line.curve.fractions, line.curve.scores, strict=True)
        )
        title = f"<title>{as_text(line.name)}</title>"
        parts.append(f'<polyline class="curve {line.colour}" points="{places}">{title}</polyline>')
    return "".join((*parts, "</svg>"))


def estimate_drawn(estimate: Estimate, scale: Scale, colour: str, *, marked: float | None = None) -> str:
    """A mean as a dot and its interval as a line, on a scale; the numbers stand beside it as text."""
    start, end, row = _BAR_EDGE, _BAR_WIDTH - _BAR_EDGE, _BAR_HEIGHT / 2
    parts = [f'<svg class="estimate" viewBox="0 0 {_BAR_WIDTH} {_BAR_HEIGHT}" aria-hidden="true">']
    parts.append(f'<path class="grid" d="M{start} {row}H{end}"/>')
    if marked is not None:
        parts.append(f'<path class="zero" d="M{scale.at(marked, start, end):.1f} 0V{_BAR_HEIGHT}"/>')
    if estimate.interval is not None:
        low, high = (scale.at(edge, start, end) for edge in Interval(*estimate.interval))
        parts.append(f'<path class="spread {colour}" d="M{low:.1f} {row}H{high:.1f}"/>')
    parts.append(
        f'<circle class="mean {colour}" cx="{scale.at(estimate.mean, start, end):.1f}" cy="{row}" r="5"/>'
    )
    return "".join((*parts, "</svg>"))
