"""What contenders, means and differences are called where people read them, on a page or a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from ovxai_convert.evaluation.intervals import LEVEL, Interval
from ovxai_convert.evaluation.measurements import Contender
from ovxai_convert.evaluation.measures import Measure
from ovxai_convert.evaluation.standings import Difference
from ovxai_convert.explain.baselines import CENTRE, RANDOM

_BASELINES: Final = {RANDOM: "random maps", CENTRE: "centre of the picture"}
LEVEL_IN_WORDS: Final = f"{100 * LEVEL:g} %"


def contender_names(contenders: Sequence[Contender]) -> dict[Contender, str]:
    """A name for each, which says of model and layer what tells them apart."""
    short = model_names([contender.model for contender in contenders])
    names = {}
    for contender in contenders:
        layer = f" at {contender.target_layer}" if contender.target_layer is not None else ""
        model = f", {short[contender.model]}" if len(short) > 1 else ""
        names[contender] = f"{_BASELINES.get(contender.method, contender.method)}{layer}{model}"
    return names


def model_names(models: Sequence[str]) -> dict[str, str]:
    """Models by their paths: their files' names, or the paths where these are not different."""
    short = {model: PurePath(model).name for model in models}
    return short if len(set(short.values())) == len(short) else {model: model for model in models}


def number_in_words(value: float, *, signed: bool = False) -> str:
    """With three digits behind the point; no minus in front of zero."""
    rounded = round(value, 3) + 0.0
    return f"{rounded:+.3f}" if signed and rounded else f"{rounded:.3f}"


def interval_in_words(interval: Interval | None, *, signed: bool = False) -> str:
    """From where to where, or what is missing for that."""
    if interval is None:
        return "one photograph"
    low, high = (number_in_words(edge, signed=signed) for edge in interval)
    return f"{low} to {high}"


def direction_in_words(measure: Measure) -> str:
    """Which way is better."""
    return "higher is better" if measure.higher_is_better else "lower is better"


def seconds_in_words(seconds: float | None) -> str:
    """What a map took; a stroke where it took nothing."""
    if seconds is None:
        return "-"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def verdict(difference: Difference, names: dict[Contender, str]) -> str:
    """Which one is better, if that is no chance."""
    better, interval = difference.better, difference.estimate.interval
    if interval == Interval(0, 0):
        return "no difference"
    return "may be chance" if better is None else f"better: {names[better]}"
