"""A feature map too large for its mosaic: equations need megabytes where the mosaic needs gigabytes."""

from __future__ import annotations

from typing import Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.networks import Tensor
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import DEFAULT_MAX_BRANCH_BYTES
from tests.ops.equation_cases import CLASSES, op, squashed
from tests.ops.heads import Start, head_model
from tests.ops.inserting import added_bytes, insert_with, none_at_all, tensor_bytes
from tests.oracle import Floats, Port, _with_mask, assert_maps_equal
from tests.running import assert_originals_kept, compile_f32, random_inputs, run

CHANNELS, GRID = 64, (56, 56)
CELLS: Final = GRID[0] * GRID[1]
MOSAIC_BYTES: Final = CELLS * CHANNELS * CELLS * 4
MEGABYTE: Final = 10**6


def _head(s: Start) -> Tensor:
    x = ops.exp(op(squashed(s)))
    return ops.reduce_max(ops.tanh(s.draw.convolution(x, CHANNELS, kernel=1)), [2, 3], False)


def _model() -> ov.Model:
    return head_model(_head, 1, CHANNELS, GRID)


def _scores_of_cell(masked: ov.CompiledModel, inputs: dict[str, Floats], cell: int) -> Floats:
    """One run of the original model with all cells but one set to zero."""
    mask = np.zeros((1, 1, *GRID), np.float32)
    mask.flat[cell] = 1
    scores: Floats = masked({**inputs, "oracle_mask": mask})[masked.outputs[-1]][0]
    return scores


def test_equations_stay_small() -> None:
    """All tensors of the branch together, of which the runtime holds a few at a time."""
    model = _model()
    inputs = random_inputs(model)
    insertion = insert_with(model)
    assert sum(added_bytes(model, insertion)) < 100 * MEGABYTE < MOSAIC_BYTES
    after = run(insertion.model, inputs)
    assert_originals_kept(model, insertion.model, run(model, inputs), after)
    masked, _ = _with_mask(model, Port("target"), Port("scores"), "NCHW")
    cells = [0, 1, 56, 1234, 2000, 3079, CELLS - 1]
    expected = np.stack([_scores_of_cell(compile_f32(masked), inputs, cell) for cell in cells], axis=-1)
    maps = after[-1].reshape(1, CLASSES, CELLS)[..., cells]
    assert_maps_equal(maps[..., None, :], expected[None, :, None, :])


def test_executed_tensors_stay_small() -> None:
    """The same of the graph that the runtime makes of the branch, where nothing may be written out either."""
    executed = compile_f32(insert_with(_model()).model).get_runtime_model()
    sizes = [tensor_bytes(port) for node in executed.get_ordered_ops() for port in node.outputs()]
    assert CELLS * CHANNELS * 4 < sum(sizes) < 100 * MEGABYTE


def test_mosaic_is_refused_with_the_numbers() -> None:
    with pytest.raises(RefusedError) as caught:
        insert_with(_model(), none_at_all)
    (refusal,) = caught.value.refusals
    assert MOSAIC_BYTES > DEFAULT_MAX_BRANCH_BYTES
    assert "need 2.34 GiB, more than 2 GiB" in refusal.reason
    assert (refusal.method, refusal.node) == ("reciprocam", "op")


def test_limit_that_only_equations_keep() -> None:
    """At 8 x 8 the mosaic can be built where it is allowed, and gives the map that they give."""
    model = head_model(_head, 1, CHANNELS, (8, 8))
    size = 64 * CHANNELS * 64 * 4
    inputs = random_inputs(model)
    compact = insert_with(model, max_bytes=size // 2)
    assert max(added_bytes(model, compact)) < size // 2
    written_out = insert_with(model, none_at_all, max_bytes=4 * size)
    assert max(added_bytes(model, written_out)) == size
    assert_maps_equal(run(compact.model, inputs)[-1], run(written_out.model, inputs)[-1])
    with pytest.raises(RefusedError, match="all copies at HardSigmoid need 1 MiB, more than"):
        insert_with(model, none_at_all, max_bytes=size // 2)
