"""The measures of openvino-xai 1.1.0 for how good maps are: insertion and deletion, pointing game, ADCC."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from openvino import Model

from ovxai_convert.ancestor.pictures import ONE_MAP_LAYOUTS
from ovxai_convert.ancestor.processing import IdentityPreprocessFN, scaling
from ovxai_convert.blackbox import adcc as parts_of_adcc
from ovxai_convert.blackbox.metrics import deletion, insertion
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.device import compile_for
from ovxai_convert.explain.explainer import Explainer
from ovxai_convert.explain.explanation import Explanation

Boxes: TypeAlias = Sequence[tuple[float, float, float, float]]
"""Boxes around objects, in pixels: x and y of a corner, width, height."""


class BaseMetric(ABC):
    """A measure of one map, and its mean over those of several explanations.

    ``model``, ``preprocess_fn`` (from a picture to the model's input), ``postprocess_fn`` (from the model's
    results to probabilities ``(1, K)``) and ``device_name`` are as in ``Explainer``.
    """

    def __init__(
        self,
        model: Model,
        preprocess_fn: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
        postprocess_fn: Callable[[Any], NDArray[Any]] | None = None,
        device_name: str = "CPU",
    ) -> None:
        if postprocess_fn is None:
            raise UsageError("a measure reads scores by a postprocess_fn: give one")
        self.model = model
        self.model_compiled = compile_for(model, device_name, "LATENCY")
        self.preprocess_fn = preprocess_fn or IdentityPreprocessFN()
        self.postprocess_fn = postprocess_fn

    def model_predict(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Scores ``(K,)`` of a picture."""
        scores = np.asarray(self.postprocess_fn(self.model_compiled([self.preprocess_fn(picture)])))
        return np.asarray(scores[0])

    @abstractmethod
    def __call__(
        self, saliency_map: NDArray[Any], class_idx: int | None, input_image: NDArray[Any]
    ) -> dict[str, float]:
        """Measures of one map ``(H, W)`` of a class (None: the best) of a picture ``(H, W, C)``, by name."""

    def _means(
        self, explanations: Sequence[Explanation], pictures: Sequence[NDArray[Any]], **settings: Any
    ) -> dict[str, float]:
        _check_as_many(explanations, pictures)
        found = [
            self(saliency, None if each.layout in ONE_MAP_LAYOUTS else int(index), picture, **settings)
            for each, picture in zip(explanations, pictures, strict=True)
            for index, saliency in each.saliency_map.items()
        ]
        return {name: float(np.mean([measures[name] for measures in found])) for name in found[0]}


class InsertionDeletionAUC(BaseMetric):
    """Areas under the insertion and deletion curves of RISE's paper, arXiv 1806.07421.

    See :mod:`ovxai_convert.blackbox.metrics`. Pixels of the picture are altered, not of the model's input;
    those that are gone are 0.
    """

    def __call__(
        self,
        saliency_map: NDArray[Any],
        class_idx: int | None,
        input_image: NDArray[Any],
        steps: int = 30,
    ) -> dict[str, float]:
        """``insertion`` (larger is better) and ``deletion`` (smaller is better), in so many steps."""
        if class_idx is None:
            class_idx = int(self.model_predict(input_image).argmax())

        def scores(batches: Iterator[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
            for batch in batches:
                yield np.stack([self.model_predict(picture) for picture in batch]).astype(np.float32)

        values = np.asarray(saliency_map)
        shown = insertion(input_image, (0, 1), values, scores, class_idx, batch_size=1, steps=steps)
        covered = deletion(input_image, (0, 1), values, scores, class_idx, batch_size=1, steps=steps)
        return {"insertion": shown.auc, "deletion": covered.auc}

    def evaluate(
        self,
        explanations: Sequence[Explanation],
        input_images: Sequence[NDArray[Any]],
        steps: int = 30,
    ) -> dict[str, float]:
        """Means over all maps, which are to be grey and of their picture's size, and ``delta`` of both."""
        means = self._means(explanations, input_images, steps=steps)
        return {**means, "delta": means["insertion"] - means["deletion"]}


class PointingGame:
    """Whether the highest point of a map lies in a box around the object (Zhang et al., IJCV 2018)."""

    def __call__(self, saliency_map: NDArray[Any], image_gt_bboxes: Boxes) -> dict[str, float]:
        """``pointing_game``: 1 if one of the highest points of the map ``(H, W)`` lies in a box, else 0."""
        rows, columns = np.nonzero(saliency_map == saliency_map.max())
        hit = any(
            bool(((columns >= x) & (columns <= x + width) & (rows >= y) & (rows <= y + height)).any())
            for x, y, width, height in image_gt_bboxes
        )
        return {"pointing_game": float(hit)}

    def evaluate(
        self, explanations: Sequence[Explanation], gt_bboxes: Sequence[Mapping[str, Boxes]]
    ) -> dict[str, float]:
        """The share of hits, over the maps of classes that have boxes.

        ``gt_bboxes``: for each explanation the boxes by label. A map of all classes may hit any of them.

        Raises:
            UsageError: as many boxes as explanations are not there, labels are missing, or no map has boxes.
        """
        _check_as_many(explanations, gt_bboxes)
        hits = []
        for explanation, by_label in zip(explanations, gt_bboxes, strict=True):
            for target, saliency in explanation.saliency_map.items():
                if explanation.layout in ONE_MAP_LAYOUTS:
                    boxes = [box for several in by_label.values() for box in several]
                elif explanation.label_names is None:
                    raise UsageError("boxes are found by the classes' labels: explain with label_names")
                else:
                    boxes = list(by_label.get(explanation.label_of(target), ()))
                if boxes:
                    hits.append(self(saliency, boxes)["pointing_game"])
        if not hits:
            raise UsageError("no map is of a class that has boxes")
        return {"pointing_game": float(np.mean(hits))}


class ADCC(BaseMetric):
    """Average drop, coherency and complexity in one number (Poppi et al., CVPR workshops 2021).

    ``explainer`` explains the picture once more, multiplied with its map; ``**kwargs`` are handed to it.
    """

    def __init__(
        self,
        model: Model,
        preprocess_fn: Callable[[NDArray[Any]], NDArray[Any]] | None,
        postprocess_fn: Callable[[Any], NDArray[Any]] | None,
        explainer: Explainer,
        device_name: str = "CPU",
        **kwargs: Any,
    ) -> None:
        super().__init__(model, preprocess_fn, postprocess_fn, device_name)
        self.explainer = explainer
        self.black_box_kwargs = kwargs

    def average_drop(self, masked_image: NDArray[Any], class_idx: int, model_output: NDArray[Any]) -> float:
        """The share of the class's score that is lost where only what the map shows is seen; less: better."""
        before, after = float(model_output[class_idx]), float(self.model_predict(masked_image)[class_idx])
        return parts_of_adcc.average_drop(before, after)

    def coherency(
        self,
        saliency_map: NDArray[Any],
        masked_image: NDArray[Any],
        class_idx: int,
        image: NDArray[Any] | None = None,
    ) -> float:
        """How alike the map is to that of the picture multiplied with it, 0 to 1; more is better.

        Pearson's correlation r as ``(r + 1) / 2``; 0.5 where either map is constant. The picture itself,
        ``image``, is not looked at.
        """
        again = self.explainer(
            masked_image, targets=class_idx, colormap=False, scaling=False, **self.black_box_kwargs
        )
        assert isinstance(again, Explanation), "one picture has one explanation"
        other = next(iter(again.saliency_map.values()))
        return parts_of_adcc.coherency(saliency_map, other)

    @staticmethod
    def complexity(saliency_map: NDArray[Any]) -> float:
        """The mean of a map of 0 to 1; less is better."""
        return parts_of_adcc.complexity(saliency_map)

    def __call__(
        self, saliency_map: NDArray[Any], class_idx: int | None, input_image: NDArray[Any]
    ) -> dict[str, float]:
        """``adcc`` (0 to 1; more is better) and its three parts, of a map of the picture's size."""
        values = np.asarray(saliency_map, np.float64)
        if values.min() < 0 or values.max() > 1:
            values = scaling(saliency_map, cast_to_uint8=False, max_value=1).astype(np.float64)
        scores = self.model_predict(input_image)
        target = int(scores.argmax()) if class_idx is None else class_idx
        masked = input_image * values[..., np.newaxis]
        parts = {
            "coherency": self.coherency(values, masked, target),
            "complexity": self.complexity(values),
            "average_drop": self.average_drop(masked, target, scores),
        }
        return {"adcc": _harmonic(parts), **parts}

    def evaluate(
        self, explanations: Sequence[Explanation], input_images: Sequence[NDArray[Any]]
    ) -> dict[str, float]:
        """Means of the three parts over all maps, and ``adcc`` of these means."""
        means = self._means(explanations, input_images)
        return {**means, "adcc": _harmonic(means)}


def _harmonic(parts: Mapping[str, float]) -> float:
    return parts_of_adcc.adcc(parts["average_drop"], parts["coherency"], parts["complexity"])


def _check_as_many(explanations: Sequence[Explanation], others: Sequence[object]) -> None:
    if not explanations or len(explanations) != len(others):
        raise UsageError(f"{len(explanations)} explanations do not go with {len(others)} images")
