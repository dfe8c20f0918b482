"""The proof at another batch and size: what the sidecar says of it, and that it can fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import Output
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import (
    CnnSpec,
    Draw,
    classifier,
    cnn,
    image_parameter,
    named,
    reshaped,
    transposed,
)
from ovxai_convert import convert
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.artifact.checks import ReshapeCheck
from ovxai_convert.errors import VerificationError
from ovxai_convert.ops import reductions
from ovxai_convert.ops.kinds import Masked
from ovxai_convert.proof.reshapes import other_shapes
from tests.transformers import VitSpec, transformer


def one_window() -> ov.Model:
    """A pooling of the whole map as it is now, which leaves several cells of a larger one, and their mean."""
    draw, image = Draw(5), image_parameter(CnnSpec(height=6, width=8))
    target = named(ops.relu(draw.convolution(image, 4)), "target")
    pooled = ops.avg_pool(target, [1, 1], [0, 0], [0, 0], [6, 8], False)
    scores = named(draw.linear(ops.reduce_mean(pooled, [2, 3], False), 3), "scores")
    return classifier(scores, [image])


def checks(model: ov.Model, folder: Path) -> tuple[ReshapeCheck, ...]:
    report = convert(save_ir(model, folder / "net.xml"), folder / "out")
    return report.sidecar.reshapes


def test_batch_and_size_together(tmp_path: Path) -> None:
    (check,) = checks(cnn(CnnSpec()), tmp_path)
    assert (check.shapes, check.result, check.bit_exact) == (((2, 3, 42, 78),), "proved", True)
    assert check.saliency_map is not None
    assert check.saliency_map.positions_checked >= 6
    assert check.saliency_map.max_abs_diff <= 1


def test_large_images_shrink() -> None:
    both, batch, size = other_shapes(Anatomy(cnn(CnnSpec(height=224, width=224))))
    assert (both, batch, size) == (((2, 3, 192, 160),), ((2, 3, 224, 224),), ((1, 3, 192, 160),))


def test_what_the_source_does_not_take_is_said(tmp_path: Path) -> None:
    """A bias for every pair of positions is of one size; the batch is free."""
    batch, size = checks(transformer(VitSpec(bias=True)), tmp_path)
    assert (batch.result, size.result) == ("proved", "source_does_not")
    assert (size.bit_exact, size.saliency_map) == (None, None)


def test_a_layer_on_the_whole_map_is_of_one_size(tmp_path: Path) -> None:
    """OpenVINO makes more rows of a larger map, which are no images."""
    results = [check.result for check in checks(cnn(CnnSpec(head="flatten")), tmp_path)]
    assert results == ["proved", "source_does_not"]


def test_open_extents_leave_nothing_to_try(tmp_path: Path) -> None:
    assert checks(cnn(CnnSpec(batch=None, dynamic_size=True)), tmp_path) == ()


def test_an_equation_of_one_size_is_warned_of(tmp_path: Path) -> None:
    report = convert(save_ir(one_window(), tmp_path / "net.xml"), tmp_path / "out")
    results = {check.shapes[0]: check.result for check in report.sidecar.reshapes}
    assert results == {(2, 3, 6, 8): "proved", (1, 3, 38, 72): "converted_does_not"}
    assert [warning for warning in report.warnings if "at [1, 3, 38, 72] the original runs" in warning]


def test_a_map_that_is_right_at_one_size_only_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of cells as it was when the branch was built."""

    def todays(tensor: Masked) -> Output:
        shape = tensor.parts[-1].get_partial_shape()
        count = np.prod([shape[axis].get_length() for axis in tensor.positions])
        return ops.constant(np.float32(count)).output(0)

    monkeypatch.setattr(reductions, "_cell_count", todays)
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    with pytest.raises(VerificationError, match=r"at the shape \[2, 3, 42, 78\] the saliency map is wrong"):
        convert(path, tmp_path / "out", embed_scaling=False)
    assert not (tmp_path / "out").exists()


def test_projections_that_reshaping_joins(tmp_path: Path) -> None:
    """Reshaping puts one product in place of equal ones; the target is followed all the same."""
    draw, image = Draw(9), image_parameter(CnnSpec(batch=None, height=8, width=8))
    tokens = transposed(reshaped(draw.convolution(image, 6, 2, 2), [0, 6, -1]), [0, 2, 1])
    query, key, value = (ops.matmul(tokens, Draw(1).numbers(6, 6), False, False) for _ in range(3))
    mixing = ops.softmax(ops.matmul(query, key, False, True), 2)
    mixed = ops.add(ops.matmul(mixing, value, False, False), tokens)
    model = classifier(named(draw.linear(ops.reduce_mean(mixed, [1], False), 3), "scores"), [image])
    other = model.clone()
    other.reshape({other.inputs[0]: ov.PartialShape([2, 3, 8, 8])})
    assert len(other.get_ops()) < len(model.get_ops())
    (check,) = checks(model, tmp_path)
    assert check.result == "proved"
    assert check.saliency_map is not None
    assert check.saliency_map.positions_checked > 0
