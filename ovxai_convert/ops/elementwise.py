"""Ops that treat every value by itself: one value in or several, one value out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openvino import Node, Output
from openvino.op import Constant

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.in_onnx.elementwise import elementwise_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Copied, Masked, NotHere, Shared
from ovxai_convert.ops.levels import by_level
from ovxai_convert.ops.op import Equation, Op, Trait, no_products, on_data, on_masked, traits, types
from ovxai_convert.tensors.extents import rank_of
from ovxai_convert.tensors.ports import extents
from ovxai_convert.tensors.settled import Extents

_UNARY: Final = (
    "Acos Acosh Asin Asinh Atan Atanh Ceiling Clamp ConvertLike Cos Cosh Elu Erf Floor "
    "Gelu HSigmoid HSwish HardSigmoid IsFinite IsInf IsNaN Log LogicalNot Mish Round Selu Sign "
    "Sin Sinh SoftSign Swish Tan Tanh"
)
_BINARY: Final = (
    "Subtract Maximum Minimum SquaredDifference Mod FloorMod Equal NotEqual Less LessEqual Greater "
    "GreaterEqual Select LogicalAnd LogicalOr LogicalXor FakeConvert"
)
_AFFINE: Final = types("Convert Identity Negative Add Subtract")


def _position_by_position(call: Call) -> list[Masked] | NotHere:
    """``f(U(m))``; inputs after the first are parameters without axes (Swish's beta).

    On a flattened map, too: which axes the values lie on does not matter.
    """
    first, *parameters = call.inputs
    if not isinstance(first, Masked) or not all(isinstance(each, Shared) for each in parameters):
        return NotHere("its parameters depend on the target")
    return by_level(call, [first.positions], affine=call.node.get_type_name() in _AFFINE, thin=first.thin)


def _broadcast(call: Call, masked: list[tuple[int, Masked]]) -> list[Masked] | NotHere:
    """``f(U1(m), U2(m), S)`` for tensors of one mask on one grid, and shared ones S that broadcast to it.

    An S with an extent along the positions (a position embedding) makes U differ from position to position,
    which is allowed but on a pooled grid, where several copies share one.
    """
    # by how many axes an input's are further on in the result
    ahead = [len(call.result) - len(call.original(index)) for index in range(len(call.inputs))]
    placed = [tuple(axis + ahead[index] for axis in tensor.positions) for index, tensor in masked]
    positions, pooled = placed[0], masked[0][1].mask.pooled
    if any(axes != positions for axes in placed):
        return NotHere("positions lie along different axes")
    pairs = [(index, axis) for index, _ in masked for axis in positions]
    if any(call.original(index)[axis - ahead[index]] != call.result[axis] for index, axis in pairs):
        return NotHere("it repeats the map along its positions")
    shared = [index for index, tensor in enumerate(call.inputs) if isinstance(tensor, Shared)]
    moving = any(_differs(call, index, positions) for index in shared)
    if moving and pooled:
        return NotHere("a value for every position meets a pooled map")
    kind = call.node.get_type_name()
    scaled = len(masked) == 1 and (kind == "Multiply" or (kind == "Divide" and masked[0][0] == 0))
    thins = {None if tensor.thin is None else tensor.thin + ahead[index] for index, tensor in masked}
    thin = thins.pop() if len(thins) == 1 else None
    return by_level(call, [positions], affine=kind in _AFFINE or scaled, same=not moving, thin=thin)


def _differs(call: Call, index: int, positions: tuple[int, ...]) -> bool:
    """Whether a shared input may have a value of its own for every position."""
    port = call.node.input_value(index)
    shape, full = extents(port) or (), len(call.result)
    fixed = isinstance(port.get_node(), Constant)
    held = {axis: shape[axis - full] for axis in positions if axis >= full - len(shape)}
    return any(extent != 1 or (call.result[axis] == 1 and not fixed) for axis, extent in held.items())


def _along_slope(call: Call, data: Masked) -> list[Masked] | NotHere:
    """A slope that does not vary along the positions."""
    slope, rank = extents(call.node.input_value(1)) or (), len(call.original(0))
    first = 1 if len(slope) == 1 else rank - len(slope)  # a vector belongs to the second axis
    if {axis for axis, extent in enumerate(slope, first) if extent != 1} & set(data.positions):
        return NotHere("its slope varies along the positions")
    return by_level(call, [data.positions], thin=data.thin)


def _quantised(call: Call) -> list[Copied] | Refusal:
    """Limits per channel: the runtime knows channels as the second axis only, so copies join the samples."""
    limits = [copying.port_of(call, index) for index in range(1, len(call.inputs))]
    count = len(call.original(0))
    per_sample = any(rank_of(each) == count and (extents(each) or ())[0] != 1 for each in limits)
    plain = per_sample or count < 2 or not copying.has_copies(call, 0)
    return (copying.broadcasting if plain or copying.depends(call) else copying.merged())(call)


def _binary(names: str, *more: Trait) -> Op:
    those = traits(Trait.ELEMENTWISE, Trait.KEEPS_AXES, *more)
    equations, region = (on_masked("broadcast", _broadcast),), regions.broadcasting
    return Op(
        types(names),
        those,
        meanings.elementwise,
        copying.broadcasting,
        equations,
        region,
        no_products,
        in_onnx,
    )


def _unary(names: str, *more: Trait) -> Op:
    equations = (Equation("unary", _position_by_position),)
    return replace(_binary(names, *more), copied=copying.unary, equations=equations, narrowed=regions.unary)


_SLOPE: Final = (on_data("slope", _along_slope),)

OPS: Final = (
    _unary(_UNARY),
    _unary("Abs Exp Relu SoftPlus", Trait.NOT_NEGATIVE),
    _unary("Sqrt", Trait.NOT_NEGATIVE, Trait.ROOT),
    _unary("Convert Identity", Trait.COPY),
    _unary("Negative"),
    _unary("Sigmoid", Trait.SIGMOID),
    _binary("Add", Trait.ADD),
    _binary("Multiply", Trait.MULTIPLY),
    _binary("Divide", Trait.DIVIDE),
    _binary("Power", Trait.POWER),
    _binary(_BINARY),
    replace(_binary("FakeQuantize", Trait.ROUNDING), copied=_quantised),
    replace(_binary("PRelu"), copied=copying.merged(), equations=_SLOPE, narrowed=regions.as_a_whole),
)


def rows_read_by(node: Node, known: Extents) -> Output | None:
    """The input ``[rows, C]`` to whose rows a vector is added or multiplied, None of any other op."""
    if node.get_type_name() not in ("Add", "Multiply"):
        return None
    first, second = node.input_values()
    vectors = [all(each == 1 for each in known[port][:-1]) for port in (first, second)]
    return None if vectors[0] == vectors[1] else second if vectors[0] else first
