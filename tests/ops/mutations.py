"""The wrong equations: where each mistake is put, and the cases that have to notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
from openvino import Output

from ovxai_convert.ops import einsum, joining, levels, pooling, products, reductions, whole_map
from ovxai_convert.ops.kinds import Masked, NotHere
from ovxai_convert.ops.op import Equation
from ovxai_convert.ops.reductions import Pool
from tests.ops.inserting import EQUATIONS, Change, as_it_is
from tests.ops.mistakes import (
    Apply,
    any_transpose,
    back_by_one,
    background_left_as_it_was,
    background_of_the_next_cell,
    background_of_zeros,
    next_cell,
    not_reordered,
    nothing,
    nothing_masked,
    others_the_other_way_round,
    positions_for_cells,
    put_in_place_of_the_product,
    runs_of_positions,
    shares_of_nothing_masked,
    tile_of_one_more,
    tile_of_zeros,
    total_with_own_cell,
    values_alone,
    without_constant,
    without_difference,
)

Mistake = Callable[[pytest.MonkeyPatch], Change]
"""Replaces a function of the equations, and says what is then to be used in place of each."""


@dataclass(frozen=True)
class Mutation:
    """A wrong equation.

    Attributes:
        about: what is wrong.
        mistake: puts the wrong function in place.
        noticed_by: cases whose maps come out wrong.
    """

    about: str
    mistake: Mistake = field(repr=False)
    noticed_by: tuple[str, ...]

    def __str__(self) -> str:
        return self.about.replace(" ", "_")


def _attribute(owner: object, name: str, wrong: Callable[..., Any]) -> Mistake:
    def mistake(patch: pytest.MonkeyPatch) -> Change:
        assert hasattr(owner, name)
        patch.setattr(owner, name, wrong)
        return as_it_is

    return mistake


def _equation(name: str, wrong: Callable[[Apply], Apply]) -> Mistake:
    def mistake(patch: pytest.MonkeyPatch) -> Change:
        assert name in EQUATIONS

        def change(equation: Equation) -> Equation:
            return replace(equation, apply=wrong(equation.apply)) if equation.name == name else equation

        return change

    return mistake


def _pooled(owner: Any, kind: Pool) -> Mistake:
    """Pooling of one kind that knows of no background."""
    right = reductions.over_positions

    def wrong(found: Pool, tensor: Masked) -> Output | NotHere:
        return values_alone(tensor) if found is kind else right(found, tensor)

    return _attribute(owner, "over_positions", wrong)


def _product(wrong: Callable[..., Output | NotHere]) -> Mistake:
    def mistake(patch: pytest.MonkeyPatch) -> Change:
        put_in_place_of_the_product(patch, wrong)
        return as_it_is

    return mistake


def _off_by_one(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(whole_map._Grid, "by_cell", next_cell)
    patch.setattr(whole_map._Grid, "by_copy", back_by_one)
    return as_it_is


MUTATIONS: Final = (
    Mutation(
        "the background of an op is not computed",
        _equation("unary", background_left_as_it_was),
        ("unary-hard_sigmoid_of_zero", "unary-sigmoid_of_zero", "unary-behind_Flatten"),
    ),
    Mutation(
        "the background does not get what is added",
        _equation("broadcast", background_left_as_it_was),
        ("broadcast-bias", "broadcast-skip_path", "broadcast-a_value_of_each_sample"),
    ),
    Mutation(
        "the background is not normalised",
        _equation("channel-wise", background_left_as_it_was),
        ("channel-wise-BatchNorm", "channel-wise-softmax", "channel-wise-MVN", "channel-wise-L2_norm"),
    ),
    Mutation(
        "the background has no mean",
        _equation("channel reduction", background_of_zeros),
        ("channel_reduction-LayerNorm", "channel_reduction-axis_vanishes_before_the_positions"),
    ),
    Mutation(
        "the background is not convolved",
        _equation("pointwise convolution", background_of_zeros),
        ("pointwise_convolution-channels", "pointwise_convolution-in_groups"),
    ),
    Mutation(
        "the background is not multiplied",
        _equation("channel matmul", background_of_zeros),
        ("channel_matmul-tokens", "channel_matmul-weights_of_rank_3"),
    ),
    Mutation(
        "a mean of the value alone",
        _attribute(reductions, "_sum", values_alone),
        ("global_reduction-mean", "global_reduction-mean_of_an_embedding", "global_pooling-mean"),
    ),
    Mutation("a sum of the value alone", _pooled(reductions, Pool.SUM), ("global_reduction-sum",)),
    Mutation(
        "P cells of background",
        _attribute(reductions, "number", nothing),
        ("global_reduction-mean", "global_reduction-mean_of_tokens_channel_first", "global_pooling-mean"),
    ),
    Mutation(
        "the background of the own cell is counted",
        _attribute(reductions, "_sum", total_with_own_cell),
        ("global_reduction-mean_of_an_embedding", "global_pooling-mean_of_a_skip_path"),
    ),
    Mutation(
        "a mean over positions in place of cells",
        _attribute(reductions, "_cell_count", positions_for_cells),
        ("global_reduction-mean_of_tiles", "global_pooling-mean_of_tiles"),
    ),
    Mutation(
        "the largest value without the background",
        _pooled(reductions, Pool.MAX),
        ("global_reduction-largest", "global_reduction-largest_of_tiles"),
    ),
    Mutation(
        "the smallest value without the background",
        _pooled(reductions, Pool.MIN),
        ("global_reduction-smallest",),
    ),
    Mutation(
        "the largest of a window without the background",
        _pooled(pooling, Pool.MAX),
        ("global_pooling-largest", "global_pooling-largest_of_tiles"),
    ),
    Mutation(
        "tiles of zeros",
        _attribute(pooling, "_tile_value", tile_of_zeros),
        ("tiled_pooling-mean_then_mean", "tiled_pooling-largest_then_mean", "tiled_pooling-then_Flatten"),
    ),
    Mutation(
        "tiles of one more cell",
        _attribute(pooling, "_tile_value", tile_of_one_more),
        ("tiled_pooling-mean_then_mean", "tiled_pooling-means_of_means"),
    ),
    Mutation(
        "positions that follow each other share a cell",
        _attribute(levels, "_spread_over_windows", runs_of_positions),
        ("tiled_pooling-then_an_embedding",),
    ),
    Mutation(
        "the weights of the next cell",
        _off_by_one,
        ("flattened_matmul-channel_first", "full-map_convolution-bias", "flattened_matmul-tiles_of_tiles"),
    ),
    Mutation(
        "a product without the background",
        _product(without_constant),
        ("flattened_matmul-channel_last", "full-map_convolution-background_per_sample"),
    ),
    Mutation(
        "the background of the own cell is multiplied too",
        _product(without_difference),
        ("flattened_matmul-tokens", "full-map_convolution-largest_of_tiles"),
    ),
    Mutation(
        "positions are multiplied in the order of the map",
        _attribute(whole_map._Grid, "_cells_first", not_reordered),
        ("flattened_matmul-largest_of_tiles", "full-map_convolution-tiles_of_tiles"),
    ),
    Mutation(
        "columns are called rows",
        _equation("transpose", any_transpose),
        ("transpose-columns_before_rows", "transpose-square_columns_before_rows"),
    ),
    Mutation(
        "the background stands in the next cell",
        _equation("transpose", background_of_the_next_cell),
        ("transpose-differs_from_cell_to_cell",),
    ),
    Mutation(
        "the background meets no slope",
        _equation("slope", background_left_as_it_was),
        ("slope-slope_per_channel",),
    ),
    *(
        Mutation(f"the background is lost in a {name}", _equation(name, background_of_zeros), cases)
        for name, cases in {
            "slice": ("slice-channels", "slice-all_rows_named"),
            "split": ("split-channels", "split-channels_of_tokens"),
            "gather": ("gather-channels_in_another_order", "gather-one_channel"),
            "best of each": ("best_of_each-channels",),
            "concat": ("concat-two_maps", "concat-two_backgrounds"),
            "einsum by weights": ("einsum_by_weights-channels", "einsum_by_weights-weights_first"),
        }.items()
    ),
    Mutation(
        "a sequence stands in the place of others",
        _attribute(joining, "among_others", others_the_other_way_round),
        ("token_join-among_others", "token_join-of_a_skip_path"),
    ),
    Mutation(
        "values are weighed as if nothing were masked",
        _attribute(products, "_sum_of_products", shares_of_nothing_masked),
        ("attention-learned_queries", "attention-turned_values"),
    ),
    Mutation(
        "values by name are weighed as if nothing were masked",
        _attribute(einsum, "shares", nothing_masked),
        ("einsum_of_values-learned_queries", "einsum_of_values-of_a_skip_path"),
    ),
    Mutation(
        "the background of the next token",
        _equation("reshape", background_of_the_next_cell),
        ("reshape-positions_merge", "reshape-tokens"),
    ),
)
