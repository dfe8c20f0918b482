"""What ``ovxai-explain`` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ovxai_convert.artifact.recovery import recover
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.cli import boundary, console, options
from ovxai_convert.cli.child import Start
from ovxai_convert.explain.files import ExplainedImage, FileExplainer, check_distinct_names
from ovxai_convert.explain.plan import ExplainMode
from ovxai_convert.explain.report import ReportEntry, report_entries, report_text
from ovxai_convert.methods import Method, method_name
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.source.answers import AnswerHints
from ovxai_convert.source.labels import read_labels


def work(
    start: Start,
    model: Path,
    images: Sequence[Path],
    output_dir: Path,
    targets: str | None,
    mode: str,
    method: str | None,
    target_layer: str | None,
    device: str,
    labels_file: Path | None,
    overlay_weight: float,
    raw: bool,
    report: Path | None,
    quiet: bool,
    debug: bool,
    **others: Any,
) -> int:
    """Explain the images from the first one on; the exit code is that of the first failure."""
    hints, answer = options.taken_hints(others), options.taken_answer(others)
    settings = {name: value for name, value in others.items() if value is not None}
    names = [name.strip() for name in targets.split(",")] if targets and "," in targets else targets
    exit_codes: list[int] = []
    explainer = None
    with console.Reported(model, exit_codes, debug=debug):
        check_distinct_names(images)
        boundary.tell(steps=["loading the model"])
        explainer = FileExplainer(
            model,
            None if labels_file is None else read_labels(labels_file),
            options.hints_of(**hints),
            AnswerHints(**answer),
            device_name=device,
            explain_mode=ExplainMode(mode),
            explain_method=None if method is None else Method(method),
            target_layer=target_layer,
            **settings,
        )
    if explainer is None:
        return exit_codes[0]
    if start.first == 0:
        _print_facts(explainer, model, quiet=quiet)
    entries: list[ReportEntry] = []
    for index, path in list(enumerate(images))[start.first :]:
        boundary.tell(at=index)
        image = None
        with console.Reported(path, exit_codes, debug=debug):
            with _progress(path, hidden=quiet) as on_progress:
                image = explainer.explain(path, output_dir, names, overlay_weight, raw, on_progress, images)
            if report is not None:
                entries += report_entries(image)
        if image is None:
            continue
        for target in image.explanation.constant:
            label = image.explanation.label_of(target)
            console.warn(path, f"the map of {label} is the same everywhere and shows nothing")
        if not quiet:
            _print_image(image)
    if report is not None and entries:
        with console.Reported(report, exit_codes, debug=debug):
            recover(report.parent)
            write_file(report, report_text(explainer, model, entries).encode())
    return exit_codes[0] if exit_codes else 0


def _print_facts(explainer: FileExplainer, model: Path, *, quiet: bool) -> None:
    method = explainer.method
    black_box = method is not None and method.is_black_box
    how = "as a black box" if black_box else f"by {method_name(method)}"
    for text in (*explainer.explainer.doubts, *explainer.remarks):
        console.warn(model, text)
    if explainer.explainer.unused:
        console.warn(model, explainer.explainer.unused)
    for refusal in explainer.refusals:
        console.warn(model, f"explained {how}: {refusal}")
    if explainer.assumed and not quiet:
        console.say(f"{model}: assumed, since nothing says it: {', '.join(explainer.assumed)}", err=True)


def _print_image(image: ExplainedImage) -> None:
    explanation = image.explanation
    for path, target in zip(image.files, explanation.targets, strict=False):
        prediction = explanation.predictions.get(target) if isinstance(target, int) else None
        score = "" if prediction is None else f", score {prediction.score:.2f}"
        facts = f"{explanation.label_of(target)}{score}, {explanation.method_name}, {image.seconds:.2f} s"
        console.say(f"{path}: {facts}")


@contextmanager
def _progress(path: Path, *, hidden: bool) -> Iterator[Progress]:
    """A progress bar for black-box methods on a terminal; nothing elsewhere."""
    if hidden or not sys.stderr.isatty():
        yield silent
        return
    with click.progressbar(length=1, label=str(path), file=sys.stderr, show_eta=True) as bar:

        def show(done: int, total: int | None) -> None:
            bar.length = total or done
            bar.update(done - bar.pos)

        yield show
