"""Converts exported detectors and tells what came of it: `python -m benchmarks.detectors.run [KEY ...]`.

Files that are not in the cache are passed over; `benchmarks.detectors.export` makes them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean

from benchmarks.detectors.catalogue import DETECTORS, Kind
from benchmarks.detectors.checking import Found, check


def report(found: Sequence[Found]) -> str:
    """All of it as Markdown."""
    dense = [each for each in found if each.detector.kind is Kind.DENSE]
    converted = [each for each in dense if not each.reason]
    exact = [each for each in converted if each.bit_exact]
    right = [each for each in converted if each.classes in (each.detector.classes, each.detector.classes + 1)]
    others = [each for each in found if each.detector.kind is not Kind.DENSE]
    ratios = [each.ratio for each in converted if each.ratio is not None]
    lines = [
        f"{len(dense)} dense detectors: {len(converted)} have a branch "
        f"({sum(each.with_labels for each in converted)} of them with labels told), each map equal to its "
        f"definition; {len(exact)} with outputs bit-exact; {len(right)} with the right number of classes.",
        f"{len(others)} of two stages or with queries: {sum(bool(each.reason) for each in others)} refused.",
    ]
    if ratios:
        lines.append(
            f"Latency ratio: geometric mean {geometric_mean(ratios):.3f}, largest {max(ratios):.3f}."
        )
    rows = [
        "| detector | kind | classes | head | maps compared | outputs | ratio | reason |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(each) for each in found),
    ]
    return "\n".join([*lines, "", *rows]) + "\n"


def _row(found: Found) -> str:
    if found.reason:
        cells = [
            found.detector.key,
            found.detector.kind,
            "",
            "",
            "",
            "",
            "",
            found.reason.replace("|", "\\|"),
        ]
    else:
        cells = [
            found.detector.key,
            found.detector.kind,
            str(found.classes),
            found.head,
            str(found.maps_compared),
            "bit-exact" if found.bit_exact else "within tolerance",
            "" if found.ratio is None else f"{found.ratio:.3f}",
            "labels told" if found.with_labels else "",
        ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Check what is named, or all that is there."""
    parser = argparse.ArgumentParser(description="Convert exported detectors.")
    parser.add_argument("keys", nargs="*", metavar="KEY", help="default: all")
    parser.add_argument("--folder", type=Path, help="where they lie; default: the cache")
    parser.add_argument("--timed", action="store_true", help="measure latency, too")
    arguments = parser.parse_args()
    if unknown := set(arguments.keys) - DETECTORS.keys():
        parser.error(f"no detector {', '.join(sorted(unknown))}; there are {', '.join(DETECTORS)}")
    found = []
    for key in arguments.keys or DETECTORS:
        file = DETECTORS[key].file
        path = file if arguments.folder is None else arguments.folder / file.name
        if path.exists():
            found.append(check(DETECTORS[key], path, timed=arguments.timed))
            print(f"{key}: {found[-1].reason or found[-1].head}", file=sys.stderr, flush=True)
    print(report(found))


if __name__ == "__main__":
    main()
