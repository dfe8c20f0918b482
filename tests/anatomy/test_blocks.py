"""Transformer blocks are found by what they do, with all that is masked of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from openvino import Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.blocks import find_block
from ovxai_convert.anatomy.scores import Scores, find_scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal
from tests import special_networks as networks
from tests.methods.test_vitreciprocam import DEAR_FORMS, FORMS
from tests.oracle import TokenPlace
from tests.running import port_name
from tests.transformers import VitSpec, masked_places, transformer


def found(model: Model, wanted: str | None = None, number: int = 1) -> Target | Refusal:
    anatomy = Anatomy(model)
    scores = find_scores(anatomy)
    assert isinstance(scores, Scores)
    return find_block(anatomy, scores, wanted, number)


def block(model: Model, wanted: str | None = None, number: int = 1) -> Target:
    target = found(model, wanted, number)
    assert isinstance(target, Target), target
    return target


def places(target: Target) -> set[tuple[str, int, int, int, bool]]:
    """Tensors that are masked, with their tokens."""
    return {
        (
            port_name(each.port).name,
            each.tokens.axis,
            each.tokens.before,
            each.tokens.after,
            bool(each.tokens.grid),
        )
        for each in target.sequences
    }


def as_found(place: TokenPlace) -> tuple[str, int, int, int, bool]:
    return place.port.name, place.axis, place.before, place.after, place.patches


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("form", [*FORMS, *DEAR_FORMS])
def test_every_form(form: str, batch: int | None) -> None:
    spec = replace((FORMS | DEAR_FORMS)[form], batch=batch)
    target = block(transformer(spec))
    assert places(target) == {as_found(each) for each in masked_places(spec)}
    assert (target.grid, target.block, target.layout) == (spec.grid, 1, "NTC")


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("spec", [VitSpec(blocks=3), VitSpec(blocks=3, class_attention=1)])
def test_blocks_are_counted_from_the_end(spec: VitSpec, number: int) -> None:
    target = block(transformer(spec), number=number)
    assert places(target) == {as_found(each) for each in masked_places(spec, number)}
    assert target.block == number


def test_grid_is_not_the_root_of_the_number_of_tokens() -> None:
    """Sixteen tokens and one: 2 x 8 patches, not 4 x 4."""
    assert block(transformer(VitSpec(grid=(2, 8)))).grid == (2, 8)


def test_tokens_without_weights_are_no_block() -> None:
    """Attention whose values are the tokens themselves has no projection to mask before."""
    refusal = found(networks.class_token())
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "no attention over the tokens of an image leads to the scores"


def test_named_tensor_that_is_no_token() -> None:
    refusal = found(transformer(VitSpec()), "scores")
    assert refusal == Refusal("the target layer is not what a transformer block reads", "scores")
