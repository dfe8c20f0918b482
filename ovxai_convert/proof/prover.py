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

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.artifact.sidecar import ReshapeCheck, SaliencyCheck, Verification
from ovxai_convert.errors import VerificationError
from ovxai_convert.insertion.insert import Insertion, Request
from ovxai_convert.proof.comparison import (
    ACCEPTED_DIFFERENCE,
    Comparison,
    Reference,
    added_outputs,
    check_added_output,
    compare_interfaces,
    compare_outputs,
    merge_checks,
    repeats_itself,
    run_original,
)
from ovxai_convert.proof.device import DEVICE, IN_FLOATS, ONE_THREAD, quantises
from ovxai_convert.proof.map_check import (
    check_activation_map,
    check_best_classes,
    check_class_maps,
)
from ovxai_convert.proof.reshapes import prove_reshapes
from ovxai_convert.proof.slow_definition import SlowDefinition
from ovxai_convert.proof.trial_inputs import Feed, seeded_feeds
from ovxai_convert.source.reading import read_model
from ovxai_convert.tensors.ports import address, extents
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP


@dataclass(frozen=True)
class Proof:
    """What was measured.

    Attributes:
        verification: at the original's own shape.
        reshapes: at others.
    """

    verification: Verification
    reshapes: tuple[ReshapeCheck, ...]


class Prover:
    """Measures converted models against their original.

    A few models give other outputs for equal inputs when the runtime shares their work between threads. One
    that is found not to repeat itself is proved on one thread, from the beginning. Where a map differs from
    its definition and the model is quantised, both are computed once more with the quantisation in float32:
    there they must agree.

    Args:
        model: the original; it is not changed.
        request: what was asked to be inserted.
        images: feeds beside the seeded random ones.

    The original is compiled and run beside whatever the caller does meanwhile, and so is the slow definition.
    """

    def __init__(self, model: ov.Model, request: Request, images: Sequence[Feed]) -> None:
        self._request = request
        self._original = model
        self._written = model
        self._steady: bool | None = None
        self._beside = ThreadPoolExecutor(1)
        feeds = [*seeded_feeds(model), *images]
        self._running: Future[Reference] | Reference = self._beside.submit(run_original, model.clone(), feeds)
        self._slow: dict[tuple[str, str, str], Future[SlowDefinition]] = {}

    @property
    def _reference(self) -> Reference:
        """The original's outputs.

        Raises:
            VerificationError: it cannot be run.
        """
        if isinstance(self._running, Future):
            self._running = self._running.result()
        return self._running

    def compare(self, xml: Path, insertion: Insertion) -> Comparison:
        """Read a written model again and measure how far the original's outputs have moved in it.

        Raises:
            VerificationError: its interface is not the original's with one output more, or one of both does
                not run.
        """
        self._define(insertion, DEVICE)
        converted = read_model(xml)
        expected = self._expected_outputs(insertion)
        compare_interfaces(self._reference.model, converted, len(expected))
        for port, signature in zip(converted.outputs[-len(expected) :], expected, strict=True):
            check_added_output(port, *signature)
        self._written = converted
        return self._compare_outputs(converted)

    def prove_unchanged(self, xml: Path) -> Verification:
        """Read a model again that was written as it is, and compare every output.

        Raises:
            VerificationError: an output differs in any bit.
        """
        written = read_model(xml)
        compare_interfaces(self._reference.model, written, 0)
        comparison = self._compare_outputs(written)
        if comparison.movement != 0:
            raise VerificationError(f"the written model is not the original: {comparison.movement:.3g} apart")
        return Verification(self._reference.device, len(self._reference.feeds), comparison.outputs, None)

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
            if self._reference.device != DEVICE or (self._is_steady() and not self._succeeds(insertion)):
                raise
            again = self._on_one_thread(self._written)
            if again.movement > comparison.movement:
                raise
            return self.prove(again, insertion)

    def _succeeds(self, insertion: Insertion) -> bool:
        """Whether the proof succeeds when all is run again."""
        try:
            self._proof(compare_outputs(self._reference, self._written), insertion)
        except VerificationError:
            return False
        return True

    def _proof(self, comparison: Comparison, insertion: Insertion) -> Proof:
        return Proof(self._proved_maps(comparison, insertion), self._proved_reshapes(insertion))

    def _proved_maps(self, comparison: Comparison, insertion: Insertion) -> Verification:
        if not comparison.movement <= ACCEPTED_DIFFERENCE:
            moved = max(comparison.outputs, key=lambda check: check.max_abs_diff)
            raise VerificationError(
                f"output '{moved.name}' has moved by {moved.max_abs_diff:.3g}, "
                f"{comparison.movement:.3g} of its range; at most {ACCEPTED_DIFFERENCE:g} is accepted"
            )
        device = self._reference.device
        try:
            check = self._check_maps(insertion, comparison.added, device)
        except VerificationError:
            if not quantises(self._reference.model):
                raise
            device = IN_FLOATS
            check = self._check_maps(insertion, added_outputs(self._written, self._reference, device), device)
        return Verification(device, len(comparison.added), comparison.outputs, check)

    def _proved_reshapes(self, insertion: Insertion) -> tuple[ReshapeCheck, ...]:
        device = self._reference.device

        def define(source: ov.Model) -> SlowDefinition:
            found, masking = _found_again(source, insertion), self._request.masking
            return SlowDefinition(source, *found, masking, device, with_outputs=True)

        def check(
            slow: SlowDefinition, border: list[NDArray[Any]], added: Sequence[NDArray[Any]]
        ) -> SaliencyCheck:
            return self._check_map(slow, insertion, 0, border, added)

        return prove_reshapes(self._reference.model, self._written, device, define, check)

    def _check_maps(
        self, insertion: Insertion, added: Sequence[Sequence[NDArray[Any]]], device: str
    ) -> SaliencyCheck:
        slow, feeds = self._define(insertion, device).result(), self._reference.feeds
        return merge_checks(
            [
                self._check_map(slow, insertion, index, slow.border_values(feeds[index]), each)
                for index, each in enumerate(added)
            ]
        )

    def _compare_outputs(self, converted: ov.Model) -> Comparison:
        comparison = compare_outputs(self._reference, converted)
        if comparison.movement == 0 or self._is_steady():
            return comparison
        return self._on_one_thread(converted)

    def _on_one_thread(self, converted: ov.Model) -> Comparison:
        self._running = run_original(self._reference.model, self._reference.feeds, ONE_THREAD)
        self._steady = True
        return compare_outputs(self._reference, converted)

    def _is_steady(self) -> bool:
        """Whether the original repeats itself, as far as is known; found out once."""
        if self._steady is None:
            self._steady = repeats_itself(self._reference)
        return self._steady

    def _expected_outputs(self, insertion: Insertion) -> list[tuple[str, str, list[int | None]]]:
        """Name, element type and extents that the definition gives the added outputs."""
        target, scores, selection = insertion.target, insertion.scores, self._request.selection
        per_class = "class" in insertion.branch.axes
        raw_type = (scores.port if per_class else target.port).get_element_type().get_type_name()
        map_type = "u8" if self._request.embed_scaling else str(raw_type)
        samples = (extents(target.port) or (None,))[target.sample_axis]
        classes = [selection.count(scores.class_count)] if per_class else []
        outputs = [(SALIENCY_MAP, map_type, [samples, *classes, *target.grid])]
        if selection.top_k is not None:
            outputs.append((SALIENCY_CLASSES, "i64", [samples, *classes]))
        return outputs

    def _check_map(
        self,
        slow: SlowDefinition,
        insertion: Insertion,
        index: int,
        border: list[NDArray[Any]],
        added: Sequence[NDArray[Any]],
    ) -> SaliencyCheck:
        found, *classes = added
        scaled = self._request.embed_scaling
        if "class" not in insertion.branch.axes:
            return check_activation_map(border, insertion.target.layout.index("C"), found, scaled=scaled)
        if classes:
            check_best_classes(slow, border, classes[0])
            indices = classes[0]
        else:
            chosen = self._request.selection.indices or range(insertion.scores.class_count)
            indices = np.tile(np.array(chosen), (len(found), 1))
        return check_class_maps(slow, border, found, indices, scaled=scaled, seed=index)

    def _define(self, insertion: Insertion, device: str) -> Future[SlowDefinition]:
        """The slow definition at the place where a branch stands, one for all ways to tie it to the model."""
        place = insertion.branch.method.value, address(insertion.target.port), device
        if place not in self._slow:
            copy = self._original.clone()
            found = _found_again(copy, insertion)
            self._slow[place] = self._beside.submit(
                SlowDefinition, copy, *found, self._request.masking, device
            )
        return self._slow[place]


def _found_again(model: ov.Model, insertion: Insertion) -> tuple[DataFlow, Target, Scores]:
    """Where a branch stands, in a copy of the original at another shape: the nodes of the same names."""
    nodes = {node.get_friendly_name(): node for node in model.get_ordered_ops()}

    def twin(port: ov.Output) -> ov.Output:
        return nodes[port.get_node().get_friendly_name()].output(port.get_index())

    target, scores = insertion.target, insertion.scores
    sequences = tuple(replace(each, port=twin(each.port)) for each in target.sequences)
    moved = replace(target, port=twin(target.port), sequences=sequences)
    return DataFlow(model), moved, replace(scores, port=twin(scores.port))
