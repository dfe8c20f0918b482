"""The forms in which a tensor of the head is carried for all copies, and an op that is met by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.tensors.extents import sliced
from ovxai_convert.tensors.ports import extents


@dataclass(frozen=True)
class Shared:
    """A tensor that does not depend on the target: the same for every copy, as it stands in the model."""

    port: Output


@dataclass(frozen=True)
class Copied:
    """All copies written out, on an axis of their own: ``[P, *shape]``."""

    port: Output


@dataclass(frozen=True)
class Mask:
    """By what every position is multiplied in every copy: M ``[P, T]``.

    Attributes:
        levels: all values that M takes, and 0 and 1, in ascending order.
        weights: M; None where it is one-hot: copy p keeps position p alone.
        fixed: for every position its weight where that is the same in all copies (a class token), else None.
        window: of a one-hot mask, along each position axis how many copies share one position, after a
            pooling: copy p keeps the position ``p // window``.
    """

    levels: tuple[float, ...] = (0.0, 1.0)
    weights: Output | None = None
    fixed: tuple[float | None, ...] = ()
    window: tuple[int, ...] = ()

    @property
    def one_hot(self) -> bool:
        """Whether every copy keeps one position."""
        return self.weights is None

    @property
    def pooled(self) -> bool:
        """Whether several copies keep the same position, each with a value of its own."""
        return any(size != 1 for size in self.window)

    @property
    def everywhere(self) -> float | None:
        """The weight of all positions in all copies, None where they differ."""
        return self.fixed[0] if len(set(self.fixed)) == 1 else None

    def of_copies(self, first: int, last: int) -> Mask:
        """The mask of the copies from ``first`` to before ``last`` only."""
        assert self.weights is not None, "one-hot copies are computed all at once"
        return replace(self, weights=sliced(self.weights, {0: (first, last)}))


@dataclass(frozen=True)
class Masked:
    """Positions (cells of a map, tokens) that were multiplied by a mask and have not met each other since.

    What position t of copy p is then depends on the copy through its own weight alone:

        D[p, t] = U(M[p, t])[t]

    U(m) being the tensor where all positions were multiplied by m. It is known at some levels of m, and
    wherever a position was multiplied by another number it lies on the line between two levels:

        D[p, t] = U(0)[t] + M[p, t] * (U(1)[t] - U(0)[t])    where only linear ops were met.

    For Recipro-CAM M is the identity: ``D[p] = B + onehot(p) * (V - B)`` with the background B = U(0) and the
    values V = U(1). Behind a pooling several copies keep one cell, each with its own value of V.

    Attributes:
        parts: U at every level, each of the original tensor's shape, but for a pooled V, which keeps one
            value per copy.
        uniform: for every part whether it is the same at all positions; its extents there are 1.
        levels: the levels; 0 and 1 as long as ``linear``, later all values that M takes.
        linear: between the levels, U is a straight line.
        positions: the axes that positions run along, the outermost first.
        mask: M.
        flat: the tensor is meant with all axes but the first merged into one; the parts keep them apart.
        thin: an axis on which parts before the last may have extent 1, because they start as one zero for all
            samples and stay a constant as long as nothing works along it; None: there is none.
    """

    parts: tuple[Output, ...]
    uniform: tuple[bool, ...]
    levels: tuple[float, ...]
    linear: bool
    positions: tuple[int, ...]
    mask: Mask
    flat: bool = False
    thin: int | None = None

    @property
    def windows(self) -> tuple[int, ...]:
        """Along each position axis, how many copies share one position."""
        return self.mask.window or (1,) * len(self.positions)


Carried = Shared | Copied | Masked


@dataclass(frozen=True)
class NotHere:
    """Why an equation does not hold for an op as it stands: a value, collected for whoever asks."""

    reason: str


@dataclass(frozen=True)
class Call:
    """An op of the head as it stands in the model, what its inputs have become, and P, i64 of shape [1]."""

    node: Node
    inputs: Sequence[Carried]
    count: Output

    def original(self, index: int) -> tuple[int | None, ...]:
        """Extents of an input of the op as it stands in the model, None where open."""
        return extents(self.node.input_value(index)) or ()

    @property
    def result(self) -> tuple[int | None, ...]:
        """Extents of the op's first output as it stands in the model, None where open."""
        return extents(self.node.output(0)) or ()

    def masked(self) -> list[tuple[int, Masked]] | NotHere:
        """The compact inputs by their indices, if they are of one mask and all others are shared."""
        masked = [(index, tensor) for index, tensor in enumerate(self.inputs) if isinstance(tensor, Masked)]
        if any(isinstance(tensor, Copied) for tensor in self.inputs):
            return NotHere("another input is written out already")
        if any(tensor.mask != masked[0][1].mask for _, tensor in masked):
            return NotHere("its inputs are masked in different ways")
        return NotHere("it reads a flattened map") if any(tensor.flat for _, tensor in masked) else masked

    def data(self) -> Masked | NotHere:
        """The first input, if it alone is compact and all others (weights, axes) are shared."""
        first, *others = self.inputs
        if not isinstance(first, Masked) or not all(isinstance(each, Shared) for each in others):
            return NotHere("its parameters depend on the target")
        return NotHere("it reads a flattened map") if first.flat else first

    def refuse(self, reason: str) -> Refusal:
        """A refusal at this op."""
        return Refusal(f"{self.node.get_type_name()} {reason}", self.node.get_friendly_name())
