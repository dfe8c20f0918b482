"""The target: the tensor whose spatial cells a method masks, and what its axes and samples say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from openvino import Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_head import DenseHead
from ovxai_convert.anatomy.places import AxisPlace
from ovxai_convert.anatomy.tokens import TokenTensor
from ovxai_convert.errors import Refusal
from ovxai_convert.tensors.axes import Axes, roles
from ovxai_convert.tensors.extents import Extent, extent
from ovxai_convert.tensors.ports import address, extents

MapLayout = Literal["NCHW", "NHWC", "NTC", "TNC", "dense"]
Grid = tuple[int | None, int | None]

_LAYOUTS: Final[dict[MapLayout, tuple[tuple[str, ...], ...]]] = {
    "NCHW": (("N",), ("C",), ("H",), ("W",)),
    "NHWC": (("N",), ("H",), ("W",), ("C",)),
    "NTC": (("N",), ("H", "W"), ("C",)),
}


_ONE_IMAGE: Final = 3
"""Axes of an input that takes one image, and no batch of them."""


@dataclass(frozen=True)
class Target:
    """The tensor whose spatial cells are masked.

    Attributes:
        layout: what its axes hold, from how they came about; T are tokens.
        grid: rows and columns of the map, None where dynamic; tokens run along the rows.
        sequences: tokens of a transformer block that are masked together, the target's own first.
        block: which transformer block it is, counted from the scores; None for a feature map.
        dense: a detector's scores of all places, of which this is the first tensor, whose axes it tells.
        feature: the map ``[N, C, H, W]`` whose mean stands for the image, where that is not the target.
        places: for samples (N), rows (H) and columns (W) a tensor and its axis that hold them alone.
    """

    port: Output
    layout: MapLayout
    grid: Grid
    selected_by: Literal["auto", "user"] = "auto"
    sequences: tuple[TokenTensor, ...] = ()
    block: int | None = None
    places: Mapping[str, AxisPlace] = field(default_factory=dict, compare=False)
    dense: DenseHead | None = None
    feature: Output | None = None

    @property
    def masked(self) -> tuple[Output, ...]:
        """All tensors that are masked, or read, the target first."""
        if self.dense is not None:
            return self.dense.ports
        return tuple(each.port for each in self.sequences) or (self.port,)

    @property
    def defined_by(self) -> tuple[Output, ...]:
        """Tensors whose values alone define a detector's maps, and its feature vector; none of another."""
        if self.dense is None:
            return ()
        read = (*self.dense.ports, *self.dense.measured)
        return read if self.feature in (None, *read) else (*read, self.feature)

    @property
    def position_axes(self) -> tuple[int, ...]:
        """Indices of the axes that positions run along: rows and columns, or tokens."""
        return tuple(index for index, role in enumerate(self.layout) if role in "HWT")

    @property
    def feature_axes(self) -> tuple[int, ...]:
        """The axes of positions of what stands for the image."""
        return self.position_axes if self.feature is None else (2, 3)

    @property
    def patches(self) -> tuple[int, int] | None:
        """Which of a block's tokens are cells: the first, and how many; None where all positions are."""
        if not self.sequences:
            return None
        tokens = self.sequences[0].tokens
        return tokens.before, tokens.patches

    def grid_extents(self) -> tuple[Extent, Extent]:
        """Rows and columns as the graph knows them, whatever shape the model is given later.

        Where no tensor has a map's rows or columns on an axis of their own they are today's numbers, which
        no map of another size fits.
        """
        if len(axes := self.position_axes) == 2:
            return extent(self.port, axes[0]), extent(self.port, axes[1])
        if {"H", "W"} <= self.places.keys():
            return extent(*self.places["H"]), extent(*self.places["W"])
        return self.grid[0] or 1, self.grid[1] or 1

    @property
    def batch_axis(self) -> int | None:
        """Index of the axis that counts images; None where a detector takes one and has no axis for it."""
        return self.sample_axis if self.dense is None else self.dense.tensors[0].scales[0].axis_of("N")

    @property
    def sample_axis(self) -> int:
        """Index of the samples' axis."""
        return self.layout.index("N")

    @property
    def channel_axis(self) -> int:
        """Index of the channels' axis."""
        return self.layout.index("C")

    def carried(self, port: Callable[[Output], Output]) -> Target:
        """The same target in a copy of its model, given where each tensor is there."""
        sequences = tuple(replace(each, port=port(each.port)) for each in self.sequences)
        places = {role: (port(place), axis) for role, (place, axis) in self.places.items()}
        return replace(
            self,
            port=port(self.port),
            sequences=sequences,
            places=places,
            dense=None if self.dense is None else self.dense.carried(port),
            feature=None if self.feature is None else port(self.feature),
        )


def layout_of(meaning: Axes) -> MapLayout | None:
    """MapLayout of a feature map: samples, channels, and a grid of more than one cell; None for all else."""
    held = [roles(axis) for axis in meaning]
    if not held or {"H", "W"} & set(held[0]) or not any({"H", "W"} & set(axis) for axis in held):
        return None
    for layout, wanted in _LAYOUTS.items():
        if len(held) == len(wanted) and all(map(_fits, held[1:], wanted[1:])):
            return layout
    return None


def grid_of(meaning: Axes) -> Grid | None:
    """Extents of a tensor's one row atom and one column atom, None where there is not one of each."""
    atoms = [atom for axis in meaning for atom in axis]
    rows, columns = ([atom.extent for atom in atoms if atom.role == role] for role in "HW")
    return (rows[0], columns[0]) if len(rows) == len(columns) == 1 else None


def _fits(held: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether an axis is what a layout wants there: channels of any origin, or exactly the position roles."""
    if wanted == ("C",):
        return not {"H", "W"} & set(held)
    return held == tuple(role for role in wanted if role in held)


def merged_samples(anatomy: Anatomy, target: Target) -> Refusal | None:
    """Why the axis of a target's samples does not hold one row per image, None if it does.

    Crops, flips and windows that become samples of one batch, and scores that are averaged over them, leave
    no place of an image for a cell of the map to be.
    """
    if any(target.places.get("N") == (port, 0) for port in anatomy.images):
        return None
    image, axis = anatomy.images[0], target.batch_axis
    if axis is None or len(extents(image) or ()) == _ONE_IMAGE:
        return None
    for nodes in (anatomy.nodes, *(trial.get_ordered_ops() for trial in anatomy.trials)):
        shapes = [extents(anatomy.twin(port, nodes)) for port in (image, target.port)]
        images, rows = (shape[at] if shape else None for shape, at in zip(shapes, (0, axis), strict=True))
        if images and rows is not None and rows != images:
            several = f"{rows // images} rows for every image"
            what = several if rows % images == 0 else "other rows than images"
            reason = f"axis {axis} of the target holds {what}: views or crops of it, or windows"
            return Refusal(reason, address(target.port))
    return None
