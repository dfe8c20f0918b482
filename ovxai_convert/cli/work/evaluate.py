"""What ``ovxai-evaluate`` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.artifact.recovery import recover
from ovxai_convert.cli import boundary, console, options
from ovxai_convert.cli.child import Start
from ovxai_convert.cli.scanning import truths_of
from ovxai_convert.datasets.progress import Pace
from ovxai_convert.datasets.rows import written_path
from ovxai_convert.datasets.sources import Item, Photographs
from ovxai_convert.datasets.truths import no_truth
from ovxai_convert.errors import reason_of
from ovxai_convert.evaluation.annotation_files import read_annotations
from ovxai_convert.evaluation.evaluated_models import evaluated_model
from ovxai_convert.evaluation.inquiry import Inquiry
from ovxai_convert.evaluation.measured_files import MeasuredTable, check_measured_file, read_measurements
from ovxai_convert.evaluation.measures import METRICS
from ovxai_convert.evaluation.running import Evaluation
from ovxai_convert.evaluation.summary_lines import summary_lines
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.source.answers import AnswerHints
from ovxai_convert.source.label_files import read_label_file

_WIPE: Final = "\r\x1b[K"


def work(
    start: Start,
    models: Sequence[Path],
    images: Sequence[str],
    listed: bytes,
    recursive: bool,
    table: Path,
    report: Path | None,
    quiet: bool,
    debug: bool,
    **others: Any,
) -> int:
    """Measure the photographs from the first one on; the exit code is that of the first failure."""
    exit_codes: list[int] = []
    photographs = Photographs(images, recursive, None, listed)
    with console.Reported(None, exit_codes, debug=debug):
        check_measured_file(table)
        total = photographs.count()
    if exit_codes:
        return exit_codes[0]
    with console.Reported(models[0], exit_codes, debug=debug):
        boundary.tell(steps=["loading the model"])
        evaluation = _evaluation(models, told=start.first == 0 and not quiet, **others)
    if exit_codes:
        return exit_codes[0]
    if start.first == 0:
        _say_facts(evaluation, models[0], photographs, quiet=quiet)
    run = _Run(evaluation, photographs, Pace(total), start, quiet, debug, exit_codes)
    with console.Reported(None, exit_codes, debug=debug):
        run.measure(table)
    boundary.tell(finishing=True)
    if report is not None:
        with console.Reported(report, exit_codes, debug=debug):
            recover(report.parent)
            write_file(report, evaluation.page(datetime.now().astimezone()).encode())
    if not quiet:
        console.say("\n".join(summary_lines(evaluation.standings)))
    if run.interrupted:
        console.print_error(f"interrupted{run.pace.so_far()}", run.at)
        boundary.tell(interrupted=True)
        return boundary.INTERRUPTED
    return exit_codes[0] if exit_codes else 0


def _evaluation(
    models: Sequence[Path],
    *,
    told: bool,
    methods: Sequence[str],
    layers: Sequence[str],
    metrics: Sequence[str] | None,
    boxes: Path | None,
    truth: str,
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
    inquiry = Inquiry(metrics=possible if metrics is None else metrics, seed=seed, **others)
    notes = UserNotes(
        None if labels is None else labels.labels, options.hints_of(**hints), AnswerHints(**answer)
    )
    settings = {"num_masks": num_masks, "tolerance": tolerance, "seed": seed}
    given = {name: value for name, value in settings.items() if value is not None}
    rated = [evaluated_model(path, methods, layers, notes, scores_output, device, **given) for path in models]
    known = truths_of(truth, [rated[0].explainer])
    return Evaluation(rated, inquiry, annotations, known[0] if known else no_truth)


def _say_facts(evaluation: Evaluation, model: Path, photographs: Photographs, *, quiet: bool) -> None:
    """Say once what is to be known of models, boxes and photographs."""
    for note in evaluation.notes:
        console.warn(model, note)
    if not quiet:
        for line in (*evaluation.assumed, photographs.passed_over()):
            if line is not None:
                console.say(line, err=True)


@dataclass
class _Run:
    """Measures photographs, tells how far it is, and keeps their rows."""

    evaluation: Evaluation
    photographs: Photographs
    pace: Pace
    start: Start
    quiet: bool
    debug: bool
    exit_codes: list[int]
    interrupted: bool = False
    at: str = ""
    _notes: set[str] = field(default_factory=set)

    def measure(self, path: Path) -> None:
        """Measure all that are left, unless it is interrupted; a WriteError if the table cannot be written.

        Where another process was broken off, what it has measured is in the table.
        """
        done = self.evaluation.go_on(read_measurements(path)) if self.start.first else set()
        table = MeasuredTable(path, goes_on=self.start.first > 0)
        try:
            for number, item in enumerate(self.photographs):
                if number < self.start.first:
                    self._broken_off(table, item, number, done)
                    continue
                self.at = item.shown
                boundary.tell(at=number, name=item.shown)
                self._measure(table, item, number)
                self._tick()
        except KeyboardInterrupt:
            boundary.tell(finishing=True)
            self.interrupted = True
        finally:
            self._wipe()
            table.close()

    def _measure(self, table: MeasuredTable, item: Item, number: int) -> None:
        """One photograph, into the table; one that fails is a row, and the others go on."""
        reason = None
        try:
            rows, notes = self.evaluation.measured(item, number)
        except Exception as error:  # whatever it is
            reason = reason_of(error, item.shown)
            rows, notes = self.evaluation.failed(item, reason), []
            self._wipe()
            console.note_error(error, item.shown, self.exit_codes, debug=self.debug)
        table.add(rows)
        self.pace.add(reason)
        for note in notes:
            if note not in self._notes:
                self._notes.add(note)
                self._wipe()
                console.warn(item.shown, note)

    def _broken_off(self, table: MeasuredTable, item: Item, number: int, done: set[str]) -> None:
        """Count a photograph that another process was at; the one that broke it off gets a row."""
        reason = None
        if number == self.start.first - 1 and self.start.broken_off and written_path(item.shown) not in done:
            reason = self.start.broken_off
            table.add(self.evaluation.failed(item, reason))
        self.pace.add(reason)

    def _tick(self) -> None:
        """Say how far it is: on a terminal at once, elsewhere now and then."""
        if self.quiet or self.pace.total == 1:
            return
        if sys.stderr.isatty():
            click.echo(f"{_WIPE}{self.pace.line()}", nl=False, err=True)
        elif self.pace.is_due():
            console.say(self.pace.line(), err=True)

    def _wipe(self) -> None:
        """Take the line away that says how far it is."""
        if not self.quiet and sys.stderr.isatty():
            click.echo(_WIPE, nl=False, err=True)
