"""The wrong equations: where each mistake is put, and the cases that have to notice it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.rules import RULES, Rule, contractions, pooling
from ovxai_convert.mosaic.rules.rule import Apply
from tests.mosaic.rule_cases_mistakes import (
    any_transpose,
    background_left_as_it_was,
    background_of_the_next_cell,
    background_of_zeros,
    not_reordered,
    nothing,
    off_by_one,
    positions_for_cells,
    runs_of_positions,
    tile_of_one_more,
    tile_of_zeros,
    total_with_own_cell,
    values_alone,
    without_constant,
    without_difference,
)

Mistake = Callable[[pytest.MonkeyPatch], Sequence[Rule]]
"""Replaces a function of the rules, and says which rules are then to be used."""


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
    def mistake(patch: pytest.MonkeyPatch) -> Sequence[Rule]:
        assert hasattr(owner, name)
        patch.setattr(owner, name, wrong)
        return RULES

    return mistake


def _entry(table: dict[str, Any], kind: str, wrong: Callable[..., Any]) -> Mistake:
    def mistake(patch: pytest.MonkeyPatch) -> Sequence[Rule]:
        assert kind in table
        patch.setitem(table, kind, wrong)
        return RULES

    return mistake


def _rule(name: str, wrong: Callable[[Apply], Apply]) -> Mistake:
    def mistake(patch: pytest.MonkeyPatch) -> Sequence[Rule]:
        assert name in {rule.name for rule in RULES}
        return [replace(rule, apply=wrong(rule.apply)) if rule.name == name else rule for rule in RULES]

    return mistake


def _reduction(kind: str) -> Mistake:
    return _entry(pooling._REDUCTIONS, kind, values_alone)


MUTATIONS: Final = (
    Mutation(
        "the background of an op is not computed",
        _rule("unary", background_left_as_it_was),
        ("unary-hard_sigmoid_of_zero", "unary-sigmoid_of_zero", "unary-behind_Flatten"),
    ),
    Mutation(
        "the background does not get what is added",
        _rule("broadcast", background_left_as_it_was),
        ("broadcast-bias", "broadcast-skip_path", "broadcast-a_value_of_each_sample"),
    ),
    Mutation(
        "the background is not normalised",
        _rule("channel-wise", background_left_as_it_was),
        ("channel-wise-BatchNorm", "channel-wise-softmax", "channel-wise-MVN", "channel-wise-L2_norm"),
    ),
    Mutation(
        "the background has no mean",
        _rule("channel reduction", background_of_zeros),
        ("channel_reduction-LayerNorm", "channel_reduction-axis_vanishes_before_the_positions"),
    ),
    Mutation(
        "the background is not convolved",
        _rule("pointwise convolution", background_of_zeros),
        ("pointwise_convolution-channels", "pointwise_convolution-in_groups"),
    ),
    Mutation(
        "the background is not multiplied",
        _rule("channel matmul", background_of_zeros),
        ("channel_matmul-tokens", "channel_matmul-weights_of_rank_3"),
    ),
    Mutation(
        "a mean of the value alone",
        _attribute(pooling, "_sum", values_alone),
        ("global_reduction-mean", "global_reduction-mean_of_an_embedding", "global_pooling-mean"),
    ),
    Mutation("a sum of the value alone", _reduction("ReduceSum"), ("global_reduction-sum",)),
    Mutation(
        "P cells of background",
        _attribute(pooling, "_one_like", nothing),
        ("global_reduction-mean", "global_reduction-mean_of_tokens_channel_first", "global_pooling-mean"),
    ),
    Mutation(
        "the background of the own cell is counted",
        _attribute(pooling, "_sum", total_with_own_cell),
        ("global_reduction-mean_of_an_embedding", "global_pooling-mean_of_a_skip_path"),
    ),
    Mutation(
        "a mean over positions in place of cells",
        _attribute(pooling, "_cell_count", positions_for_cells),
        ("global_reduction-mean_of_tiles", "global_pooling-mean_of_tiles"),
    ),
    Mutation(
        "the largest value without the background",
        _reduction("ReduceMax"),
        ("global_reduction-largest", "global_reduction-largest_of_tiles"),
    ),
    Mutation(
        "the smallest value without the background", _reduction("ReduceMin"), ("global_reduction-smallest",)
    ),
    Mutation(
        "the largest of a window without the background",
        _entry(pooling._POOLINGS, "MaxPool", values_alone),
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
        _attribute(Copies, "_cell_numbers", runs_of_positions),
        ("tiled_pooling-then_an_embedding",),
    ),
    Mutation(
        "the weights of the next cell",
        off_by_one,
        ("flattened_matmul-channel_first", "full-map_convolution-bias", "flattened_matmul-tiles_of_tiles"),
    ),
    Mutation(
        "a product without the background",
        _attribute(contractions, "_whole_map_product", without_constant),
        ("flattened_matmul-channel_last", "full-map_convolution-background_per_sample"),
    ),
    Mutation(
        "the background of the own cell is multiplied too",
        _attribute(contractions, "_whole_map_product", without_difference),
        ("flattened_matmul-tokens", "full-map_convolution-largest_of_tiles"),
    ),
    Mutation(
        "positions are multiplied in the order of the map",
        _attribute(contractions._Grid, "_cells_first", not_reordered),
        ("flattened_matmul-largest_of_tiles", "full-map_convolution-tiles_of_tiles"),
    ),
    Mutation(
        "columns are called rows",
        _rule("transpose", any_transpose),
        ("transpose-columns_before_rows", "transpose-square_columns_before_rows"),
    ),
    Mutation(
        "the background stands in the next cell",
        _rule("transpose", background_of_the_next_cell),
        ("transpose-differs_from_cell_to_cell",),
    ),
    Mutation(
        "the background of the next token",
        _rule("reshape", background_of_the_next_cell),
        ("reshape-positions_merge", "reshape-tokens"),
    ),
)
