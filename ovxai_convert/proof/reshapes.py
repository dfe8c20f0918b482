"""The proof at other shapes: a converted model takes another batch and another size as its source does."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Final

import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.interface import camera_format, input_layout
from ovxai_convert.artifact.checks import ReshapeCheck
from ovxai_convert.errors import VerificationError
from ovxai_convert.insertion.request import Branch, Place
from ovxai_convert.ops import Trait, has
from ovxai_convert.proof.comparison import ACCEPTED_DIFFERENCE, Reference, measure
from ovxai_convert.proof.cut_model import CutModel
from ovxai_convert.proof.execution import Execution, run
from ovxai_convert.proof.map_check import check_maps, merged_checks
from ovxai_convert.proof.trial_inputs import Feed, feed_of_kind
from ovxai_convert.tensors.ports import elements, extents

_MORE_SAMPLES: Final = 1
_STEPS: Final = {"H": 32, "W": 64}
"""By how many rows and columns an image shrinks, or grows where it is small: multiples of what networks
usually shrink it by."""

Shapes = tuple[tuple[int, ...], ...]
"""One shape per input."""


def prove_reshapes(
    original: Anatomy, converted: ov.Model, branch: Branch, own: slice, reference: Reference
) -> tuple[ReshapeCheck, ...]:
    """Try another batch and another size together, and each alone where the source does not take both.

    ``own``: which of the outputs that were added are the branch's.

    The outputs are compared with those of the original that has its target as one more output, which saves
    compiling it once more. The reference tells an input that the original answers, and how models are run.

    Returns:
        What came of every shape that was tried; none where batch and size are open, or the image is no image.

    Raises:
        VerificationError: the converted model runs, but an output has moved too far, or a map is wrong.
    """
    both, *each_alone = other_shapes(original)
    if both is None:
        return ()
    attempt = partial(_try, original, converted, branch, own, reference)
    together = attempt(both)
    if together.result == "proved" or None in each_alone:
        return (together,)
    return tuple(attempt(alone) for alone in each_alone if alone)


def merged_reshapes(checks: Sequence[ReshapeCheck]) -> tuple[ReshapeCheck, ...]:
    """What came of each shape for all branches of a model: the worst."""
    results = ("converted_does_not", "source_does_not", "proved")
    merged: dict[Shapes, ReshapeCheck] = {}
    for check in checks:
        other = merged.get(check.shapes, check)
        worst = min((other, check), key=lambda each: results.index(each.result))
        if worst.saliency_map is not None and other.saliency_map is not None and other is not check:
            both = merged_checks([other.saliency_map, worst.saliency_map])
            exact = bool(other.bit_exact and check.bit_exact)
            worst = replace(worst, saliency_map=both, bit_exact=exact)
        merged[check.shapes] = worst
    return tuple(merged.values())


def other_shapes(anatomy: Anatomy) -> tuple[Shapes | None, Shapes | None, Shapes | None]:
    """Shapes with another batch and size, with another batch, with another size; None where all is open."""
    shapes = [extents(port) for port in anatomy.model.inputs]
    if not anatomy.images or any(shape is None for shape in shapes):
        return None, None, None
    image, layout = anatomy.model.inputs.index(anatomy.images[0]), input_layout(anatomy.images[0])
    packed = camera_format(anatomy.images[0]) is not None
    static = [[extent or 1 for extent in shape or ()] for shape in shapes]
    own = list(shapes[image] or ())

    def changed(*, samples: bool, grid: bool) -> Shapes | None:
        new = [list(shape) for shape in static]
        if samples:
            for index, shape in enumerate(shapes):
                if shape and shape[0] is not None and shape[0] == own[0]:
                    new[index][0] += _MORE_SAMPLES
        if grid and layout is not None:
            for role, usual in _STEPS.items():
                axis = layout.index(role)
                step = usual * (3 if packed and role == "H" else 1)  # of brightness and colours together
                extent = own[axis]
                if extent is not None:
                    new[image][axis] = extent - step if extent >= 3 * step else extent + step
        return tuple(map(tuple, new)) if new != static else None

    batch, size = changed(samples=True, grid=False), changed(samples=False, grid=True)
    return changed(samples=True, grid=True), batch, size


def _try(
    original: Anatomy,
    converted: ov.Model,
    branch: Branch,
    own: slice,
    reference: Reference,
    shapes: Shapes,
) -> ReshapeCheck:
    place, request = branch.place, branch.request
    source, execution = _reshaped(original.model, shapes), reference.execution
    if source is None or not _keeps_numbers(source) or not _keeps_rows(original, source, shapes):
        return ReshapeCheck(shapes, "source_does_not")
    changed = _reshaped(converted, shapes)
    found = _found_in(source, place) or _found_in(_only_reshaped(original.model, shapes), place)
    if found is None:
        return ReshapeCheck(shapes, "source_does_not")
    feed = feed_of_kind(source, reference.trials[0].kind)
    with ThreadPoolExecutor(1) as beside:  # compiling takes one core each
        running = beside.submit(_outputs, changed, feed, execution)
        try:
            cut = CutModel(*found, execution, with_outputs=True)
            border, before = cut.values(feed)
        except RuntimeError:  # OpenVINO's answer where a model does not compile or run
            return ReshapeCheck(shapes, "source_does_not")
        after = running.result()
    if after is None:
        return ReshapeCheck(shapes, "converted_does_not")
    movement = max(measure([pair])[1] for pair in zip(before, after, strict=False))
    where = f"at the shape {' '.join(str(list(shape)) for shape in shapes)}"
    if not movement <= ACCEPTED_DIFFERENCE:
        raise VerificationError(f"{where} an output moves by {movement:.3g} of its range")
    try:
        check = check_maps(cut, request, border, after[len(before) :][own], seed=0)
    except VerificationError as error:
        raise VerificationError(f"{where} {error}") from error
    return ReshapeCheck(shapes, "proved", movement == 0, check)


def _reshaped(model: ov.Model, shapes: Shapes) -> ov.Model | None:
    """A copy of a model at another shape, None where it does not take it."""
    copy = model.clone()
    try:
        copy.reshape({port: list(shape) for port, shape in zip(copy.inputs, shapes, strict=True)})
    except RuntimeError:  # OpenVINO's answer where a shape does not fit
        return None
    return copy


def _keeps_numbers(changed: ov.Model) -> bool:
    """Whether every op that only moves numbers gives as many as it gets.

    OpenVINO does not check the pattern of a Reshape that copies an axis by a zero: it reads as much as fits.
    """
    moves = [(node.input_value(0), node.output(0)) for node in changed.get_ops() if has(node, Trait.MOVE)]
    static = [ports for ports in moves if all(port.get_partial_shape().is_static for port in ports)]
    return all(elements(before) == elements(after) for before, after in static)


def _keeps_rows(original: Anatomy, changed: ov.Model, shapes: Shapes) -> bool:
    """Whether outputs of two axes have one row per image as before, and as many numbers in it.

    OpenVINO opens the batch of a Reshape before a layer, so that a larger map becomes more rows of it.
    """
    model, image = original.model, original.model.inputs.index(original.images[0])
    batch = (extents(model.inputs[image]) or (None,))[0]
    for old, new in zip(model.outputs, changed.outputs, strict=True):
        before, after = extents(old) or (), extents(new) or ()
        if len(before) == 2:
            rows = shapes[image][0] if before[0] == batch else before[0]
            wanted = zip(after, (rows, before[1]), strict=True)
            if any(extent not in (None, as_before) for extent, as_before in wanted):
                return False
    return True


def _only_reshaped(model: ov.Model, shapes: Shapes) -> ov.Model | None:
    """A copy at another shape with all of its nodes, None where it does not take the shape so.

    Reshaping puts one node in place of several that compute the same, of which the target may be one.
    """
    copy = model.clone()
    try:
        for parameter, shape in zip(copy.get_parameters(), shapes, strict=True):
            parameter.set_partial_shape(ov.PartialShape(list(shape)))
        copy.validate_nodes_and_infer_types()
    except RuntimeError:
        return None
    return copy


def _found_in(model: ov.Model | None, place: Place) -> tuple[ov.Model, Place] | None:
    """A copy at another shape, which replaces nodes and keeps names, and the place in it, if it is there."""
    if model is None:
        return None
    nodes = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
    try:
        return model, place.carried(
            lambda port: nodes[port.get_node().get_friendly_name()].output(port.get_index())
        )
    except KeyError:
        return None


def _outputs(model: ov.Model | None, feed: Feed, execution: Execution) -> tuple[NDArray[Any], ...] | None:
    """Outputs, None where a model does not compile or run."""
    try:
        return run(execution.compiled(model), feed) if model is not None else None
    except RuntimeError:
        return None
