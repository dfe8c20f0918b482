"""Finding the target: the last feature map before the scores, whose cells a method masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from openvino import Model, Output

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.inputs import describe_inputs, image_ports
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.tokens import TokenTensor
from ovxai_convert.anatomy.tracing import trace_axes
from ovxai_convert.errors import LOCATE, Refusal
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.axes import Atom, Axes, roles
from ovxai_convert.tensors.extents import Extent, extent
from ovxai_convert.tensors.ports import address, extents, find_port

Layout = Literal["NCHW", "NHWC", "NTC", "TNC"]
Grid = tuple[int | None, int | None]
Place = tuple[Output, int]
"""A tensor and one of its axes."""

_MOVES: Final = (Trait.MOVE, Trait.COPY)
_PASSED_OVER: Final = "passed over"
_MOVED: Final = "only moves numbers"
_LAYOUTS: Final[dict[Layout, tuple[tuple[str, ...], ...]]] = {
    "NCHW": (("N",), ("C",), ("H",), ("W",)),
    "NHWC": (("N",), ("H",), ("W",), ("C",)),
    "NTC": (("N",), ("H", "W"), ("C",)),
}


@dataclass(frozen=True)
class Target:
    """The tensor whose spatial cells are masked.

    Attributes:
        port: the feature map.
        layout: ``"NCHW"``, ``"NHWC"`` or ``"NTC"`` (tokens), from how its axes came about.
        grid: rows and columns of the map, None where dynamic; tokens run along the rows.
        selected_by: ``"auto"`` or ``"user"``.
        sequences: tokens that are masked together, the target's own first, where a transformer block is
            the target; else empty.
        block: which transformer block it is, counted from the scores; None for a feature map.
        places: for samples (N), rows (H) and columns (W) a tensor and its axis that hold them alone.
    """

    port: Output
    layout: Layout
    grid: Grid
    selected_by: Literal["auto", "user"] = "auto"
    sequences: tuple[TokenTensor, ...] = ()
    block: int | None = None
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def masked(self) -> tuple[Output, ...]:
        """All tensors that are masked, the target first."""
        return tuple(each.port for each in self.sequences) or (self.port,)

    @property
    def position_axes(self) -> tuple[int, ...]:
        """Indices of the axes that positions run along: rows and columns, or tokens."""
        return tuple(index for index, role in enumerate(self.layout) if role in "HWT")

    def grid_extents(self) -> tuple[Extent, Extent]:
        """Rows and columns as the graph knows them, whatever shape the model is given later.

        Where no tensor has a map's rows or columns on an axis of their own they are today's numbers, which
        no map of another size fits.
        """
        axes = self.position_axes
        if len(axes) == 2:
            return extent(self.port, axes[0]), extent(self.port, axes[1])
        if {"H", "W"} <= self.places.keys():
            return extent(*self.places["H"]), extent(*self.places["W"])
        return self.grid[0] or 1, self.grid[1] or 1

    @property
    def sample_axis(self) -> int:
        """Index of the samples' axis."""
        return self.layout.index("N")

    @property
    def channel_axis(self) -> int:
        """Index of the channels' axis."""
        return self.layout.index("C")


@dataclass(frozen=True)
class Candidate:
    """A place on the way from the input to the scores, and whether a target may stand there.

    Attributes:
        port: a tensor through which all data on its way to the scores passes.
        layout: its layout where it is a feature map, else None.
        grid: its rows and columns where it is a feature map, else None.
        note: why it is no target, or what speaks for it; empty for an ordinary candidate.
        places: for samples, rows and columns a tensor and its axis that hold them alone.
    """

    port: Output
    layout: Layout | None
    grid: Grid | None
    note: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def target(self) -> Target | None:
        """The target that stands here, if this is a feature map."""
        if self.layout is None or self.grid is None:
            return None
        return Target(self.port, self.layout, self.grid, places=self.places)


def candidates(model: Model, flow: DataFlow, scores: Scores) -> list[Candidate]:
    """All narrow places that hold more than one position, the nearest to the scores first."""
    axes = trace_axes(model)
    found: list[Candidate] = []
    for port in flow.narrow_places(scores.port):
        meaning = axes.get(port)
        if meaning is None or not flow.is_learned(port) or not _positions(meaning):
            continue
        grid = grid_of(meaning)
        layout = layout_of(meaning) if grid else None
        note = _note(port, meaning, layout)
        found.append(Candidate(port, layout, grid if layout else None, note, places_of(meaning)))
    return found


def find_target(model: Model, flow: DataFlow, scores: Scores, wanted: str | None = None) -> Target | Refusal:
    """The last feature map before the scores, or the tensor that the user names.

    A pooling that leaves more than one cell, quantised or not, is passed over to the map it pools (VGG:
    14x14, not 7x7). So are maps flattened into one vector, and ops that only move numbers to other axes; but
    where what they move has no layout of its own (windows of an attention), the map is what they make of it:
    the same numbers in the same cells. The walk ends where positions stand in a form that is no grid of rows
    and columns (tokens with a class token among them): what lies behind is not the last map.

    Args:
        model: the model.
        flow: its data edges.
        scores: the class tensor.
        wanted: friendly name, tensor name or ``NAME:PORT``; None searches.

    Raises:
        UsageError: ``wanted`` names no tensor.
    """
    if wanted is not None:
        return _named_target(model, flow, scores, find_port(model, wanted))
    moved: Target | None = None
    for place in candidates(model, flow, scores):
        here = place.target()
        if here and not place.note:
            return here
        if place.note.endswith(_MOVED):
            moved = moved or here
        elif place.note.startswith(_PASSED_OVER):
            moved = None
        elif moved is not None:
            return moved
        else:
            return Refusal(LOCATE, f"no feature map before the scores: {place.note}", address(place.port))
    if len(image_ports(model)) > 1:
        reason = "the inputs meet only behind their last feature maps; name one with --target-layer"
        return Refusal(LOCATE, f"no feature map of all inputs ({describe_inputs(model)}): {reason}")
    return Refusal(LOCATE, "no feature map: no tensor with rows and columns leads to the scores")


def _named_target(model: Model, flow: DataFlow, scores: Scores, port: Output) -> Target | Refusal:
    where = address(port)
    if not flow.depends_on_input(port):
        return Refusal(LOCATE, "the target layer does not depend on the model's input", where)
    if not flow.between(port, scores.port):
        return Refusal(LOCATE, "the target layer does not lead to the scores", where)
    meaning = trace_axes(model).get(port, ())
    layout, grid = layout_of(meaning), grid_of(meaning)
    if layout is None or grid is None:
        return Refusal(LOCATE, f"the target layer is no feature map: {_why_no_map(port, meaning)}", where)
    return Target(port, layout, grid, "user", places=places_of(meaning))


def layout_of(meaning: Axes) -> Layout | None:
    """Layout of a feature map: samples, channels, and a grid of more than one cell; None for all else."""
    found = [roles(axis) for axis in meaning]
    if not found or {"H", "W"} & set(found[0]) or not any({"H", "W"} & set(axis) for axis in found):
        return None
    for layout, wanted in _LAYOUTS.items():
        if len(found) == len(wanted) and all(map(_fits, found[1:], wanted[1:])):
            return layout
    return None


def grid_of(meaning: Axes) -> Grid | None:
    """Extents of a tensor's one row atom and one column atom, None where there is not one of each."""
    atoms = [atom for axis in meaning for atom in axis]
    rows, columns = ([atom.extent for atom in atoms if atom.role == role] for role in "HW")
    return (rows[0], columns[0]) if len(rows) == len(columns) == 1 else None


def places_of(meaning: Axes) -> dict[str, Place]:
    """By role a tensor and its axis that hold all samples, rows or columns of a tensor and nothing else.

    Samples only where they are alone on their axis here, too: several crops of each are no samples.
    """
    atoms = [atom for axis in meaning for atom in axis if atom.role != "N" or len(axis) == 1]
    roles_met = [atom.role for atom in atoms]
    return {
        atom.role: atom.origin
        for atom in atoms
        if atom.origin and roles_met.count(atom.role) == 1 and _is_all_of(atom, *atom.origin)
    }


def _is_all_of(atom: Atom, port: Output, axis: int) -> bool:
    return atom.step == 1 and (extents(port) or ())[axis] == atom.extent


def _fits(found: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether an axis is what a layout wants there: channels of any origin, or exactly the position roles."""
    if wanted == ("C",):
        return not {"H", "W"} & set(found)
    return found == tuple(role for role in wanted if role in found)


def _positions(meaning: Axes) -> bool:
    """Whether a tensor holds more than one spatial position (dynamic extents count as more than one)."""
    if any(role in ("H", "W", "D") for axis in meaning for role in roles(axis)):
        return True
    return len(meaning) >= 3 and any("?" in roles(axis) for axis in meaning[1:])


def _note(port: Output, meaning: Axes, layout: Layout | None) -> str:
    """Why a place is no target; begins with "passed over" where the walk goes on behind it."""
    node = port.get_node()
    moves = has(node, *_MOVES)
    found = [set(roles(axis)) for axis in meaning]
    if layout is None and any({"C", "H", "W"} <= axis for axis in found):
        return f"{_PASSED_OVER}: a flattened map"
    if layout is None and (not moves or any("?" in axis for axis in found)):
        return _why_no_map(port, meaning)
    if moves:
        return f"{_PASSED_OVER}: {node.get_type_name()} {_MOVED}"
    if has(node, Trait.ROUNDING):
        node = node.input_value(0).get_node()
    return f"{_PASSED_OVER}: a pooling that is not global" if has(node, Trait.POOLING) else ""


def _why_no_map(port: Output, meaning: Axes) -> str:
    described = ", ".join("*".join(roles(axis)) or "1" for axis in meaning)
    return f"{port.get_partial_shape()} has axes ({described}), not N, C, H, W or N, H, W, C or N, H*W, C"
