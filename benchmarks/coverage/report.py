"""The coverage as Markdown: sums, what went wrong and why, and a table of all."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import geometric_mean
from typing import Final

from benchmarks.coverage.catalogue import ARCHITECTURES
from benchmarks.coverage.results import OnnxForm, Outcome, Result

_COLUMNS: Final = (
    "network",
    "exporter",
    "outcome",
    "method",
    "checked cells",
    "grey levels off",
    "own proof",
    "outputs",
    "ratio",
    "s",
    "as ONNX",
    "ONNX ratio",
    "bytes",
    "described in",
    "reason",
)
_NUMBERS: Final = re.compile(r"\[[\d,.?-]*\]|'[^']*'|\d[\d.]*")


def report(results: Sequence[Result]) -> str:
    """All of it."""
    parts = ["# Coverage", _sums(results), "## Why not", _reasons(results), "## All", _table(results)]
    return "\n\n".join(parts) + "\n"


def short_line(result: Result) -> str:
    """One result in one line of text."""
    words = [result.key, str(result.outcome), result.method, result.reason]
    if result.check is not None:
        words[3:3] = [f"{result.check.ratio:.2f}", "" if result.check.bit_exact else "NOT BIT-EXACT"]
    if result.onnx is not None and not result.onnx.is_equal:
        words.append(f"ONNX: {result.onnx.outcome} {result.onnx.reason}")
    return "  ".join(word for word in words if word)


def _sums(results: Sequence[Result]) -> str:
    tried = [each for each in results if each.outcome is not Outcome.NOT_EXPORTED]
    converted = [each for each in tried if each.outcome is Outcome.CONVERTED]
    per_class = [each for each in converted if each.method != "activationmap"]
    one_for_all = [each for each in converted if each.method == "activationmap"]
    checked = [each for each in per_class if each.check and each.check.max_grey_diff is not None]
    exact = [each for each in converted if each.check and each.check.bit_exact]
    names = {ARCHITECTURES[each.key].name for each in tried}
    lines = [
        f"{len(tried)} exports of {len(names)} architectures were tried.",
        f"- with a map per class: {_share(per_class, tried)}",
        f"- of these, maps found equal to the definition by a second program: {_share(checked, per_class)}",
        f"- with an activation map only: {_share(one_for_all, tried)}",
        f"- of all converted with outputs that stayed bit-exact: {_share(exact, converted)}",
    ]
    counts = Counter(each.outcome for each in results)
    lines += [f"- {outcome}: {counts[outcome]}" for outcome in Outcome if outcome is not Outcome.CONVERTED]
    ratios = [each.check.ratio for each in per_class if each.check]
    if ratios:
        lines.append(
            f"- latency ratio: geometric mean {geometric_mean(ratios):.2f}, largest {max(ratios):.2f}"
        )
    return "\n".join([lines[0], "", *lines[1:], *_onnx_sums(results)])


def _onnx_sums(results: Sequence[Result]) -> list[str]:
    """Of those that were converted to IR and came as ONNX."""
    forms = [each.onnx for each in results if each.onnx is not None and each.outcome is Outcome.CONVERTED]
    if not forms:
        return []
    equal = [form for form in forms if form.is_equal]
    lines = [f"- as ONNX, equal in ONNX Runtime: {_share(equal, forms)} of those that came as ONNX"]
    counts = Counter(form.outcome for form in forms)
    lines += [f"- as ONNX {outcome}: {counts[outcome]}" for outcome in Outcome if counts[outcome]]
    checked = [(form, form.check) for form in forms if form.check is not None]
    if checked:
        ratio = geometric_mean([check.ratio for _, check in checked])
        graph = max(form.bytes_added - check.described for form, check in checked)
        grown = max(form.bytes_added for form, _ in checked)
        lines.append(f"- as ONNX latency ratio: geometric mean {ratio:.2f}")
        lines.append(f"- as ONNX growth: at most {graph:,} bytes, {grown:,} with the description")
    return lines


def _share(some: Sequence[object], of: Sequence[object]) -> str:
    return f"{len(some)} of {len(of)}" + (f" ({100 * len(some) / len(of):.1f} %)" if of else "")


def _reasons(results: Iterable[Result]) -> str:
    """Networks by outcome and reason, where the reasons differ in names and numbers only."""
    groups: defaultdict[tuple[str, str], list[Result]] = defaultdict(list)
    for each in results:
        if each.outcome is not Outcome.CONVERTED or each.method == "activationmap":
            outcome = str(each.outcome) if each.outcome is not Outcome.CONVERTED else "activation map only"
            groups[outcome, _NUMBERS.sub("…", each.reason.split(": ", 1)[-1])].append(each)
    lines = []
    for (outcome, _), members in sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]))):
        lines.append(f"- **{outcome}**, {len(members)}: {_cell(members[0].reason)}")
        lines.append(f"  {', '.join(each.key for each in members)}")
    lines += [
        f"- **{each.key} as ONNX**, {each.onnx.outcome}: {_cell(each.onnx.reason)}"
        for each in results
        if each.onnx is not None and not each.onnx.is_equal
    ]
    return "\n".join(lines) or "Nothing."


def _table(results: Iterable[Result]) -> str:
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *(_row(each) for each in results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    architecture, check, proof = ARCHITECTURES[result.key], result.check, result.proof
    return (
        f"{architecture.package} {architecture.name}",
        str(architecture.exporter),
        str(result.outcome),
        result.method,
        str(check.cells) if check and check.cells else "",
        "" if check is None or check.max_grey_diff is None else f"{check.max_grey_diff:.2g}",
        "" if proof is None else f"{proof.max_abs_diff:.2g} at {proof.positions}",
        "" if check is None else "bit-exact" if check.bit_exact else f"off by {check.max_output_diff:.2g}",
        "" if check is None else f"{check.ratio:.2f}",
        f"{result.seconds:.1f}" if result.seconds else "",
        *_onnx_cells(result.onnx),
        _cell(result.reason),
    )


def _onnx_cells(form: OnnxForm | None) -> tuple[str, str, str, str]:
    if form is None:
        return "", "", "", ""
    if form.check is None or form.proof is None:
        return str(form.outcome), "", "", ""
    state = "equal" if form.is_equal else f"off by {form.check.max_output_diff:.2g}"
    grown, described = form.bytes_added, form.check.described
    return state, f"{form.check.ratio:.2f}", f"{grown - described:,}", f"{described:,}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
