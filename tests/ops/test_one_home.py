"""What is known of an op stands in one file: no other names its type."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from ovxai_convert.ops import TABLE
from tests.test_imports import SOURCES

OTHERS: Final = frozenset(
    {
        *("Assign", "Constant", "Result", "If", "Loop", "TensorIterator", "LSTMSequence", "GRUSequence"),
        *(
            "GatherElements",
            "GatherND",
            "ScatterUpdate",
            "ScatterElementsUpdate",
            "OneHot",
            "NonZero",
            "RNNCell",
        ),
    }
)
"""Types without a row, which no file should name either."""
OF_ONNX: Final = {"source.onnx_file": {"ReduceL1"}}
"""ONNX's own operators, of which one is called as OpenVINO's."""
IN_ONNX: Final = ("onnx_graph.", "ops.in_onnx.")
"""Rooms that speak of ONNX's operators, under whose names OpenVINO has many of its own."""
BELOW_THE_TABLE: Final = {"tensors.permuting": {"Transpose"}, "tensors.ports": {"ShapeOf"}}
"""Files on which the table itself stands, and the one op that each makes or sees through for all of it."""


def named_types(tree: ast.Module) -> Iterator[str]:
    """Op types in a module's strings, but for its docstrings."""
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            words = node.value.split()
            if set(words) <= (TABLE.keys() | OTHERS):
                yield from words


def homes(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """The files that name each type."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, tree in trees.items():
        for kind in named_types(tree):
            found[kind].add(name)
    return found


def test_every_type_has_one_home_among_the_ops() -> None:
    found = homes({name: tree for name, tree in SOURCES.items() if not name.startswith(IN_ONNX)})
    assert found.keys() >= TABLE.keys() - {"Transpose", "ShapeOf"}
    ours = {kind: sorted(names - OF_ONNX.keys()) for kind, names in found.items()}
    assert {kind: names for kind, names in ours.items() if len(names) > 1} == {}


@pytest.mark.parametrize("name", sorted(SOURCES), ids=lambda name: name or "__init__")
def test_no_other_file_names_an_op_type(name: str) -> None:
    allowed = TABLE.keys() if name.startswith("ops.") else {**BELOW_THE_TABLE, **OF_ONNX}.get(name, set())
    assert name.startswith(IN_ONNX) or set(named_types(SOURCES[name])) - allowed == set()


def test_a_second_home_is_found() -> None:
    text = (
        'MOVES = {"Reshape", "Transpose"}\n\n\ndef f(kind):\n    """Squeeze"""\n    return kind == "MatMul"\n'
    )
    assert sorted(named_types(ast.parse(text))) == ["MatMul", "Reshape", "Transpose"]
