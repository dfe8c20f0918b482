"""The report on converted models: one Markdown table of ratios, what failed and why, the means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.catalogue import TOP_K
from benchmarks.goals import Verdict, geometric_mean, pooled_cnn_ratios
from benchmarks.results import Failure, Latency, Row, Side

_Reader = Callable[[Side], str]
_BEST_CLASSES: Final = f"top {TOP_K}"


def _spread(latency: Latency) -> str:
    ratio = latency.ratio
    return f"{ratio.median:.3f} [{ratio.lower:.2f}, {ratio.upper:.2f}]"


def _ratio(side: Side) -> str:
    return _spread(side.latency)


def _limit(side: Side) -> str:
    return f"{side.macs.limit:.3f}" if side.macs else "-"


def _conversion(side: Side) -> str:
    return f"{side.conversion.ratio:.2f}" if side.conversion.ratio is not None else "-"


def _growth(side: Side) -> str:
    return f"{side.conversion.bin_growth:,}"


def _peak(side: Side) -> str:
    return f"{side.conversion.peak_bytes / 2**20:.0f}"


def _more(side: Side) -> str:
    return f"{side.more_bytes / 2**20:.0f}" if side.more_bytes is not None else "-"


def _outputs(side: Side) -> str:
    return "bit-exact" if side.latency.bit_exact else f"moved by {side.latency.max_abs_diff:.1e}"


def _original_ms(side: Side) -> str:
    return f"{side.latency.original_ms.median:.2f}"


def _of_ours(read: _Reader) -> Callable[[Row], str]:
    return lambda row: "failed" if isinstance(row.ours, Failure) else read(row.ours)


def _of_ancestor(read: _Reader) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        if row.ancestor is None:
            return "-"
        return "failed" if isinstance(row.ancestor, Failure) else read(row.ancestor)

    return cell


def _best_classes(row: Row) -> str:
    if row.best_classes is None:
        return "-"
    if isinstance(row.best_classes, Failure):
        return "failed"
    return _spread(row.best_classes) + ("" if row.has_linear_head else " (not linear)")


_COLUMNS: Final[tuple[tuple[str, Callable[[Row], str]], ...]] = (
    ("latency", _of_ours(_ratio)),
    ("limit", _of_ours(_limit)),
    (f"latency, {_BEST_CLASSES}", _best_classes),
    ("latency, ancestor", _of_ancestor(_ratio)),
    ("conversion", _of_ours(_conversion)),
    ("bin growth, B", _of_ours(_growth)),
    ("bin growth, ancestor, B", _of_ancestor(_growth)),
    ("peak, MiB", _of_ours(_peak)),
    ("peak, ancestor, MiB", _of_ancestor(_peak)),
    ("memory in use, +MiB", _of_ours(_more)),
    ("outputs", _of_ours(_outputs)),
    ("outputs, ancestor", _of_ancestor(_outputs)),
    ("original, ms", _of_ours(_original_ms)),
)
"""Heading, and how a network's cell is read; a column is added by an entry here."""


def report(rows: Sequence[Row]) -> str:
    """The report without the goals, as Markdown."""
    parts = [_table(rows), _failures(rows), _means(rows), _legend(rows)]
    return "\n\n".join(part for part in parts if part)


def short_line(row: Row) -> str:
    """One network in a few words, for watching a run."""
    words = [
        f"{name} {found.step} failed" if isinstance(found, Failure) else f"{name} {_spread(found)}"
        for name, found in _latencies(row)
    ]
    return f"{row.title}: {', '.join(words)}"


def _latencies(row: Row) -> list[tuple[str, Latency | Failure]]:
    """What was run or failed to run, by name."""
    sides = {"ours": row.ours, f"ours, {_BEST_CLASSES}": row.best_classes, "ancestor": row.ancestor}
    return [
        (name, side.latency if isinstance(side, Side) else side)
        for name, side in sides.items()
        if side is not None
    ]


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| network | " + " | ".join(heading for heading, _ in _COLUMNS) + " |",
        "| --- |" + " ---: |" * len(_COLUMNS),
    ]
    for row in rows:
        cells = [read(row) for _, read in _COLUMNS]
        lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _failures(rows: Sequence[Row]) -> str:
    lines = [
        f"- {row.title}, {name}: {found.step}: {found.reason}"
        for row in rows
        for name, found in _latencies(row)
        if isinstance(found, Failure)
    ]
    return "\n".join(["Failed:", "", *lines]) if lines else ""


def _means(rows: Sequence[Row]) -> str:
    ours, ancestor = pooled_cnn_ratios(rows)
    named = [("ours", ours), ("ancestor", ancestor)]
    words = [f"{name} {geometric_mean(ratios):.3f} (of {len(ratios)})" for name, ratios in named if ratios]
    return (
        f"Geometric mean of the latency ratios of the mean-pooled CNNs: {', '.join(words)}." if words else ""
    )


def verdicts_table(verdicts: Sequence[Verdict]) -> str:
    """The goals as Markdown."""
    marks = {True: "held", False: "MISSED", None: "-"}
    lines = ["| goal | found | |", "| --- | --- | --- |"]
    lines += [f"| {each.goal} | {each.found} | {marks[each.held]} |" for each in verdicts]
    return "\n".join(lines)


def _legend(rows: Sequence[Row]) -> str:
    def versions(latencies: Sequence[Latency]) -> str:
        return ", ".join(sorted({latency.runtime.split("-")[0] for latency in latencies})) or "-"

    ours = versions([row.ours.latency for row in rows if isinstance(row.ours, Side)])
    ancestor = versions([row.ancestor.latency for row in rows if isinstance(row.ancestor, Side)])
    return (
        "latency: converted / original, median [quartiles] of neighbouring runs; "
        f"{_BEST_CLASSES}: maps of the {TOP_K} best classes of each input; conversion: the command / "
        "reading, compiling twice and saving; peak: largest resident set while converting. "
        f"OpenVINO {ours}; ancestor's {ancestor}."
    )
