"""Every row of the table of ops: what it says of axes, regions and products, against the ops themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from openvino import Model, Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import ROWS, TABLE, Op, Trait, regions
from ovxai_convert.ops.copying import UNKNOWN
from ovxai_convert.ops.meanings import unknown
from ovxai_convert.ops.op import Equation, Macs, Narrowed, no_products
from ovxai_convert.ops.regions import Reading, Region, Wanted, contains, cut, whole
from ovxai_convert.tensors.axes import Atom, Axes, Meanings, fresh, is_unclear, static_extent
from tests.ops.heads import OpCase
from tests.ops.row_records import (
    ASKED,
    CASES,
    COUNTED_BY_HAND,
    SAMPLES,
    Record,
    products_in,
    record,
    regions_of,
    types_made_by_openvino,
)
from tests.running import random_inputs, run

WEIGHING: Final = frozenset({Trait.CONVOLUTION, Trait.PRODUCT, Trait.ATTENTION})
NOT_MADE_BY_OPENVINO: Final = frozenset(
    {
        "ExperimentalDetectronDetectionOutput",  # of opset 6; there is no Python function for it
        "ExperimentalDetectronGenerateProposalsSingleImage",  # likewise
        "ExperimentalDetectronROIFeatureExtractor",  # likewise
        "MulticlassNmsIEInternal",  # what the runtime makes of MulticlassNms
        "Parameter",  # a class of openvino.op
        "RMS",  # what the runtime makes of a root mean square and a product
    }
)
NAMES_SAMPLES: Final = "Multiply-per_sample_constant"
"""The case whose weights belong to the samples by their place, so that these cannot trade places."""

AT_ALL_BATCHES: Final = [
    pytest.param(case, batch, id=f"{case}-{batch or 'open'}")
    for case in CASES
    for batch in (SAMPLES, None)
    if batch or (case.runs_dynamic and not case.one_sample)
]


def assert_filled(row: Op) -> None:
    assert row.types
    assert isinstance(row.types, frozenset)
    assert isinstance(row.traits, frozenset)
    assert all(isinstance(trait, Trait) for trait in row.traits)
    assert isinstance(row.equations, tuple)
    assert all(isinstance(each, Equation) and callable(each.apply) for each in row.equations)
    names = [each.name for each in row.equations]
    assert len(set(names)) == len(names), "an equation stands twice in a row"
    assert all(callable(field) for field in (row.meaning, row.copied, row.narrowed, row.macs))


def assert_narrowed(made: Record, node: Node, rule: Narrowed) -> None:
    """Within each region the op is computed as the same region of its own whole output."""
    extents = Anatomy(made.model).extents
    asked = [
        (index, region, rule(Wanted(node, index, region, extents)))
        for index, port in enumerate(node.outputs())
        for region in regions_of(extents[port])
    ]
    parts = []
    for index, region, reading in asked:
        assert contains(reading.computed, region), f"output {index}: {region} is not in {reading.computed}"
        part = reading.build(_inputs_of(reading, node))
        assert not isinstance(part, Refusal), f"output {index} within {region}: {part}"
        parts.append(part)
    model = Model([*node.outputs(), *parts], made.model.get_parameters())
    values = run(model, random_inputs(made.model))
    for (index, region, reading), part in zip(asked, values[node.get_output_size() :], strict=True):
        spans = tuple(slice(None) if span is None else slice(*span) for span in reading.computed)
        _assert_same(part, values[index][spans], f"output {index} within {region}")


def _inputs_of(reading: Reading, node: Node) -> list[Output | None]:
    pairs = zip(reading.instead or node.input_values(), reading.inputs, strict=True)
    return [None if region is None else cut(port, region, whole(region)) for port, region in pairs]


def _assert_same(actual: NDArray[Any], expected: NDArray[Any], what: str) -> None:
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype), what
    rtol, atol = (1e-5, 1e-6) if actual.dtype.kind == "f" else (0, 0)
    one, other = (each.astype(np.float64) for each in (actual, expected))
    np.testing.assert_allclose(one, other, rtol, atol, err_msg=what)


def assert_counted(node: Node, macs: Macs, expected: int) -> None:
    assert macs(node) == expected, f"multiply-accumulates of {node.get_type_name()}"


def assert_fits(found: Iterable[Axes | None], shapes: Sequence[tuple[int | None, ...]]) -> None:
    """One answer per output, and in it one axis per axis, of the extent of that where it is known."""
    for axes, shape in zip(found, shapes, strict=True):
        if axes is not None:
            assert len(axes) == len(shape)
            known = [static_extent(axis) for axis in axes]
            assert all(each in (None, extent) for each, extent in zip(known, shape, strict=True)), axes


def assert_samples_follow(axes: Axes, values: NDArray[Any], swapped: NDArray[Any]) -> None:
    """Two samples that trade places do so on the axes said to be theirs, and on none said to be another's.

    Axes are taken apart into their atoms, so that samples merged with other axes are seen, too.
    """
    atoms = [atom for axis in axes for atom in axis]
    theirs = [place for place, atom in enumerate(atoms) if atom.role == "N" and atom.extent != 1]
    if theirs:
        apart = values.reshape([atom.extent or 0 for atom in atoms])
        _assert_same(swapped, np.flip(apart, tuple(theirs)).reshape(values.shape), "samples are elsewhere")
    if np.array_equal(values, swapped):
        return
    for place, axis in enumerate(axes):
        others = not is_unclear(axis) and all(atom.role != "N" for atom in axis)
        if others and values.shape[place] == SAMPLES:
            assert not np.allclose(np.flip(values, place), swapped), f"axis {place} holds samples"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: min(row.types))
def test_every_field_of_a_row_is_filled(row: Op) -> None:
    assert_filled(row)


@pytest.mark.parametrize(
    "wrong",
    [
        {"meaning": None},
        {"macs": 0},
        {"types": frozenset()},
        {"traits": {Trait.SUM}},
        {"equations": TABLE["Gather"].equations * 2},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_field_that_is_not_filled_is_noticed(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        assert_filled(replace(TABLE["Gather"], **wrong))


def test_no_type_stands_in_two_rows() -> None:
    names = [name for row in ROWS for name in row.types]
    assert sorted(set(names)) == sorted(names)
    assert set(names) == set(TABLE)


def test_types_are_those_of_openvino() -> None:
    assert set(TABLE) - types_made_by_openvino() == NOT_MADE_BY_OPENVINO


def test_every_type_that_can_stand_in_a_head_has_a_case() -> None:
    assert {case.op for case in CASES} >= ASKED


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.copied is UNKNOWN], ids=lambda row: min(row.types)
)
def test_nothing_is_claimed_of_ops_that_nothing_is_known_of(row: Op) -> None:
    assert (row.equations, row.narrowed, row.macs) == ((), regions.as_a_whole, no_products)


@pytest.mark.parametrize(("case", "batch"), AT_ALL_BATCHES)
def test_region_is_that_of_the_whole_output(case: OpCase, batch: int | None) -> None:
    made = record(case, batch)
    assert made.under_test
    for node in made.under_test:
        assert_narrowed(made, node, TABLE[case.op].narrowed)


@pytest.mark.parametrize("op", sorted(op for op in ASKED if TABLE[op].narrowed is not regions.as_a_whole))
def test_less_is_read_for_a_region_where_a_row_says_how(op: str) -> None:
    assert any(_reads_less(record(case), TABLE[op].narrowed) for case in CASES if case.op == op)


def _reads_less(made: Record, rule: Narrowed) -> bool:
    """Whether the very first number of the output is computed from a part of an input."""
    extents = Anatomy(made.model).extents
    corners = [(node, tuple((0, 1) for _ in extents[node.output(0)])) for node in made.under_test]
    readings = [rule(Wanted(node, 0, corner, extents)) for node, corner in corners]
    return any(span for reading in readings for region in reading.inputs for span in region or ())


def _next(region: Region, shape: Sequence[int | None]) -> Region:
    """The region one index on, or one back at the end of an axis."""
    moved = []
    for span, extent in zip(region, shape, strict=True):
        by = 0 if span is None or span == (0, extent) else 1 if span[1] < (extent or 0) else -1
        moved.append(span and (span[0] + by, span[1] + by))
    return tuple(moved)


def _reads_one_index_off(wanted: Wanted) -> Reading:
    return regions.unary(replace(wanted, region=_next(wanted.region, wanted.shape)))


WRONG_REGIONS: Final[dict[str, tuple[Callable[[Wanted], Reading], str]]] = {
    "reads_one_index_off": (
        lambda wanted: replace(_reads_one_index_off(wanted), computed=wanted.region),
        "Not equal to tolerance",
    ),
    "computes_another_region": (_reads_one_index_off, "is not in"),
    "claims_more_than_it_computes": (
        lambda wanted: replace(regions.unary(wanted), computed=whole(wanted.shape)),
        "output 0 within",
    ),
    "refuses": (
        lambda wanted: replace(regions.unary(wanted), build=lambda ports: Refusal("refused")),
        "refused",
    ),
}


@pytest.mark.parametrize("name", WRONG_REGIONS)
def test_wrong_regions_are_noticed(name: str) -> None:
    made = record(next(case for case in CASES if case.op == "Tanh"))
    (node,), (rule, message) = made.under_test, WRONG_REGIONS[name]
    assert_narrowed(made, node, regions.unary)
    with pytest.raises(AssertionError, match=message):
        assert_narrowed(made, node, rule)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: min(row.types))
def test_only_ops_that_weigh_have_products(row: Op) -> None:
    assert (row.macs is not no_products) == bool(row.traits & WEIGHING)


@pytest.mark.parametrize(("case", "batch"), AT_ALL_BATCHES)
def test_products_are_those_of_the_shapes(case: OpCase, batch: int | None) -> None:
    for node in record(case, batch).under_test:
        expected = products_in(node)
        assert bool(expected) == bool(TABLE[case.op].traits & WEIGHING)
        assert_counted(node, TABLE[case.op].macs, expected)


@pytest.mark.parametrize("name", COUNTED_BY_HAND)
def test_products_counted_by_hand(name: str) -> None:
    make, expected = COUNTED_BY_HAND[name]
    node = make()
    assert products_in(node) == expected
    assert_counted(node, TABLE[node.get_type_name()].macs, expected)


@pytest.mark.parametrize("wrong", [no_products, TABLE["Convolution"].macs], ids=["none", "of_a_convolution"])
def test_wrong_products_are_noticed(wrong: Macs) -> None:
    make, expected = COUNTED_BY_HAND["MatMul"]
    with pytest.raises(AssertionError):
        assert_counted(make(), wrong, expected)


@pytest.mark.parametrize(("case", "batch"), AT_ALL_BATCHES)
def test_axes_are_as_long_as_those_of_the_tensors(case: OpCase, batch: int | None) -> None:
    model = record(case, batch).model
    anatomy = Anatomy(model)
    meanings = Meanings(anatomy.extents)
    meanings.update(anatomy.axes)
    for node in model.get_ordered_ops():
        shapes = [meanings.extents[port] for port in node.outputs()]
        assert_fits([meanings[port] for port in node.outputs()], shapes)
        if node.get_type_name() in TABLE:
            assert_fits(TABLE[node.get_type_name()].meaning(node, meanings), shapes)


@pytest.mark.parametrize("extents", [(SAMPLES, 4), (SAMPLES, 3, 5), (SAMPLES, 4, 5, 1)], ids=str)
def test_axes_that_do_not_fit_are_noticed(extents: tuple[int, ...]) -> None:
    assert_fits([tuple(fresh("?", each) for each in (SAMPLES, None, 5))], [(SAMPLES, 4, 5)])
    with pytest.raises(AssertionError):
        assert_fits([tuple(fresh("?", each) for each in extents)], [(SAMPLES, 4, 5)])


TRADING: Final = [case for case in CASES if not case.one_sample and str(case) != NAMES_SAMPLES]


@pytest.mark.parametrize("case", TRADING, ids=str)
def test_samples_trade_places_on_their_axis(case: OpCase) -> None:
    made = record(case)
    read = [port for node in made.made for port in node.outputs() if port.get_target_inputs()]
    ports = [port for port in read if port.get_node().get_input_size()]  # constants stay where they are
    model, inputs = Model(ports, made.model.get_parameters()), random_inputs(made.model)
    values = run(model, inputs)
    swapped = run(model, {name: each[::-1].copy() for name, each in inputs.items()})
    meanings = Anatomy(made.model).axes
    for port, *both in zip(ports, values, swapped, strict=True):
        assert_samples_follow(meanings[port], *both)


@pytest.mark.parametrize("op", sorted(op for op in ASKED if TABLE[op].meaning is not unknown))
def test_samples_are_found_where_a_row_says_how(op: str) -> None:
    for made in (record(case) for case in TRADING if case.op == op):
        meanings = Anatomy(made.model).axes
        axes = [axis for node in made.under_test for axis in meanings[node.output(0)]]
        if any(atom.role == "N" and atom.extent == SAMPLES for axis in axes for atom in axis):
            return
    pytest.fail(f"no axis of samples behind {op}")


def _check_roles(roles: str, change: float = 0) -> None:
    """A tensor whose outermost atom of extent two is that of the samples, said to hold some roles."""
    axes = tuple(tuple(Atom(role, SAMPLES) for role in axis) for axis in roles.split())
    values = np.random.default_rng(0).standard_normal([SAMPLES] * sum(map(len, axes)))
    shape = [SAMPLES ** len(axis) for axis in axes]
    assert_samples_follow(axes, values.reshape(shape), (values[::-1] + change).reshape(shape))


@pytest.mark.parametrize(
    ("roles", "change", "message"),
    [
        ("C N C", 0, "samples are elsewhere"),
        ("CN C", 0, "samples are elsewhere"),
        ("N C", 1, "samples are elsewhere"),
        ("C C C", 0, "axis 0 holds samples"),
    ],
)
def test_samples_elsewhere_are_noticed(roles: str, change: float, message: str) -> None:
    for right in ("N C C", "NC C", "N ? C", "? ? C"):
        _check_roles(right)
    with pytest.raises(AssertionError, match=message):
        _check_roles(roles, change)
