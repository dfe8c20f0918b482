"""What ``ovxai-explain`` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import cv2

from ovxai_convert.artifact.recovery import recover
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.cli import boundary, console, options
from ovxai_convert.cli.child import Start
from ovxai_convert.explain.files import ExplainedImage, FileExplainer, check_distinct_names
from ovxai_convert.explain.picture_files import PictureOptions
from ovxai_convert.explain.plan import ExplainMode
from ovxai_convert.explain.report import ReportEntry, report_entries, report_text
from ovxai_convert.methods import Method, method_name
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.source.answers import AnswerHints
from ovxai_convert.source.label_files import read_label_file


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
    raw: bool,
    report: Path | None,
    quiet: bool,
    debug: bool,
    **others: Any,
) -> int:
    """Explain the images from the first one on; the exit code is that of the first failure."""
    wanted = {each.name: others.pop(each.name) for each in fields(PictureOptions)}
    hints, answer = options.taken_hints(others), options.taken_answer(others)
    settings = {name: value for name, value in others.items() if value is not None}
    exit_codes: list[int] = []
    explainer = None
    with console.Reported(model, exit_codes, debug=debug):
        check_distinct_names(images)
        pictures = PictureOptions(**wanted)
        boundary.tell(steps=["loading the model"])
        labels = None if labels_file is None else read_label_file(labels_file)
        explainer = FileExplainer(
            model,
            None if labels is None else labels.labels,
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
        if labels_file is not None and labels is not None and not quiet:
            console.say_labels(labels_file, labels)
        _print_facts(explainer, model, quiet=quiet)
    entries: list[ReportEntry] = []
    kept, undrawn = set(images), set[int | str]()
    for index, path in list(enumerate(images))[start.first :]:
        boundary.tell(at=index)
        image = None
        with console.Reported(path, exit_codes, debug=debug):
            with _progress(path, hidden=quiet) as on_progress:
                image = explainer.explain(path, output_dir, targets, pictures, raw, on_progress, kept)
            if report is not None:
                entries += report_entries(image)
        if image is None:
            continue
        kept.update(image.files)  # cat_1.jpg as dog and cat.jpg as 1_dog would be one file
        for note in image.explanation.notes:
            console.warn(path, note)
        with console.Reported(path, exit_codes, debug=debug):
            for line in explainer.unsaid(image):
                console.warn(model, line)
        _warn(image, undrawn if pictures.caption else None)
        if not quiet:
            _print_image(image)
    if report is not None and entries:
        with console.Reported(report, exit_codes, debug=debug):
            recover(report.parent)
            write_file(report, report_text(explainer, model, entries, pictures.colormap).encode())
    return exit_codes[0] if exit_codes else 0


def _print_facts(explainer: FileExplainer, model: Path, *, quiet: bool) -> None:
    method = explainer.method
    black_box = method is not None and method.is_black_box
    how = "as a black box" if black_box else f"by {method_name(method)}"
    for text in (*explainer.explainer.doubts, *explainer.remarks, *explainer.doubts):
        console.warn(model, text)
    if explainer.explainer.unused:
        console.warn(model, explainer.explainer.unused.in_command)
    for refusal in explainer.refusals:
        console.warn(model, f"explained {how}: {refusal}")
    if explainer.assumed and not quiet:
        console.say(f"{model}: assumed, since nothing says it: {', '.join(explainer.assumed)}", err=True)


def _warn(image: ExplainedImage, undrawn: set[int | str] | None) -> None:
    """Say what a picture does not show; of labels that are not drawn (None: none are) each once."""
    explanation = image.explanation
    for target in explanation.constant:
        label = explanation.label_of(target)
        console.warn(image.path, f"the map of {label} is the same everywhere and shows nothing")
    if undrawn is None:
        return
    for target, caption in explanation.captions.items():
        if not caption.is_legible and target not in undrawn:
            undrawn.add(target)
            lacking = f"OpenCV {cv2.__version__} cannot draw all letters of {caption.label}"
            console.warn(image.path, f"{lacking}; the picture says {caption.name}")


def _print_image(image: ExplainedImage) -> None:
    explanation = image.explanation
    for path, target in zip(image.files, explanation.targets, strict=False):
        score = f", score {explanation.captions[target].value}" if isinstance(target, int) else ""
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
