"""Where one more reader of a tensor moves an output, the branch is tied elsewhere, at the same place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import openvino as ov
import pytest
from openvino import Model
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, classifier, image_parameter, named, reshaped, transposed
from ovxai_convert import convert
from ovxai_convert.proof.comparison import Comparison
from ovxai_convert.proof.prover import Prover


def hybrid() -> Model:
    """Map, tokens, one attention, map, convolution, mean: two methods are possible, at two places."""
    draw = Draw(3)
    image = image_parameter(CnnSpec(batch=1, height=4, width=6))
    first = ops.relu(draw.convolution(image, 8))
    tokens = transposed(reshaped(first, [0, 8, 24]), [0, 2, 1])
    queries, keys, values = (draw.linear(tokens, 8) for _ in range(3))
    weights = ops.softmax(ops.matmul(queries, keys, False, True), 2)
    mixed = ops.add(tokens, draw.linear(ops.matmul(weights, values, False, False), 8))
    back = reshaped(transposed(mixed, [0, 2, 1]), [0, 8, 4, 6])
    last = named(draw.convolution(back, 8), "last")
    return classifier(named(draw.linear(ops.reduce_mean(last, [2, 3], False), 5), "scores"), [image])


@pytest.mark.parametrize(("moving", "written"), [(1, 2), (2, 3), (9, 4)])
def test_method_and_place_are_kept(
    moving: int, written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ways to tie it are said to move an output; there are three, of which the best is taken."""
    ov.save_model(hybrid(), tmp_path / "net.xml", compress_to_fp16=False)
    real, calls = Prover.compare, []

    def compare(*args: Any) -> Comparison:
        calls.append(args)
        comparison = real(*args)
        return replace(comparison, movement=1e-7 / len(calls)) if len(calls) <= moving else comparison

    monkeypatch.setattr(Prover, "compare", compare)
    sidecar = convert(tmp_path / "net.xml", tmp_path / "out").sidecar
    assert sidecar.method == "reciprocam"
    assert sidecar.target_layer is not None
    assert sidecar.target_layer.name == "last"
    assert len(calls) == written
