"""The meaning of axes follows from what ops do, never from sizes."""

from __future__ import annotations

import numpy as np
import pytest
from openvino import Model, Output
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, Tensor, cnn, image_parameter, named, reshaped, transposed
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.tensors.axes import Atom, deal_atoms, roles
from tests.special_networks import token_mean


def meaning(model: Model, name: str) -> list[tuple[str, ...]]:
    """Roles of the axes of a node's first output."""
    node = next(node for node in model.get_ordered_ops() if node.get_friendly_name() == name)
    return [roles(axis) for axis in Anatomy(model).axes[node.output(0)]]


def traced(build_on: Tensor, image: Output) -> list[tuple[str, ...]]:
    node = named(build_on.get_node() if isinstance(build_on, Output) else build_on, "probe")
    return meaning(Model([ops.result(node)], [image.get_node()]), "probe")


@pytest.fixture
def image() -> Output:
    """``[2, 3, 12, 9]``."""
    return image_parameter(CnnSpec(batch=2, height=12, width=9)).output(0)


@pytest.fixture
def conv(image: Output) -> Output:
    """A map of 4 channels on 12 rows: fewer channels than rows."""
    return Draw(1).convolution(image, 4).output(0)


@pytest.mark.parametrize(("channels", "height", "width"), [(2, 9, 5), (5, 5, 9), (9, 5, 5), (1, 4, 4)])
def test_channel_first(channels: int, height: int, width: int) -> None:
    model = cnn(CnnSpec(batch=2, channels=channels, height=height, width=width, strides=(1, 1)))
    wanted = ("C",) if channels > 1 else ()
    assert meaning(model, "target") == [("N",), wanted, ("H",), ("W",)]


@pytest.mark.parametrize("channels", [2, 5, 9])
def test_channel_last(channels: int) -> None:
    model = cnn(CnnSpec(batch=2, channels=channels, height=5, width=9, strides=(1,), layout="NHWC"))
    assert meaning(model, "target") == [("N",), ("H",), ("W",), ("C",)]


def test_tokens() -> None:
    assert meaning(token_mean(2), "target") == [("N",), ("H", "W"), ("C",)]


def test_open_sizes() -> None:
    model = cnn(CnnSpec(batch=None, dynamic_size=True))
    assert meaning(model, "target") == [("N",), ("C",), ("H",), ("W",)]


def test_images_have_rows_and_columns(image: Output) -> None:
    """Three entries beside larger axes are colours."""
    assert traced(ops.relu(image), image) == [("N",), ("C",), ("H",), ("W",)]


@pytest.mark.parametrize("shape", [[2, 5, 8, 9], [2, 3, 3, 9], [2, 3, 9, 3], [2, 3, 2, 9], [2, 8, 9, 1]])
def test_what_shows_no_colours_means_nothing_before_a_window_op(shape: list[int]) -> None:
    other = ops.parameter(shape, np.float32)
    found = traced(ops.relu(other), other.output(0))
    assert not {"H", "W"} & {role for axis in found for role in axis}


def test_patches_that_a_reshape_cuts_out(image: Output) -> None:
    """Their tokens are rows and columns of the image, and what they hold is no position any more."""
    apart = transposed(reshaped(image, [0, 3, 4, 3, 3, 3]), [0, 2, 4, 3, 5, 1])
    tokens = reshaped(apart, [0, 12, 27])
    weights = ops.constant(np.ones((27, 5), np.float32))
    assert traced(ops.matmul(tokens, weights, False, False), image) == [("N",), ("H", "W"), ("C",)]


def test_mean_keeps_the_other_axes(conv: Output, image: Output) -> None:
    assert traced(ops.reduce_mean(conv, [-1, 2], False), image) == [("N",), ("C",)]


def test_kept_dimensions_hold_no_position(conv: Output, image: Output) -> None:
    assert traced(ops.reduce_mean(conv, [3], True), image) == [("N",), ("C",), ("H",), ()]


def test_windows_split_rows_and_columns(conv: Output, image: Output) -> None:
    windows = reshaped(conv, [2, 4, 3, 4, 3, 3])
    assert traced(windows, image) == [("N",), ("C",), ("H",), ("H",), ("W",), ("W",)]


def test_windows_merge_with_samples(conv: Output, image: Output) -> None:
    windows = transposed(reshaped(conv, [2, 4, 3, 4, 3, 3]), [0, 2, 4, 1, 3, 5])
    assert traced(reshaped(windows, [18, 4, 12]), image) == [("N", "H", "W"), ("C",), ("H", "W")]


def test_matmul_makes_new_channels(conv: Output, image: Output) -> None:
    last = transposed(conv, [0, 2, 3, 1])
    assert traced(Draw(2).linear(last, 7), image) == [("N",), ("H",), ("W",), ("C",)]


def test_matmul_of_two_batches_takes_rows_from_the_left_and_columns_from_the_right(
    conv: Output, image: Output
) -> None:
    """Attention weights of tokens, and the attention of channels to each other."""
    tokens = transposed(reshaped(conv, [2, 4, 108]), [0, 2, 1])
    assert traced(ops.matmul(tokens, tokens, False, True), image) == [("N",), ("H", "W"), ("H", "W")]
    assert traced(ops.matmul(tokens, tokens, True, False), image) == [("N",), ("C",), ("C",)]


def test_matmul_with_a_matrix_takes_rows_of_the_transposed_left_side(conv: Output, image: Output) -> None:
    channels_first = reshaped(conv, [2, 4, 108])
    matrix = ops.constant(np.ones((4, 7), np.float32))
    assert traced(ops.matmul(channels_first, matrix, True, False), image) == [("N",), ("H", "W"), ("C",)]


def test_attention_takes_rows_of_the_queries_and_columns_of_the_values(conv: Output, image: Output) -> None:
    tokens = transposed(reshaped(conv, [2, 4, 108]), [0, 2, 1])
    attention = ops.scaled_dot_product_attention(Draw(3).linear(tokens, 4), tokens, tokens)
    assert traced(attention, image) == [("N",), ("H", "W"), ("C",)]


@pytest.mark.parametrize(("step", "meaning"), [(1, [("N",), ("C",), ("H",), ("W",)]), (-1, [("?",)] * 4)])
def test_gather_of_a_whole_vector_in_order_is_a_reshape(
    step: int, meaning: list[tuple[str, ...]], conv: Output, image: Output
) -> None:
    numbers = np.arange(2 * 4 * 12 * 9, dtype=np.int64)[::step].reshape(2, 4, 12, 9)
    assert traced(ops.gather(reshaped(conv, [-1]), ops.constant(numbers), np.int64(0)), image) == meaning


def test_matmul_of_two_batches_with_heads(conv: Output, image: Output) -> None:
    """One side broadcasts over the heads; which axis they are is not known, but samples and rows stay."""
    tokens = transposed(reshaped(conv, [2, 1, 4, 108]), [0, 1, 3, 2])
    weights = ops.constant(np.ones((1, 5, 108, 108), np.float32))
    assert traced(ops.matmul(weights, tokens, False, False), image) == [("N",), (), ("?",), ("C",)]
    assert traced(ops.matmul(tokens, weights, True, False), image)[2] == ("C",)


def test_concat_of_channels(conv: Output, image: Output) -> None:
    assert traced(ops.concat([conv, ops.relu(conv)], 1), image) == [("N",), ("C",), ("H",), ("W",)]


def test_joined_tokens_are_not_understood(conv: Output, image: Output) -> None:
    tokens = transposed(reshaped(conv, [2, 4, 108]), [0, 2, 1])
    extra = ops.constant(np.zeros((2, 1, 4), np.float32))
    assert traced(ops.concat([extra, tokens], 1), image) == [("N",), ("?",), ("C",)]


def test_broadcast_takes_the_axis_that_is_not_one(conv: Output, image: Output) -> None:
    gate = ops.reduce_mean(conv, [2, 3], True)
    assert traced(ops.multiply(gate, conv), image) == [("N",), ("C",), ("H",), ("W",)]


def test_rows_and_columns_dealt_anew_are_not_understood() -> None:
    """4 x 6 cells as 3 x 8: neither axis holds whole rows or whole parts of rows."""
    assert deal_atoms([Atom("H", 4), Atom("W", 6)], (3, 8)) is None


def test_halves_of_rows_are_understood() -> None:
    """4 x 6 cells as 8 x 3: twice as many rows of half the length."""
    dealt = deal_atoms([Atom("H", 4), Atom("W", 6)], (8, 3))
    assert dealt == ((Atom("H", 4), Atom("W", 2, step=3)), (Atom("W", 3),))


def test_atoms_are_dealt_around_an_open_axis() -> None:
    atoms = [Atom("N", None), Atom("C", 3), Atom("H", 4), Atom("W", 6)]
    dealt = deal_atoms(atoms, (None, 3, 24))
    assert dealt is not None
    assert [roles(axis) for axis in dealt] == [("N",), ("C",), ("H", "W")]


def test_what_was_split_is_one_again() -> None:
    """Rows of windows and rows within them, in this order, are the rows of the map; swapped they are not."""
    dealt = deal_atoms([Atom("H", 6), Atom("C", 4)], (2, 3, 4))
    assert dealt == ((Atom("H", 2, step=3),), (Atom("H", 3),), (Atom("C", 4),))
    (outer,), (inner,), channels = dealt
    assert deal_atoms([outer, inner, *channels], (6, 4)) == ((Atom("H", 6),), (Atom("C", 4),))
    assert deal_atoms([inner, outer, *channels], (6, 4)) == ((inner, outer), (Atom("C", 4),))


def test_splitting_from_either_end_is_the_same() -> None:
    """Where a dynamic axis lies between, what follows it is dealt from behind."""
    dealt = deal_atoms([Atom("N", None), Atom("H", 6)], (None, 2, 3))
    assert dealt == ((Atom("N", None),), (Atom("H", 2, step=3),), (Atom("H", 3),))
    (samples,), (outer,), (inner,) = dealt
    assert deal_atoms([samples, outer, inner], (None, 6)) == ((samples,), (Atom("H", 6),))
