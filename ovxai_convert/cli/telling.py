"""What ovxai-explain says of photographs: of a few each, of many how far it is and what came of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
import cv2

from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.cli import console
from ovxai_convert.datasets.explaining import HeadAnswer
from ovxai_convert.datasets.progress import Pace
from ovxai_convert.datasets.sources import Item
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.methods import method_name

_MOST_ERRORS: Final = 20
"""Of many photographs, failures that are told one by one; the table holds all of them."""
_REDRAWN: Final = 0.2
"""Seconds between two states of the line on a terminal that says how far it is."""
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")
_WIPE: Final = "\r\x1b[K"


@dataclass
class Telling:
    """Says what comes of photographs, in their order.

    Attributes:
        pace: of the run.
        many: whether to say the same remark but once.
        lines: whether to print a line for each map; else it is said how far it is.
        sums_up: whether to say at the end what came of all.
        quiet: whether to say no more than warnings and errors.
        captions: whether pictures have captions.
        everything: whether there is no table, so that each failure has to be told.
    """

    pace: Pace
    many: bool
    lines: bool
    sums_up: bool
    quiet: bool
    captions: bool
    everything: bool
    _undrawn: set[int | str] = field(default_factory=set)
    _remarks: set[str] = field(default_factory=set)
    _errors: int = 0
    _is_shown: bool = False

    def remark(self, line: str | None) -> None:
        """A line on the photographs together, if there is something to say."""
        if line is not None and not self.quiet:
            console.say(line, err=True)

    def answer(self, item: Item, answer: HeadAnswer, files: Sequence[Path], model: Path) -> None:
        """What has come of a photograph for a class output, and where its pictures are."""
        for line in answer.unsaid:
            self._warn(model, line)
        for note in answer.notes:
            self._remark_on(item, note)
        for each in answer.maps:
            if each.constant:
                self._remark_on(item, f"the map of {each.label} is the same everywhere and shows nothing")
        if self.captions:
            self._undrawn_letters(item, answer)
        if self.lines and not self.quiet:
            for line in _lines(item, answer, files):
                console.say(line)

    def failure(self, error: Exception, item: Item, exit_codes: list[int], *, debug: bool) -> None:
        """Why nothing has come of one."""
        self._errors += 1
        shown = self.everything or not self.many or self._errors <= _MOST_ERRORS
        self.wipe()
        console.note_error(error, item.shown, exit_codes, debug=debug, shown=shown)
        if shown and self._errors == _MOST_ERRORS and self.many and not self.everything:
            console.say("further failures are told at the end, and in the table", err=True)

    def tick(self) -> None:
        """Say how far it is, where it is time for that."""
        if self.quiet or self.lines:
            return
        if sys.stderr.isatty():
            if self.pace.is_due(_REDRAWN):
                click.echo(f"{_WIPE}{self.pace.line()}", nl=False, err=True)
                self._is_shown = True
        elif self.pace.is_due():
            console.say(self.pace.line(), err=True)

    def wipe(self) -> None:
        """Take the line away that says how far it is."""
        if self._is_shown:
            click.echo(_WIPE, nl=False, err=True)
            self._is_shown = False

    def end(self) -> None:
        """What came of all."""
        self.wipe()
        if self.sums_up and not self.quiet:
            for line in self.pace.summary():
                console.say(line, err=True)

    @contextmanager
    def watch(self, item: Item) -> Iterator[Progress]:
        """A progress bar for a black-box method at a photograph, on a terminal; nothing elsewhere."""
        if self.quiet or not self.lines or not sys.stderr.isatty():
            yield silent
            return
        with click.progressbar(length=1, label=item.shown, file=sys.stderr, show_eta=True) as bar:

            def show(done: int, total: int | None) -> None:
                bar.length = total or done
                bar.update(done - bar.pos)

            yield show

    def _warn(self, about: Path | str, text: str) -> None:
        self.wipe()
        console.warn(about, text)

    def _remark_on(self, item: Item, text: str) -> None:
        """A warning of a photograph; of many only the first that says the same."""
        if not self.many:
            self._warn(item.shown, text)
        elif (kind := _NUMBER.sub("0", text)) not in self._remarks:
            self._remarks.add(kind)
            self._warn(item.shown, f"{text} (told of the first one only)")

    def _undrawn_letters(self, item: Item, answer: HeadAnswer) -> None:
        """Of which class, once, the picture does not show the label."""
        for each in answer.maps:
            if not each.caption.is_legible and each.target not in self._undrawn:
                self._undrawn.add(each.target)
                lacking = f"OpenCV {cv2.__version__} cannot draw all letters of {each.caption.label}"
                self._warn(item.shown, f"{lacking}; the picture says {each.caption.name}")


def say_facts(explainers: Sequence[FileExplainer], model: Path, *, quiet: bool) -> None:
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


def _lines(item: Item, answer: HeadAnswer, files: Sequence[Path]) -> Iterator[str]:
    """One for each map."""
    head = "" if answer.head is None else f"{answer.head}: "
    for number, each in enumerate(answer.maps):
        score = f", score {each.caption.value}" if isinstance(each.target, int) else ""
        where = files[number] if number < len(files) else item.shown
        yield f"{where}: {head}{each.label}{score}, {answer.method}, {answer.seconds:.2f} s"
