"""A converted model takes another shape as its source does, with outputs and maps as they should be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from openvino import Model

from fixtures.networks import HEADS, CnnSpec, cnn
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import Method
from ovxai_convert.methods.method import ALL_CLASSES, ClassSelection
from tests import oracle
from tests import special_networks as networks
from tests.methods.test_vitreciprocam import definition
from tests.ops.heads import head_model
from tests.ops.test_equations_drawn import DRAWN, Drawn
from tests.oracle import Floats, assert_maps_equal
from tests.running import insert_branch, port_name, random_inputs, run
from tests.transformers import VitSpec, transformer

OPEN: Final = -1
SELECTIONS: Final = (ALL_CLASSES, ClassSelection((2, 0)), ClassSelection(top_k=2))
ONE_SIZE_ONLY: Final = {
    *("pooling", "whole map", "largest of tiles", "mean of tiles", "flatten", "flatten and activation")
}
"""Parts of a head whose equation holds at one size of the map: at another the branch must not be built."""


def at_shape(model: Model, shape: Sequence[int]) -> Model | None:
    """A copy of a model at another shape of its image, None where it does not take it."""
    copy = model.clone()
    try:
        copy.reshape(list(shape))
    except RuntimeError:
        return None
    return copy


def runs(model: Model | None, inputs: Mapping[str, Floats]) -> list[NDArray[Any]] | None:
    """Outputs, None where there is no such model or it does not run."""
    if model is None:
        return None
    try:
        return run(model, inputs)
    except RuntimeError:
        return None


def tells_cells_apart(maps: Floats) -> bool:
    """Whether float32 resolves every map."""
    return bool(np.ptp(maps, axis=(-2, -1)).min() > 0.01 * abs(maps).max())


def oracle_map(source: Model, insertion: Insertion, inputs: Mapping[str, Floats]) -> Floats:
    """The definition's map of all classes, or of none, at the shape that the source has now."""
    target, scores = insertion.place.target, insertion.place.scores
    if insertion.place.method is Method.ACTIVATIONMAP.white_box:
        return oracle.activation_map(source, port_name(target.port), target.layout, inputs)
    if target.layout != "NTC":
        return oracle.reciprocam(
            source, port_name(target.port), port_name(scores.port), target.layout, inputs
        )
    rows, columns = (extent.get_length() for extent in list(source.input(0).get_partial_shape())[2:])
    before = insertion.model.input(0).get_partial_shape()
    grid = insertion.place.target.grid
    assert grid[0] is not None
    assert grid[1] is not None
    scaled = grid[0] * rows // before[2].get_length(), grid[1] * columns // before[3].get_length()
    return oracle.reciprocam(
        source, port_name(target.port), port_name(scores.port), target.layout, inputs, scaled
    )


def assert_follows(
    model: Model,
    request: Request,
    shape: Sequence[int],
    image: Sequence[int],
    *,
    may_fail: bool = False,
    drawn: bool = False,
) -> bool:
    """The converted model at ``shape`` gives the source's outputs and the definition's map of ``image``.

    Where one more reader of the target costs a fusion there, the branch is tied to it in another way.

    Returns:
        Whether the source takes the shape at all.
    """
    inputs = {"image": np.random.default_rng(5).standard_normal(image).astype(np.float32)}
    source = at_shape(model, shape)
    before = runs(source, inputs)
    for depth in (0, 1, 2):
        insertion = insert_branch(model, replace(request, embed_scaling=False), depth)
        after = runs(at_shape(insertion.model, shape), inputs)
        if source is None or before is None:
            assert after is None, "the branch runs where the source does not"
            return False
        if after is None:
            assert may_fail, "the source takes the shape, the branch does not"
            return True
        exact = [old.tobytes() == new.tobytes() for old, new in zip(before, after, strict=False)]
        if all(exact):
            break
    assert all(exact)
    assert before is not None
    assert after is not None
    fixed = at_shape(model, image)
    assert fixed is not None
    expected = oracle_map(fixed, insertion, inputs)
    if request.selection.indices is not None:
        expected = expected[:, list(request.selection.indices)]
    if request.selection.top_k is not None:
        expected = np.take_along_axis(expected, after[-1][:, :, None, None], axis=1)
    if drawn:
        assume(tells_cells_apart(expected))
    assert_maps_equal(after[len(before)], expected)
    return True


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("batch", [1, None])
def test_batch_and_size(batch: int | None, layout: Any, head: Any) -> None:
    """Another batch, an open one, another size, all of it open; each head with each choice of classes."""
    form = HEADS.index(head) + (0 if batch else 1) + (0 if layout == "NCHW" else 2)
    selection = SELECTIONS[form % len(SELECTIONS)]
    model = cnn(CnnSpec(batch=batch, head=head, layout=layout))
    request = Request(Method.RECIPROCAM, selection=selection)

    def ordered(samples: int, rows: int, columns: int) -> list[int]:
        return [samples, 3, rows, columns] if layout == "NCHW" else [samples, rows, columns, 3]

    taken = [
        assert_follows(model, request, ordered(3, 10, 14), ordered(3, 10, 14)),
        assert_follows(model, request, ordered(OPEN, 10, 14), ordered(2, 10, 14)),
        assert_follows(model, request, ordered(1, 16, 12), ordered(1, 16, 12)),
        assert_follows(model, request, ordered(OPEN, OPEN, OPEN), ordered(2, 9, 21)),
    ]
    of_one_size = head == "flatten"
    assert taken == [True, True, not of_one_size, not of_one_size]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_activation_map(layout: Any) -> None:
    model = cnn(CnnSpec(layout=layout))
    shape = [3, 3, 16, 12] if layout == "NCHW" else [3, 16, 12, 3]
    assert assert_follows(model, Request(Method.ACTIVATIONMAP), shape, shape)


@pytest.mark.parametrize("name", networks.WITH_TARGET)
def test_special_networks_at_another_batch(name: str) -> None:
    model = networks.WITH_TARGET[name](1)
    for shape, image in (([3, 3, 4, 6], [3, 3, 4, 6]), ([OPEN, 3, 4, 6], [2, 3, 4, 6])):
        assert assert_follows(model, Request(Method.RECIPROCAM, "target"), shape, image)


def test_a_window_that_was_the_whole_map_is_refused_at_another_size() -> None:
    """The source goes on with several windows, which the equation of one does not describe."""
    drawn = Drawn("biased", ("tanh",), "pooling", 3, 1, 4, (3, 5))

    def averaged(s: Any) -> Any:
        from openvino import opset15 as ops

        return ops.reduce_mean(drawn.build(s), [2, 3], True)

    model = head_model(averaged, 1, 4, (3, 5))
    assert at_shape(model, [1, 3, 6, 8]) is not None
    with pytest.raises(RuntimeError):
        insert_branch(model, Request(Method.RECIPROCAM, "target")).model.reshape([1, 3, 6, 8])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    drawn=DRAWN,
    batch=st.sampled_from([1, 2, 3, OPEN]),
    size=st.sampled_from([(1, 1), (2, 1), (1, 2), (2, 3)]),
    selection=st.sampled_from(SELECTIONS),
)
def test_drawn_networks(drawn: Drawn, batch: int, size: tuple[int, int], selection: ClassSelection) -> None:
    model = head_model(drawn.build, drawn.batch, drawn.channels, drawn.grid, drawn.seed)
    rows, columns = (extent * factor for extent, factor in zip(drawn.grid, size, strict=True))
    image = [2 if batch == OPEN else batch, 3, rows, columns]
    grows = size != (1, 1)
    taken = assert_follows(
        model,
        Request(Method.RECIPROCAM, "target", selection=selection),
        [batch, 3, rows, columns],
        image,
        may_fail=grows and not ONE_SIZE_ONLY.isdisjoint((*drawn.steps, drawn.end)),
        drawn=True,
    )
    event(f"the source takes it: {taken}, larger: {grows}")


VITS: Final = st.builds(
    VitSpec,
    seed=st.integers(0, 2**16),
    batch=st.sampled_from([1, 2, None]),
    grid=st.sampled_from([(3, 4), (1, 5), (2, 2)]),
    before=st.integers(1, 3),
    projection=st.sampled_from(["split", "chunked", "picked"]),
    attention=st.sampled_from(["products", "guarded", "einsum", "one_op"]),
    norm=st.sampled_from(["pre", "post"]),
    layer_scale=st.booleans(),
    bias=st.booleans(),
)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(spec=VITS, batch=st.sampled_from([1, 3, OPEN]))
def test_drawn_transformers_at_another_batch(spec: VitSpec, batch: int) -> None:
    model = transformer(spec)
    insertion = insert_branch(model, Request(Method.VITRECIPROCAM, embed_scaling=False))
    shape = [batch, *(extent.get_length() for extent in list(model.input(0).get_partial_shape())[1:])]
    source, converted = at_shape(model, shape), at_shape(insertion.model, shape)
    assert source is not None
    assert converted is not None
    inputs = random_inputs(source, batch=2)
    before, after = run(source, inputs), run(converted, inputs)
    assert before[0].tobytes() == after[0].tobytes()
    at_batch = replace(spec, batch=None if batch == OPEN else batch)
    expected = definition(at_batch, inputs)
    assume(tells_cells_apart(expected))
    assert_maps_equal(after[-1], expected)
