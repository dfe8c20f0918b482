"""Comparing a written model with its original, output by output and cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.anatomy.interface import output_name
from ovxai_convert.artifact.checks import OutputCheck
from ovxai_convert.errors import ModelReadError, OvxaiError, VerificationError, last_line
from ovxai_convert.proof.execution import PLAIN, Execution, run
from ovxai_convert.proof.trial_inputs import Feed, TrialInput
from ovxai_convert.tensors.ports import extents

ACCEPTED_DIFFERENCE: Final = 1e-6
"""Largest difference of an output that is not bit-exact, as a part of its range."""
_REPETITIONS: Final = 8

AddedOutput = tuple[str, str, list[int | None]]
"""Tensor name, OpenVINO's name of the element type, and extents, None where dynamic."""


@dataclass(frozen=True)
class Reference:
    """The original model's outputs on trial inputs that it answers with numbers.

    Attributes:
        outputs: per trial, one array per output.
        faults: what it answers instead, NaN or nothing but infinities, each with the kind of an input that is
            no trial therefore.
        repeats: whether it gave the same outputs when it ran on the first of them once more.
        one_by_one: whether it takes one sample at a time only, although its batch is open.
    """

    model: ov.Model
    trials: tuple[TrialInput, ...]
    outputs: tuple[tuple[NDArray[Any], ...], ...]
    execution: Execution
    faults: tuple[tuple[str, str], ...] = ()
    repeats: bool = True
    one_by_one: bool = False

    def joined(self, other: Reference) -> Reference:
        """This one and what was run beside it."""
        return replace(
            self,
            trials=self.trials + other.trials,
            outputs=self.outputs + other.outputs,
            faults=self.faults + other.faults,
        )

    def describe_faults(self) -> str:
        """What the model answers instead of numbers, and on which inputs, as in ``NaN on ... and 3 more``."""
        said = []
        for fault in dict.fromkeys(fault for fault, _ in self.faults):
            kinds = [kind for other, kind in self.faults if other == fault]
            more = f" and {len(kinds) - 2} more" if len(kinds) > 2 else ""
            said.append(f"{fault} on {', '.join(kinds[:2])}{more}")
        return "; ".join(said)


def run_original(model: ov.Model, trials: Sequence[TrialInput], execution: Execution = PLAIN) -> Reference:
    """Run the original on every input; one of two samples that it cannot take is cut to one.

    Raises:
        VerificationError: the original itself cannot be run.
    """
    compiled, one_by_one = _compiled(model, "original", execution), False
    taken: list[TrialInput] = []
    outputs: list[tuple[NDArray[Any], ...]] = []
    faults: list[tuple[str, str]] = []
    for trial in trials:
        try:
            results = run(compiled, trial.feed)
        except RuntimeError:  # a batch that is open in name only, as some exporters leave it
            trial, one_by_one = replace(trial, feed=[array[:1] for array in trial.feed]), True
            # Compiled anew: the runtime may be left with the shapes of the call that failed.
            compiled = _compiled(model, "original", execution)
            results = _run_or_fail(compiled, trial.feed, "original")
        fault = _fault(results)
        if fault is None:
            taken.append(trial)
            outputs.append(results)
        else:
            faults.append((fault, trial.kind))
    repeats = not taken or _equal(outputs[0], _run_or_fail(compiled, taken[0].feed, "original"))
    return Reference(model, tuple(taken), tuple(outputs), execution, tuple(faults), repeats, one_by_one)


def _equal(before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]]) -> bool:
    return all(one.tobytes() == other.tobytes() for one, other in zip(before, after, strict=True))


def _fault(results: Sequence[NDArray[Any]]) -> str | None:
    """What a model's answer has that is no number: NaN anywhere, or an output of infinities alone."""
    numbers = [result for result in results if result.dtype.kind == "f" and result.size]
    if any(np.isnan(result).any() for result in numbers):
        return "NaN"
    return "Inf" if any(np.isinf(result).all() for result in numbers) else None


def repeats_itself(reference: Reference) -> bool:
    """Whether the original gives the same outputs, bit for bit, each time that it runs again.

    Raises:
        VerificationError: the original cannot be run.
    """
    compiled = _compiled(reference.model, "original", reference.execution)
    return all(
        _equal(outputs, _run_or_fail(compiled, trial.feed, "original"))
        for _ in range(_REPETITIONS)
        for trial, outputs in zip(reference.trials, reference.outputs, strict=True)
    )


def compare_interfaces(original: ov.Model, converted: ov.Model, added: Sequence[AddedOutput]) -> None:
    """Inputs and outputs have kept their order, names, types and shapes, and those added are as they must be.

    Raises:
        VerificationError: naming the first that differs.
    """
    first_added = len(converted.outputs) - len(added)
    for what, before, after in (
        ("input", original.inputs, converted.inputs),
        ("output", original.outputs, converted.outputs[:first_added]),
    ):
        if len(before) != len(after):
            raise VerificationError(f"the converted model has {len(after)} {what}s instead of {len(before)}")
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if _signature(old) != _signature(new):
                change = f"{_signature(old)} became {_signature(new)}"
                raise VerificationError(f"{what} {index} has changed: {change}")
    for port, (name, *type_and_shape) in zip(converted.outputs[first_added:], added, strict=True):
        names, element_type, _ = _signature(port)
        actual = names, element_type, list(extents(port) or ())
        expected = [name], *type_and_shape
        for what, is_one, should_be in zip(("names", "element type", "shape"), actual, expected, strict=True):
            if is_one != should_be:
                raise VerificationError(f"the {what} of output '{name}' is {is_one} instead of {should_be}")


@dataclass(frozen=True)
class Comparison:
    """A converted model, as it was read again, beside its original: one check per output of that.

    ``movement`` is the largest difference of any as a part of its range, 0.0 when all are bit-exact;
    ``added`` holds per feed one array per added output.
    """

    converted: ov.Model
    outputs: tuple[OutputCheck, ...]
    movement: float
    added: tuple[tuple[NDArray[Any], ...], ...]


def compare_outputs(reference: Reference, converted: ov.Model) -> Comparison:
    """Run the converted model on the inputs of the original.

    Raises:
        VerificationError: the converted model does not compile or run.
    """
    compiled = _compiled(converted, "converted", reference.execution)
    results = [_run_or_fail(compiled, trial.feed, "converted") for trial in reference.trials]
    originals = len(reference.model.outputs)
    checks, movements = [], []
    for index in range(originals):
        pairs = zip(reference.outputs, results, strict=True)
        difference, movement = measure((before[index], after[index]) for before, after in pairs)
        checks.append(OutputCheck(output_name(reference.model, index), movement == 0, difference))
        movements.append(movement)
    added = tuple(outputs[originals:] for outputs in results)
    return Comparison(converted, tuple(checks), max(movements), added)


def accept(outputs: Sequence[OutputCheck], movement: float) -> None:
    """A VerificationError where an output has moved by more than is accepted of its range."""
    if not movement <= ACCEPTED_DIFFERENCE:
        moved = max(outputs, key=lambda check: check.max_abs_diff)
        raise VerificationError(
            f"output '{moved.name}' has moved by {moved.max_abs_diff:.3g}, "
            f"{movement:.3g} of its range; at most {ACCEPTED_DIFFERENCE:g} is accepted"
        )


def measure(pairs: Iterable[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[float, float]:
    """Largest absolute difference of an output over all feeds, and the same as a part of its range.

    Both are 0.0 only where every bit is equal, and infinite where shapes, types or non-finite values differ.
    """
    worst, worst_part = 0.0, 0.0
    for before, after in pairs:
        if before.shape != after.shape or before.dtype != after.dtype:
            return np.inf, np.inf
        if before.tobytes() == after.tobytes():
            continue
        moved = before != after
        moved &= ~((before != before) & (after != after))  # not a number on both sides
        if not moved.any():
            worst_part = max(worst_part, np.finfo(np.float64).tiny)  # -0.0 for 0.0, or another NaN
            continue
        old, new = before[moved].astype(np.float64), after[moved].astype(np.float64)
        if not (np.isfinite(old).all() and np.isfinite(new).all()):
            return np.inf, np.inf
        finite = before[np.isfinite(before)].astype(np.float64)
        difference = float(np.max(np.abs(old - new)))
        span = float(np.ptp(finite)) or float(np.max(np.abs(finite)))
        worst = max(worst, difference)
        worst_part = max(worst_part, difference / span if span else np.inf)
    return worst, worst_part


def _signature(port: ov.Output) -> tuple[list[str], str, str]:
    return sorted(port.get_names()), port.get_element_type().get_type_name(), str(port.get_partial_shape())


def _compiled(model: ov.Model, which: str, execution: Execution) -> ov.CompiledModel:
    try:
        return execution.compiled(model)
    except RuntimeError as error:
        raise _broken(which)(f"the {which} model does not compile: {last_line(error)}") from error


def _run_or_fail(compiled: ov.CompiledModel, feed: Feed, which: str) -> tuple[NDArray[Any], ...]:
    try:
        return run(compiled, feed)
    except RuntimeError as error:
        raise _broken(which)(f"the {which} model does not run: {last_line(error)}") from error


def _broken(which: str) -> type[OvxaiError]:
    """An original that the runtime cannot take is not readable as a model; all else is a failed proof."""
    return ModelReadError if which == "original" else VerificationError
