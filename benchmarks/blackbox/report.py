"""The report on the black-box methods: one Markdown table, and what failed and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.blackbox.results import Areas, Judgement, MethodRow, Speed
from benchmarks.results import Failure, Quartiles


def _spread(ratio: Quartiles) -> str:
    return f"{ratio.median:.3f} [{ratio.lower:.2f}, {ratio.upper:.2f}]"


def _of(side: str, read: Callable[[Speed], str]) -> Callable[[MethodRow], str]:
    def cell(row: MethodRow) -> str:
        found = row.ours if side == "ours" else row.ancestor
        if found is None:
            return "-"
        return "failed" if isinstance(found, Failure) else read(found)

    return cell


def _judged(side: str) -> Callable[[MethodRow], str]:
    def cell(row: MethodRow) -> str:
        if row.judgement is None:
            return "-"
        if isinstance(row.judgement, Failure):
            return "failed"
        areas: Areas | None = getattr(row.judgement, side)
        return "-" if areas is None else f"{areas.deletion:.3f} / {areas.insertion:.3f}"

    return cell


_COLUMNS: Final[tuple[tuple[str, Callable[[MethodRow], str]], ...]] = (
    ("time / device", _of("ours", lambda speed: _spread(speed.ratio))),
    ("limit", lambda row: f"{row.limit:.2f}"),
    ("time / device, ancestor", _of("ancestor", lambda speed: _spread(speed.ratio))),
    ("processor time / device", _of("ours", lambda speed: f"{speed.processor_ratio.median:.3f}")),
    ("evaluations", _of("ours", lambda speed: str(speed.evaluations))),
    ("evaluations, ancestor", _of("ancestor", lambda speed: str(speed.evaluations))),
    ("device, 1/s", _of("ours", lambda speed: f"{speed.device_rate.median:.0f}")),
    ("device, ancestor, 1/s", _of("ancestor", lambda speed: f"{speed.device_rate.median:.0f}")),
    ("deletion / insertion", _judged("ours")),
    ("ancestor", _judged("ancestor")),
    ("random map", _judged("random")),
)
"""Heading, and how a case's cell is read; a column is added by an entry here."""


def method_report(rows: Sequence[MethodRow]) -> str:
    """The report as Markdown."""
    lines = [
        "| explanation | " + " | ".join(heading for heading, _ in _COLUMNS) + " |",
        "| --- |" + " ---: |" * len(_COLUMNS),
    ]
    lines += [f"| {row.title} | " + " | ".join(read(row) for _, read in _COLUMNS) + " |" for row in rows]
    parts = ["Black-box methods:", "\n".join(lines), _failures(rows), _legend(rows)]
    return "\n\n".join(part for part in parts if part)


def short_method_line(row: MethodRow) -> str:
    """One case in a few words, for watching a run."""
    sides = {"ours": row.ours, "ancestor": row.ancestor}
    words = [
        f"{name} {found.step} failed" if isinstance(found, Failure) else f"{name} {_spread(found.ratio)}"
        for name, found in sides.items()
        if found is not None
    ]
    return f"{row.title}: {', '.join(words)}"


def _failures(rows: Sequence[MethodRow]) -> str:
    lines = [
        f"- {row.title}, {name}: {found.step}: {found.reason}"
        for row in rows
        for name, found in (("ours", row.ours), ("ancestor", row.ancestor), ("maps", row.judgement))
        if isinstance(found, Failure)
    ]
    return "\n".join(["Failed:", "", *lines]) if lines else ""


def _legend(rows: Sequence[MethodRow]) -> str:
    def versions(side: str) -> str:
        found = [getattr(row, side) for row in rows]
        return ", ".join(sorted({each.openvino.split("-")[0] for each in found if isinstance(each, Speed)}))

    areas = "mean areas, deletion (smaller is better) / insertion (larger is better)"
    judged = f"; {areas}" if any(isinstance(row.judgement, Judgement) for row in rows) else ""
    return (
        "time / device: one explanation / as many evaluations by the device alone, median [quartiles]"
        f"{judged}. OpenVINO {versions('ours') or '-'}; ancestor's {versions('ancestor') or '-'}."
    )
