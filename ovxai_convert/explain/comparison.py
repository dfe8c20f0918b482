"""Methods side by side on one image, and how they are shown and kept: maps, curves, areas under them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

from ovxai_convert.blackbox.metrics import ScoreCurve
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.photographs.given import in_order
from ovxai_convert.photographs.image_files import Pixels, encode_image, write_file
from ovxai_convert.pictures.chart import COLOURS, GREY, Line, charted
from ovxai_convert.pictures.display import Figure, html_of, sheet

_TITLES: Final[Mapping[str, str]] = {
    "deletion": "Deletion: lower is better",
    "insertion": "Insertion: higher is better",
}
_BELOW: Final[Mapping[str, str]] = {"deletion": "pixels covered", "insertion": "pixels shown"}
_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".html")


@dataclass(frozen=True)
class Curves:
    """A class's scores as pixels are covered, and as they are shown, in the order of a map."""

    deletion: ScoreCurve
    insertion: ScoreCurve


@dataclass(frozen=True)
class ComparedMethod:
    """One method: its explanation of the one class, laid over the image; its curves; how long it took."""

    explanation: Explanation
    curves: Curves
    seconds: float


@dataclass(frozen=True)
class MethodComparison:
    """Methods side by side; a notebook shows it by itself.

    Attributes:
        target: index of the explained class.
        label: its label, or its index in words.
        score: what the model gives it.
        methods: in the order in which they were asked for.
        chance: the curves of random maps, their mean: a map that is no better than these says nothing.
        refusals: why methods that were asked for are not among them.
    """

    target: int
    label: str
    score: float
    methods: tuple[ComparedMethod, ...]
    chance: Curves
    refusals: tuple[Refusal, ...] = ()

    def __repr__(self) -> str:
        rows = [(each.explanation.method_name, each.curves, f"{each.seconds:.2f} s") for each in self.methods]
        lines = [
            f"  {name:<14} {_areas(curves)}  {seconds}".rstrip()
            for name, curves, seconds in [*rows, ("random maps", self.chance, "")]
        ]
        refused = [f"  not possible: {refusal}" for refusal in self.refusals]
        return "\n".join([self._heading, *lines, *refused])

    @property
    def _heading(self) -> str:
        return f"Comparison of methods: {self.label}, score {self.score:.2f}"

    def _repr_html_(self) -> str:
        return html_of(self._heading, self._figures(), self._charts(), self._note)

    def _repr_png_(self) -> bytes:
        return encode_image(self.picture())

    def picture(self) -> Pixels:
        """All of it as one picture ``(H, W, 3)``, blue, green, red."""
        return sheet(self._heading, self._figures(), self._charts(), self._note)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write it as one picture (.png, .jpg, .webp), or as a page that stands alone (.html).

        The folder is made if missing; a file of this name is replaced.

        Raises:
            UsageError: another suffix.
            WriteError: the file cannot be written.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in _SUFFIXES:
            raise UsageError(f"{target}: a comparison is written as one of {', '.join(_SUFFIXES)}")
        if suffix == ".html":
            head = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Comparison of methods</title>'
            write_file(target, f"{head}<body style='font-family:sans-serif'>{self._repr_html_()}".encode())
        else:
            write_file(target, encode_image(self.picture(), suffix))
        return target

    def plot(self) -> None:
        """Show it with matplotlib, which must be installed (a UsageError says so where it is not)."""
        try:
            pyplot = importlib.import_module("matplotlib.pyplot")
        except ImportError:
            raise UsageError("plot() needs matplotlib: pip install matplotlib") from None
        columns = max(2, len(self.methods))
        figure = pyplot.figure(figsize=(4 * columns, 7), layout="constrained")
        grid = figure.add_gridspec(2, columns * 2)
        for index, (each, shown) in enumerate(zip(self.methods, self._figures(), strict=True)):
            axis = figure.add_subplot(grid[0, 2 * index : 2 * index + 2])
            axis.imshow(shown.picture[..., ::-1])
            axis.set_title(each.explanation.method_name)
            axis.axis("off")
        for index, kind in enumerate(("deletion", "insertion")):
            axis = figure.add_subplot(grid[1, index * columns : (index + 1) * columns])
            for name, line in zip(self._names(), self._lines(kind), strict=True):
                red, green, blue = (channel / 255 for channel in line.colour[::-1])
                style = {"linestyle": "--" if line.dashed else "-", "color": (red, green, blue)}
                label = f"{name} {line.curve.auc:.3f}"
                axis.plot(line.curve.fractions, line.curve.scores, label=label, **style)
            axis.set_title(_TITLES[kind])
            axis.set_xlabel(_BELOW[kind])
            axis.legend()
        figure.suptitle(self._heading)
        pyplot.show()

    def _names(self) -> list[str]:
        return [*(each.explanation.method_name for each in self.methods), "random maps"]

    def _lines(self, kind: str) -> list[Line]:
        found = [
            Line(getattr(each.curves, kind), COLOURS[index % len(COLOURS)])
            for index, each in enumerate(self.methods)
        ]
        return [*found, Line(getattr(self.chance, kind), GREY, dashed=True)]

    def _figures(self) -> list[Figure]:
        figures = []
        for each, line in zip(self.methods, self._lines("deletion"), strict=False):
            (overlay,) = each.explanation.saliency_map.values()
            picture = in_order(overlay, each.explanation.colour)
            lines = (_areas(each.curves), f"{each.seconds:.2f} s")
            figures.append(Figure(picture, each.explanation.method_name, lines, colour=line.colour))
        return figures

    def _charts(self) -> list[Figure]:
        return [Figure(charted(_TITLES[kind], _BELOW[kind], self._lines(kind)), "") for kind in _TITLES]

    @property
    def _note(self) -> str:
        refused = f" Not possible: {'; '.join(map(str, self.refusals))}." if self.refusals else ""
        return f"Dashed: random maps, {_areas(self.chance)}.{refused}"


def _areas(curves: Curves) -> str:
    return f"deletion {curves.deletion.auc:.3f}, insertion {curves.insertion.auc:.3f}"
