"""What ``ovxai-inspect`` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ovxai_convert.artifact.sidecar import DetectionInfo
from ovxai_convert.cli import console
from ovxai_convert.cli.artifact_lines import artifact_lines
from ovxai_convert.cli.child import Start
from ovxai_convert.cli.choices import SHOWN_CANDIDATES
from ovxai_convert.inspection import CandidateRow, Inspection, inspect_model
from ovxai_convert.mosaic.cost import readable
from ovxai_convert.tensors.ports import shape_text


def work(
    start: Start,
    model: Path,
    scores_output: str | None,
    task: str,
    show_all: bool,
    as_json: bool,
    debug: bool,
) -> int:
    """Print what a model is; the exit code."""
    exit_codes: list[int] = []
    limit = None if show_all else SHOWN_CANDIDATES
    with console.Reported(model, exit_codes, debug=debug):
        inspection = inspect_model(model, scores_output, priced=limit, task=task)
        if as_json:
            text = json.dumps(inspection.to_dict(), indent=2, sort_keys=True, ensure_ascii=False)
            console.say(text)
        else:
            console.say("\n".join(_inspection_lines(inspection, limit)))
    return exit_codes[0] if exit_codes else 0


def _inspection_lines(inspection: Inspection, limit: int | None) -> list[str]:
    lines = [f"{inspection.file} ({inspection.format})"]
    if inspection.artifact is not None:
        return [*lines, *artifact_lines(inspection.artifact, inspection.doubts)]
    if inspection.detection is not None:
        lines += _head_lines(inspection, inspection.detection)
    elif inspection.scores is not None:
        scores = inspection.scores
        lines.append(
            f"scores:   '{scores.name}' {shape_text(scores.shape)}, {scores.class_count} classes, "
            f"final activation: {scores.activation}, output '{scores.output}'"
        )
        several = "several classes may be the answer" if scores.multilabel else "one class is the answer"
        what = several if scores.meaning == "classes" else scores.meaning
        lines.append(f"answer:   {what}; probabilities: {scores.probabilities}")
        lines += [f"          {remark}" for remark in scores.remarks]
    for row in inspection.methods:
        where = f" (at '{row.node}')" if row.node else ""
        lines.append(f"{row.method}: " + ("possible" if row.possible else f"refused: {row.reason}{where}"))
        lines += [f"    all copies are written out at {op}" for op in row.written_out]
    if inspection.refusal is not None:
        lines.append(f"no target: {inspection.refusal}")
    for output in dict.fromkeys(row.scores_output for row in inspection.candidates):
        rows = [row for row in inspection.candidates if row.scores_output == output]
        option = "" if inspection.scores is not None else f" with --scores-output {output}"
        what = f"candidates for --target-layer{option}, the nearest to the scores first"
        lines += ["", f"{what}, with what a branch adds:", *_table(rows[:limit])]
        if limit is not None and len(rows) > limit:
            lines.append(f"... and {len(rows) - limit} more (--all)")
    return lines


def _head_lines(inspection: Inspection, head: DetectionInfo) -> list[str]:
    """What was found of a detector's dense head."""
    scores = inspection.scores
    count = 0 if scores is None else scores.class_count
    beside = {"none": "none", "in_scores": "multiplied in by the model", "beside": "beside the classes"}
    background = "" if head.background is None else f", background is number {head.background}"
    lines = [
        f"task:     {inspection.task}",
        f"scores:   {count} classes at every place, activation: {head.activation}, "
        f"objectness: {beside[head.objectness]}{background}",
    ]
    lines += [
        f"    {_counted(scale.rows)} x {_counted(scale.columns)} places, {scale.anchors} "
        f"anchor{'s' * (scale.anchors != 1)} each, in '{scale.layer}'"
        for scale in head.scales
    ]
    return [*lines, *(f"          {remark}" for remark in (scores.remarks if scores else ()))]


def _counted(number: int) -> str:
    return "?" if number < 0 else str(number)


def _table(rows: Sequence[CandidateRow]) -> list[str]:
    cells = [("", "name", "type", "shape", "layout", "method", "MACs", "memory", "note")]
    cells += [
        (
            "->" if row.chosen else "",
            row.name,
            row.type,
            shape_text(row.shape),
            row.layout or "-",
            row.method or "-",
            "-" if row.macs_share is None else f"{100 * row.macs_share:.1f} %",
            "-" if row.peak_bytes is None else readable(row.peak_bytes),
            row.note,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
