"""Measuring a photograph: every model, method and layer in question, and baselines, on the same classes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import OvxaiError, UsageError, quoted
from ovxai_convert.evaluation.evaluated_models import EvaluatedModel
from ovxai_convert.evaluation.findings import ClassInView, Finding, averaged
from ovxai_convert.evaluation.inquiry import Inquiry
from ovxai_convert.evaluation.measurements import Contender, Measurement
from ovxai_convert.evaluation.pointing import PointedAt
from ovxai_convert.evaluation.views import DrawnBoxes, View, scores_of_image, view_of
from ovxai_convert.explain.baselines import CENTRE, RANDOM, centre_map, random_maps
from ovxai_convert.explain.engines import Engine
from ovxai_convert.explain.observation import Choose
from ovxai_convert.photographs.image_files import Picture
from ovxai_convert.photographs.preprocessing import FieldOfView
from ovxai_convert.pictures.rendering import enlarged


@dataclass(frozen=True)
class Measured:
    """The rows of a photograph, and maps of its first class, as they were given, with what they cover."""

    rows: tuple[Measurement, ...]
    maps: Mapping[Contender, tuple[NDArray[Any], FieldOfView]]


@dataclass(frozen=True)
class Measuring:
    """Measures photographs in models by what is asked.

    Classes are chosen by the first model; another one's are those of the same labels, or of the same indices
    where one of the two has no labels.
    """

    models: Sequence[EvaluatedModel]
    asked: Inquiry

    @property
    def contenders(self) -> list[Contender]:
        """All that is measured, in the order of the rows of a photograph."""
        return [
            contender
            for model in self.models
            for contender in (*model.engines, *(Contender(model.name, name) for name in self.asked.baselines))
        ]

    def measured(
        self,
        path: str,
        number: int,
        pictures: Mapping[int, Picture],
        boxes: DrawnBoxes = None,
        truth: str | None = None,
    ) -> Measured:
        """All of one photograph.

        Args:
            path: of the photograph, as tables have it.
            number: which photograph it is; random maps are those of this number.
            pictures: the photograph, as it is read for a model of so many channels.
            boxes: around its objects.
            truth: what its folder says that it shows, whether that is a class or not.

        Raises:
            OvxaiError: the photograph does not fit the first model, or none of its classes is asked for. What
                goes wrong with one method or another model is the ``error`` of its rows.
        """
        first = self._view(self.models[0], pictures, boxes, truth)
        targets = first.classes(self.asked.targets)
        shown = ", ".join(map(first.model.label_of, first.shown_classes())) or None
        rows: list[Measurement] = []
        maps: dict[Contender, tuple[NDArray[Any], FieldOfView]] = {}
        for model in self.models:
            whole = Measurement(path, model.name, truth=shown)
            try:
                view = first if model is first.model else self._view(model, pictures, boxes, truth)
                classes = [self._class_in(model, target) for target in targets]
            except OvxaiError as error:
                rows.append(replace(whole, error=str(error)))
                continue
            for target in classes:
                one = _OneClass(ClassInView(view, target, self.asked), number)
                rows += one.rows(whole, maps)
        return Measured(tuple(rows), maps)

    def _view(
        self,
        model: EvaluatedModel,
        pictures: Mapping[int, Picture],
        boxes: DrawnBoxes,
        truth: str | None,
    ) -> View:
        return view_of(model, pictures[model.explainer.channels], self.asked, boxes, truth)

    def _class_in(self, model: EvaluatedModel, target: int) -> int:
        """A class of the first model in another one; a UsageError if it has none."""
        first = self.models[0]
        if model is first:
            return target
        if model.labels is not None and first.labels is not None:
            found = model.class_called(first.labels[target])
        else:
            found = target if target < model.class_count else None
        if found is None:
            raise UsageError(f"{model.name} has no class {quoted(first.label_of(target))}")
        return found


@dataclass(frozen=True)
class _OneClass:
    """One class of one photograph, and the number of that."""

    shown: ClassInView
    number: int

    @property
    def _view(self) -> View:
        return self.shown.view

    def rows(
        self, whole: Measurement, maps: dict[Contender, tuple[NDArray[Any], FieldOfView]]
    ) -> Iterator[Measurement]:
        """A row for each measure of each contender; maps that are the first of theirs are kept."""
        model, target = self._view.model, self.shown.target
        about = replace(
            whole,
            class_index=target,
            label=model.label_of(target),
            score=float(self._view.scores[target]),
        )
        for contender, engine in model.engines.items():
            of_it = replace(about, method=contender.method, target_layer=contender.target_layer)
            try:
                saliency, seconds, found = self._by_method(engine)
            except OvxaiError as error:
                yield replace(of_it, error=str(error))
                continue
            maps.setdefault(contender, (saliency, self._view.region))
            yield from _as_rows(replace(of_it, seconds=round(seconds, 6)), found)
        for name in self.shown.asked.baselines:
            yield from _as_rows(replace(about, method=name), self._by_baseline(name))

    def _by_method(self, engine: Engine) -> tuple[NDArray[Any], float, dict[str, Finding]]:
        """The map as it was given, the seconds that it took, and what was measured of it."""
        target, size = self.shown.target, self._view.trial.size

        def explained(image: NDArray[Any]) -> tuple[NDArray[Any], float]:
            seen = engine.observe(image[np.newaxis], Choose(lambda _: [target], best_of_class=True))
            if seen.refusal is not None:
                raise UsageError(seen.refusal.reason)
            (saliency,) = seen.maps.values()
            return saliency, float(seen.scores[target])

        def again(image: NDArray[Any]) -> tuple[NDArray[np.float32], float]:
            saliency, score = explained(image)
            return enlarged(saliency, size), score

        started = time.perf_counter()
        saliency, _ = explained(self._view.trial.image)
        seconds = time.perf_counter() - started
        return saliency, seconds, self.shown.measured(enlarged(saliency, size), again)

    def _by_baseline(self, name: str) -> dict[str, Finding]:
        size = self._view.trial.size
        if name == CENTRE:
            middle = centre_map(size)
            return self.shown.measured(middle, lambda image: (middle, self._score(image)))
        assert name == RANDOM, "there are two"
        asked = self.shown.asked
        draws = random_maps(size, 2 * asked.random_maps, (asked.seed, self.number))
        found = averaged([self._at_random(*pair) for pair in zip(draws[::2], draws[1::2], strict=True)])
        if isinstance(self.shown.pointed, PointedAt):
            found["pointing"] = Finding(self.shown.pointed.chance)
        return found

    def _at_random(self, saliency: NDArray[np.float32], other: NDArray[np.float32]) -> dict[str, Finding]:
        """Of a random map, whose like for what it shows is another one."""
        return self.shown.measured(saliency, lambda image: (other, self._score(image)))

    def _score(self, image: NDArray[Any]) -> float:
        return float(scores_of_image(self._view.trial, image)[self.shown.target])


def _as_rows(about: Measurement, found: Mapping[str, Finding]) -> Iterator[Measurement]:
    for name, finding in found.items():
        value = None if finding.value is None else float(finding.value)
        yield replace(about, metric=name, value=value, curve=finding.curve, error=finding.error)
