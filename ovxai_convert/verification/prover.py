"""The proof as a whole: one original, compiled and run once, against which candidates are measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.errors import Refusal, VerificationError
from ovxai_convert.insertion import Insertion, Request, locate
from ovxai_convert.model_io import read_model
from ovxai_convert.sidecar import SaliencyCheck, Verification
from ovxai_convert.tensors.ports import extents
from ovxai_convert.verification.comparison import (
    ACCEPTED_DIFFERENCE,
    Comparison,
    added_outputs,
    check_added_output,
    compare_interfaces,
    compare_outputs,
    merge_checks,
    repeats_itself,
    run_original,
)
from ovxai_convert.verification.device import IN_FLOATS, ONE_THREAD, quantises
from ovxai_convert.verification.map_check import (
    check_activation_map,
    check_best_classes,
    check_class_maps,
)
from ovxai_convert.verification.slow_definition import SlowDefinition
from ovxai_convert.verification.trial_inputs import Feed, seeded_feeds
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP


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

    Raises:
        VerificationError: the original itself cannot be run.
    """

    def __init__(self, model: ov.Model, request: Request, images: Sequence[Feed]) -> None:
        self._request = request
        self._slow: tuple[Insertion, str, SlowDefinition] | None = None
        self._written = model
        self._steady: bool | None = None
        self._reference = run_original(model, [*seeded_feeds(model), *images])

    def compare(self, xml: Path, insertion: Insertion) -> Comparison:
        """Read a written model again and measure how far the original's outputs have moved in it.

        Raises:
            VerificationError: its interface is not the original's with one output more, or it does not run.
        """
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

    def prove(self, comparison: Comparison, insertion: Insertion) -> Verification:
        """Check the saliency maps that a comparison found against their slow definition.

        Raises:
            VerificationError: an output has moved too far, or a map is wrong.
        """
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

    def _check_maps(
        self, insertion: Insertion, added: Sequence[Sequence[NDArray[Any]]], device: str
    ) -> SaliencyCheck:
        slow = self._slow_definition(insertion, device)
        return merge_checks(
            [self._check_map(slow, insertion, index, each) for index, each in enumerate(added)]
        )

    def _compare_outputs(self, converted: ov.Model) -> Comparison:
        comparison = compare_outputs(self._reference, converted)
        if comparison.movement == 0 or self._is_steady():
            return comparison
        self._reference = run_original(self._reference.model, self._reference.feeds, ONE_THREAD)
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
        self, slow: SlowDefinition, insertion: Insertion, index: int, added: Sequence[NDArray[Any]]
    ) -> SaliencyCheck:
        border = slow.border_values(self._reference.feeds[index])
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

    def _slow_definition(self, insertion: Insertion, device: str) -> SlowDefinition:
        """Of the method that was inserted; the last one asked for is kept."""
        if self._slow is None or self._slow[0] is not insertion or self._slow[1] != device:
            copy = self._reference.model.clone()
            place = locate(copy, insertion.branch, self._request)
            assert not isinstance(place, Refusal), "it was located when it was inserted"
            masking = self._request.masking
            slow = SlowDefinition(copy, place.flow, place.target, place.scores, masking, device)
            self._slow = insertion, device, slow
        return self._slow[2]
