"""Recipro-CAM on networks of unusual form equals its definition, or is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from fixtures.networks import CnnSpec, Head, Layout, cnn
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from tests import special_networks as networks
from tests.oracle import Floats, assert_maps_equal
from tests.running import (
    CORE,
    assert_originals_kept,
    check_raw_map,
    check_reciprocam,
    compile_f32,
    definition,
    insert_branch,
    random_inputs,
)
from tests.transformers import VitSpec, transformer

BATCHES = [1, 2, 3, None]


def at_two_batches(names: Iterable[str]) -> list[tuple[str, int | None]]:
    """Each at an open batch and at one of 1, 2 and 3."""
    return [(name, batch) for number, name in enumerate(names) for batch in (1 + number % 3, None)]


@pytest.mark.parametrize(("name", "batch"), at_two_batches(networks.WITH_TARGET))
def test_named_target(name: str, batch: int | None) -> None:
    check_reciprocam(networks.WITH_TARGET[name](batch), "target")


@pytest.mark.parametrize(
    ("name", "batch"), at_two_batches(["skip_past_target", "concat_past_target", "vgg_like"])
)
def test_stem_behind_the_target(name: str, batch: int | None) -> None:
    """A skip becomes part of the head when the map before the fork is masked."""
    check_reciprocam(networks.WITH_TARGET[name](batch), "stem")


def test_skip_makes_the_fork_the_automatic_target() -> None:
    insertion = check_reciprocam(networks.skip_past_target(2))
    assert insertion.place.target.port.get_node().get_friendly_name() == "stem"


@pytest.mark.parametrize("batch", BATCHES)
def test_patches_that_a_reshape_cuts_out(batch: int | None) -> None:
    """No convolution says which axes are rows and columns; the three colours of the image do."""
    insertion = check_reciprocam(
        transformer(VitSpec(batch=batch, embedding="reshape", head="mean", before=0))
    )
    assert insertion.place.target.layout == "NTC"
    assert insertion.place.target.grid == (3, 4)


def test_tokens_are_found_automatically() -> None:
    insertion = check_reciprocam(networks.token_mean(2))
    assert insertion.place.target.layout == "NTC"
    assert insertion.place.target.grid == (4, 6)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("grid", [False, True])
def test_windows_that_are_put_together(grid: bool, batch: int | None) -> None:
    check_reciprocam(networks.windows(batch, grid))


@pytest.mark.parametrize(("form", "batch"), at_two_batches(["flatten", "baked_reshape", "shape_subgraph"]))
def test_onnx_exports(form: networks.FlattenForm, batch: int | None) -> None:
    model = CORE.read_model(networks.exported_onnx(form, batch))
    insertion = check_reciprocam(model)
    assert "target" in insertion.place.target.port.get_names()


@pytest.mark.parametrize("scores_output", ["first", "second", "0", "2"])
def test_two_class_outputs(scores_output: str) -> None:
    model = networks.two_class_outputs(2)
    request = Request(Method.RECIPROCAM, scores_output=scores_output, embed_scaling=False)
    insertion = insert_branch(model, request)
    inputs = random_inputs(model)
    compiled = compile_f32(insertion.model)(inputs)
    assert_maps_equal(compiled["saliency_map"], definition(model, insertion, inputs))
    assert insertion.place.scores.class_count == (3 if scores_output in ("first", "0") else 2)


def test_compressed_weights(tmp_path: Path) -> None:
    check_reciprocam(networks.compressed(tmp_path))


def test_state_goes_on_as_before() -> None:
    """Two runs in a row: outputs follow the variable bit for bit; the map is checked at its initial value."""
    model = networks.stateful()
    insertion = insert_branch(model, Request(Method.RECIPROCAM, "target", embed_scaling=False))
    inputs = random_inputs(model)
    requests = [compile_f32(each).create_infer_request() for each in (model, insertion.model)]
    outputs = []
    for _ in range(2):
        before, after = ([tensor.data.copy() for tensor in _infer(each, inputs)] for each in requests)
        assert_originals_kept(model, insertion.model, before, after)
        outputs.append(after)
    assert not np.array_equal(outputs[0][0], outputs[1][0]), "the variable did not change"
    assert_maps_equal(outputs[0][1], definition(model, insertion, inputs))


def _infer(request: ov.InferRequest, inputs: dict[str, Floats]) -> list[ov.Tensor]:
    request.infer(inputs)
    return list(request.output_tensors)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("head", ["gap", "gap_baked_reshape", "gap_conv1x1", "gmp", "fc_maps", "gap_mlp"])
def test_open_rows_and_columns(head: Head, layout: Layout) -> None:
    """One converted model serves images of several sizes."""
    model = cnn(CnnSpec(batch=None, dynamic_size=True, head=head, layout=layout, residual=True))
    insertion = insert_branch(model, Request(Method.RECIPROCAM, embed_scaling=False))
    compiled = compile_f32(insertion.model)
    for size in ((6, 10), (9, 5)):
        inputs = random_inputs(model, size=size)
        assert_maps_equal(compiled(inputs)["saliency_map"], definition(model, insertion, inputs))


def test_one_cell_is_no_map() -> None:
    """A last map of a single cell is passed over to the one before it."""
    insertion = check_reciprocam(cnn(CnnSpec(strides=(2, 2, 2), height=6, width=5)))
    assert insertion.place.target.port.get_node().get_friendly_name() == "block1"


def test_tapping_further_back_gives_the_same_map() -> None:
    model = cnn(CnnSpec(batch=2, activation="hswish"))
    inputs = random_inputs(model)
    insertion = insert_branch(model, Request(Method.RECIPROCAM, embed_scaling=False), tap_depth=1)
    assert_maps_equal(
        compile_f32(insertion.model)(inputs)["saliency_map"], definition(model, insertion, inputs)
    )


def test_too_big_a_branch_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        insert_branch(cnn(CnnSpec()), Request(Method.RECIPROCAM, "block0", max_branch_bytes=100))
    assert "more than 100 B; a higher --max-branch-memory may do" in caught.value.refusals[0].reason


def test_earlier_layer_of_every_head() -> None:
    check_raw_map(cnn(CnnSpec(batch=2, strides=(1, 2, 1), height=5, width=7, residual=True)), "block0")
