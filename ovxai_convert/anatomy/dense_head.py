"""A detector's dense head: tensors with the scores of all classes at every place of one scale or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Final, Literal, TypeAlias

from openvino import Output

from ovxai_convert.anatomy.places import AxisPlace, places_of
from ovxai_convert.tensors.axes import Atom, Axes, Axis
from ovxai_convert.tensors.extents import Extent, extent, product

Role: TypeAlias = Literal["N", "A", "H", "W", "K"]
"""What a factor of an axis counts: samples, anchors, rows, columns, classes."""
_ROLES: Final = frozenset("NCHW")
DenseActivation: TypeAlias = Literal["sigmoid", "softmax", "none"]


@dataclass(frozen=True)
class Factor:
    """One of the counts that an axis runs over; ``extent`` is None where it is open."""

    role: Role
    extent: int | None


@dataclass(frozen=True)
class HeadScale:
    """One scale: the places of one scale within a tensor.

    Attributes:
        axes: what each axis of the tensor, cut to this scale, runs over, outermost first; factors of extent
            one are left out.
        places: for rows (H) and columns (W) a tensor and its axis that hold them alone, where there is one.
    """

    axes: tuple[tuple[Factor, ...], ...]
    places: Mapping[str, AxisPlace] = field(default_factory=dict, compare=False)

    def size(self, role: Role) -> int | None:
        """How many there are: 1 where no axis counts them, None where that is open."""
        sizes = [factor.extent for axis in self.axes for factor in axis if factor.role == role]
        known = [size for size in sizes if size is not None]
        return prod(known) if len(known) == len(sizes) else None

    def axis_of(self, role: Role) -> int | None:
        """The axis on which something is counted."""
        return next(
            (index for index, axis in enumerate(self.axes) if any(each.role == role for each in axis)), None
        )

    def extent(self, role: Role) -> Extent:
        """The same as the graph knows it, whatever shape the model is given later."""
        if role in self.places:
            return extent(*self.places[role])
        return self.size(role) or 1

    def length(self, axis: int) -> Extent:
        """How many indices of an axis are this scale's."""
        return product(self.lengths(axis))

    def lengths(self, axis: int) -> list[Extent]:
        """The extents of an axis's factors."""
        return [
            self.extent(each.role) if each.extent is None or each.role in "HW" else each.extent
            for each in self.axes[axis]
        ]

    @property
    def anchors(self) -> tuple[int, ...]:
        """How many anchors each place has, along each axis that counts them."""
        return tuple(each.extent or 1 for axis in self.axes for each in axis if each.role == "A")

    def carried(self, port: Callable[[Output], Output]) -> HeadScale:
        """The same in a copy of its model."""
        return replace(
            self, places={role: (port(place), axis) for role, (place, axis) in self.places.items()}
        )


@dataclass(frozen=True)
class ScoreTensor:
    """A tensor with scores of one scale or of several one after another.

    Attributes:
        scales: the scales in it, in their order.
        joined: the axis along which they follow each other; None of a single one.
        classes: which indices of the classes' axis are classes; None: all.
        objectness: the index on that axis of the score that there is anything, or a tensor that holds it; by
            it the classes' are still to be multiplied. None where the network has done so, or has none.
        unfinished: whether the network takes the sigmoid of some candidates alone, behind this tensor.
    """

    port: Output
    scales: tuple[HeadScale, ...]
    joined: int | None = None
    classes: tuple[int, ...] | None = None
    objectness: ScoreTensor | int | None = None
    unfinished: bool = False

    @property
    def class_axis(self) -> int | None:
        """The axis of the classes; None where it has one class only and no axis for it."""
        return self.scales[0].axis_of("K")

    @property
    def tells_classes(self) -> bool:
        """Whether classes have an axis, if only of one entry; else they may lie flat among the places."""
        return self.class_axis is not None or any(not axis for axis in self.scales[0].axes[1:])

    @property
    def width(self) -> int:
        """How many numbers each place and anchor has."""
        return self.scales[0].size("K") or 1

    @property
    def columns(self) -> tuple[int, ...]:
        """The indices on the classes' axis that are classes."""
        return tuple(range(self.width)) if self.classes is None else self.classes

    def carried(self, port: Callable[[Output], Output]) -> ScoreTensor:
        """The same in a copy of its model."""
        beside = self.objectness
        return replace(
            self,
            port=port(self.port),
            scales=tuple(scale.carried(port) for scale in self.scales),
            objectness=beside.carried(port) if isinstance(beside, ScoreTensor) else beside,
        )

    @property
    def shared_axis(self) -> int | None:
        """The axis on which classes stand within anchors; None where they have one of their own."""
        axis = self.class_axis
        return axis if axis is not None and len(self.scales[0].axes[axis]) > 1 else None

    def with_anchors_apart(self) -> ScoreTensor:
        """The same where each factor of that axis has become an axis."""
        shared = self.shared_axis
        if shared is None:
            return self
        more = len(self.scales[0].axes[shared]) - 1
        joined = self.joined if self.joined is None or self.joined < shared else self.joined + more
        scales = tuple(
            replace(
                scale,
                axes=(
                    *scale.axes[:shared],
                    *((each,) for each in scale.axes[shared]),
                    *scale.axes[shared + 1 :],
                ),
            )
            for scale in self.scales
        )
        return replace(self, scales=scales, joined=joined)

    def with_anchors(self, anchors: int) -> ScoreTensor:
        """The same where channels ``[A * K]`` hold anchors, of each all classes."""
        return replace(self, scales=tuple(_with_anchors(scale, anchors) for scale in self.scales))


def _with_anchors(scale: HeadScale, anchors: int) -> HeadScale:
    def split(factor: Factor) -> tuple[Factor, ...]:
        if factor.role != "K" or factor.extent is None or anchors == 1:
            return (factor,)
        return Factor("A", anchors), Factor("K", factor.extent // anchors)

    return replace(
        scale, axes=tuple(tuple(new for each in axis for new in split(each)) for axis in scale.axes)
    )


@dataclass(frozen=True)
class DenseHead:
    """All that a detector says of classes before it picks boxes.

    Attributes:
        tensors: with all scales between them.
        class_count: K, without the background.
        activation: what scores are made of logits with; ``"none"``: they are logits.
        missing: the same where it is still to be done to the tensors.
        objectness: whether a score that there is anything is in the scores, or is to be multiplied in.
        background: the index, on the classes' axis, of the class that stands for nothing.
        assumed: what nobody says and was taken to be so, one line each.
    """

    tensors: tuple[ScoreTensor, ...]
    class_count: int
    activation: DenseActivation = "none"
    missing: DenseActivation = "none"
    objectness: Literal["none", "in_scores", "beside"] = "none"
    background: int | None = None
    assumed: tuple[str, ...] = ()

    @property
    def scales(self) -> list[tuple[ScoreTensor, HeadScale]]:
        """Every scale, with the tensor that it is in, as they come."""
        return [(tensor, scale) for tensor in self.tensors for scale in tensor.scales]

    @property
    def finest(self) -> HeadScale:
        """The scale of the most rows, of several the first."""
        return max((scale for _, scale in self.scales), key=lambda scale: scale.size("H") or 0)

    @property
    def ports(self) -> tuple[Output, ...]:
        """The tensors that hold scores and what these are multiplied by, each once."""
        beside = [each.objectness for each in self.tensors]
        apart = [each.port for each in beside if isinstance(each, ScoreTensor)]
        return tuple(dict.fromkeys([*(each.port for each in self.tensors), *apart]))

    @property
    def measured(self) -> tuple[Output, ...]:
        """Tensors that tell rows and columns of the scales, beside those."""
        places = [port for _, scale in self.scales for port, _ in scale.places.values()]
        return tuple(port for port in dict.fromkeys(places) if port not in self.ports)

    def carried(self, port: Callable[[Output], Output]) -> DenseHead:
        """The same in a copy of its model."""
        return replace(self, tensors=tuple(tensor.carried(port) for tensor in self.tensors))


def score_tensor(port: Output, meaning: Axes | None) -> ScoreTensor | None:
    """A tensor as scores of places, if what all of its axes hold is understood and places are among it.

    Numbers of a place on an axis of their own are its classes; what is dealt out among the places, or lies
    further out, are anchors.
    """
    if meaning is None:
        return None
    joined = [index for index, axis in enumerate(meaning) if _joins_places(axis)]
    if len(joined) > 1:
        return None
    parts = list(_flattened(meaning[joined[0]][0].parts)) if joined else [None]
    each = (_replaced(meaning, joined, part) for part in parts)
    scales = [_scale(axes) for axes in each]
    whole = [scale for scale in scales if scale is not None]
    several = any((scale.size("H") or 2) * (scale.size("W") or 2) > 1 for scale in whole)
    single = {"H", "W"} <= {atom.role for axis in meaning for atom in axis}  # the coarsest of several scales
    if (
        len(whole) != len(scales)
        or not (several or single)
        or len({scale.axis_of("K") for scale in whole}) > 1
    ):
        return None
    return ScoreTensor(port, tuple(whole), joined[0] if joined else None)


def _replaced(meaning: Axes, joined: Sequence[int], part: Axis | None) -> Axes:
    if part is None:
        return meaning
    return (*meaning[: joined[0]], part, *meaning[joined[0] + 1 :])


def _joins_places(axis: Axis) -> bool:
    """Whether an axis holds places of several scales, one after another."""
    return len(axis) == 1 and any(_has_places(part) for part in axis[0].parts)


def _has_places(axis: Axis) -> bool:
    return any(atom.role in "HW" or any(map(_has_places, atom.parts)) for atom in axis)


def _joins_numbers(atom: Atom) -> bool:
    """Whether an axis holds several kinds of numbers of a place, one after another."""
    return atom.role == "?" and bool(atom.parts)


def _flattened(parts: Sequence[Axis]) -> Iterator[Axis]:
    """Parts of parts, too."""
    for part in parts:
        if _joins_places(part):
            yield from _flattened(part[0].parts)
        else:
            yield part


def _scale(meaning: Axes) -> HeadScale | None:
    """One scale by what its axes hold; None where that is not understood."""
    atoms = [[atom for atom in axis if atom.extent != 1] for axis in meaning]
    roles = [["C" if _joins_numbers(atom) else atom.role for atom in axis] for axis in atoms]
    flat = [role for axis in roles for role in axis]
    if not set(flat) <= _ROLES or any(flat.count(role) > 1 for role in "NHW"):
        return None
    alone = [index for index, axis in enumerate(roles) if axis and set(axis) == {"C"}]
    inner = min(alone, key=lambda index: min(atom.step for atom in atoms[index]), default=None)
    counted: dict[str, Role] = {"N": "N", "H": "H", "W": "W"}
    axes = tuple(
        tuple(Factor("K" if index == inner else counted.get(atom.role, "A"), atom.extent) for atom in axis)
        for index, axis in enumerate(atoms)
    )
    if axes and not axes[0]:  # one sample, which may become several
        axes = ((Factor("N", 1),), *axes[1:])
    if any(factor.role in "AK" and factor.extent is None for axis in axes for factor in axis):
        return None
    return HeadScale(axes, {role: place for role, place in places_of(meaning).items() if role in "HW"})
