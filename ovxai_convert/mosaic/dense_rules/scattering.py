"""Writing into a tensor at given indices, on the batch of copies."""

from __future__ import annotations

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.ports import extents
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules.batched import Batched, refuse
from ovxai_convert.mosaic.kinds import Dense, Shared
from ovxai_convert.mosaic.shapes import ints, product, rank_of, shape_vector, transposed


def scatter_nd_update(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Indices that name the only sample too, as exporters write ``x[:, 1:] += y``.

    The copies become the last axis of data and updates, and the indices lose their entry for the sample,
    which can only be the first one.
    """
    data, indices, updates = inputs
    shape, depth = extents(node.input_value(0)), (extents(node.input_value(1)) or (None,))[-1]
    if shape is None or depth is None or isinstance(indices, Dense) or copies.samples != 1:
        return refuse(node, "takes indices of samples, of which there may be several")
    axis = data.batch_axis if isinstance(data, Dense) else 0
    merged = any(isinstance(each, Dense) and each.inner != 1 for each in inputs)
    if merged or axis >= depth or shape[axis] != 1:
        return refuse(node, "writes across the axis that holds the copies")
    kept = [each for each in range(depth) if each != axis]
    created = recreate(
        node,
        [
            ops.squeeze(_copies_last(data, axis, copies), ints(axis)).output(0),
            ops.gather(indices.port, ints(kept), ints(-1)).output(0),
            _copies_last(updates, updates.batch_axis if isinstance(updates, Dense) else 0, copies),
        ],
    )
    if isinstance(created, Refusal):
        return created
    others = list(range(len(shape) - 1))
    order = [*others[:axis], len(others), *others[axis:]]
    return [Dense(transposed(created.output(0), order), axis)]


def _copies_last(tensor: Dense | Shared, axis: int, copies: Copies) -> Output:
    """``[..., P, ...] -> [..., 1, ..., P]``; what does not depend on the target is repeated."""
    wide = ops.unsqueeze(tensor.port, ints(-1)).output(0)
    if isinstance(tensor, Shared):
        times = shape_vector([*([1] * rank_of(tensor.port)), product([copies.samples, copies.count])])
        return ops.tile(wide, times).output(0)
    order = list(range(rank_of(wide)))
    order[axis], order[-1] = order[-1], order[axis]
    return transposed(wide, order)
