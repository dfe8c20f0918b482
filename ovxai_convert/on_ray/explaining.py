"""Explaining a data set of Ray's: a column of paths in, the rows of a table out."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ovxai_convert.datasets.explaining import Asked, Failure, HeadAnswer, Outcome, PhotographExplainer
from ovxai_convert.datasets.parquet import arrow_table
from ovxai_convert.datasets.remote import is_url
from ovxai_convert.datasets.rows import Row
from ovxai_convert.datasets.sources import Item, Photographs
from ovxai_convert.datasets.truths import FolderTruths, Truth, Truths
from ovxai_convert.errors import OvxaiError, UsageError, reason_of
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.on_ray.cluster import ray_library
from ovxai_convert.on_ray.outcomes import explained_batches
from ovxai_convert.on_ray.workers import sent
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.photographs.recipes import as_hints
from ovxai_convert.pictures.picture_files import DEFAULT_PICTURES, PictureOptions
from ovxai_convert.source.answers import NO_ANSWER_HINTS, AnswerHints
from ovxai_convert.source.label_files import Labels
from ovxai_convert.source.labels import Targets


def explain_dataset(
    dataset: Any,
    artifact: str | os.PathLike[str],
    *,
    targets: Targets = None,
    preprocessing: PreprocessingHints | str | None = None,
    labels: Labels = None,
    answer: AnswerHints = NO_ANSWER_HINTS,
    scores_output: str | None = None,
    pictures: str | os.PathLike[str] | None = None,
    picture_options: PictureOptions = DEFAULT_PICTURES,
    concurrency: int = 2,
    num_cpus: int = 1,
    **options: Any,
) -> Any:
    """Explain the photographs of a data set of Ray's by workers that load the model once each.

    The model and the paths are read at once, here; the photographs where the workers are, when rows are
    taken. A worker that dies is replaced: no row is lost and none comes twice.

    Args:
        dataset: a ``ray.data.Dataset`` with a column ``path`` (files that workers can read, or URLs), and
            perhaps ``truth`` (what they show, by label or index; None: nobody knows); or of
            :class:`~ovxai_convert.datasets.sources.Item`, as ``ray.data.from_items`` makes it.
        artifact: the model's file, converted or not, which only this process has to read.
        targets: as of :class:`~ovxai_convert.explain.explainer.Explainer`; the next ones likewise.
        preprocessing: hints, or a recipe's name.
        labels: one for each class, or a file of them.
        answer: how scores are read.
        scores_output: class outputs by name or index, with commas between.
        pictures: folder that workers write pictures into, which all of them have to see; None: no pictures.
        picture_options: how these look.
        concurrency: how many workers.
        num_cpus: processors of each, and threads that it computes with.
        **options: those of :class:`~ovxai_convert.explain.files.FileExplainer`.

    Returns:
        A ``ray.data.Dataset`` whose columns are those of :class:`~ovxai_convert.datasets.rows.Row`: in the
        order of the photographs, a row for each explained class, or one with an ``error``. A photograph that
        is there twice counts once.

    Raises:
        OvxaiError: the model cannot be explained so.
        UsageError: Ray is not installed; the data set has no such column; a truth that is no class; numbers
            that are none.
    """
    ray = ray_library()
    for name, number in (("concurrency", concurrency), ("num_cpus", num_cpus)):
        if type(number) is not int or number < 1:
            raise UsageError(f"{name} has to be a whole number from 1 on, and is {number!r}")
    explainers = FileExplainer.for_heads(
        Path(artifact), scores_output, labels, as_hints(preprocessing), answer, throughput=True, **options
    )
    for explainer in explainers:
        explainer.check_targets(targets)
    folder = None if pictures is None else Path(os.path.abspath(pictures))
    items, are_told = _photographs(dataset, folder)
    truths = [_truths(explainer, items, are_told=are_told) for explainer in explainers]
    asked = Asked(targets, None if folder is None else picture_options)
    explain = PhotographExplainer(explainers, asked, truths)
    return explained_batches(ray, items, sent(explain, num_cpus), concurrency, num_cpus, ReturnRows(folder))


@dataclass(frozen=True)
class ReturnRows:
    """Writes the pictures of photographs into a folder, if there is one, and returns the rows."""

    folder: Path | None

    def __call__(self, outcomes: Sequence[Outcome]) -> Any:
        """A table of Arrow's."""
        rows: list[Row] = []
        for result in (each for outcome in outcomes for each in outcome.results):
            rows += [result.row] if isinstance(result, Failure) else self._written(result)
        return arrow_table(importlib.import_module("pyarrow"), rows)

    def _written(self, answer: HeadAnswer) -> Sequence[Row]:
        try:
            if self.folder is not None:
                for name, content in answer.files.items():
                    write_file(self.folder / name, content, lasting=False)
        except OvxaiError as error:
            known = answer.rows[0]
            told = Row(known.path, known.sha256, truth=known.truth, head=known.head, run=known.run)
            return [replace(told, error=reason_of(error))]
        return answer.rows


@dataclass(frozen=True)
class ToldTruths:
    """What a column says that photographs show."""

    classes: FolderTruths

    def __call__(self, item: Item) -> Truth | None:
        """See the class."""
        return None if item.truth is None else self.classes.of_folder(item.truth)


def _photographs(dataset: Any, folder: Path | None) -> tuple[list[Item], bool]:
    """The photographs of a data set, and whether a column tells what they show."""
    columns = dataset.columns() or []
    if columns == ["item"]:
        items = [row["item"] for row in _in_order(dataset)]
        if not all(isinstance(item, Item) for item in items):
            raise UsageError("the data set has neither a column 'path' nor photographs as Item")
        return items, False
    if "path" not in columns:
        raise UsageError(f"the data set has no column 'path', only {', '.join(map(repr, columns))}")
    wanted = [name for name in ("path", "truth") if name in columns]
    told: dict[str, str | None] = {}
    for row in _in_order(dataset.select_columns(wanted)):
        path, truth = row["path"], row.get("truth")
        if not isinstance(path, str) or not path.strip():
            raise UsageError(f"a path of the data set is {path!r}")
        key, known = _shown(path), None if truth is None else str(truth)
        if told.setdefault(key, known) != known:
            raise UsageError(f"{path}: two truths of one photograph, {told[key]!r} and {known!r}")
    if not told:
        return [], True
    listed = b"".join(os.fsencode(path) + b"\0" for path in told)
    found: Iterable[Item] = Photographs(["-"], output=folder, listed=listed)
    return [replace(item, truth=told[item.shown]) for item in found], "truth" in columns


def _in_order(dataset: Any) -> Iterator[dict[str, Any]]:
    """The rows of a data set in its order, which Ray keeps only if it is asked to."""
    options = dataset.context.execution_options
    before, options.preserve_order = options.preserve_order, True
    try:
        yield from dataset.iter_rows()
    finally:
        options.preserve_order = before


def _shown(path: str) -> str:
    """A path as :attr:`Item.shown` has it."""
    return path if is_url(path) else str(Path(path))


def _truths(explainer: FileExplainer, items: Sequence[Item], *, are_told: bool) -> Truths:
    """What is known for a class output; a UsageError for a truth that is told and no class of the model."""
    names = explainer.explainer.label_names
    if not are_told:
        return FolderTruths(names, explainer.class_count)
    classes = FolderTruths(names, explainer.class_count, by_index=True)
    for truth in dict.fromkeys(item.truth for item in items):
        if truth is not None and classes.of_folder(truth) is None:
            raise UsageError(
                f"'{truth}' is no class of the model, though the data set's column 'truth' has it"
            )
    return ToldTruths(classes)
