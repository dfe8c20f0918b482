"""Convolutions: of every cell by itself, of the whole map at once, and otherwise on copies written out."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from openvino import Node
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.in_onnx.windows import convolutions_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.levels import by_level
from ovxai_convert.ops.op import CopiedForm, Equation, Op, Trait, on_data, traits, types
from ovxai_convert.ops.whole_map import whole_map_product
from ovxai_convert.tensors.axes import Axes, Axis, Meanings, is_unclear
from ovxai_convert.tensors.extents import ints, reshaped
from ovxai_convert.tensors.permuting import transposed
from ovxai_convert.tensors.ports import elements, extents
from ovxai_convert.tensors.recreate import own_constant


def _kernel(node: Node, place: int = 1) -> tuple[int | None, ...]:
    """Extents of the weights: outputs, inputs, kernel; with groups before them in a grouped one."""
    return extents(node.input_value(place)) or ()


def _pads(node: Node) -> bool:
    attributes = node.get_attributes()
    return any((*attributes["pads_begin"], *attributes["pads_end"]))


def _covers_single_cells(node: Node, spatial: int) -> bool:
    """Whether it is a 1x1 convolution of stride 1."""
    return bool(spatial) and {*node.get_attributes()["strides"], *_kernel(node)[-spatial:]} == {1}


def _of_single_cells(call: Call, data: Masked) -> list[Masked] | NotHere:
    """A 1x1 convolution of stride 1: ``W U(m)`` in every cell."""
    spatial = tuple(range(2, len(call.original(0))))
    if not set(data.positions) <= set(spatial):
        return NotHere("positions lie along its samples or channels")
    if not _covers_single_cells(call.node, len(spatial)):
        return NotHere("its window covers several cells")
    if _pads(call.node):
        return NotHere("it pads the map")
    return by_level(call, [data.positions], affine=True, thin=data.thin)


def _of_the_map(call: Call, data: Masked) -> Sequence[Carried] | NotHere:
    """A kernel that covers the whole map, so that its output has one cell."""
    kernel = _kernel(call.node)
    spatial = tuple(range(2, len(call.original(0))))
    if data.positions != spatial or None in kernel or kernel[1:] != call.original(0)[1:]:
        return NotHere("its kernel is not the whole map")
    if _pads(call.node) or all(extent == 1 for extent in kernel[2:]):
        return NotHere("it pads the map")
    weights = own_constant(call.node.input_value(1))
    matrix = transposed(reshaped(weights, [kernel[0] or 0, -1]), [1, 0])
    product = whole_map_product(data, matrix)
    if isinstance(product, NotHere):
        return product
    return [Copied(ops.unsqueeze(product, ints([axis + 1 for axis in spatial])).output(0))]


def _copied(call: Call) -> list[Copied] | Refusal:
    """On a single cell a convolution is a product with a matrix, which runs faster on a large batch."""
    cell, kernel = call.original(0)[2:], _kernel(call.node)
    single = all(extent == 1 for extent in (*cell, *kernel[2:])) and None not in kernel
    if not single or _pads(call.node) or copying.depends(call):
        return copying.merged()(call)
    spatial = ints([axis + 3 for axis in range(len(cell))])
    rows = ops.squeeze(copying.port_of(call, 0), spatial)
    matrix = reshaped(own_constant(copying.port_of(call, 1)), [kernel[0] or 0, kernel[1] or 0])
    return [Copied(ops.unsqueeze(ops.matmul(rows, matrix, False, True), spatial).output(0))]


def _meaning(node: Node, known: Meanings) -> list[Axes | None]:
    """Samples, channels, places; but what one that looks at single places holds besides it leaves there.

    So is what several grids hold, one after another on an axis, or the sides of boxes, which a convolution
    without neighbours weighs as another exporter would write with a product.
    """
    found, source = meanings.windows(node, known), known.get(node.input_value(0))
    if source is None or not _covers_single_cells(node, len(source) - 2) or _pads(node):
        return found
    return [axes and (*axes[:2], *map(_left, source[2:], axes[2:])) for axes in found]


def _left(before: Axis, after: Axis) -> Axis:
    """What an axis of places holds behind weights for single ones."""
    others = any(atom.parts or atom.role == "C" for atom in before)
    return before if others and not is_unclear(before) else after


def _convolution(
    names: str,
    copied: CopiedForm,
    *equations: Equation,
    grouped: bool = False,
    backwards: bool = False,
    weights: int = 1,
) -> Op:
    def macs(node: Node) -> int:
        """Every output element meets a kernel; of a transposed convolution every input element does."""
        met = node.input_value(0) if backwards else node.output(0)
        return elements(met) * prod(extent or 1 for extent in _kernel(node, weights)[1 + grouped :])

    those = traits(Trait.CONVOLUTION, *([Trait.GROUPED] if grouped else []))
    return Op(types(names), those, _meaning, copied, equations, regions.as_a_whole, macs, in_onnx)


_SINGLE_CELLS: Final = on_data("pointwise convolution", _of_single_cells)

OPS: Final = (
    _convolution("Convolution", _copied, _SINGLE_CELLS, on_data("full-map convolution", _of_the_map)),
    _convolution("GroupConvolution", copying.merged(), _SINGLE_CELLS, grouped=True),
    _convolution("BinaryConvolution", copying.merged()),
    _convolution("DeformableConvolution", copying.merged(1, 3), weights=2),
    _convolution("ConvolutionBackpropData", copying.merged(), backwards=True),
    _convolution("GroupConvolutionBackpropData", copying.merged(), grouped=True, backwards=True),
)
