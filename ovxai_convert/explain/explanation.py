"""What a user gets: the maps of an image's classes, and how they are kept and shown."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.explain.observation import PER_IMAGE_MAP
from ovxai_convert.explain.predictions import Prediction
from ovxai_convert.methods import Method, method_name
from ovxai_convert.photographs.given import Order, in_order
from ovxai_convert.photographs.image_files import Pixels, encode_image, write_file
from ovxai_convert.pictures.captions import Caption, framed, score_words
from ovxai_convert.pictures.display import MOST_FIGURES, Figure, html_of, sheet
from ovxai_convert.pictures.file_names import map_file_names
from ovxai_convert.pictures.picture_files import encoded, picture_suffix
from ovxai_convert.pictures.rendering import Maps, grey_levels
from ovxai_convert.source.labels import find_class

_NAMED: Final = 4
"""How many classes are named where an explanation stands as text."""


class Layout(Enum):
    """How many maps there are, and whether they are grey ``(H, W)`` or coloured ``(H, W, 3)``."""

    ONE_MAP_PER_IMAGE_GRAY = "one_map_per_image_gray"
    ONE_MAP_PER_IMAGE_COLOR = "one_map_per_image_color"
    MULTIPLE_MAPS_PER_IMAGE_GRAY = "multiple_maps_per_image_gray"
    MULTIPLE_MAPS_PER_IMAGE_COLOR = "multiple_maps_per_image_color"


@dataclass(frozen=True, repr=False)
class Explanation:
    """The maps of one image; a notebook shows it by itself.

    Attributes:
        saliency_map: by class index (by ``"per_image_map"`` where one map stands for all classes, by
            ``"box 1"`` and so on where boxes are explained): ``(h, w)`` grey levels or raw scores, or
            ``(H, W, 3)`` in colours, in the order ``colour``.
        method: what made them; None: the model itself, and nobody says how.
        predictions: score of every explained class (of the best one for ``"per_image_map"``).
        label_names: one label per class, or None.
        raw: the maps as the method gave them, of the map's own few cells where it is white-box.
        refusals: why the branches that were tried before the method are not possible.
        captions: what pictures of the maps say of them.
        colour: order of the colours in the maps: ``"bgr"``, as OpenCV has it, or ``"rgb"``.
        notes: what is to be known of how the picture was taken, one line each.
        scores: of all classes, ``(K,)``.
        target_layer: name of the layer that was masked; None where there is none, or nobody says which.
        detections: what a detector finds, the best first, in pixels of the photograph; None of a classifier.
        boxes: indices of those that a map is of: a class's, or the one that it explains.
    """

    saliency_map: Maps
    method: Method | None
    predictions: Mapping[int, Prediction]
    label_names: tuple[str, ...] | None = None
    raw: Maps = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    captions: Mapping[int | str, Caption] = field(default_factory=dict)
    colour: Order = "bgr"
    notes: tuple[str, ...] = ()
    scores: NDArray[np.float32] | None = None
    target_layer: str | None = None
    detections: Detections | None = None
    boxes: Mapping[int | str, list[int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        first = self.targets[:_NAMED]
        named = ", ".join(f"{self._name_of(each)} {self._score_of(each)}".strip() for each in first)
        more = len(self.targets) - len(first)
        saliency = next(iter(self.saliency_map.values()))
        order = f", {self.colour}" if saliency.ndim == 3 else ""
        return (
            f"Explanation by {self.method_name}\n"
            f"  {named}{f' and {more} more' if more else ''}\n"
            f"  {len(self.targets)} x {saliency.dtype} {saliency.shape}{order}"
        )

    def _repr_html_(self) -> str:
        return html_of(*self._shown())

    def _repr_png_(self) -> bytes:
        return encode_image(sheet(*self._shown()))

    def _shown(self) -> tuple[str, list[Figure]]:
        """What is above the maps, and the maps."""
        shown = self.targets[:MOST_FIGURES]
        left = len(self.targets) - len(shown)
        heading = f"Explained by {self.method_name}" + (f"; {left} more are not shown" if left else "")
        figures = []
        for target in shown:
            score, number = self._score_of(target), f"class {target}"
            lines = (f"score {score}" * bool(score), "shows nothing" * (target in self.constant))
            picture = self._picture(target)
            figures.append(Figure(picture, self._name_of(target), tuple(filter(None, lines)), number))
        return heading, figures

    def _name_of(self, target: int | str) -> str:
        """What a map is of, in words."""
        if (caption := self.captions.get(target)) is not None:
            return caption.label
        if not isinstance(target, int):
            return "all classes"
        return self.label_of(target) if self.label_names else f"class {target}"

    def _score_of(self, target: int | str) -> str:
        """The score of a class in words; "" where there is none."""
        if (caption := self.captions.get(target)) is not None:
            return caption.value
        prediction = self.prediction_of(target)
        if prediction is None:
            return ""
        return score_words(prediction.score, is_share=0 <= prediction.score <= 1)[0]

    def _picture(self, target: int | str) -> Pixels:
        """A map as a picture, in grey levels or in OpenCV's order of colours."""
        saliency = self.saliency_map[target]
        picture = saliency if saliency.dtype == np.uint8 else grey_levels(saliency)
        return in_order(picture, self.colour)  # back, if they were turned round

    @property
    def method_name(self) -> str:
        """The method as text."""
        return method_name(self.method)

    @property
    def targets(self) -> list[int | str]:
        """The explained classes."""
        return list(self.saliency_map)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one map."""
        return next(iter(self.saliency_map.values())).shape

    @property
    def layout(self) -> Layout:
        """One map or several, grey or coloured."""
        how_many = "ONE_MAP" if PER_IMAGE_MAP in self.saliency_map else "MULTIPLE_MAPS"
        return Layout[f"{how_many}_PER_IMAGE_{'COLOR' if len(self.shape) == 3 else 'GRAY'}"]

    @property
    def constant(self) -> list[int | str]:
        """Explained classes whose map is the same everywhere, so that it shows nothing."""
        return [target for target, values in self.raw.items() if not np.ptp(values)]

    def label_of(self, target: int | str) -> str:
        """The label of an explained class, or its index as text."""
        if isinstance(target, str) and target in self.boxes:
            (number,) = self.boxes[target]
            assert self.detections is not None, "what has boxes has found them"
            return f"{self.label_of(int(self.detections.labels[number]))} {target}"
        if self.label_names and not isinstance(target, str):
            return self.label_names[target]
        return str(target)

    def save(
        self,
        dir_path: str | Path,
        name: str = "",
        *,
        image_format: str = "png",
        strip: bool = False,
        prefix: str = "",
        postfix: str = "",
        confidence_scores: Mapping[int, Any] | None = None,
    ) -> list[Path]:
        """Write one picture per class, ``<name>_<label>.png``; raw scores are scaled to grey levels.

        Classes whose labels make the same file name are told apart by their index, and what is too long for
        a file's name is cut. The folder is made if missing; files of these names are replaced.

        Args:
            dir_path: the folder.
            name: what the files' names begin with, before an underscore.
            image_format: ``"png"``, which loses nothing, ``"jpeg"`` or ``"webp"``.
            strip: add a strip below each picture that tells its class, its score and what the colours mean.
            prefix: what stands before all that, without an underscore.
            postfix: behind the label, as it is.
            confidence_scores: scores by class, which stand behind that with two digits, or ``predictions``; a
                class that is not among them gets none.

        Raises:
            UsageError: another format, or a picture too large for it; nothing is written then.
            WriteError: the folder cannot be written.
        """
        contents = self.encoded(image_format, strip=strip)
        scores, suffix, paths = confidence_scores or {}, picture_suffix(image_format), []
        for target, file in zip(self.targets, self.file_names(name, suffix), strict=True):
            score = scores.get(target) if isinstance(target, int) else None
            written = "" if score is None else f"{getattr(score, 'score', score):.2f}"
            folder, ending = os.path.split(file)
            whole = f"{prefix}{ending.removesuffix(suffix)}{postfix}{written}{suffix}"
            paths.append(Path(dir_path, folder, whole))
        for path, content in zip(paths, contents, strict=True):
            write_file(path, content)
        return paths

    def encoded(self, image_format: str = "png", *, strip: bool = False) -> list[bytes]:
        """A picture per class as the bytes of a file, see :meth:`save`."""
        return [encoded(picture, image_format) for picture in self._pictures(strip=strip)]

    def _pictures(self, *, strip: bool) -> Iterator[Pixels]:
        for target in self.targets:
            picture = self._picture(target)
            caption = self.captions.get(target) or Caption(self.label_of(target))
            yield framed(picture, caption) if strip else picture

    def file_names(self, name: str = "", suffix: str = ".png") -> list[str]:
        """A file name per class; see :func:`~ovxai_convert.pictures.file_names.map_file_names`."""
        labels = {target: self.label_of(target) for target in self.targets}
        return map_file_names(name, labels, suffix, self.label_names)

    def plot(
        self,
        targets: Sequence[int | str] | int | str | None = None,
        backend: str = "matplotlib",
        max_num_plots: int = 24,
        num_columns: int = 4,
    ) -> None:
        """Show the maps in a grid with matplotlib, which must be installed.

        Args:
            targets: classes by index or label, or one; None, -1 or ``"all"``: all that were explained.
            backend: ``"matplotlib"``; the headless OpenCV that servers have can open no window.
            max_num_plots: at most so many.
            num_columns: of the grid.

        Raises:
            UsageError: another backend, no matplotlib, numbers below one, or a class that was not explained.
        """
        if min(max_num_plots, num_columns) < 1:
            raise UsageError("a plot has at least one map and one column")
        if backend != "matplotlib":
            raise UsageError(f"no backend '{backend}'; there is matplotlib")
        try:
            pyplot = importlib.import_module("matplotlib.pyplot")
        except ImportError:
            raise UsageError("plot() needs matplotlib: pip install matplotlib") from None
        if targets is None or (np.ndim(targets) == 0 and str(targets) in ("-1", "all")):
            targets = self.targets
        wanted: Any = [targets] if np.ndim(targets) == 0 else targets
        plotted = [self._explained(target) for target in wanted][:max_num_plots]
        if not plotted:
            raise UsageError("no class is named")
        columns = min(num_columns, len(plotted))
        rows = -(-len(plotted) // columns)
        _, axes = pyplot.subplots(rows, columns, figsize=(4 * columns, 4.5 * rows), squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, target in zip(axes.flat, plotted, strict=False):
            picture = self._picture(target)
            axis.imshow(picture[..., ::-1] if picture.ndim == 3 else self.saliency_map[target], cmap="gray")
            axis.set_title(self.label_of(target))
        pyplot.tight_layout()
        pyplot.show()

    def prediction_of(self, target: int | str) -> Prediction | None:
        """The class and score that a map is of: of a box that is explained, its own; None of all classes."""
        if isinstance(target, int):
            return self.predictions.get(target)
        if target not in self.boxes or self.detections is None:
            return None
        (number,) = self.boxes[target]
        return Prediction(int(self.detections.labels[number]), float(self.detections.scores[number]))

    def _explained(self, wanted: int | str) -> int | str:
        for target in self.saliency_map:
            if target == wanted:  # an index of NumPy's is one, too
                return target
        count = len(self.label_names) if self.label_names else 1 + max(map(int, self.predictions))
        index = find_class(wanted, self.label_names, count)
        if index not in self.saliency_map:
            raise UsageError(f"class '{wanted}' was not explained")
        return index
