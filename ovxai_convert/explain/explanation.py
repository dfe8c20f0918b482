"""What a user gets: the maps of an image's classes, and how they are kept and shown."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import numpy as np

from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.explain.captions import Caption, framed
from ovxai_convert.explain.file_names import map_file_names
from ovxai_convert.explain.given import Order, in_order
from ovxai_convert.explain.observation import PER_IMAGE_MAP
from ovxai_convert.explain.picture_files import encoded, picture_suffix
from ovxai_convert.explain.predictions import Prediction
from ovxai_convert.explain.rendering import Maps, grey_levels
from ovxai_convert.methods import Method, method_name
from ovxai_convert.photographs.image_files import Pixels, write_file
from ovxai_convert.source.labels import find_class


class Layout(Enum):
    """How many maps there are, and whether they are grey ``(H, W)`` or coloured ``(H, W, 3)``."""

    ONE_MAP_PER_IMAGE_GRAY = "one_map_per_image_gray"
    ONE_MAP_PER_IMAGE_COLOR = "one_map_per_image_color"
    MULTIPLE_MAPS_PER_IMAGE_GRAY = "multiple_maps_per_image_gray"
    MULTIPLE_MAPS_PER_IMAGE_COLOR = "multiple_maps_per_image_color"


@dataclass(frozen=True)
class Explanation:
    """The maps of one image.

    Attributes:
        saliency_map: by class index (by ``"per_image_map"`` where one map stands for all classes): ``(h, w)``
            grey levels or raw scores, or ``(H, W, 3)`` in colours, in the order ``colour``.
        method: what made them; None: the model itself, and nobody says how.
        predictions: score of every explained class (of the best one for ``"per_image_map"``).
        label_names: one label per class, or None.
        raw: the maps as the method gave them, of the map's own few cells where it is white-box.
        refusals: why the branches that were tried before the method are not possible.
        captions: what pictures of the maps say of them.
        colour: order of the colours in the maps: ``"bgr"``, as OpenCV has it, or ``"rgb"``.
        notes: what is to be known of how the picture was taken, one line each.
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
        return self.label_names[target] if self.label_names and isinstance(target, int) else str(target)

    def save(
        self, dir_path: str | Path, name: str = "", *, image_format: str = "png", strip: bool = False
    ) -> list[Path]:
        """Write one picture per class, ``<name>_<label>.png``; raw scores are scaled to grey levels.

        Classes whose labels make the same file name are told apart by their index, and what is too long for
        a file's name is cut. The folder is made if missing; files of these names are replaced.

        Args:
            dir_path: the folder.
            name: what the files' names begin with.
            image_format: ``"png"``, which loses nothing, ``"jpeg"`` or ``"webp"``.
            strip: add a strip below each picture that tells its class, its score and what the colours mean.

        Raises:
            UsageError: another format, or a picture too large for it; nothing is written then.
            WriteError: the folder cannot be written.
        """
        contents = [encoded(picture, image_format) for picture in self._pictures(strip=strip)]
        paths = [Path(dir_path) / file for file in self.file_names(name, picture_suffix(image_format))]
        for path, content in zip(paths, contents, strict=True):
            write_file(path, content)
        return paths

    def _pictures(self, *, strip: bool) -> Iterator[Pixels]:
        for target, saliency in self.saliency_map.items():
            levels = saliency if saliency.dtype == np.uint8 else grey_levels(saliency)
            picture = in_order(levels, self.colour)  # back, if they were turned round
            caption = self.captions.get(target) or Caption(self.label_of(target))
            yield framed(picture, caption) if strip else picture

    def file_names(self, name: str = "", suffix: str = ".png") -> list[str]:
        """A file name per class; see :func:`~ovxai_convert.explain.file_names.map_file_names`."""
        labels = {target: self.label_of(target) for target in self.targets}
        return map_file_names(name, labels, suffix, self.label_names)

    def plot(
        self,
        targets: Sequence[int | str] | None = None,
        backend: str = "matplotlib",
        max_num_plots: int = 24,
        num_columns: int = 4,
    ) -> None:
        """Show the maps in a grid with matplotlib, which must be installed.

        Args:
            targets: classes by index or label; None for all that were explained.
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
        plotted = [self._explained(target) for target in targets or self.targets][:max_num_plots]
        columns = min(num_columns, len(plotted))
        rows = -(-len(plotted) // columns)
        _, axes = pyplot.subplots(rows, columns, figsize=(4 * columns, 4.5 * rows), squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, target in zip(axes.flat, plotted, strict=False):
            saliency = self.saliency_map[target]
            turned = saliency.ndim == 3 and self.colour == "bgr"
            axis.imshow(saliency[..., ::-1] if turned else saliency, cmap="gray")
            axis.set_title(self.label_of(target))
        pyplot.tight_layout()
        pyplot.show()

    def _explained(self, wanted: int | str) -> int | str:
        if wanted in self.saliency_map:
            return wanted
        count = len(self.label_names) if self.label_names else 1 + max(map(int, self.predictions))
        index = find_class(wanted, self.label_names, count)
        if index not in self.saliency_map:
            raise UsageError(f"class '{wanted}' was not explained")
        return index
