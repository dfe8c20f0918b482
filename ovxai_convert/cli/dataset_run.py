"""A run over photographs, few or many: explained, written, told and put into a table, one after another."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

import click

from ovxai_convert.artifact.recovery import recover
from ovxai_convert.cli import boundary
from ovxai_convert.cli.child import Start
from ovxai_convert.cli.telling import Telling
from ovxai_convert.datasets.explaining import Failure, HeadAnswer, Outcome, PhotographExplainer
from ovxai_convert.datasets.line_formats import json_line
from ovxai_convert.datasets.resuming import Earlier
from ovxai_convert.datasets.rows import Row, short_key
from ovxai_convert.datasets.sources import Item, Photographs
from ovxai_convert.datasets.stream import InOrder
from ovxai_convert.datasets.tables import Table
from ovxai_convert.errors import OvxaiError, WriteError, reason_of
from ovxai_convert.explain.report import ReportEntry
from ovxai_convert.on_ray.outcomes import OnRay
from ovxai_convert.photographs.image_files import write_file

_FEW: Final = 8
"""Photographs whose pictures are brought onto the disk one by one."""


class _Begun(NamedTuple):
    """A photograph that is being explained, and its number among all."""

    number: int
    item: Item


@dataclass
class DatasetRun:
    """Explains photographs and keeps what comes of them.

    Attributes:
        photographs: those that are meant.
        explain: makes an outcome of each.
        telling: says what comes of it.
        model: path of the model.
        output: folder for pictures.
        threads: how many photographs are explained at once.
        start: where this process goes on, if it takes the place of another.
        earlier: what the table held, if that counts.
        table: where rows go, if they are wanted.
        as_json: whether rows are printed, too.
        exit_codes: of failures, in their order.
        debug: whether to show where errors came from.
        elsewhere: what explains photographs in place of threads of this process.
        entries: those of a report that holds its pictures.
        interrupted: whether it was.
    """

    photographs: Photographs
    explain: PhotographExplainer
    telling: Telling
    model: Path
    output: Path
    threads: int
    start: Start
    earlier: Earlier | None = None
    table: Table | None = None
    as_json: bool = False
    exit_codes: list[int] = field(default_factory=list)
    debug: bool = False
    elsewhere: OnRay | None = None
    entries: list[ReportEntry] = field(default_factory=list)
    interrupted: bool = False
    _begun: deque[_Begun] = field(default_factory=deque)
    _kept: set[int] = field(default_factory=set)
    _recovered: set[Path] = field(default_factory=set)
    _any: bool = False

    def __call__(self) -> None:
        """Explain all that are not done, unless it is interrupted.

        Raises:
            WriteError: the table cannot be written.
        """
        self._keep_photographs()
        try:
            for outcome in self._stream()(self._left(), self._is_alone):
                self._begun.popleft()
                self._take(outcome)
        except KeyboardInterrupt:
            boundary.tell(finishing=True)
            self.interrupted = True

    def _stream(self) -> InOrder[Item, Outcome] | OnRay:
        stop = self.explain.stopping.set
        if self.elsewhere is not None:
            return replace(self.elsewhere, began=self._tell, stop=stop)
        return InOrder(
            self.explain,
            self.threads,
            size=lambda outcome: outcome.size,
            began=self._tell,
            tick=self.telling.tick,
            stop=stop,
        )

    @property
    def at(self) -> str:
        """The photograph that is next to be done."""
        return self._begun[0].item.shown if self._begun else str(self.model)

    def _left(self) -> Iterator[Item]:
        """The photographs that are not done."""
        for number, item in enumerate(self.photographs):
            if number == self.start.first - 1 and self.start.broken_off is not None:
                self._add([self.explain.failure(item, self.start.broken_off)])
            elif (number >= self.start.first or self.table is not None) and not self._is_done(item):
                self._begun.append(_Begun(number, item))
                yield item

    def _is_done(self, item: Item) -> bool:
        return self.earlier is not None and self.earlier.is_done(item)

    def _is_alone(self, task: int) -> bool:
        """The first one, whose doubts are told, and those that may have broken down another process."""
        return not self._any or self._begun[-1].number <= self.start.alone

    def _tell(self, first: int, last: int) -> None:
        at, ahead = self._begun[0], self._begun[min(last - first, len(self._begun) - 1)]
        boundary.tell(at=at.number, name=at.item.shown, ahead=ahead.number)

    def _take(self, outcome: Outcome) -> None:
        rows: list[Row] = []
        for result in outcome.results:
            failure = result if isinstance(result, Failure) else self._written(outcome.item, result)
            if failure is not None:
                self.telling.failure(failure.error, outcome.item, self.exit_codes, debug=self.debug)
                rows.append(failure.row)
            elif isinstance(result, HeadAnswer):
                self._any = True
                rows += result.rows
                self.entries += result.entries
        self._add(rows)
        self.telling.tick()

    def _add(self, rows: list[Row]) -> None:
        """Keep the rows of a photograph."""
        if self.table is not None:
            self.table.write(rows)
        if self.as_json:
            click.echo(b"".join(map(json_line, rows)), nl=False)
        self.telling.pace.add(next((row.error for row in rows if row.error is not None), None))

    def _written(self, item: Item, answer: HeadAnswer) -> Failure | None:
        """Write the files of an answer and tell of it; why that was not possible, if it was not."""
        try:
            files = self._write(answer)
        except OvxaiError as error:
            known = answer.rows[0]
            told = Row(known.path, known.sha256, truth=known.truth, head=known.head, run=known.run)
            return Failure(error, replace(told, error=reason_of(error)))
        self.telling.answer(item, answer, files, self.model)
        return None

    def _write(self, answer: HeadAnswer) -> list[Path]:
        paths = [self.output / name for name in answer.files]
        lost = [path for path in paths if _key(path) in self._kept]
        if lost:
            raise WriteError(f"{min(lost)}: a picture would replace it; choose another folder")
        self._kept.update(map(_key, paths))  # cat_1.jpg as dog and cat.jpg as 1_dog would be one file
        for path, content in zip(paths, answer.files.values(), strict=True):
            if path.parent not in self._recovered:
                self._recovered.add(path.parent)
                recover(path.parent)
            write_file(path, content, lasting=self.telling.pace.total <= _FEW)
        return paths

    def _keep_photographs(self) -> None:
        """Note which photographs lie where pictures will, so that none is replaced."""
        if self.explain.asked.pictures is None and not self.explain.asked.raw:
            return
        output = os.path.realpath(self.output)
        for item in self.photographs:
            if item.url is None and os.path.realpath(item.path).startswith(output):
                self._kept.add(_key(item.path))


def _key(path: Path) -> int:
    return short_key(os.path.realpath(path.parent) + os.sep + path.name)
