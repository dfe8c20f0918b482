"""Locate, build, insert: from a model in memory to a copy of it with one more output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from openvino import Model, Type

from ovxai_convert.anatomy.blocks import find_block
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.inputs import describe_inputs, image_flow, image_ports
from ovxai_convert.anatomy.samples import merged_samples
from ovxai_convert.anatomy.scores import Scores, find_scores
from ovxai_convert.anatomy.target import Candidate, Target, candidates, find_target
from ovxai_convert.errors import LOCATE, Refusal, RefusedError, TooBig, UsageError, last_line
from ovxai_convert.insertion.outputs import add_output, has_output, name_added_nodes
from ovxai_convert.insertion.tap import tap_at_depth
from ovxai_convert.methods import BRANCHES, Branch
from ovxai_convert.methods.class_selection import ALL_CLASSES, ClassSelection
from ovxai_convert.methods.method import Site
from ovxai_convert.methods.scaling import scale_to_grey_levels
from ovxai_convert.mosaic.cost import Cost, cost_of, readable
from ovxai_convert.mosaic.rewriting import WrittenOut
from ovxai_convert.tensors.ports import address
from ovxai_convert.vocabulary import (
    DEFAULT_MASKING,
    SALIENCY_CLASSES,
    SALIENCY_MAP,
    Method,
    Task,
    TokenMasking,
)

DEFAULT_MAX_BRANCH_BYTES: Final = 2 * 2**30
_ALTERNATIVES_NAMED: Final = 3
_ALTERNATIVES_TRIED: Final = 8


@dataclass(frozen=True)
class Request:
    """What shall be inserted, and where.

    Attributes:
        method: the method; None tries all in their order and takes the first that is possible.
        target_layer: friendly name, tensor name or ``NAME:PORT`` of the feature map; None searches.
        scores_output: tensor name or index of the output that holds the classes; None takes the only one.
        embed_scaling: scale each map to grey levels inside the graph.
        selection: the classes that get a map.
        max_branch_bytes: the largest tensor that a branch may build.
        masking: how tokens are masked, where the method does that.
        tap_depth: how the branch reads the target; see :func:`~ovxai_convert.insertion.tap.tap_at_depth`.
        name_alternatives: where a branch is too big, look for layers at which it is not, and name them.
    """

    method: Method | None = None
    target_layer: str | None = None
    scores_output: str | None = None
    embed_scaling: bool = True
    selection: ClassSelection = ALL_CLASSES
    max_branch_bytes: int = DEFAULT_MAX_BRANCH_BYTES
    masking: TokenMasking = DEFAULT_MASKING
    tap_depth: int = 0
    name_alternatives: bool = True


@dataclass(frozen=True)
class Insertion:
    """A model with a branch, and where it stands; tensors are those of ``model``.

    Attributes:
        model: the copy that has the output ``saliency_map``.
        branch: the method that was built.
        scores: its class tensor.
        target: its feature map.
        map_index: index of the output ``saliency_map``; ``saliency_classes`` follows it if there is one.
        cost: what the branch adds to an inference.
        refusals: why methods before this one were not possible.
        written_out: ops at which copies had to be written out, which is what makes a branch dear.
    """

    model: Model
    branch: Branch
    scores: Scores
    target: Target
    map_index: int
    cost: Cost
    refusals: tuple[Refusal, ...] = ()
    written_out: tuple[WrittenOut, ...] = ()


def insert_branch(model: Model, request: Request) -> Insertion:
    """Copy a model and give the copy the output ``saliency_map``.

    Raises:
        RefusedError: no method is possible; every reason is in it.
        UsageError: a layer or an output that does not exist was asked for, or a method without a branch.
    """
    if request.method is not None and request.method.is_black_box:
        raise UsageError(f"{request.method.value} inserts no branch: it treats the model as a black box")
    if has_output(model, SALIENCY_MAP):
        raise RefusedError([Refusal(LOCATE, f"the model already has an output '{SALIENCY_MAP}'")])
    wanted = [branch for branch in BRANCHES if request.method in (None, branch.method)]
    refusals: list[Refusal] = []
    for branch in wanted:
        inserted = _try_branch(model.clone(), branch, request)
        if isinstance(inserted, TooBig):
            inserted = _with_advice(inserted, model, branch, request)
        if not isinstance(inserted, Refusal):
            return replace(inserted, refusals=tuple(refusals))
        if inserted not in refusals:
            refusals.append(inserted)
    raise RefusedError(refusals)


def insert_xai(
    model: Model,
    task: Task = Task.CLASSIFICATION,
    explain_method: Method | None = None,
    target_layer: str | None = None,
    embed_scaling: bool = True,
) -> Model:
    """A copy of a classifier with one more output, ``saliency_map``; the model itself is not changed.

    Args:
        model: a classifier.
        task: what the model is for; only classification is supported.
        explain_method: the white-box method; None takes the first that is possible.
        target_layer: friendly name of the node whose output is masked; None takes the last feature map.
        embed_scaling: maps as u8 grey levels 0 to 255; else raw scores in the model's float type.

    Raises:
        RefusedError: no branch can be inserted, with every reason.
        UsageError: ``target_layer`` names no layer, or the task is not supported.
    """
    if task is not Task.CLASSIFICATION:
        raise UsageError(f"task {task} is not supported; only {Task.CLASSIFICATION} is")
    return insert_branch(model, Request(explain_method, target_layer, embed_scaling=embed_scaling)).model


@dataclass(frozen=True)
class Location:
    """Where a branch may stand in a model; tensors are those of the model that was looked at."""

    flow: DataFlow
    scores: Scores
    target: Target


def locate(model: Model, branch: Branch, request: Request) -> Location | Refusal:
    """Find the scores and the target that a request means, as a method wants it."""
    if not image_ports(model):
        return Refusal(LOCATE, f"no input takes an image: {describe_inputs(model)}")
    flow = DataFlow(model)
    scores = find_scores(model, flow, request.scores_output)
    if isinstance(scores, Refusal):
        return scores
    of_image = image_flow(model)
    if branch.on_tokens:
        target = find_block(model, of_image, scores, request.target_layer, request.masking.block)
    else:
        target = find_target(model, of_image, scores, request.target_layer)
    if isinstance(target, Refusal):
        return target
    return merged_samples(model, target) or _too_coarse(scores, target) or Location(flow, scores, target)


def _too_coarse(scores: Scores, target: Target) -> Refusal | None:
    """Why a head cannot be explained whose scores are rounded more coarsely than a map's grey levels.

    The CPU computes float16 in float32, but bfloat16 as it is where the processor can: in 8 bits. Maps whose
    range is small beside the scores then have few steps, and two ways to one score differ by some.
    """
    if Type.bf16 not in (port.get_element_type() for port in (scores.port, target.port)):
        return None
    reason = "the head computes in bfloat16, whose steps are coarser than grey levels"
    return Refusal(LOCATE, f"{reason}; store the model in float16 or float32", address(target.port))


def class_scores(model: Model, request: Request) -> Scores | None:
    """The scores that a request means, or None where there are none or several, or a map already."""
    if has_output(model, SALIENCY_MAP):
        return None
    scores = find_scores(model, DataFlow(model), request.scores_output)
    return None if isinstance(scores, Refusal) else scores


def _try_branch(model: Model, branch: Branch, request: Request) -> Insertion | Refusal:
    """Build one method's branch in a model that nobody else uses."""
    place = locate(model, branch, request)
    if isinstance(place, Refusal):
        return place
    taps = {}
    for port in place.target.masked:
        tap = tap_at_depth(place.flow, port, request.tap_depth)
        if isinstance(tap, Refusal):
            return tap
        taps[port] = tap
    refusal = _unknown_class(place.scores, request.selection)
    if refusal is not None:
        return refusal
    site = Site(
        place.flow,
        place.target,
        taps,
        place.scores,
        request.selection,
        request.max_branch_bytes,
        request.masking,
    )
    try:
        raw = branch.build(site)
    except RuntimeError as error:  # OpenVINO's answer where an op cannot be made of these tensors
        raw = Refusal(branch.method.value, f"the branch cannot be built: {last_line(error)}")
    if isinstance(raw, Refusal):
        return raw
    map_index = len(model.outputs)
    add_output(model, scale_to_grey_levels(raw.maps) if request.embed_scaling else raw.maps, SALIENCY_MAP)
    if raw.classes is not None:
        add_output(model, raw.classes, SALIENCY_CLASSES)
    name_added_nodes(model, place.flow, SALIENCY_MAP)
    cost = cost_of(
        (node for node in model.get_ordered_ops() if node not in place.flow.position), place.flow.nodes
    )
    if cost.peak_bytes > request.max_branch_bytes:
        return _too_big(branch, place.target, cost, request.max_branch_bytes)
    return Insertion(model, branch, place.scores, place.target, map_index, cost, written_out=raw.written_out)


def _unknown_class(scores: Scores, selection: ClassSelection) -> Refusal | None:
    wrong = [index for index in selection.indices or () if not 0 <= index < scores.class_count]
    too_many = (selection.top_k or 0) > scores.class_count
    if wrong or too_many:
        what = f"there is no class {wrong[0]}" if wrong else f"there are no {selection.top_k} classes"
        return Refusal(LOCATE, f"{what}: the scores have {scores.class_count}")
    return None


def _too_big(branch: Branch, target: Target, cost: Cost, max_bytes: int) -> TooBig:
    needed = f"the branch needs {readable(cost.peak_bytes)} at once, more than {readable(max_bytes)}"
    price = f"and {cost.macs / 1e9:.2f} G multiply-accumulates, {cost.share:.2f} times the model's"
    return TooBig(branch.method.value, f"{needed}, {price}", address(target.port))


def _with_advice(refusal: TooBig, model: Model, branch: Branch, request: Request) -> TooBig:
    """A refusal that also says what may do: more memory, or layers at which the branch fits."""
    advice = "a higher --max-branch-memory may do"
    if request.name_alternatives and not branch.on_tokens:
        tried = _other_layers(model, branch, request)[:_ALTERNATIVES_TRIED]
        fitting = list(islice(_fitting(model, branch, request, tried), _ALTERNATIVES_NAMED))
        if fitting:
            advice = f"{advice}, or another --target-layer: {', '.join(fitting)}"
        elif tried:
            advice = f"{advice}; of {len(tried)} other layers tried none fits"
        else:
            advice = f"{advice}; there is no other layer to take"
    return replace(refusal, reason=f"{refusal.reason}; {advice}")


def _fitting(model: Model, branch: Branch, request: Request, places: Sequence[Candidate]) -> Iterator[str]:
    """Where the branch is not refused, and what it needs there; each costs a branch built in vain."""
    for place in places:
        where = address(place.port)
        inserted = _try_branch(model.clone(), branch, replace(request, target_layer=where))
        if isinstance(inserted, Insertion):
            shape = str(place.port.get_partial_shape())
            yield f"at '{where}' {shape} it needs {readable(inserted.cost.peak_bytes)}"


def _other_layers(model: Model, branch: Branch, request: Request) -> list[Candidate]:
    """Feature maps beside the one that the request means: of each shape that which is nearest to the scores.

    Those behind it have no less work between them and the scores.
    """
    place = locate(model, branch, request)
    assert isinstance(place, Location), "it was located when the branch was tried"
    found = candidates(model, image_flow(model), place.scores)
    others = [each for each in found if each.layout and each.port != place.target.port]
    return list({str(each.port.get_partial_shape()): each for each in reversed(others)}.values())[::-1]
