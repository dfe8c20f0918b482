"""An evaluation, photograph by photograph: rows for a table, how contenders stand, a page at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from itertools import groupby
from typing import Final

import numpy as np
import openvino as ov

from ovxai_convert.datasets.remote import read_remote
from ovxai_convert.datasets.rows import written_path
from ovxai_convert.datasets.sources import Item
from ovxai_convert.datasets.truths import Truths, no_truth
from ovxai_convert.errors import UsageError, quoted
from ovxai_convert.evaluation.annotations import Annotations
from ovxai_convert.evaluation.evaluated_models import EvaluatedModel
from ovxai_convert.evaluation.examples import Examples
from ovxai_convert.evaluation.inquiry import TRUTH, Inquiry
from ovxai_convert.evaluation.measurements import Measurement
from ovxai_convert.evaluation.measures import MEASURES, METRICS
from ovxai_convert.evaluation.measuring import Measuring
from ovxai_convert.evaluation.naming import LEVEL_IN_WORDS
from ovxai_convert.evaluation.page import EvaluationFacts, evaluation_page
from ovxai_convert.evaluation.standings import Standings
from ovxai_convert.evaluation.views import DrawnBoxes
from ovxai_convert.explain.baselines import RANDOM
from ovxai_convert.explain.explained import chosen_by
from ovxai_convert.photographs.image_files import Picture, image_content, picture_in
from ovxai_convert.photographs.levels import note_on_levels, shown_picture

_SHOWN_LABELS: Final = 5
_TARGETS: Final = {None: "the model's answer", TRUTH: "what the photograph is said to show"}
_COVERS: Final = {"zero": "0 in the input", "black": "black", "blur": "the photograph blurred"}


def _assumed(models: Sequence[EvaluatedModel]) -> Iterator[str]:
    for model in models:
        if words := ", ".join(model.explainer.assumed):
            yield f"{model.name}: assumed, since nothing says it: {words}"


class Evaluation:
    """Measures photographs one after another.

    Attributes:
        standings: what has come of them up to now.
        examples: those on which the first method does worst.
        notes: what one should know of models, boxes and what is not possible, one line each.
        assumed: how photographs become inputs where nobody says it, one line each.
    """

    def __init__(
        self,
        models: Sequence[EvaluatedModel],
        asked: Inquiry,
        annotations: Annotations | None = None,
        truths: Truths = no_truth,
    ) -> None:
        self._models, self._asked, self._annotations, self._truths = models, asked, annotations, truths
        if asked.wants("pointing") and annotations is None:
            raise UsageError("the pointing game needs boxes", "--metrics pointing needs --boxes")
        self._measuring = Measuring(models, asked)
        contenders = self._measuring.contenders
        self.standings = Standings(contenders)
        first = METRICS[asked.metrics[0]][0]
        self.examples = Examples(contenders[0], MEASURES[first])
        self.notes = tuple(dict.fromkeys(self._notes()))
        self.assumed = tuple(dict.fromkeys(_assumed(models)))
        self._check_targets()

    def _check_targets(self) -> None:
        """Raise a UsageError for a class that no photograph can have."""
        first = self._models[0]
        if self._asked.targets == TRUTH and first.class_called(TRUTH) is None:
            return
        chosen_by(self._asked.targets, first.labels, first.answer)(np.zeros(first.class_count, np.float32))

    def _notes(self) -> Iterator[str]:
        for model in self._models:
            explainer = model.explainer
            yield from (*explainer.explainer.doubts, *explainer.remarks, *explainer.doubts)
            yield from (f"not possible: {refusal}" for refusal in model.refusals)
        if self._annotations is not None and not self._asked.any_box:
            strange = [
                label for label in self._annotations.labels if self._models[0].class_called(label) is None
            ]
            if strange:
                shown = ", ".join(map(quoted, strange[:_SHOWN_LABELS]))
                more = ", ..." if len(strange) > _SHOWN_LABELS else ""
                yield f"labels of boxes that are no classes of the model: {shown}{more}"

    def measured(self, item: Item, number: int) -> tuple[list[Measurement], list[str]]:
        """The rows of a photograph, and what one should know of how it was taken, one line each.

        ``number`` is its place among all.

        Raises:
            OvxaiError: it cannot be read, or not be measured; :meth:`failed` makes a row of that.
        """
        content = image_content(item.path) if item.url is None else read_remote(item.url)
        kinds = {model.explainer.channels for model in self._models}
        pictures = {channels: picture_in(content, item.shown, channels) for channels in kinds}
        first = self._models[0].explainer
        picture = pictures[first.channels]
        boxes = self._boxes(item, picture)
        path = written_path(item.shown)
        truth = self._truths(item)
        shown = None if truth is None else truth.text
        found = self._measuring.measured(path, number, pictures, boxes, shown)
        levels = first.preprocessing.levels, first.preprocessing.mean, first.preprocessing.scale
        note = note_on_levels(picture, *levels)
        unsaid = first.unsaid_of(shown_picture(picture, None), item.path.name)
        self.examples.add(found, picture, boxes)
        self.standings.add(found.rows)  # last, so that what fails before it is counted once
        return list(found.rows), ([] if note is None else [note]) + unsaid

    def _boxes(self, item: Item, picture: Picture) -> DrawnBoxes:
        if self._annotations is None:
            return None
        try:
            found = self._annotations.of(item.path)
            return None if found is None else found.checked((picture.shape[1], picture.shape[0]))
        except UsageError as error:
            return error

    def failed(self, item: Item, error: str) -> list[Measurement]:
        """The row of a photograph that could not be measured."""
        rows = [Measurement(written_path(item.shown), error=error)]
        self.standings.add(rows)
        return rows

    def go_on(self, rows: Iterable[Measurement]) -> set[str]:
        """Take in rows of an earlier run, those of a photograph one after another; paths of all of these."""
        paths = set()
        for path, together in groupby(rows, lambda row: row.path):
            self.standings.add(together)
            paths.add(path)
        return paths

    def page(self, when: datetime) -> str:
        """All of it on one page, HTML, with the time that is given."""
        first = self._models[0].explainer
        prepared = dict.fromkeys(str(model.explainer.preprocessing) for model in self._models)
        counted = self.standings
        facts = {
            "Photographs": f"{counted.photographs}"
            + (f"; {counted.unmeasured} more could not be measured" if counted.unmeasured else ""),
            "Classes": _TARGETS.get(self._asked.targets, self._asked.targets) or "",
            "Curves": f"{self._asked.steps} steps, covered with {_COVERS[self._asked.cover]}",
            "Random maps": f"{self._asked.random_maps} of each photograph, seed {self._asked.seed}",
            "Intervals": f"{LEVEL_IN_WORDS}, over photographs",
            "Device": first.device,
            "Preprocessing": "; ".join(prepared),
            "When": when.strftime("%Y-%m-%d %H:%M %Z").strip(),
        }
        if RANDOM not in self._asked.baselines:
            del facts["Random maps"]
        by = f"Written by ovxai-convert {version('ovxai-convert')} with OpenVINO {ov.get_version()}."
        models = tuple(model.name for model in self._models)
        return evaluation_page(
            EvaluationFacts(models, tuple(facts.items()), self.notes, by), counted, self.examples
        )
