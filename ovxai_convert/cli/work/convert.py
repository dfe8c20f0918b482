"""What ``ovxai-convert`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ovxai_convert.artifact.conversion import ConversionReport
from ovxai_convert.cli import boundary, console, options
from ovxai_convert.cli.child import Start
from ovxai_convert.cli.conversion_facts import conversion_facts, failed_conversion
from ovxai_convert.pipeline import convert
from ovxai_convert.source.label_files import read_label_file
from ovxai_convert.steps import Steps
from ovxai_convert.tensors.ports import shape_text


def work(
    start: Start,
    models: Sequence[Path],
    output_dir: Path,
    method: str,
    settings: Mapping[str, Any],
    classes: str | None,
    max_branch_memory: int,
    labels_file: Path | None,
    as_json: bool,
    quiet: bool,
    debug: bool,
    **others: Any,
) -> int:
    """Convert the models from the first one on; the exit code is that of the first failure."""
    hints = options.taken_hints(others)
    # What is left of the others are arguments of convert().
    steps = Steps(lambda taken: boundary.tell(steps=taken))
    exit_codes: list[int] = []
    for index, path in list(enumerate(models))[start.first :]:
        boundary.tell(at=index)
        if not quiet:
            console.say(f"[{index + 1}/{len(models)}] {path}: converting ...", err=True)
        report = None
        failed = partial(_say_failure, path) if as_json else _say_nothing
        with console.Reported(path, exit_codes, "interrupted, nothing was written", debug, failed):
            labels = None if labels_file is None else read_label_file(labels_file)
            if labels_file is not None and labels is not None and index == 0 and not quiet:
                console.say_labels(labels_file, labels)
            report = convert(
                path,
                output_dir,
                method=method,
                classes=classes,
                max_branch_memory=max_branch_memory * 2**20,
                labels=None if labels is None else labels.labels,
                preprocessing=options.hints_of(**hints),
                steps=steps,
                **settings,
                **others,
            )
        if report is None:
            continue
        for warning in report.warnings:
            console.warn(path, warning)
        if as_json:
            console.say_json(conversion_facts(path, report))
        elif not quiet:
            console.say(_summary(report))
    if len(models) > 1 and not quiet:
        done = len(models) - start.failed - len(exit_codes)
        console.say(f"{done} of {len(models)} converted", err=True)
    return exit_codes[0] if exit_codes else 0


def _say_nothing(reason: str, exit_code: int) -> None:
    """Nothing more than is said for people."""


def _say_failure(path: Path, reason: str, exit_code: int) -> None:
    console.say_json(failed_conversion(path, reason, exit_code))


def _summary(report: ConversionReport) -> str:
    sidecar = report.sidecar
    target, proof = sidecar.target_layer, sidecar.verification
    files = " and ".join(map(str, report.models))
    outputs = "bit-exact" if all(check.bit_exact for check in proof.outputs) else "within tolerance"
    proved = f"outputs {outputs} on {proof.inputs} inputs"
    if target is None or proof.saliency_map is None:
        return f"{files}: as it was, {proved}; to be explained by {sidecar.method}"
    where = f"'{target.name}' {shape_text(target.shape)} {target.layout}"
    checked = f"{proof.saliency_map.positions_checked} map cells checked"
    if proof.reference is not None:
        checked += f"; {proof.reference.runtime} gives the same outputs"
    if sidecar.onnx is not None:
        checked += f"; as ONNX equal in {' and '.join(run.runtime for run in sidecar.onnx.runtimes)}"
    more = [f"'{head.saliency_map.output}' by {head.method}" for head in sidecar.more_heads]
    beside = f" (and {', '.join(more)})" if more else ""
    return f"{files}: {sidecar.method} at {where}{beside}; {proved}, {checked}"
