"""Locate, build, insert: from a model that was read to a copy of it with one more output, or to advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from openvino import Model, Type

from ovxai_convert.anatomy.anatomy import Anatomy, ModelCopy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.interface import describe_inputs, tensor_names
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target, merged_samples
from ovxai_convert.errors import Refusal, RefusedError, TooBig, UsageError, last_line
from ovxai_convert.insertion.outputs import add_output, mean_of_cells, name_added_nodes, scale_to_grey_levels
from ovxai_convert.insertion.request import Branch, Insertion, Place, Request
from ovxai_convert.insertion.tap import tap_at_depth
from ovxai_convert.insertion.task import layers_named, taken_for, task_of
from ovxai_convert.methods import Method, WhiteBoxMethod, method_of, methods_for
from ovxai_convert.methods.method import ClassSelection, Site
from ovxai_convert.mosaic.cost import cost_of, readable
from ovxai_convert.source.given import model_in_memory
from ovxai_convert.tensors.ports import address
from ovxai_convert.vocabulary import FEATURE_VECTOR, Task

_NAMED: Final = 3
"""Other layers that are named where a branch is too big."""
_TRIED: Final = 8
"""Other layers that are tried for it."""

BuildAt = Callable[[Place], Insertion | Refusal]
"""Builds a branch in a copy of the model."""


def insert_xai(
    model: Model,
    task: Task | str = Task.CLASSIFICATION,
    explain_method: Method | str | None = None,
    target_layer: str | Sequence[str] | None = None,
    embed_scaling: bool = True,
) -> Model:
    """A copy of a model with one more output, ``saliency_map``; the model itself is not changed.

    Args:
        model: a classifier or a detector.
        task: which of both; ``"auto"``: as it looks.
        explain_method: the white-box method, also by its name; None takes the first that is possible.
        target_layer: friendly name of the node whose output is masked; None takes the last feature map. Of a
            detector also several: its class heads.
        embed_scaling: maps as u8 grey levels 0 to 255; else raw scores in the model's float type.

    Raises:
        RefusedError: no branch can be inserted, with every reason.
        UsageError: ``target_layer`` names no layer, the method is not for the task, does not exist or inserts
            no branch; what is no model in memory.
    """
    method, layers = method_of(explain_method), layers_named(target_layer)
    anatomy = Anatomy(model_in_memory(model))
    detector = taken_for(anatomy, task_of(task, method), Told(layers=layers))
    layer = layers[0] if layers else None
    request = Request(method, layer, embed_scaling=embed_scaling, detector=detector)
    insertion = insert_branch(anatomy, request)
    if not isinstance(insertion, Insertion):
        raise RefusedError(insertion)
    return insertion.model


def insert_branch(anatomy: Anatomy, request: Request) -> Insertion | tuple[Refusal, ...]:
    """Copy a model and give the copy the output ``saliency_map``, or say for every method why not.

    Raises:
        UsageError: a layer or an output that does not exist was asked for, or a method without a branch.
    """
    if (taken := name_taken(anatomy, request)) is not None:
        return (taken,)

    def build(place: Place) -> Insertion | Refusal:
        return build_branch(anatomy, place, request)

    methods = methods_for(request.task)
    if request.method is not None:
        if request.method.white_box is None:
            raise UsageError(f"{request.method.value} inserts no branch: it treats the model as a black box")
        methods = (request.method.white_box,)
    refusals: list[Refusal] = []
    for method in methods:
        inserted = try_method(anatomy, method, request, build)
        if isinstance(inserted, Insertion):
            return replace(inserted, refusals=tuple(refusals))
        if inserted not in refusals:
            refusals.append(inserted)
    return tuple(refusals)


def name_taken(anatomy: Anatomy, request: Request) -> Refusal | None:
    """Why no output can be added under the names that a request has for them, None if they are free."""
    taken = tensor_names(anatomy.model) & set(request.added_names)
    if not taken:
        return None
    advice = "; --output-name gives the map another name" if request.output_name in taken else ""
    return Refusal(f"the model already has a tensor '{min(taken)}'{advice}")


def try_method(
    anatomy: Anatomy, method: WhiteBoxMethod, request: Request, build: BuildAt
) -> Insertion | Refusal:
    """What comes of a method where it stands by itself; advice where that is too big."""
    place = find_place(anatomy, method, request)
    if isinstance(place, Refusal):
        return place
    inserted = build(place)
    return _with_advice(inserted, anatomy, place, build) if isinstance(inserted, TooBig) else inserted


def _with_advice(refusal: TooBig, anatomy: Anatomy, place: Place, build: BuildAt) -> TooBig:
    """A refusal that also says what may do: more memory, or layers at which the branch fits."""
    advice = "a higher --max-branch-memory may do"
    others = _other_targets(anatomy, place)[:_TRIED]
    fitting = list(islice(_fitting(place, others, build), _NAMED))
    if fitting:
        advice = f"{advice}, or another --target-layer: {', '.join(fitting)}"
    elif others:
        advice = f"{advice}; of {len(others)} other layers tried none fits"
    else:
        advice = f"{advice}; there is no other layer to take"
    return replace(refusal, reason=f"{refusal.reason}; {advice}")


def _fitting(place: Place, targets: Sequence[Target], build: BuildAt) -> Iterator[str]:
    """Where the branch is not refused, and what it needs there; each costs a branch built in vain."""
    for target in targets:
        inserted = build(replace(place, target=target))
        if isinstance(inserted, Insertion):
            where, shape = address(target.port), target.port.get_partial_shape()
            yield f"at '{where}' {shape} it needs {readable(inserted.cost.peak_bytes)}"


def _other_targets(anatomy: Anatomy, place: Place) -> list[Target]:
    """Targets beside the one that is meant: of each shape that which is nearest to the scores.

    Those behind it have no less work between them and the scores.
    """
    candidates = place.method.candidates(anatomy, place.scores)
    targets = [candidate.target for candidate in candidates if candidate.port != place.target.port]
    by_shape = {str(target.port.get_partial_shape()): target for target in reversed(targets) if target}
    return list(by_shape.values())[::-1]


def find_place(anatomy: Anatomy, method: WhiteBoxMethod, request: Request) -> Place | Refusal:
    """Find the scores and the target that a request means, as a method wants it."""
    if not anatomy.images:
        return Refusal(f"no input takes an image: {describe_inputs(anatomy.model)}")
    scores = request.scores(anatomy)
    if isinstance(scores, Refusal):
        return scores
    target = method.locate(anatomy, scores, request.target_layer, method.settings(request.options))
    return target if isinstance(target, Refusal) else checked_place(anatomy, Place(method, scores, target))


def checked_place(anatomy: Anatomy, place: Place) -> Place | Refusal:
    """A place, or why no map of it would be one of an image's cells."""
    return merged_samples(anatomy, place.target) or _too_coarse(place.scores, place.target) or place


def _too_coarse(scores: Scores, target: Target) -> Refusal | None:
    """Why a head cannot be explained whose scores are rounded more coarsely than a map's grey levels.

    The CPU computes float16 in float32, but bfloat16 as it is where the processor can: in 8 bits. Maps whose
    range is small beside the scores then have few steps, and two ways to one score differ by some.
    """
    if Type.bf16 not in (port.get_element_type() for port in (scores.port, target.port)):
        return None
    reason = "the head computes in bfloat16, whose steps are coarser than grey levels"
    return Refusal(f"{reason}; store the model in float16 or float32", address(target.port))


def build_branch(anatomy: Anatomy, place: Place, request: Request, tap_depth: int = 0) -> Insertion | Refusal:
    """Build one method's branch in a copy of the model.

    ``tap_depth``: how it reads the target; see :func:`~ovxai_convert.insertion.tap.tap_at_depth`.
    """
    return _add_branch(anatomy.copied(), Branch(place, request), tap_depth)


def build_branches(
    anatomy: Anatomy, branches: Sequence[Branch], tap_depth: int = 0
) -> tuple[Insertion, ...] | Refusal:
    """Build several branches in one copy of the model, each of another head; see :func:`build_branch`."""
    copy = anatomy.copied()
    built: list[Insertion] = []
    for branch in branches:
        inserted = _add_branch(copy, branch, tap_depth)
        if isinstance(inserted, Refusal):
            return inserted
        built.append(inserted)
    return tuple(built)


def _add_branch(copy: ModelCopy, branch: Branch, tap_depth: int) -> Insertion | Refusal:
    place, request = branch.place, branch.request
    before = copy.model.get_ordered_ops()
    unknown = _unknown_class(place.scores, request.selection)
    site = unknown or _site(copy, place, request, tap_depth)
    if isinstance(site, Refusal):
        return site
    method, model = place.method, copy.model
    try:
        raw = method.build(site)
    except RuntimeError as error:  # OpenVINO's answer where an op cannot be made of these tensors
        raw = Refusal(f"the branch cannot be built: {last_line(error)}")
    if isinstance(raw, Refusal):
        return replace(raw, method=method.name)
    map_index = len(model.outputs)
    add_output(
        model, scale_to_grey_levels(raw.maps) if request.embed_scaling else raw.maps, request.output_name
    )
    if raw.classes is not None:
        add_output(model, raw.classes, request.classes_name)
    if request.feature_vector:
        features = site.tap if site.target.feature is None else site.target.feature
        add_output(model, mean_of_cells(features, site.target), FEATURE_VECTOR)
    added = name_added_nodes(model, before, request.output_name)
    cost = cost_of(added, copy.anatomy.nodes)
    if cost.peak_bytes > request.max_branch_bytes:
        needed = f"the branch needs {readable(cost.peak_bytes)} at once, more than "
        price = f"and {cost.macs / 1e9:.2f} G multiply-accumulates, {cost.share:.2f} times the model's"
        reason = f"{needed}{readable(request.max_branch_bytes)}, {price}"
        return TooBig(reason, address(place.target.port), method.name)
    return Insertion(place, request, model, map_index, cost, written_out=raw.written_out)


def _site(copy: ModelCopy, place: Place, request: Request, tap_depth: int) -> Site | Refusal:
    """Where in a copy of the model the branch is built."""
    flow, there = copy.flow(), place.carried(copy.port)
    taps = {}
    for port in there.target.masked:
        tap = tap_at_depth(flow, port, tap_depth)
        if isinstance(tap, Refusal):
            return tap
        taps[port] = tap
    asked = request.selection, request.max_branch_bytes, place.method.settings(request.options)
    return Site(copy, flow, there.target, taps, there.scores, *asked)


def _unknown_class(scores: Scores, selection: ClassSelection) -> Refusal | None:
    wrong = [index for index in selection.indices or () if not 0 <= index < scores.class_count]
    too_many = (selection.top_k or 0) > scores.class_count
    if wrong or too_many:
        what = f"there is no class {wrong[0]}" if wrong else f"there are no {selection.top_k} classes"
        return Refusal(f"{what}: the scores have {scores.class_count}")
    return None
