"""What ``ovxai-explain`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import cv2

from ovxai_convert.artifact.recovery import recover
from ovxai_convert.cli import boundary, child, console, options
from ovxai_convert.cli.child import Start
from ovxai_convert.cli.dataset_run import DatasetRun
from ovxai_convert.cli.scanning import Scan, truths_of, what_truth
from ovxai_convert.cli.telling import Telling, say_facts
from ovxai_convert.datasets.explaining import Asked, PhotographExplainer
from ovxai_convert.datasets.gallery import Gallery, write_gallery
from ovxai_convert.datasets.progress import Pace
from ovxai_convert.datasets.resuming import Earlier, run_digest
from ovxai_convert.datasets.sources import Photographs
from ovxai_convert.datasets.stream import threads_for
from ovxai_convert.datasets.tables import Table, check_table_name
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.explain.plan import ExplainMode
from ovxai_convert.explain.report import report_facts, report_text
from ovxai_convert.insertion.task import task_of
from ovxai_convert.methods import Method
from ovxai_convert.on_ray.cluster import cluster, ray_library
from ovxai_convert.on_ray.outcomes import OnRay
from ovxai_convert.photographs.image_files import write_file
from ovxai_convert.pictures.picture_files import PictureOptions
from ovxai_convert.source.answers import AnswerHints
from ovxai_convert.source.label_files import read_label_file

_FEW: Final = 100
"""Photographs of each of which a line is printed, and which a report holds."""
_FOR_LATENCY: Final = 4
"""So few photographs are done sooner if the device serves one at a time."""


@dataclass(frozen=True)
class _Wanted:
    """What is to come of the photographs, and how.

    ``spare_table``: where rows are kept that only a process needs that takes the place of another.
    """

    model: Path
    output_dir: Path
    targets: str | None
    boxes: str | None
    with_pictures: bool
    raw: bool
    report: Path | None
    table: Path | None
    spare_table: Path | None
    resume: bool
    as_json: bool
    truth: str
    jobs: int | None
    engine: str
    ray_address: str | None
    quiet: bool
    debug: bool

    def shows_rows(self, total: int) -> bool:
        """Whether anything is made of rows, if there are so many photographs and no process breaks down."""
        return self.table is not None or self.as_json or self.report_is_of_rows(total)

    def report_is_of_rows(self, total: int) -> bool:
        """Whether there is a report that cannot hold the pictures of all itself."""
        return self.report is not None and (total > _FEW or self.resume)

    def place_of_rows(self, total: int) -> Path | None:
        """The file that rows are written to: the table, or one for the report, which is gone at the end."""
        if self.table is None and self.report is not None and self.report_is_of_rows(total):
            return self.report.with_name(f".{self.report.name}.rows.jsonl")
        return self.table or self.spare_table


def work(start: Start, images: Sequence[str], listed: bytes, recursive: bool, **arguments: Any) -> int:
    """Explain the photographs from the first one on; the exit code is that of the first failure."""
    wanted = _Wanted(**{each.name: arguments.pop(each.name) for each in fields(_Wanted)})
    exit_codes: list[int] = []
    output = wanted.output_dir if wanted.with_pictures or wanted.raw else None
    photographs = Photographs(images, recursive, output, listed)
    with console.Reported(None, exit_codes, debug=wanted.debug):
        if wanted.table is not None:
            check_table_name(wanted.table)
        if wanted.engine == "ray":
            ray_library()
        total = photographs.count()
    if exit_codes:
        return exit_codes[0]
    with console.Reported(wanted.model, exit_codes, debug=wanted.debug):
        boundary.tell(steps=["loading the model"])
        explain = _explainer(wanted, total, arguments, told=start.first == 0 and not wanted.quiet)
    if exit_codes:
        return exit_codes[0]
    if start.first == 0:
        say_facts(explain.explainers, wanted.model, quiet=wanted.quiet)
    with console.Reported(None, exit_codes, debug=wanted.debug), _elsewhere(wanted, explain) as elsewhere:
        run = _prepared(wanted, photographs, total, explain, start)
        run.elsewhere = elsewhere
        return _done(run, wanted)
    return exit_codes[0]


@contextmanager
def _elsewhere(wanted: _Wanted, explain: PhotographExplainer) -> Iterator[OnRay | None]:
    """What explains photographs in place of this process, if that is wanted."""
    if wanted.engine != "ray":
        yield None
        return
    with cluster(wanted.ray_address) as ray:
        yield OnRay(ray, explain, wanted.jobs)


def _explainer(wanted: _Wanted, total: int, arguments: dict[str, Any], *, told: bool) -> PhotographExplainer:
    """What explains a photograph; ``told``: whether to say how labels were read."""
    arguments = dict(arguments)
    labels_file = arguments.pop("labels_file")
    options_of_rows = [
        wanted.targets,
        wanted.boxes,
        wanted.with_pictures,
        wanted.raw,
        sorted(arguments.items()),
    ]
    pictures = PictureOptions(**{each.name: arguments.pop(each.name) for each in fields(PictureOptions)})
    explainers = _for_heads(
        wanted.model, _labels(labels_file, tell=told), throughput=total > _FOR_LATENCY, **arguments
    )
    if total > _FEW:  # else each is told what is wrong
        for explainer in explainers:
            explainer.check_targets(wanted.targets)
    truths = truths_of(wanted.truth, explainers) if wanted.shows_rows(total) else []
    facts: list[object] = [_facts_of(explainer) for explainer in explainers]
    facts += [what_truth(wanted.truth)] if truths else []
    asked = Asked(
        wanted.targets,
        pictures if wanted.with_pictures else None,
        wanted.raw,
        wanted.report is not None and not wanted.report_is_of_rows(total),
        run_digest(facts, options_of_rows),
        wanted.boxes,
    )
    return PhotographExplainer(explainers, asked, truths)


def _facts_of(explainer: FileExplainer) -> list[object]:
    """All that rows depend on besides options."""
    names, method = explainer.explainer.label_names, explainer.method
    return [explainer.read_as, explainer.preprocessing, names, method, explainer.device]


def _for_heads(
    model: Path,
    labels: tuple[str, ...] | None,
    *,
    mode: str,
    method: str | None,
    task: str,
    target_layer: tuple[str, ...],
    scores_output: str | None,
    device: str,
    **others: Any,
) -> list[FileExplainer]:
    """One for each class output in question."""
    hints, answer = options.taken_hints(others), options.taken_answer(others)
    return FileExplainer.for_heads(
        model,
        scores_output,
        labels,
        options.hints_of(**hints),
        AnswerHints(**answer),
        device_name=device,
        explain_mode=ExplainMode(mode),
        explain_method=None if method is None else Method(method),
        task=task_of(task, None if method is None else Method(method)),
        target_layers=target_layer,
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


def _prepared(
    wanted: _Wanted, photographs: Photographs, total: int, explain: PhotographExplainer, start: Start
) -> DatasetRun:
    """The run, its table open, once it is known what is left to do."""
    asked, earlier, table = explain.asked, None, None
    place = wanted.place_of_rows(total)
    if wanted.report is not None and wanted.report_is_of_rows(total):
        with Gallery(wanted.report, wanted.output_dir):  # which says at once what is wrong with the place
            pass
    if place is not None:
        recover(place.parent)
        if wanted.resume or start.first:
            pictures = wanted.output_dir if asked.pictures is not None else None
            assert asked.run is not None, "every run has one"
            earlier = Earlier(place, asked.run, pictures, same_run=start.first > 0)
    scan = Scan.of(photographs, explain.truths, earlier, start)
    scan.check_truths(wanted.truth, len(explain.truths))
    many = total > _FEW
    pace = Pace(total, scan.done, scan.failures)
    telling = Telling(
        pace,
        many=many,
        lines=not many and not wanted.as_json,
        sums_up=many or wanted.as_json or wanted.table is not None or photographs.are_looked_for,
        quiet=wanted.quiet,
        captions=asked.pictures is not None and asked.pictures.caption,
        everything=wanted.table is None,
    )
    if start.first == 0:
        for line in (photographs.passed_over(), scan.on_truths(wanted.truth, total)):
            telling.remark(line)
        if earlier is not None and earlier.others:
            telling.remark(
                f"{wanted.table}: {earlier.others} photographs in it are of another model or other options, "
                "and are done again"
            )
    explain = replace(explain, watch=telling.watch)
    if place is not None:
        table = Table(place, () if earlier is None else earlier.rows())
    threads = wanted.jobs or _threads(explain)
    if child.is_alone() and min(threads, total) > _FOR_LATENCY:
        cv2.setNumThreads(1)  # for each
    return DatasetRun(
        photographs,
        explain,
        telling,
        wanted.model,
        wanted.output_dir,
        threads,
        start,
        earlier,
        table,
        wanted.as_json,
        debug=wanted.debug,
    )


def _threads(explain: PhotographExplainer) -> int:
    if child.limited():
        return 1
    return 3 if explain.is_black_box else threads_for()


def _done(run: DatasetRun, wanted: _Wanted) -> int:
    """Explain, and finish what is not to be lost also where that was broken off."""
    with console.Reported(None, run.exit_codes, debug=wanted.debug):
        run()
    boundary.tell(finishing=True)
    if wanted.report is not None:
        with console.Reported(wanted.report, run.exit_codes, debug=wanted.debug):
            _write_report(run, wanted, wanted.report)
    with console.Reported(None, run.exit_codes, debug=wanted.debug):
        if run.table is not None:
            run.table.close()
            if run.table.path != wanted.table:
                run.table.path.unlink()
    run.telling.end()
    if run.interrupted:
        hint = "; --resume goes on from there" if wanted.table is not None else ""
        console.print_error(f"interrupted{run.telling.pace.so_far()}{hint}", run.at)
        boundary.tell(interrupted=True)
        return boundary.INTERRUPTED
    if not run.exit_codes and run.telling.pace.failed_before:
        return boundary.BROKEN_OFF
    return run.exit_codes[0] if run.exit_codes else 0


def _write_report(run: DatasetRun, wanted: _Wanted, path: Path) -> None:
    """Of a few one page that holds all, of many pages beside the pictures; nothing where nothing was done.

    Of a few likewise where another process has broken down: its entries are gone with it, its rows are not.
    """
    pictures, explainers = run.explain.asked.pictures, run.explain.explainers
    assert pictures is not None, "a report without pictures was refused"
    recover(path.parent)
    of_rows = wanted.report_is_of_rows(run.telling.pace.total) or run.start.first > 0
    if run.table is not None and of_rows:
        facts = report_facts(explainers, wanted.model, pictures.colormap)
        write_gallery(path, run.table.rows(), facts, pictures=wanted.output_dir)
    elif run.entries:
        page = report_text(explainers, wanted.model, run.entries, pictures.colormap)
        write_file(path, page.encode())
