"""Running models before and after a conversion, and what must hold between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion import insert
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import Method
from tests import oracle
from tests.oracle import Floats, Port, assert_grey_levels_equal, assert_maps_equal

CORE: Final = ov.Core()
DYNAMIC_BATCH: Final = 2


def insert_branch(model: Model, request: Request, tap_depth: int = 0) -> Insertion:
    """The first branch that is possible, perhaps tied to the model in another way.

    Raises:
        RefusedError: none is.
    """
    anatomy = Anatomy(model)
    insertion = insert.insert_branch(anatomy, request)
    if not isinstance(insertion, Insertion):
        raise RefusedError(insertion)
    if tap_depth == 0:
        return insertion
    tied = insert.build_branch(anatomy, insertion.place, request, tap_depth)
    assert isinstance(tied, Insertion), tied
    return replace(tied, refusals=insertion.refusals)


def edit_output(model: Model, index: int, edit: Callable[[ov.Output], ov.Node]) -> None:
    """Put a change between an output and what it shows; names go along."""
    result = model.outputs[index].get_node()
    port = result.input_value(0)
    names = port.get_names()
    edited = edit(port).output(0)
    result.input(0).replace_source_output(edited)
    port.get_tensor().set_names(set())
    edited.get_tensor().set_names(names)
    model.validate_nodes_and_infer_types()


def compile_f32(model: Model) -> ov.CompiledModel:
    """Compiled for the CPU without reduced precision."""
    return CORE.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def random_inputs(
    model: Model, seed: int = 0, batch: int = DYNAMIC_BATCH, size: Sequence[int] = (10, 14)
) -> dict[str, Floats]:
    """Normally distributed inputs by name; ``batch`` and ``size`` stand in for dynamic extents."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for port in model.inputs:
        shape, sizes = [], iter(size)
        for axis, extent in enumerate(port.get_partial_shape()):
            open_extent = batch if axis == 0 else next(sizes) if extent.is_dynamic else 0
            shape.append(open_extent if extent.is_dynamic else extent.get_length())
        drawn[port.get_any_name()] = rng.standard_normal(shape).astype(np.float32)
    return drawn


def run(model: Model, inputs: Mapping[str, Floats]) -> list[NDArray[Any]]:
    """Values of all outputs, in order."""
    results = compile_f32(model)(dict(inputs))
    return [results[index] for index in range(len(model.outputs))]


def assert_originals_kept(
    original: Model, converted: Model, before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]]
) -> None:
    """All outputs of the original stand first in the converted model: same tensors, bit for bit."""
    assert len(converted.outputs) == len(original.outputs) + 1
    assert converted.outputs[-1].get_names() == {"saliency_map"}
    for old, new in zip(original.outputs, converted.outputs, strict=False):
        assert new.get_names() == old.get_names()
        assert new.get_element_type() == old.get_element_type()
        assert new.get_partial_shape() == old.get_partial_shape()
        assert new.get_node().get_friendly_name() == old.get_node().get_friendly_name()
    for expected, actual in zip(before, after, strict=False):
        assert actual.dtype == expected.dtype
        moved = abs(actual.astype(np.float64) - expected).max()
        assert actual.tobytes() == expected.tobytes(), f"an original output moved by up to {moved:.3g}"


def port_name(port: ov.Output) -> Port:
    """Address of a tensor for the oracle."""
    return Port(port.get_node().get_friendly_name(), port.get_index())


def definition(model: Model, insertion: Insertion, inputs: Mapping[str, Floats]) -> Floats:
    """The oracle's Recipro-CAM map at the place where a branch was inserted."""
    target, scores = insertion.place.target, insertion.place.scores
    rows, columns = target.grid
    grid = (rows, columns) if target.layout == "NTC" and rows and columns else None
    return oracle.reciprocam(
        model, port_name(target.port), port_name(scores.port), target.layout, inputs, grid
    )


def check_reciprocam(
    model: Model, target_layer: str | None = None, inputs: Mapping[str, Floats] | None = None
) -> Insertion:
    """Convert with and without embedded scaling: originals bit-exact, both maps as defined, everywhere.

    Where one more reader of the target costs a fusion, the branch is tied to it in the next way that a
    conversion tries.
    """
    inputs = inputs or random_inputs(model)
    before = run(model, inputs)
    expected: Floats | None = None
    for scaled in (False, True):
        request = Request(Method.RECIPROCAM, target_layer, embed_scaling=scaled)
        insertion = insert_branch(model, request)
        after = run(insertion.model, inputs)
        if any(old.tobytes() != new.tobytes() for old, new in zip(before, after, strict=False)):
            insertion = insert_branch(model, request, tap_depth=1)
            after = run(insertion.model, inputs)
        assert_originals_kept(model, insertion.model, before, after)
        if expected is None:
            expected = definition(model, insertion, inputs)
        compare = assert_grey_levels_equal if scaled else assert_maps_equal
        compare(after[-1], expected)
    return insertion


def check_raw_map(model: Model, target_layer: str, inputs: Mapping[str, Floats] | None = None) -> Insertion:
    """Convert without scaling and compare the map with the definition only."""
    inputs = inputs or random_inputs(model)
    insertion = insert_branch(model, Request(Method.RECIPROCAM, target_layer, embed_scaling=False))
    assert_maps_equal(run(insertion.model, inputs)[-1], definition(model, insertion, inputs))
    return insertion
