"""The proof as a whole: one original, compiled and run once, against which candidates are measured."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.artifact.checks import ReshapeCheck, RuntimeCheck, SaliencyCheck, Verification
from ovxai_convert.errors import VerificationError
from ovxai_convert.insertion.request import Branch, Place
from ovxai_convert.proof.added_outputs import expected_outputs, shared_out
from ovxai_convert.proof.comparison import (
    AddedOutput,
    Comparison,
    Reference,
    accept,
    compare_interfaces,
    compare_outputs,
    repeats_itself,
    run_original,
)
from ovxai_convert.proof.cut_model import CutModel
from ovxai_convert.proof.execution import IN_FLOATS, ONE_THREAD, PLAIN, Execution, quantises
from ovxai_convert.proof.map_check import check_maps, merged_checks
from ovxai_convert.proof.reshapes import merged_reshapes, prove_reshapes
from ovxai_convert.proof.trial_inputs import TrialInput, first_trials, more_trials
from ovxai_convert.source.reading import read_model
from ovxai_convert.steps import Steps
from ovxai_convert.tensors.ports import address


@dataclass(frozen=True)
class Proof:
    """What was measured.

    Attributes:
        verification: at the original's own shape.
        reshapes: at others.
        warnings: what a user should know of how models had to be run, and of what could not be checked.
        runtimes: in others than OpenVINO.
    """

    verification: Verification
    reshapes: tuple[ReshapeCheck, ...] = ()
    warnings: tuple[str, ...] = ()
    runtimes: tuple[RuntimeCheck, ...] = ()


class Prover:
    """Measures converted models against their original.

    A few models give other outputs for equal inputs when the runtime shares their work between threads. One
    that is found not to repeat itself is proved on one thread, from the beginning. Where a map differs from
    its definition and the model is quantised, both are computed once more with the quantisation in float32:
    there they must agree.

    The original is compiled and run beside whatever the caller does meanwhile, and so is the slow definition.

    Args:
        anatomy: that of the original, which is not changed.
        photographs: the user's trials, beside the program's own.
        steps: is told when the original is compiled and run.
    """

    def __init__(
        self,
        anatomy: Anatomy,
        photographs: Sequence[TrialInput] = (),
        steps: Steps | None = None,
    ) -> None:
        model = anatomy.model
        self._anatomy = anatomy
        self._more = more_trials(model)
        self._beside = ThreadPoolExecutor(1)
        trials = [*first_trials(model), *photographs]
        self._running = self._beside.submit(_run_watched, steps or Steps(), model.clone(), trials)
        self._cut: dict[tuple[str, str, str, str], Future[CutModel]] = {}

    @cached_property
    def reference(self) -> Reference:
        """The original's outputs, on inputs that it answers with numbers; more may be added later.

        Raises:
            VerificationError: it cannot be run, or answers nothing with numbers.
        """
        reference = self._running.result()
        while not reference.trials:
            trial = next(self._more, None)
            if trial is None:
                raise VerificationError(
                    f"the original model itself gives {reference.describe_faults()}, on every input tried; "
                    "a photograph that it answers with numbers can be named with --verify-with"
                )
            reference = reference.joined(run_original(reference.model, [trial], reference.execution))
        return reference

    @cached_property
    def _steady(self) -> bool:
        """Whether the original repeats itself, as far as is known."""
        return repeats_itself(self.reference)

    def definition(self, place: Place, trial: TrialInput) -> tuple[CutModel, Sequence[NDArray[Any]]]:
        """The original cut at a place, and what enters its head for an input."""
        cut = self._cut_at(place, PLAIN).result()
        return cut, cut.values(trial.feed)[0]

    def compare(self, path: Path, branches: Sequence[Branch]) -> Comparison:
        """Read a written model again and measure how far the original's outputs have moved in it.

        Raises:
            VerificationError: the interface is not the original's with the branches' maps more, or one does
                not run.
        """
        for branch in branches:
            self._cut_at(branch.place, PLAIN)
        expected = [output for branch in branches for output in expected_outputs(branch)]
        return self._measured(read_model(path), expected)

    def prove_unchanged(self, path: Path) -> Proof:
        """Read a model again that was written as it is, and compare every output.

        Raises:
            VerificationError: an output differs in any bit.
        """
        comparison = self._measured(read_model(path), [])
        if comparison.movement != 0:
            raise VerificationError(f"the written model is not the original: {comparison.movement:.3g} apart")
        reference = self.reference
        verification = Verification(reference.execution.name, len(reference.trials), comparison.outputs, None)
        return Proof(verification, warnings=_warnings(reference, reference.execution, None))

    def prove(self, comparison: Comparison, branches: Sequence[Branch], *, reshapes: bool = True) -> Proof:
        """Check the saliency maps that a comparison found against their slow definition.

        Then, for ``reshapes``, the same at another batch and another size. A map that is wrong and, tried
        again, right comes from a runtime that gives other numbers for equal inputs: all is then done again on
        one thread.

        Raises:
            VerificationError: an output has moved too far, or a map is wrong.
        """
        converted = comparison.converted
        try:
            return self._proof(comparison, branches, reshapes=reshapes)
        except VerificationError:
            if self.reference.execution is not PLAIN or self._fails_again(converted, branches, reshapes):
                raise
            again = self._on_one_thread(converted)
            if again.movement > comparison.movement:
                raise
            return self.prove(again, branches, reshapes=reshapes)

    def _measured(self, converted: ov.Model, added: Sequence[AddedOutput]) -> Comparison:
        compare_interfaces(self.reference.model, converted, added)
        comparison = compare_outputs(self.reference, converted)
        return comparison if comparison.movement == 0 or self._steady else self._on_one_thread(converted)

    def _on_one_thread(self, converted: ov.Model) -> Comparison:
        """Run all again on one thread.

        Raises:
            VerificationError: the original does not repeat itself there either.
        """
        reference = run_original(self.reference.model, self.reference.trials, ONE_THREAD)
        self.reference = replace(reference, faults=self.reference.faults + reference.faults)
        self._steady = True
        comparison = compare_outputs(self.reference, converted)
        if comparison.movement != 0 and not repeats_itself(self.reference):
            raise VerificationError(
                "the original model gives other outputs each time that it runs on the same input: "
                "it draws random numbers, or keeps something from call to call"
            )
        return comparison

    def _fails_again(self, converted: ov.Model, branches: Sequence[Branch], reshapes: bool) -> bool:
        """Whether the original repeats itself, and the proof fails when all is run again."""
        if not self._steady:
            return False
        with suppress(VerificationError):
            self._proof(compare_outputs(self.reference, converted), branches, reshapes=reshapes)
            return False
        return True

    def _proof(self, comparison: Comparison, branches: Sequence[Branch], *, reshapes: bool) -> Proof:
        accept(comparison.outputs, comparison.movement)
        checks, inputs, execution = [], len(comparison.added), self.reference.execution
        reshaped: list[ReshapeCheck] = []
        for branch, own in zip(branches, shared_out(branches), strict=True):
            execution, check, more = self._map_proved(comparison, branch, own)
            inputs = max(inputs, len(comparison.added) + more)
            checks.append(check)
            converted, reference = comparison.converted, self.reference
            if reshapes:
                reshaped += prove_reshapes(self._anatomy, converted, branch, own, reference)
        check = merged_checks(checks)
        unchecked = [one.unchecked for one in checks if one.unchecked]
        check = replace(check, unchecked=unchecked[0] if unchecked else None)
        verification = Verification(execution.name, inputs, comparison.outputs, check)
        return Proof(verification, merged_reshapes(reshaped), _warnings(self.reference, execution, check))

    def _map_proved(
        self, comparison: Comparison, branch: Branch, own: slice
    ) -> tuple[Execution, SaliencyCheck, int]:
        """How a branch's maps were run, what came of checking them, and on how many more inputs.

        ``own``: which of the outputs that were added are the branch's.
        """
        place, execution = branch.place, self.reference.execution
        try:
            check = self._check_maps(branch, own, execution, self.reference.trials, comparison.added)
        except VerificationError:
            if not quantises(self.reference.model):
                raise
            execution = IN_FLOATS
            in_floats = compare_outputs(replace(self.reference, execution=execution), comparison.converted)
            check = self._check_maps(branch, own, execution, self.reference.trials, in_floats.added)
        more: list[SaliencyCheck] = []
        if not check.maps_compared:
            more = self._more_checks(comparison, branch, own, execution)
            check = merged_checks([check, *more])
        if not check.maps_compared:
            check = replace(check, unchecked=self._why_unchecked(check, place, execution))
        return execution, check, len(more)

    def _more_checks(
        self, comparison: Comparison, branch: Branch, own: slice, execution: Execution
    ) -> list[SaliencyCheck]:
        """Checks on further kinds of inputs, up to the first on which a map can be compared."""
        checks: list[SaliencyCheck] = []
        seed = len(comparison.added)
        for trial in self._more:
            reference = run_original(self.reference.model, [trial], self.reference.execution)
            self.reference = self.reference.joined(reference)
            if not reference.trials:
                continue
            one = compare_outputs(reference, comparison.converted)
            if one.movement != 0 and one.movement > comparison.movement:
                raise VerificationError(f"an output moves by {one.movement:.3g} of its range on {trial.kind}")
            if execution is not reference.execution:
                one = compare_outputs(replace(reference, execution=execution), comparison.converted)
            seed += 1
            checks.append(self._check_maps(branch, own, execution, reference.trials, one.added, seed))
            if checks[-1].maps_compared:
                break
        return checks

    def _check_maps(
        self,
        branch: Branch,
        own: slice,
        execution: Execution,
        trials: Sequence[TrialInput],
        added: Sequence[Sequence[NDArray[Any]]],
        first_seed: int = 0,
    ) -> SaliencyCheck:
        cut = self._cut_at(branch.place, execution).result()
        return merged_checks(
            [
                check_maps(cut, branch.request, cut.values(trial.feed)[0], arrays[own], seed)
                for seed, (trial, arrays) in enumerate(zip(trials, added, strict=True), first_seed)
            ]
        )

    def _why_unchecked(self, check: SaliencyCheck, place: Place, execution: Execution) -> str:
        """Why no map could be compared with its definition on any input."""
        if check.maps_varied:
            return "cells change the scores by less than float32 resolves in scores of this size"
        reference = self.reference
        cut = self._cut_at(place, execution).result()
        targets = [cut.values(trial.feed)[0][0] for trial in reference.trials]
        if not any(target.any() for target in targets):
            return "the target layer is zero on all inputs tried"
        index = place.scores.output_index
        scores = [outputs[index][:1] for outputs in reference.outputs]
        if all(np.array_equal(scores[0], other) for other in scores[1:]):
            return "the scores are the same for all inputs tried"
        return "no cell of the target layer changes a score on the inputs tried"

    def _cut_at(self, place: Place, execution: Execution) -> Future[CutModel]:
        """The original cut where a branch stands, one for all ways to tie it to the model."""
        key = place.method.name, address(place.target.port), address(place.scores.port), execution.name
        if key not in self._cut:
            copy = self._anatomy.copied()
            self._cut[key] = self._beside.submit(CutModel, copy.model, place.carried(copy.port), execution)
        return self._cut[key]


def _run_watched(steps: Steps, model: ov.Model, trials: Sequence[TrialInput]) -> Reference:
    with steps.step("compiling and running the original"):
        return run_original(model, trials)


def _warnings(reference: Reference, execution: Execution, check: SaliencyCheck | None) -> tuple[str, ...]:
    said = [execution.warning] if execution.warning else []
    if not reference.repeats:
        said.append(
            "the original model gives other outputs for equal inputs: it draws random numbers, or keeps "
            "something from call to call; so do its maps"
        )
    if reference.one_by_one:
        said.append(
            "the original model takes one sample at a time, although its batch is open; so it was proved"
        )
    if reference.faults:
        said.append(f"the original model itself gives {reference.describe_faults()}")
    if check is not None and check.unchecked:
        said.append(
            f"the map could not be checked: {check.unchecked}; "
            "a photograph on which it varies can be named with --verify-with"
        )
    return tuple(said)
