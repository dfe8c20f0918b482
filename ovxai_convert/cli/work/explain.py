"""What ``ovxai-explain`` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import cv2

from ovxai_convert.artifact.recovery import recover
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.cli import boundary, console, options
from ovxai_convert.cli.child import Start
from ovxai_convert.explain.files import ExplainedImage, FileExplainer, check_distinct_names
from ovxai_convert.explain.plan import ExplainMode
from ovxai_convert.explain.report import ReportEntry, report_entries, report_text
from ovxai_convert.methods import Method, method_name
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.pictures.picture_files import PictureOptions
from ovxai_convert.source.answers import AnswerHints
from ovxai_convert.source.label_files import read_label_file


def work(
    start: Start,
    model: Path,
    images: Sequence[Path],
    output_dir: Path,
    targets: str | None,
    raw: bool,
    report: Path | None,
    quiet: bool,
    debug: bool,
    **others: Any,
) -> int:
    """Explain the images from the first one on; the exit code is that of the first failure."""
    exit_codes: list[int] = []
    pictures, explainers = None, []
    with console.Reported(model, exit_codes, debug=debug):
        check_distinct_names(images)
        pictures = PictureOptions(**{each.name: others.pop(each.name) for each in fields(PictureOptions)})
        boundary.tell(steps=["loading the model"])
        explainers = _explainers(model, told=start.first == 0 and not quiet, **others)
    if pictures is None or not explainers:
        return exit_codes[0]
    if start.first == 0:
        _print_facts(explainers, model, quiet=quiet)
    entries: list[ReportEntry] = []
    shown = _Shown(set(images), set(), quiet)
    for index, path in list(enumerate(images))[start.first :]:
        boundary.tell(at=index)
        for explainer in explainers:
            with console.Reported(path, exit_codes, debug=debug):
                with _progress(path, hidden=quiet) as on_progress:
                    image = explainer.explain(
                        path, output_dir, targets, pictures, raw, on_progress, shown.kept
                    )
                if report is not None:
                    entries += report_entries(image)
                shown.show(image, explainer, model, captions=pictures.caption)
    if report is not None and entries:
        with console.Reported(report, exit_codes, debug=debug):
            recover(report.parent)
            write_file(report, report_text(explainers, model, entries, pictures.colormap).encode())
    return exit_codes[0] if exit_codes else 0


def _explainers(
    model: Path,
    *,
    told: bool,
    mode: str,
    method: str | None,
    target_layer: str | None,
    scores_output: str | None,
    device: str,
    labels_file: Path | None,
    **others: Any,
) -> list[FileExplainer]:
    """One for each class output in question; ``told``: whether to say how labels were read."""
    hints, answer = options.taken_hints(others), options.taken_answer(others)
    return FileExplainer.for_heads(
        model,
        scores_output,
        _labels(labels_file, tell=told),
        options.hints_of(**hints),
        AnswerHints(**answer),
        device_name=device,
        explain_mode=ExplainMode(mode),
        explain_method=None if method is None else Method(method),
        target_layer=target_layer,
        **{name: value for name, value in others.items() if value is not None},
    )


def _labels(path: Path | None, *, tell: bool) -> tuple[str, ...] | None:
    """The labels of a file, if there is one; on stderr how they were read."""
    if path is None:
        return None
    found = read_label_file(path)
    if tell:
        console.say_labels(path, found)
    return found.labels


@dataclass(frozen=True)
class _Shown:
    """What was written and said so far: files that nothing may replace, classes whose label is not drawn."""

    kept: set[Path]
    undrawn: set[int | str]
    quiet: bool

    def show(self, image: ExplainedImage, explainer: FileExplainer, model: Path, *, captions: bool) -> None:
        """Say what has come of an image."""
        self.kept.update(image.files)  # cat_1.jpg as dog and cat.jpg as 1_dog would be one file
        for line in explainer.unsaid(image):
            console.warn(model, line)
        _warn(image, self.undrawn if captions else None)
        if not self.quiet:
            _print_image(image)


def _print_facts(explainers: Sequence[FileExplainer], model: Path, *, quiet: bool) -> None:
    """Say once what is to be known of the model, whichever class output it is of."""
    for text in dict.fromkeys(text for explainer in explainers for text in _facts(explainer)):
        console.warn(model, text)
    for text in dict.fromkeys(", ".join(explainer.assumed) for explainer in explainers):
        if text and not quiet:
            console.say(f"{model}: assumed, since nothing says it: {text}", err=True)


def _facts(explainer: FileExplainer) -> Iterator[str]:
    method = explainer.method
    black_box = method is not None and method.is_black_box
    how = "as a black box" if black_box else f"by {method_name(method)}"
    yield from (*explainer.explainer.doubts, *explainer.remarks, *explainer.doubts)
    if explainer.explainer.unused:
        yield explainer.explainer.unused.in_command
    for refusal in explainer.refusals:
        yield f"explained {how}: {refusal}"


def _warn(image: ExplainedImage, undrawn: set[int | str] | None) -> None:
    """Say how an image was taken, and what its pictures do not show; a label that is not drawn, once."""
    explanation = image.explanation
    for note in explanation.notes:
        console.warn(image.path, note)
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
        head = "" if image.head is None else f"{image.head}: "
        label = explanation.label_of(target)
        facts = f"{head}{label}{score}, {explanation.method_name}, {image.seconds:.2f} s"
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
