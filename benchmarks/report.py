"""The report: one Markdown table of ratios, what failed and why, the means, the goals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.goals import GOALS, geometric_mean, pooled_cnn_ratios
from benchmarks.results import Failure, Latency, Row, Side

_Reader = Callable[[Side], str]


def _ratio(side: Side) -> str:
    ratio = side.latency.ratio
    return f"{ratio.median:.3f} [{ratio.lower:.2f}, {ratio.upper:.2f}]"


def _limit(side: Side) -> str:
    return f"{side.macs.limit:.3f}" if side.macs else "-"


def _conversion(side: Side) -> str:
    return f"{side.conversion.ratio:.2f}" if side.conversion.ratio is not None else "-"


def _growth(side: Side) -> str:
    return f"{side.conversion.bin_growth:,}"


def _peak(side: Side) -> str:
    return f"{side.conversion.peak_bytes / 2**20:.0f}"


def _outputs(side: Side) -> str:
    return "bit-exact" if side.latency.bit_exact else f"moved by {side.latency.max_abs_diff:.1e}"


def _original_ms(side: Side) -> str:
    return f"{side.latency.original_ms.median:.2f}"


_COLUMNS: Final[tuple[tuple[str, str, _Reader], ...]] = (
    ("latency", "ours", _ratio),
    ("limit", "ours", _limit),
    ("latency, ancestor", "ancestor", _ratio),
    ("conversion", "ours", _conversion),
    ("bin growth, B", "ours", _growth),
    ("bin growth, ancestor, B", "ancestor", _growth),
    ("peak, MiB", "ours", _peak),
    ("peak, ancestor, MiB", "ancestor", _peak),
    ("outputs", "ours", _outputs),
    ("outputs, ancestor", "ancestor", _outputs),
    ("original, ms", "ours", _original_ms),
)
"""Heading, whose value it is, and how it is read; a column is added by an entry here."""


def report(rows: Sequence[Row]) -> str:
    """The whole report as Markdown."""
    parts = [_table(rows), _failures(rows), _means(rows), _verdicts(rows), _legend(rows)]
    return "\n\n".join(part for part in parts if part)


def short_line(row: Row) -> str:
    """One network in a few words, for watching a run."""
    sides = {"ours": row.ours, "ancestor": row.ancestor}
    words = [
        f"{name} {side.step} failed" if isinstance(side, Failure) else f"{name} {_ratio(side)}"
        for name, side in sides.items()
        if side is not None
    ]
    return f"{row.title}: {', '.join(words)}"


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| network | " + " | ".join(heading for heading, _, _ in _COLUMNS) + " |",
        "| --- |" + " ---: |" * len(_COLUMNS),
    ]
    for row in rows:
        cells = [_cell(row, whose, read) for _, whose, read in _COLUMNS]
        lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: Row, whose: str, read: _Reader) -> str:
    side = row.ours if whose == "ours" else row.ancestor
    if side is None:
        return "-"
    return "failed" if isinstance(side, Failure) else read(side)


def _failures(rows: Sequence[Row]) -> str:
    lines = [
        f"- {row.title}, {name}: {side.step}: {side.reason}"
        for row in rows
        for name, side in (("ours", row.ours), ("ancestor", row.ancestor))
        if isinstance(side, Failure)
    ]
    return "\n".join(["Failed:", "", *lines]) if lines else ""


def _means(rows: Sequence[Row]) -> str:
    ours, ancestor = pooled_cnn_ratios(rows)
    named = [("ours", ours), ("ancestor", ancestor)]
    words = [f"{name} {geometric_mean(ratios):.3f} (of {len(ratios)})" for name, ratios in named if ratios]
    return (
        f"Geometric mean of the latency ratios of the mean-pooled CNNs: {', '.join(words)}." if words else ""
    )


def _verdicts(rows: Sequence[Row]) -> str:
    marks = {True: "held", False: "MISSED", None: "-"}
    lines = ["| goal | found | |", "| --- | --- | --- |"]
    verdicts = [goal(rows) for goal in GOALS]
    lines += [f"| {each.goal} | {each.found} | {marks[each.held]} |" for each in verdicts]
    return "\n".join(lines)


def _legend(rows: Sequence[Row]) -> str:
    def versions(latencies: Sequence[Latency]) -> str:
        return ", ".join(sorted({latency.openvino.split("-")[0] for latency in latencies})) or "-"

    ours = versions([row.ours.latency for row in rows if isinstance(row.ours, Side)])
    ancestor = versions([row.ancestor.latency for row in rows if isinstance(row.ancestor, Side)])
    return (
        "latency: converted / original, median [quartiles] of neighbouring runs; conversion: the command / "
        "reading, compiling twice and saving; peak: largest resident set while converting. "
        f"OpenVINO {ours}; ancestor's {ancestor}."
    )
