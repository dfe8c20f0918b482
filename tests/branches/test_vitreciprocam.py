"""ViT-ReciproCAM equals its definition on transformers of every form that exporters write."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from ovxai_convert.insertion import Insertion, Request, insert_branch
from ovxai_convert.vocabulary import DEFAULT_MASKING, ClassToken, Kernel, Method, TokenMasking
from tests import oracle
from tests.oracle import Floats, Port, assert_maps_equal
from tests.running import assert_originals_kept, random_inputs, run
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
    "one_row": VitSpec(grid=(1, 5)),
    "one_column": VitSpec(grid=(4, 1)),
    "two_cells": VitSpec(grid=(1, 2)),
}


def definition(spec: VitSpec, inputs: dict[str, Floats], masking: TokenMasking) -> Floats:
    """The oracle's map."""
    return oracle.vitreciprocam(
        transformer(spec),
        masked_places(spec, masking.block),
        Port("scores"),
        inputs,
        spec.grid,
        gaussian=masking.kernel is Kernel.GAUSSIAN,
        keep=masking.class_token is ClassToken.KEEP,
    )


def check(spec: VitSpec, masking: TokenMasking = DEFAULT_MASKING, tap_depth: int = 0) -> Insertion:
    """The raw map of every class as defined, the original's outputs bit for bit."""
    model = transformer(spec)
    inputs = random_inputs(model)
    request = Request(Method.VITRECIPROCAM, embed_scaling=False, masking=masking, tap_depth=tap_depth)
    insertion = insert_branch(model, request)
    before, after = run(model, inputs), run(insertion.model, inputs)
    assert_originals_kept(model, insertion.model, before, after)
    assert_maps_equal(after[-1], definition(spec, inputs, masking))
    return insertion


@pytest.mark.parametrize("class_token", ClassToken)
@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str, kernel: Kernel, class_token: ClassToken) -> None:
    insertion = check(FORMS[form], TokenMasking(kernel, class_token))
    assert insertion.cost.share < CHEAP
    assert insertion.target.grid == FORMS[form].grid


@pytest.mark.parametrize("batch", [2, 3, None])
@pytest.mark.parametrize("form", FORMS)
def test_every_batch(form: str, batch: int | None) -> None:
    check(replace(FORMS[form], batch=batch))
