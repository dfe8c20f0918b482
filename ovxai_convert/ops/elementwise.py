"""Ops that treat every value by itself: one value in or several, one value out."""

from __future__ import annotations

from typing import Final

from openvino import Node, Output
from openvino.op import Constant

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.kinds import Call, Copied, Masked, NotHere, Shared
from ovxai_convert.ops.levels import by_level
from ovxai_convert.ops.op import (
    CopiedForm,
    Equation,
    Narrowed,
    Op,
    Trait,
    no_products,
    on_data,
    traits,
    types,
)
from ovxai_convert.tensors.extents import rank_of
from ovxai_convert.tensors.ports import extents
from ovxai_convert.tensors.settled import Extents

_UNARY: Final = (
    "Abs Acos Acosh Asin Asinh Atan Atanh Ceiling Clamp ConvertLike Cos Cosh Elu Erf Exp Floor "
    "Gelu HSigmoid HSwish HardSigmoid IsFinite IsInf IsNaN Log LogicalNot Mish Relu Round Selu Sign "
    "Sin Sinh SoftPlus SoftSign Sqrt Swish Tan Tanh"
)
_BINARY: Final = (
    "Subtract Maximum Minimum SquaredDifference Mod FloorMod Equal NotEqual Less LessEqual Greater "
    "GreaterEqual Select LogicalAnd LogicalOr LogicalXor FakeConvert"
)
_AFFINE: Final = types("Convert Identity Negative Add Subtract")
_SCALING: Final = types("Multiply Divide")
_STEPS: Final = types("Add Multiply")
"""What follows a product in a linear layer."""


def _position_by_position(call: Call) -> list[Masked] | NotHere:
    """``f(U(m))``; inputs after the first are parameters without axes (Swish's beta).

    On a flattened map, too: which axes the values lie on does not matter.
    """
    first, *parameters = call.inputs
    if not isinstance(first, Masked) or not all(isinstance(each, Shared) for each in parameters):
        return NotHere("its parameters depend on the target")
    affine = call.node.get_type_name() in _AFFINE
    return by_level(call, [first.positions], affine=affine, thin=first.thin)


def _broadcast(call: Call) -> list[Masked] | NotHere:
    """``f(U1(m), U2(m), S)`` for tensors of one mask on one grid, and shared ones S that broadcast to it.

    An S with an extent along the positions (a position embedding) makes U differ from position to position,
    which is allowed but on a pooled grid, where several copies share one.
    """
    found = call.masked()
    if isinstance(found, NotHere):
        return found
    full, first = len(call.result), found[0][1]
    positions = _aligned(call, found[0][0], first, full)
    if any(_aligned(call, *each, full) != positions for each in found):
        return NotHere("positions lie along different axes")
    if any(_repeats(call, index, positions, full) for index, _ in found):
        return NotHere("it repeats the map along its positions")
    moving = any(
        _differs(call, index, positions)
        for index, each in enumerate(call.inputs)
        if not isinstance(each, Masked)
    )
    if moving and first.mask.pooled:
        return NotHere("a value for every position meets a pooled map")
    kind = call.node.get_type_name()
    scaled = kind in _SCALING and len(found) == 1 and (found[0][0] == 0 or kind != "Divide")
    thin = {None if each.thin is None else each.thin + full - len(call.original(i)) for i, each in found}
    affine = kind in _AFFINE or scaled
    return by_level(
        call, [positions], affine=affine, same=not moving, thin=thin.pop() if len(thin) == 1 else None
    )


def _aligned(call: Call, index: int, tensor: Masked, full: int) -> tuple[int, ...]:
    return tuple(axis + full - len(call.original(index)) for axis in tensor.positions)


def _repeats(call: Call, index: int, positions: tuple[int, ...], full: int) -> bool:
    """Whether an input has fewer positions than the result."""
    own = call.original(index)
    return any(own[axis - full + len(own)] != call.result[axis] for axis in positions)


def _differs(call: Call, index: int, positions: tuple[int, ...]) -> bool:
    """Whether a shared input may have a value of its own for every position."""
    port = call.node.input_value(index)
    shape, full = extents(port) or (), len(call.result)
    fixed = isinstance(port.get_node(), Constant)
    own = {axis: axis - full + len(shape) for axis in positions}
    return any(
        place >= 0 and (shape[place] != 1 or (call.result[axis] == 1 and not fixed))
        for axis, place in own.items()
    )


def _along_slope(call: Call, data: Masked) -> list[Masked] | NotHere:
    """A slope that does not vary along the positions."""
    slope, rank = extents(call.node.input_value(1)) or (), len(call.original(0))
    varies = [rank - len(slope) + axis for axis, each in enumerate(slope) if each != 1]
    if len(slope) == 1:  # a vector belongs to the second axis
        varies = [1] if slope[0] != 1 else []
    if set(varies) & set(data.positions):
        return NotHere("its slope varies along the positions")
    return by_level(call, [data.positions], thin=data.thin)


def _quantised(call: Call) -> list[Copied] | Refusal:
    """Limits per channel: the runtime knows channels as the second axis only, so copies join the samples."""
    limits = [copying.port_of(call, index) for index in range(1, len(call.inputs))]
    count = len(call.original(0))
    per_sample = any(rank_of(each) == count and (extents(each) or ())[0] != 1 for each in limits)
    plain = per_sample or count < 2 or not copying.has_copies(call, 0)
    return (copying.broadcasting if plain or copying.depends(call) else copying.merged())(call)


def _row(names: str, copied: CopiedForm, equation: Equation, narrowed: Narrowed, *more: Trait) -> Op:
    those = traits(Trait.ELEMENTWISE, Trait.KEEPS_AXES, *more)
    return Op(types(names), those, meanings.elementwise, copied, (equation,), narrowed, no_products)


def _unary(names: str, *more: Trait) -> Op:
    return _row(names, copying.unary, _UNARY_EQUATION, regions.unary, *more)


def _binary(names: str, *more: Trait) -> Op:
    return _row(names, copying.broadcasting, _BROADCAST_EQUATION, regions.broadcasting, *more)


_UNARY_EQUATION: Final = Equation("unary", _position_by_position)
_BROADCAST_EQUATION: Final = Equation("broadcast", _broadcast)

OPS: Final = (
    _unary(_UNARY),
    _unary("Convert Identity", Trait.COPY),
    _unary("Negative"),
    _unary("Sigmoid", Trait.SIGMOID),
    _binary("Add", Trait.ADD),
    _binary("Multiply", Trait.MULTIPLY),
    _binary("Divide", Trait.DIVIDE),
    _binary("Power", Trait.POWER),
    _binary(_BINARY),
    _row("FakeQuantize", _quantised, _BROADCAST_EQUATION, regions.broadcasting, Trait.ROUNDING),
    _row("PRelu", copying.merged(), on_data("slope", _along_slope), regions.as_a_whole),
)


def rows_read_by(node: Node, known: Extents) -> Output | None:
    """The input ``[rows, C]`` to whose rows a vector is added or multiplied, None of any other op."""
    if node.get_type_name() not in _STEPS:
        return None
    first, second = node.input_values()
    vectors = [all(each == 1 for each in known[port][:-1]) for port in (first, second)]
    return None if vectors[0] == vectors[1] else second if vectors[0] else first
