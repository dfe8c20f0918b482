"""What ``ovxai-evaluate`` does."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import click

from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.artifact.recovery import recover
from ovxai_convert.cli import boundary, console, options
from ovxai_convert.cli.child import Start
from ovxai_convert.datasets.rows import written_path
from ovxai_convert.datasets.sources import Item
from ovxai_convert.evaluation.annotation_files import read_annotations
from ovxai_convert.evaluation.asked import Asked
from ovxai_convert.evaluation.evaluated_models import evaluated_model
from ovxai_convert.evaluation.measured_files import MeasuredTable, read_measurements
from ovxai_convert.evaluation.measures import METRICS
from ovxai_convert.evaluation.running import Evaluation
from ovxai_convert.evaluation.summary_lines import summary_lines
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.source.answers import AnswerHints
from ovxai_convert.source.label_files import read_label_file

_EVERY: Final = 10.0
"""Seconds between two lines that tell how far it is, where there is no terminal."""
_BROKEN_OFF: Final = "it took too long or too much memory, or the runtime broke down"


def work(
    start: Start,
    models: Sequence[Path],
    items: Sequence[Item],
    table: Path,
    report: Path | None,
    quiet: bool,
    debug: bool,
    **others: Any,
) -> int:
    """Measure the photographs from the first one on; the exit code is that of the first failure."""
    exit_codes: list[int] = []
    with console.Reported(models[0], exit_codes, debug=debug):
        boundary.tell(steps=["loading the model"])
        evaluation = _evaluation(models, told=start.first == 0 and not quiet, **others)
        written = MeasuredTable(table, goes_on=start.first > 0)
    if exit_codes:
        return exit_codes[0]
    if start.first:
        _go_on(evaluation, written, table, items[start.first - 1])
    else:
        _print_facts(evaluation, models[0])
    try:
        with closing(written), _progress(len(items), start.first, hidden=quiet) as progress:
            for number, item in list(enumerate(items))[start.first :]:
                boundary.tell(at=number)
                so_far = f"interrupted after {number} of {len(items)} photographs"
                with console.Reported(item.path, exit_codes, so_far, debug=debug):
                    _measure(evaluation, written, item, number)
                progress.update(1)
    finally:
        if report is not None:
            with console.Reported(report, exit_codes, debug=debug):
                recover(report.parent)
                write_file(report, evaluation.page(datetime.now().astimezone()).encode())
        if not quiet:
            console.say("\n".join(summary_lines(evaluation.standings)))
    return exit_codes[0] if exit_codes else 0


def _evaluation(
    models: Sequence[Path],
    *,
    told: bool,
    methods: Sequence[str],
    layers: Sequence[str],
    metrics: Sequence[str] | None,
    boxes: Path | None,
    scores_output: str | None,
    device: str,
    labels_file: Path | None,
    num_masks: int | None,
    tolerance: float | None,
    seed: int,
    **others: Any,
) -> Evaluation:
    """Models and boxes, and what is asked of them; ``told``: whether to say how labels were read."""
    hints, answer = options.taken_hints(others), options.taken_answer(others)
    labels = None if labels_file is None else read_label_file(labels_file)
    if labels is not None and labels_file is not None and told:
        console.say_labels(labels_file, labels)
    annotations = None if boxes is None else read_annotations(boxes)
    possible = [name for name in METRICS if annotations is not None or name != "pointing"]
    asked = Asked(metrics=possible if metrics is None else metrics, seed=seed, **others)
    notes = UserNotes(
        None if labels is None else labels.labels, options.hints_of(**hints), AnswerHints(**answer)
    )
    settings = {"num_masks": num_masks, "tolerance": tolerance, "seed": seed}
    given = {name: value for name, value in settings.items() if value is not None}
    rated = [evaluated_model(path, methods, layers, notes, scores_output, device, **given) for path in models]
    return Evaluation(rated, asked, annotations)


def _measure(evaluation: Evaluation, table: MeasuredTable, item: Item, number: int) -> None:
    """One photograph, into the table; what goes wrong is a row of it, and goes on to whoever reports it."""
    try:
        rows, notes = evaluation.measured(item, number)
    except Exception as error:
        table.add(evaluation.failed(item, " ".join(str(error).split()) or type(error).__name__))
        raise
    table.add(rows)
    for note in notes:
        console.warn(item.path, note)


def _go_on(evaluation: Evaluation, written: MeasuredTable, table: Path, broken_off: Item) -> None:
    """Take in what a child has measured that was broken off at a photograph, and write a row of that."""
    if written_path(broken_off.shown) not in evaluation.go_on(read_measurements(table)):
        written.add(evaluation.failed(broken_off, _BROKEN_OFF))


def _print_facts(evaluation: Evaluation, model: Path) -> None:
    for note in evaluation.notes:
        console.warn(model, note)


class _Progress(Protocol):
    """Something that is told of photographs that are done."""

    def update(self, count: int) -> None:
        """So many more."""


@contextmanager
def _progress(total: int, done: int, *, hidden: bool) -> Iterator[_Progress]:
    """A bar on a terminal, elsewhere a line now and then."""
    if hidden or not sys.stderr.isatty():
        yield _Lines(total, done, hidden=hidden)
        return
    with click.progressbar(length=total, label="Measured", file=sys.stderr, show_pos=True) as bar:
        bar.update(done)
        yield bar


class _Lines:
    """A line every few seconds."""

    def __init__(self, total: int, done: int, *, hidden: bool) -> None:
        self._total, self._done, self._hidden = total, done, hidden
        self._told = time.monotonic()

    def update(self, count: int) -> None:
        """See :class:`_Progress`."""
        self._done += count
        if not self._hidden and time.monotonic() - self._told > _EVERY:
            self._told = time.monotonic()
            console.say(f"{self._done} of {self._total} photographs measured", err=True)
