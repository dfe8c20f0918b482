"""What a check found, one row each, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One finding: who was asked, what had been done to the model, figures, and what is wrong, if anything.

    ``known``: why figures are no better here, where that is known and told in the documentation.
    """

    peer: str
    network: str
    change: str
    found: str
    wrong: str = ""
    known: str = ""


def printed(rows: Iterable[Row]) -> tuple[int, int]:
    """Print rows as they come; how many there were, and how many tell of something wrong."""
    count = failed = 0
    for row in rows:
        count += 1
        failed += bool(row.wrong)
        verdict = f"WRONG: {row.wrong}" if row.wrong else row.known or "ok"
        print(f"| {row.peer} | {row.network} | {row.change} | {row.found} | {verdict} |", flush=True)
    return count, failed
