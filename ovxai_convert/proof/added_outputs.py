"""The outputs that branches add to a model: what they have to be, and which belong to which branch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from ovxai_convert.anatomy.target import Target
from ovxai_convert.insertion.request import Branch
from ovxai_convert.methods.method import PER_CLASS
from ovxai_convert.proof.comparison import AddedOutput
from ovxai_convert.tensors.ports import extents
from ovxai_convert.vocabulary import FEATURE_VECTOR


def expected_outputs(branch: Branch) -> list[AddedOutput]:
    """What the definition gives beside the original's outputs."""
    place, request = branch.place, branch.request
    target, scores, selection = place.target, place.scores, request.selection
    shape = extents(target.port) or ()
    samples = 1 if target.batch_axis is None else shape[target.batch_axis]
    count = selection.count(scores.class_count)
    sizes = dict(zip(PER_CLASS, (samples, count, *target.grid), strict=True))
    raw = place.method.raw_like(scores, target).get_element_type().get_type_name()
    element_type = "u8" if request.embed_scaling else str(raw)
    added = [(request.output_name, element_type, [sizes[axis] for axis in place.method.axes])]
    if selection.top_k:
        added.append((request.classes_name, "i64", [samples, count]))
    if request.feature_vector:
        added.append((FEATURE_VECTOR, "f32", [samples, _channels(target)]))
    return added


def _channels(target: Target) -> int | None:
    """C of what stands for an image."""
    if target.feature is not None:
        return (extents(target.feature) or (None, None))[1]
    return (extents(target.port) or ())[target.channel_axis]


def shared_out(branches: Sequence[Branch]) -> list[slice]:
    """Which of the outputs that were added belong to which branch."""
    ends = list(accumulate((len(branch.request.added_names) for branch in branches), initial=0))
    return [slice(*bounds) for bounds in pairwise(ends)]
