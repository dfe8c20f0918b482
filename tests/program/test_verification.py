"""The proof can fail: wrong outputs, wrong interfaces and wrong maps are found and not written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import RefusedError, VerificationError, convert, pipeline
from ovxai_convert.proof import tying
from ovxai_convert.proof.trial_inputs import first_trials
from tests.program.invocation import Convert, assert_one_error, but_unsaid, snapshot
from tests.running import CORE, compile_f32, edit_output
from tests.special_networks import two_class_outputs

Spoil = Callable[[ov.Model], ov.Model | None]
ROWS, COLUMNS = CnnSpec().grid


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An IR of three classes and a 5 x 7 map."""
    return save_ir(cnn(CnnSpec()), tmp_path / "net.xml")


def spoil_insertion(monkeypatch: pytest.MonkeyPatch, spoil: Spoil) -> None:
    """Let every insertion of a conversion pass through a change."""

    def spoiling(right: Callable[..., Any]) -> Callable[..., Any]:
        def spoiled(*args: Any) -> Any:
            insertions = right(*args)
            if not isinstance(insertions, list):
                return insertions
            (insertion,) = insertions
            changed = spoil(insertion.model)
            insertion.model.validate_nodes_and_infer_types()
            return [insertion if changed is None else dataclasses.replace(insertion, model=changed)]

        return spoiled

    for module, name in ((pipeline, "insert_branches"), (tying, "insert_again")):
        monkeypatch.setattr(module, name, spoiling(getattr(module, name)))


def edited(index: int, edit: Callable[[ov.Output], ov.Node]) -> Spoil:
    """A change between an output and what it shows."""
    return lambda model: edit_output(model, index, edit)


def scaled(factor: float) -> Callable[[ov.Output], ov.Node]:
    return lambda port: ops.multiply(port, np.float32(factor))


def gathered(axis: int, order: list[int]) -> Callable[[ov.Output], ov.Node]:
    return lambda port: ops.gather(port, np.array(order, np.int64), np.int64(axis))


def rename_output(model: ov.Model) -> None:
    model.outputs[0].get_tensor().set_names({"renamed"})


def add_name(model: ov.Model) -> None:
    model.outputs[0].get_tensor().add_names({"alias"})


def open_input(model: ov.Model) -> None:
    model.get_parameters()[0].set_partial_shape(ov.PartialShape([-1, 3, 10, 14]))


def swap_outputs(model: ov.Model) -> ov.Model:
    first, second, third, added = model.get_results()
    return ov.Model([third, second, first, added], model.get_parameters(), "two_heads")


def drop_output(model: ov.Model) -> None:
    model.remove_result(model.get_results()[1])


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (edited(0, scaled(1.001)), "output 'output' has moved by"),
        (edited(0, scaled(-1.0)), "output 'output' has moved by"),
        (edited(0, scaled(float("nan"))), "output 'output' has moved by inf"),
        (edited(0, lambda port: ops.add(port, np.float32(1e-3))), "output 'output' has moved by"),
        (edited(0, gathered(1, [1, 0, 2])), "output 'output' has moved by"),
        (edited(0, gathered(1, [0, 1])), "output 0 has changed"),
        (edited(0, lambda port: ops.convert(port, "f64")), "output 0 has changed"),
        (rename_output, "output 0 has changed"),
        (add_name, "output 0 has changed"),
        (open_input, "input 0 has changed"),
    ],
    ids=[
        *("thousandth", "negated", "nan", "shifted", "swapped_classes", "fewer_classes", "element_type"),
        *("renamed", "another_name", "input_shape"),
    ],
)
def test_changed_interface_or_output(
    spoil: Spoil, text: str, source: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(source.parent)
    spoil_insertion(monkeypatch, spoil)
    assert_one_error(run_convert(source, "-o", source.parent / "out", "-q"), 5, text)
    assert snapshot(source.parent) == before


@pytest.mark.parametrize(
    ("spoil", "text"),
    [(swap_outputs, "output 0 has changed"), (drop_output, "the converted model has 2 outputs instead of 3")],
    ids=["swapped", "dropped"],
)
def test_swapped_or_dropped_outputs(
    spoil: Spoil, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_ir(two_class_outputs(), tmp_path / "two.xml")
    spoil_insertion(monkeypatch, spoil)
    with pytest.raises(VerificationError, match=text):
        convert(path, tmp_path / "out", scores_output="first")
    assert not (tmp_path / "out").exists()


def test_swapped_values_under_the_right_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two outputs have one shape, their values tell them apart."""
    model = cnn(CnnSpec())
    twin = ops.negative(model.outputs[0].get_node().input_value(0))
    twin.output(0).get_tensor().set_names({"twin"})
    model.add_outputs(twin.output(0))
    path = save_ir(model, tmp_path / "twins.xml")

    def exchange(converted: ov.Model) -> None:
        results = converted.get_results()[:2]
        ports = [result.input_value(0) for result in results]
        copies = [ops.add(port, np.float32(0)) for port in reversed(ports)]
        for result, port, copied in zip(results, ports, copies, strict=True):
            names = port.get_names()
            result.input(0).replace_source_output(copied.output(0))
            port.get_tensor().set_names(set())
            copied.output(0).get_tensor().set_names(names)

    spoil_insertion(monkeypatch, exchange)
    with pytest.raises(VerificationError, match=r"output '(output|twin)' has moved"):
        convert(path, tmp_path / "out", scores_output="output")


def permuted_cells(order: NDArray[np.int64]) -> Callable[[ov.Output], ov.Node]:
    def edit(port: ov.Output) -> ov.Node:
        flat = ops.reshape(port, np.array([1, 3, -1], np.int64), special_zero=False)
        return ops.reshape(
            ops.gather(flat, order.ravel(), np.int64(2)), np.array([1, 3, ROWS, COLUMNS], np.int64), False
        )

    return edit


CELLS = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
WRONG_MAPS: dict[str, Callable[[ov.Output], ov.Node]] = {
    "transposed_cells": permuted_cells(np.arange(ROWS * COLUMNS).reshape(COLUMNS, ROWS).T.copy()),
    "columns_shifted": permuted_cells(np.roll(CELLS, 1, axis=1)),
    "rows_shifted": permuted_cells(np.roll(CELLS, 1, axis=0)),
    "mirrored": permuted_cells(CELLS[:, ::-1].copy()),
    "upside_down": permuted_cells(CELLS[::-1].copy()),
    "classes_swapped": gathered(1, [1, 2, 0]),
    "all_zero": lambda port: ops.subtract(port, port),
    "rows_and_columns_swapped": lambda port: ops.reshape(
        port, np.array([1, 3, COLUMNS, ROWS], np.int64), special_zero=False
    ),
    "transposed_image": lambda port: ops.transpose(port, np.array([0, 1, 3, 2], np.int64)),
    "one_class_only": gathered(1, [0]),
    "flattened": lambda port: ops.reshape(port, np.array([1, 3, -1], np.int64), special_zero=False),
}
WRONG_RAW_MAPS: dict[str, Callable[[ov.Output], ov.Node]] = {
    "softmax_of_it": lambda port: ops.softmax(port, 1),
    "wrong_background": lambda port: ops.add(port, np.float32(0.05)),
    "thousandth": scaled(1.001),
    "nan": scaled(float("nan")),
    "double_precision": lambda port: ops.convert(port, "f64"),
}
WRONG_GREY_MAPS: dict[str, Callable[[ov.Output], ov.Node]] = {
    "inverted": lambda port: ops.subtract(np.uint8(255), port),
    "darker_by_two": lambda port: ops.subtract(ops.maximum(port, np.uint8(2)), np.uint8(2)),
    "as_float": lambda port: ops.convert(port, "f32"),
    "zero_to_one": lambda port: ops.divide(port, np.uint8(255)),
}


@pytest.mark.parametrize(
    ("wrong", "embed_scaling"),
    [
        *((name, flag) for name in WRONG_MAPS for flag in (True, False)),
        *((name, False) for name in WRONG_RAW_MAPS),
        *((name, True) for name in WRONG_GREY_MAPS),
    ],
)
def test_wrong_map(wrong: str, embed_scaling: bool, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit = (WRONG_MAPS | WRONG_RAW_MAPS | WRONG_GREY_MAPS)[wrong]
    before = snapshot(source.parent)
    spoil_insertion(monkeypatch, edited(1, edit))
    with pytest.raises(VerificationError, match=r"saliency.map"):
        convert(source, source.parent / "out", embed_scaling=embed_scaling)
    assert snapshot(source.parent) == before


def test_wrong_activation_map(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_insertion(monkeypatch, edited(1, gathered(2, [*range(1, COLUMNS), 0])))
    with pytest.raises(VerificationError, match="the saliency map is wrong at cell"):
        convert(source, source.parent / "out", method="activationmap")


def test_map_under_another_name(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_insertion(monkeypatch, lambda model: model.outputs[1].get_tensor().set_names({"heat"}))
    with pytest.raises(VerificationError, match=r"saliency.map"):
        convert(source, source.parent / "out")


def moved_by(part: float, source: Path) -> Spoil:
    """Move one score by a part of the range that the scores have on the trial inputs."""
    model = CORE.read_model(source)
    runs = [np.array(compile_f32(model)(trial.feed)[0]) for trial in first_trials(model)]
    smallest = min(float(np.ptp(scores)) for scores in runs)
    nearest_zero = int(np.abs(np.concatenate(runs)).max(axis=0).argmin())
    step = np.zeros((1, 3), np.float32)
    step[0, nearest_zero] = part * smallest
    return edited(0, lambda port: ops.add(port, step))


def test_difference_within_the_tolerance(
    source: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_insertion(monkeypatch, moved_by(5e-7, source))
    report = convert(source, source.parent / "out")
    check = report.sidecar.verification.outputs[0]
    assert check.bit_exact is False
    assert check.max_abs_diff > 0
    (warning,) = but_unsaid(report.warnings)
    assert "output" in warning
    outcome = run_convert(source, "-o", source.parent / "out", "--force", "-q")
    assert outcome.exit_code == 0
    assert but_unsaid(outcome.stderr.splitlines()) == [f"Warning: {source}: {warning}"]


def test_difference_within_the_tolerance_is_refused_with_exact(
    source: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(source.parent)
    spoil_insertion(monkeypatch, moved_by(5e-7, source))
    outcome = run_convert(source, "-o", source.parent / "out", "-q", "--exact")
    assert_one_error(outcome, 4, "no place keeps the outputs bit-exact; they move by at least")
    assert snapshot(source.parent) == before
    with pytest.raises(RefusedError) as caught:
        convert(source, source.parent / "out", exact=True)
    assert caught.value.refusals[0].node == "target"


def test_difference_beyond_the_tolerance(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_insertion(monkeypatch, moved_by(3e-6, source))
    with pytest.raises(VerificationError, match="at most 1e-06 is accepted"):
        convert(source, source.parent / "out")
