"""ViT-ReciproCAM equals its definition on transformers of every form that exporters write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np
import pytest

from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import Method
from ovxai_convert.methods.method import ClassSelection
from ovxai_convert.mosaic.masks import KERNELS
from tests import oracle
from tests.oracle import Floats, Port, assert_grey_levels_equal, assert_maps_equal
from tests.running import assert_originals_kept, insert_branch, random_inputs, run
from tests.transformers import VitSpec, masked_places, transformer

CHEAP: Final = 1.0
"""A branch that computes one row of the block for every copy costs less than these small models."""

FORMS: Final = {
    "plain": VitSpec(),
    "chunked": VitSpec(projection="chunked", scale="scores"),
    "picked": VitSpec(projection="picked", scale="both"),
    "scaled_keys": VitSpec(scale="key"),
    "norm_written_out": VitSpec(fused_norm=False),
    "guarded": VitSpec(attention="guarded"),
    "one_op": VitSpec(attention="one_op"),
    "one_op_picked": VitSpec(attention="one_op", projection="picked"),
    "one_op_with_bias": VitSpec(attention="one_op", bias=True),
    "position_bias": VitSpec(bias=True),
    "rotary": VitSpec(rotary=True),
    "query_key_norm": VitSpec(query_key_norm=True),
    "query_key_norm_written_out": VitSpec(query_key_norm=True, fused_norm=False),
    "layer_scale": VitSpec(layer_scale=True),
    "talking_heads": VitSpec(talking_heads=True),
    "post_norm": VitSpec(norm="post"),
    "inner_post_norm": VitSpec(norm="inner_post"),
    "no_norm_but_last": VitSpec(norm="inner_post", fused_norm=False),
    "registers": VitSpec(before=4, rotary=False, layer_scale=True),
    "tokens_behind": VitSpec(before=1, after=2),
    "distilled": VitSpec(before=2, head="distilled"),
    "class_attention": VitSpec(blocks=3, class_attention=1, layer_scale=True),
    "samples_inside": VitSpec(samples_inside=True),
    "samples_inside_post_norm": VitSpec(samples_inside=True, norm="post"),
    "patches_by_reshape": VitSpec(embedding="reshape"),
    "one_row": VitSpec(grid=(1, 5)),
    "one_column": VitSpec(grid=(4, 1)),
    "two_cells": VitSpec(grid=(1, 2)),
    "einsum": VitSpec(attention="einsum"),
}
DEAR_FORMS: Final = {
    "pooled_values": VitSpec(pooling="before"),
    "pooled_values_behind": VitSpec(pooling="behind", grid=(4, 4)),
    "pooled_values_einsum": VitSpec(pooling="before", attention="einsum"),
}
"""Where tokens of a copy meet before anything reads one of them, all are computed for every copy."""


def definition(
    spec: VitSpec,
    inputs: dict[str, Floats],
    kernel: str = "gaussian",
    class_token: str = "keep",
    block: int = 1,
) -> Floats:
    """The oracle's map."""
    return oracle.vitreciprocam(
        transformer(spec),
        masked_places(spec, block),
        Port("scores"),
        inputs,
        spec.grid,
        gaussian=kernel == "gaussian",
        keep=class_token == "keep",
    )


def check(spec: VitSpec, tap_depth: int = 0, **options: Any) -> Insertion:
    """The raw map of every class as defined, the original's outputs bit for bit."""
    model = transformer(spec)
    inputs = random_inputs(model)
    request = Request(Method.VITRECIPROCAM, embed_scaling=False, options=options)
    insertion = insert_branch(model, request, tap_depth)
    before, after = run(model, inputs), run(insertion.model, inputs)
    assert_originals_kept(model, insertion.model, before, after)
    assert_maps_equal(after[-1], definition(spec, inputs, **options))
    return insertion


MASKS: Final = tuple((kernel, token) for kernel in KERNELS for token in ("keep", "drop"))
BATCHES: Final = (1, 2, None, 3)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str, place: int) -> None:
    """Each at three batches with another mask each; all masks meet all batches on some form."""
    number = list(FORMS).index(form)
    batch = BATCHES[(number + place) % len(BATCHES)]
    kernel, class_token = MASKS[(number // len(BATCHES) + place) % len(MASKS)]
    insertion = check(replace(FORMS[form], batch=batch), kernel=kernel, class_token=class_token)
    if batch == 1:
        assert insertion.cost.share < CHEAP
    assert insertion.place.target.grid == FORMS[form].grid


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("form", DEAR_FORMS)
def test_tokens_that_meet_early(form: str, batch: int | None) -> None:
    check(replace(DEAR_FORMS[form], batch=batch))


@pytest.mark.parametrize(
    "spec",
    [
        VitSpec(blocks=3),
        VitSpec(batch=None, attention="one_op", projection="picked"),
        VitSpec(batch=2, rotary=True, bias=True, talking_heads=True),
        VitSpec(norm="post", fused_norm=False),
        VitSpec(blocks=3, class_attention=1),
        VitSpec(blocks=3, class_attention=2, batch=2),
    ],
)
@pytest.mark.parametrize("options", [{"block": 2}, {"kernel": "single", "class_token": "drop", "block": 2}])
def test_an_earlier_block(spec: VitSpec, options: dict[str, Any]) -> None:
    """All tokens of the blocks behind it are computed for every copy."""
    insertion = check(spec, **options)
    assert insertion.place.target.block == 2


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("head", ["class_and_mean", "mean"])
def test_scores_of_all_tokens(head: Literal["class_and_mean", "mean"], batch: int | None) -> None:
    check(VitSpec(head=head, batch=batch))


@pytest.mark.parametrize("spec", [VitSpec(blocks=3), VitSpec(blocks=3, batch=None)])
def test_copies_in_turns(spec: VitSpec) -> None:
    """What does not fit into memory at once is computed some copies after others."""
    model, inputs = transformer(spec), random_inputs(transformer(spec))
    request = Request(Method.VITRECIPROCAM, embed_scaling=False, options={"block": 2})
    at_once = insert_branch(model, request)
    some = insert_branch(model, replace(request, max_branch_bytes=40_000))
    assert len(some.model.get_ops()) > len(at_once.model.get_ops())
    assert_maps_equal(run(some.model, inputs)[-1], definition(spec, inputs, block=2))
    with pytest.raises(RefusedError, match=r"need .*, more than 500 B"):
        insert_branch(model, replace(request, max_branch_bytes=500))


@pytest.mark.parametrize("form", ["plain", "class_attention", "samples_inside"])
def test_read_through_an_op(form: str) -> None:
    check(FORMS[form], tap_depth=1)


@pytest.mark.parametrize("form", ["plain", "distilled", "class_attention"])
def test_auto_takes_it_where_a_token_is_read(form: str) -> None:
    insertion = insert_branch(transformer(FORMS[form]), Request())
    assert insertion.place.method is Method.VITRECIPROCAM.white_box


def test_auto_prefers_recipro_cam_where_tokens_are_averaged() -> None:
    spec = VitSpec(before=0, head="mean")
    insertion = insert_branch(transformer(spec), Request())
    assert insertion.place.method is Method.RECIPROCAM.white_box


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("selection", [ClassSelection((2, 0)), ClassSelection(top_k=2)])
def test_chosen_classes(selection: ClassSelection, batch: int | None) -> None:
    spec = VitSpec(batch=batch, projection="picked")
    model = transformer(spec)
    inputs = random_inputs(model)
    request = Request(Method.VITRECIPROCAM, embed_scaling=False, selection=selection)
    scores, maps, *best = run(insert_branch(model, request).model, inputs)
    chosen = np.argsort(-scores, axis=1)[:, :2] if best else np.tile([2, 0], (len(scores), 1))
    if best:
        np.testing.assert_array_equal(best[0], chosen)
    every = definition(spec, inputs)
    assert_maps_equal(maps, np.take_along_axis(every, chosen[:, :, None, None], axis=1))


@pytest.mark.parametrize("batch", [1, None])
def test_grey_levels(batch: int | None) -> None:
    spec = VitSpec(batch=batch)
    model = transformer(spec)
    inputs = random_inputs(model)
    converted = insert_branch(model, Request(Method.VITRECIPROCAM)).model
    assert_grey_levels_equal(run(converted, inputs)[-1], definition(spec, inputs))


@pytest.mark.parametrize("name", ["normed0", "tokens0"])
def test_a_block_by_the_name_of_its_tokens(name: str) -> None:
    insertion = insert_branch(transformer(VitSpec()), Request(Method.VITRECIPROCAM, target_layer=name))
    target = insertion.place.target
    assert (target.port.get_node().get_friendly_name(), target.block) == ("normed0", 2)
    assert target.selected_by == "user"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request(Method.VITRECIPROCAM, target_layer="scores"), "is not what a transformer block reads"),
        (Request(Method.VITRECIPROCAM, options={"block": 3}), "2 transformer blocks, no block 3"),
    ],
)
def test_no_such_block(request_: Request, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        insert_branch(transformer(VitSpec()), request_)
