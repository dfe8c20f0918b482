"""The numbers that the black-box methods are held to, and whether the measured rows hold them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.blackbox.results import Judgement, MethodRow
from benchmarks.goals import Verdict
from benchmarks.results import Failure


def method_verdicts(rows: Sequence[MethodRow]) -> list[Verdict]:
    """How fast each explanation is, then how good the maps of each method are."""
    return [_speed(row) for row in rows] + [_quality(row) for row in rows if row.judgement is not None]


def _speed(row: MethodRow) -> Verdict:
    goal = f"{row.title}: time / the device's alone <= {row.limit}"
    if isinstance(row.ours, Failure):
        return Verdict(goal, "failed", False)
    ratio = row.ours.ratio.median
    return Verdict(goal, f"{ratio:.3f}", ratio <= row.limit)


def _quality(row: MethodRow) -> Verdict:
    goal = f"{row.title}: deletion and insertion no worse than the ancestor's"
    if not isinstance(row.judgement, Judgement):
        return Verdict(goal, "failed", False)
    ours, ancestor = row.judgement.ours, row.judgement.ancestor
    if ancestor is None:
        return Verdict(goal, "not measured", None)
    found = (
        f"deletion {ours.deletion:.3f} to {ancestor.deletion:.3f}, "
        f"insertion {ours.insertion:.3f} to {ancestor.insertion:.3f}"
    )
    return Verdict(goal, found, ours.deletion <= ancestor.deletion and ours.insertion >= ancestor.insertion)
