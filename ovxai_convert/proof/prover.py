"""The proof as a whole: one original, compiled and run once, against which candidates are measured."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.artifact.sidecar import ReshapeCheck, SaliencyCheck, Verification
from ovxai_convert.errors import VerificationError
from ovxai_convert.insertion.request import Insertion, Place, Request
from ovxai_convert.proof.comparison import (
    ACCEPTED_DIFFERENCE,
    Comparison,
    Reference,
    added_outputs,
    check_added_output,
    compare_interfaces,
    compare_outputs,
    repeats_itself,
    run_original,
)
from ovxai_convert.proof.cut_model import CutModel
from ovxai_convert.proof.execution import IN_FLOATS, ONE_THREAD, PLAIN, Execution, quantises
from ovxai_convert.proof.map_check import check_best_classes, check_maps, merged_checks
from ovxai_convert.proof.reshapes import prove_reshapes
from ovxai_convert.proof.trial_inputs import TrialInput, first_trials, more_trials
from ovxai_convert.source.reading import read_model
from ovxai_convert.tensors.ports import address, extents
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP


@dataclass(frozen=True)
class Proof:
    """What was measured.

    Attributes:
        verification: at the original's own shape.
        reshapes: at others.
        warnings: what a user should know of how models had to be run, and of what could not be checked.
    """

    verification: Verification
    reshapes: tuple[ReshapeCheck, ...] = ()
    warnings: tuple[str, ...] = ()


class Prover:
    """Measures converted models against their original.

    A few models give other outputs for equal inputs when the runtime shares their work between threads. One
    that is found not to repeat itself is proved on one thread, from the beginning. Where a map differs from
    its definition and the model is quantised, both are computed once more with the quantisation in float32:
    there they must agree.

    Args:
        anatomy: that of the original, which is not changed.
        request: what was asked to be inserted.
        photographs: the user's trials, beside the program's own.

    The original is compiled and run beside whatever the caller does meanwhile, and so is the slow definition.
    """

    def __init__(self, anatomy: Anatomy, request: Request, photographs: Sequence[TrialInput] = ()) -> None:
        model = anatomy.model
        self._request = request
        self._anatomy = anatomy
        self._written = model
        self._steady: bool | None = None
        self._beside = ThreadPoolExecutor(1)
        self._more = more_trials(model)
        trials = [*first_trials(model), *photographs]
        self._running: Future[Reference] | Reference = self._beside.submit(
            run_original, model.clone(), trials
        )
        self._cut: dict[tuple[str, str, str], Future[CutModel]] = {}

    @property
    def reference(self) -> Reference:
        """The original's outputs, on inputs that it answers with numbers.

        Raises:
            VerificationError: it cannot be run, or answers nothing with numbers.
        """
        if isinstance(self._running, Future):
            reference = self._running.result()
            while not reference.trials:
                reference = reference.joined(self._another(reference))
            self._running = reference
        return self._running

    def _another(self, reference: Reference) -> Reference:
        """The original on one more kind of input.

        Raises:
            VerificationError: there is no more.
        """
        trial = next(self._more, None)
        if trial is None:
            raise VerificationError(
                f"the original model itself gives {_faults(reference)}, on every input tried; "
                "a photograph that it answers with numbers can be named with --verify-with"
            )
        return run_original(reference.model, [trial], reference.execution)

    def compare(self, xml: Path, insertion: Insertion) -> Comparison:
        """Read a written model again and measure how far the original's outputs have moved in it.

        Raises:
            VerificationError: its interface is not the original's with one output more, or one of both does
                not run.
        """
        self._cut_at(insertion.place, PLAIN)
        converted = read_model(xml)
        expected = self._expected_outputs(insertion.place)
        compare_interfaces(self.reference.model, converted, len(expected))
        for port, signature in zip(converted.outputs[-len(expected) :], expected, strict=True):
            check_added_output(port, *signature)
        self._written = converted
        return self._compare_outputs(converted)

    def prove_unchanged(self, xml: Path) -> Proof:
        """Read a model again that was written as it is, and compare every output.

        Raises:
            VerificationError: an output differs in any bit.
        """
        written = read_model(xml)
        compare_interfaces(self.reference.model, written, 0)
        comparison = self._compare_outputs(written)
        if comparison.movement != 0:
            raise VerificationError(f"the written model is not the original: {comparison.movement:.3g} apart")
        reference = self.reference
        verification = Verification(reference.execution.name, len(reference.trials), comparison.outputs, None)
        return Proof(verification, warnings=self._warnings(reference.execution, None))

    def prove(self, comparison: Comparison, insertion: Insertion) -> Proof:
        """Check the saliency maps that a comparison found against their slow definition.

        Then the same at another batch and another size. A map that is wrong and, tried again, right comes
        from a runtime that gives other numbers for equal inputs: all is then done again on one thread.

        Raises:
            VerificationError: an output has moved too far, or a map is wrong.
        """
        try:
            return self._proof(comparison, insertion)
        except VerificationError:
            if self.reference.execution is not PLAIN or (self._is_steady() and not self._succeeds(insertion)):
                raise
            again = self._on_one_thread(self._written)
            if again.movement > comparison.movement:
                raise
            return self.prove(again, insertion)

    def _succeeds(self, insertion: Insertion) -> bool:
        """Whether the proof succeeds when all is run again."""
        try:
            self._proof(compare_outputs(self.reference, self._written), insertion)
        except VerificationError:
            return False
        return True

    def _proof(self, comparison: Comparison, insertion: Insertion) -> Proof:
        if not comparison.movement <= ACCEPTED_DIFFERENCE:
            moved = max(comparison.outputs, key=lambda check: check.max_abs_diff)
            raise VerificationError(
                f"output '{moved.name}' has moved by {moved.max_abs_diff:.3g}, "
                f"{comparison.movement:.3g} of its range; at most {ACCEPTED_DIFFERENCE:g} is accepted"
            )
        execution = self.reference.execution
        try:
            check = self._check_maps(insertion, comparison.added, execution)
        except VerificationError:
            if not quantises(self.reference.model):
                raise
            execution = IN_FLOATS
            added = added_outputs(self._written, self.reference, execution)
            check = self._check_maps(insertion, added, execution)
        comparison, check = self._with_more_trials(comparison, check, insertion, execution)
        verification = Verification(execution.name, len(comparison.added), comparison.outputs, check)
        return Proof(verification, self._proved_reshapes(insertion), self._warnings(execution, check))

    def _with_more_trials(
        self, comparison: Comparison, check: SaliencyCheck, insertion: Insertion, execution: Execution
    ) -> tuple[Comparison, SaliencyCheck]:
        """Further kinds of inputs, while no map could be compared on any; why none could, if that is so."""
        while not check.maps_compared and (trial := next(self._more, None)) is not None:
            reference = run_original(self.reference.model, [trial], self.reference.execution)
            if not reference.trials:
                continue
            one = compare_outputs(reference, self._written)
            if one.movement != 0 and one.movement > comparison.movement:
                raise VerificationError(f"an output moves by {one.movement:.3g} of its range on {trial.kind}")
            added = one.added if execution is reference.execution else None
            added = added or added_outputs(self._written, reference, execution)
            self._running = self.reference.joined(reference)
            comparison = replace(comparison, added=comparison.added + one.added)
            cut = self._cut_at(insertion.place, execution).result()
            values = cut.values(reference.trials[0].feed)[0]
            found = self._check_map(cut, insertion.place, len(comparison.added), values, added[0])
            check = merged_checks([check, found])
        if not check.maps_compared:
            check = replace(check, unchecked=self._why_unchecked(check, insertion.place, execution))
        return comparison, check

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

    def _warnings(self, execution: Execution, check: SaliencyCheck | None) -> tuple[str, ...]:
        said = [execution.warning] if execution.warning else []
        if not self.reference.repeats:
            said.append(
                "the original model gives other outputs for equal inputs: it draws random numbers, or keeps "
                "something from call to call; so do its maps"
            )
        if self.reference.one_by_one:
            said.append(
                "the original model takes one sample at a time, although its batch is open; so it was proved"
            )
        if self.reference.faults:
            said.append(f"the original model itself gives {_faults(self.reference)}")
        if check is not None and check.unchecked:
            said.append(
                f"the map could not be checked: {check.unchecked}; "
                "a photograph on which it varies can be named with --verify-with"
            )
        return tuple(said)

    def _proved_reshapes(self, insertion: Insertion) -> tuple[ReshapeCheck, ...]:
        execution = self.reference.execution

        def cut(source: ov.Model) -> CutModel:
            return CutModel(source, *_found_again(source, insertion.place), execution, with_outputs=True)

        def check(
            cut_model: CutModel, values: list[NDArray[Any]], added: Sequence[NDArray[Any]]
        ) -> SaliencyCheck:
            return self._check_map(cut_model, insertion.place, 0, values, added)

        kind = self.reference.trials[0].kind
        return prove_reshapes(self._anatomy, self._written, kind, execution, cut, check)

    def _check_maps(
        self, insertion: Insertion, added: Sequence[Sequence[NDArray[Any]]], execution: Execution
    ) -> SaliencyCheck:
        cut = self._cut_at(insertion.place, execution).result()
        pairs = enumerate(zip(self.reference.trials, added, strict=True))
        return merged_checks(
            [
                self._check_map(cut, insertion.place, index, cut.values(trial.feed)[0], arrays)
                for index, (trial, arrays) in pairs
            ]
        )

    def _compare_outputs(self, converted: ov.Model) -> Comparison:
        comparison = compare_outputs(self.reference, converted)
        if comparison.movement == 0 or self._is_steady():
            return comparison
        return self._on_one_thread(converted)

    def _on_one_thread(self, converted: ov.Model) -> Comparison:
        """Run all again on one thread.

        Raises:
            VerificationError: the original does not repeat itself there either.
        """
        reference = run_original(self.reference.model, self.reference.trials, ONE_THREAD)
        self._running = replace(reference, faults=self.reference.faults + reference.faults)
        self._steady = True
        comparison = compare_outputs(self.reference, converted)
        if comparison.movement != 0 and not repeats_itself(self.reference):
            raise VerificationError(
                "the original model gives other outputs each time that it runs on the same input: "
                "it draws random numbers, or keeps something from call to call"
            )
        return comparison

    def _is_steady(self) -> bool:
        """Whether the original repeats itself, as far as is known; found out once."""
        if self._steady is None:
            self._steady = repeats_itself(self.reference)
        return self._steady

    def _expected_outputs(self, place: Place) -> list[tuple[str, str, list[int | None]]]:
        """Name, element type and extents that the definition gives the added outputs."""
        target, scores, selection = place.target, place.scores, self._request.selection
        rows, columns = target.grid
        sizes = {
            "batch": (extents(target.port) or (None,))[target.sample_axis],
            "class": selection.count(scores.class_count),
            "height": rows,
            "width": columns,
        }
        shape = [sizes[axis] for axis in place.method.axes]
        raw = place.method.raw_like(scores, target).get_element_type().get_type_name()
        element_type = "u8" if self._request.embed_scaling else str(raw)
        outputs = [(SALIENCY_MAP, element_type, shape)]
        if selection.top_k is not None:
            outputs.append((SALIENCY_CLASSES, "i64", [sizes["batch"], sizes["class"]]))
        return outputs

    def _check_map(
        self,
        cut: CutModel,
        place: Place,
        index: int,
        values: list[NDArray[Any]],
        added: Sequence[NDArray[Any]],
    ) -> SaliencyCheck:
        """Compare the added outputs of one feed with the method's definition."""
        maps, *classes = added
        method, settings = place.method, place.method.settings(self._request.options)
        maps = maps.reshape(len(maps), -1, *maps.shape[-2:])
        if classes:
            indices = classes[0]
            check_best_classes(cut.scores(values), indices)
        else:
            chosen = self._request.selection.indices or range(maps.shape[1])
            indices = np.tile(np.array(chosen), (len(maps), 1))
        return check_maps(
            lambda cells: method.define(cut, values, cells, settings),
            maps,
            indices,
            method.cells_checked,
            scaled=self._request.embed_scaling,
            seed=index,
        )

    def _cut_at(self, place: Place, execution: Execution) -> Future[CutModel]:
        """The original cut where a branch stands, one for all ways to tie it to the model."""
        key = place.method.name, address(place.target.port), execution.name
        if key not in self._cut:
            copy = self._anatomy.copied()
            target, scores = place.target.carried(copy.port), place.scores.carried(copy.port)
            self._cut[key] = self._beside.submit(CutModel, copy.model, copy.flow(), target, scores, execution)
        return self._cut[key]


def _faults(reference: Reference) -> str:
    """What a model answers instead of numbers, and on which inputs, as in ``NaN on ... and 3 more``."""
    said = []
    for fault in dict.fromkeys(fault for fault, _ in reference.faults):
        kinds = [kind for each, kind in reference.faults if each == fault]
        more = f" and {len(kinds) - 2} more" if len(kinds) > 2 else ""
        said.append(f"{fault} on {', '.join(kinds[:2])}{more}")
    return "; ".join(said)


def _found_again(model: ov.Model, place: Place) -> tuple[DataFlow, Target, Scores]:
    """Where a branch stands in a copy of the original at another shape: at the nodes of the same names.

    A change of shape replaces nodes, and keeps their names.
    """
    nodes = {node.get_friendly_name(): node for node in model.get_ordered_ops()}

    def twin(port: ov.Output) -> ov.Output:
        return nodes[port.get_node().get_friendly_name()].output(port.get_index())

    return DataFlow(model), place.target.carried(twin), place.scores.carried(twin)
