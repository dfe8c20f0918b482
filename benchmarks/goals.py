"""The numbers that the project holds itself to, and whether the measured rows hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from benchmarks.catalogue import TOP_K, Kind
from benchmarks.results import Failure, Latency, Row, Side

_GEOMETRIC_MEAN: Final = 1.10
_BEST_CLASSES_LATENCY: Final = 1.03
_VGG16_LATENCY: Final = 1.5
_VIT_LATENCY: Final = 1.15
_VIT448_MEMORY: Final = 2 * 2**30
_BIN_GROWTH: Final = 64 * 1024
_CONVERSION: Final = 2.5


@dataclass(frozen=True)
class Verdict:
    """A goal against what was measured; `held` is None where nothing was."""

    goal: str
    found: str
    held: bool | None


def geometric_mean(ratios: Sequence[float]) -> float:
    """The average of ratios; of at least one."""
    return float(prod(ratios) ** (1 / len(ratios)))


def pooled_cnn_ratios(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Latency ratios of ours and of the ancestor on the mean-pooled CNNs that each converted."""
    chosen = [row for row in rows if row.kind == Kind.POOLED_CNN]
    sides = ([row.ours for row in chosen], [row.ancestor for row in chosen])
    ours, ancestor = (
        [side.latency.ratio.median for side in all_ if isinstance(side, Side)] for all_ in sides
    )
    return ours, ancestor


def _mean_latency(rows: Sequence[Row]) -> Verdict:
    goal = f"latency with branch / without, mean-pooled CNNs, geometric mean <= {_GEOMETRIC_MEAN:.2f}"
    ratios, _ = pooled_cnn_ratios(rows)
    failed = _failed(row for row in rows if row.kind == Kind.POOLED_CNN)
    if not ratios:
        return Verdict(goal, failed or "not measured", False if failed else None)
    mean = geometric_mean(ratios)
    found = f"{mean:.3f} over {len(ratios)}"
    return Verdict(goal, f"{found}; {failed}" if failed else found, mean <= _GEOMETRIC_MEAN and not failed)


def _latency_limits(rows: Sequence[Row]) -> Verdict:
    goal = "each of them <= 1 + 1.5 x (branch MACs / model MACs) + 0.03"
    measured = [
        (row.title, row.ours.latency.ratio.median, row.ours.macs.limit)
        for row in rows
        if row.kind == Kind.POOLED_CNN and isinstance(row.ours, Side) and row.ours.macs is not None
    ]
    over = [f"{title} {ratio:.3f} > {limit:.3f}" for title, ratio, limit in measured if ratio > limit]
    failed = _failed(row for row in rows if row.kind == Kind.POOLED_CNN)
    complaints = "; ".join([*over, *filter(None, [failed])])
    if not measured and not failed:
        return Verdict(goal, "not measured", None)
    return Verdict(goal, complaints or f"all {len(measured)}", not complaints)


def _best_classes_latency(rows: Sequence[Row]) -> Verdict:
    bar = _BEST_CLASSES_LATENCY
    goal = f"latency with --top-k {TOP_K} / without branch, each linear head <= {bar}"
    linear = [row for row in rows if row.has_linear_head]
    found = [(row.title, row.best_classes) for row in linear]
    ratios = [(title, each.ratio.median) for title, each in found if isinstance(each, Latency)]
    over = [f"{title} {ratio:.3f}" for title, ratio in ratios if ratio > bar]
    failed = [row.title for row in linear if Failure in (type(row.ours), type(row.best_classes))]
    complaints = [*over, *([f"not converted: {', '.join(failed)}"] if failed else [])]
    if not ratios and not failed:
        return Verdict(goal, "not measured", None)
    return Verdict(goal, "; ".join(complaints) or f"all {len(ratios)}", not complaints)


def _vgg16_latency(rows: Sequence[Row]) -> Verdict:
    return _one_latency(rows, "vgg16", "VGG-16", _VGG16_LATENCY)


def _vit_latency(rows: Sequence[Row]) -> Verdict:
    return _one_latency(rows, "vit_b16", "ViT-B/16", _VIT_LATENCY)


def _vit448_memory(rows: Sequence[Row]) -> Verdict:
    goal = f"memory with branch beyond without, ViT-B/16 at 448 pixels <= {_VIT448_MEMORY // 2**30} GiB"
    return _one_network(
        rows, "vit_b16_448", goal, _VIT448_MEMORY, lambda ours: ours.more_bytes, _as_mebibytes
    )


def _bin_growth(rows: Sequence[Row]) -> Verdict:
    goal = f"growth of the weights' file <= {_BIN_GROWTH // 1024} KiB"
    growths = {row.title: row.ours.conversion.bin_growth for row in rows if isinstance(row.ours, Side)}
    if not growths:
        return Verdict(goal, "not measured", None)
    over = [f"{title} {growth} B" for title, growth in growths.items() if growth > _BIN_GROWTH]
    return Verdict(goal, "; ".join(over) or f"at most {max(growths.values())} B", not over)


def _resnet50_conversion(rows: Sequence[Row]) -> Verdict:
    goal = f"conversion of ResNet-50 / reading, compiling twice and saving it <= {_CONVERSION}"
    return _one_network(
        rows, "resnet50", goal, _CONVERSION, lambda ours: ours.conversion.ratio, "{:.2f}".format
    )


def _one_latency(rows: Sequence[Row], key: str, title: str, bar: float) -> Verdict:
    goal = f"latency with branch / without, {title} <= {bar}"
    return _one_network(rows, key, goal, bar, lambda ours: ours.latency.ratio.median, "{:.3f}".format)


def _one_network(
    rows: Sequence[Row],
    key: str,
    goal: str,
    bar: float,
    read: Callable[[Side], float | None],
    show: Callable[[float], str],
) -> Verdict:
    """One number of one network against a bar."""
    for row in rows:
        if row.key == key:
            value = None if isinstance(row.ours, Failure) else read(row.ours)
            if value is None:
                return Verdict(goal, _failed([row]), False)
            return Verdict(goal, show(value), value <= bar)
    return Verdict(goal, "not measured", None)


def _as_mebibytes(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"


def _failed(rows: Iterable[Row]) -> str:
    titles = [row.title for row in rows if isinstance(row.ours, Failure)]
    return f"not converted: {', '.join(titles)}" if titles else ""


GOALS: Final[tuple[Callable[[Sequence[Row]], Verdict], ...]] = (
    _mean_latency,
    _latency_limits,
    _best_classes_latency,
    _vgg16_latency,
    _vit_latency,
    _vit448_memory,
    _bin_growth,
    _resnet50_conversion,
)
"""All goals of converted models, in the order of the report."""
