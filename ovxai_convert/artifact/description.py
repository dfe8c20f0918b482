"""From a conversion to what is written of it: into the model itself, and into its sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openvino as ov

from ovxai_convert.anatomy.dense_head import DenseHead, HeadScale, Role
from ovxai_convert.anatomy.interface import input_layout, input_name, output_name
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact import checks, sidecar
from ovxai_convert.artifact.fitting import shape_of, type_of
from ovxai_convert.artifact.sidecar import Description, Sidecar
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.request import Insertion
from ovxai_convert.methods import default_black_box
from ovxai_convert.source.answers import Answer
from ovxai_convert.source.reading import SourceModel, sha256_of_file
from ovxai_convert.vocabulary import FEATURE_VECTOR, Task


@dataclass(frozen=True)
class Notes:
    """What is known of a model beside its graph.

    Attributes:
        labels: one per class, or None.
        preprocessing: in numbers, see :mod:`ovxai_convert.photographs.described`, or None.
        answer: how its class output is read.
    """

    labels: tuple[str, ...] | None
    preprocessing: dict[str, Any] | None
    answer: Answer


def describe(insertions: Sequence[Insertion], notes: Notes, more_notes: Sequence[Notes] = ()) -> Description:
    """What a model with a branch is, or with several; ``more_notes`` are on the heads after the first one."""
    first, *others = insertions
    added = _added_outputs(first)
    return Description(
        mode="whitebox",
        feature_vector=_added(first.model, FEATURE_VECTOR, added),
        refusals=_plain(first.refusals),
        more_heads=tuple(_head(other, on) for other, on in zip(others, more_notes, strict=True)),
        detection=None if first.place.target.dense is None else describe_head(first.place.target.dense),
        **_branch_facts(first),
        **_model_facts(first.model, first.map_index, first.place.scores, notes),
    )


def describe_head(dense: DenseHead) -> sidecar.DetectionInfo:
    """What is told of a detector's dense head."""

    def counted(scale: HeadScale, role: Role) -> int:
        size = scale.size(role)
        return -1 if size is None else size

    scales = tuple(
        sidecar.ScaleInfo(
            tensor.port.get_node().get_friendly_name(),
            tensor.port.get_index(),
            counted(scale, "H"),
            counted(scale, "W"),
            counted(scale, "A"),
        )
        for tensor, scale in dense.scales
    )
    return sidecar.DetectionInfo(scales, dense.activation, dense.objectness, dense.background)


def _head(insertion: Insertion, notes: Notes) -> sidecar.HeadInfo:
    scores = _scores_info(insertion.model, insertion.place.scores, notes.answer)
    return sidecar.HeadInfo(scores=scores, labels=notes.labels, **_branch_facts(insertion))


def _branch_facts(insertion: Insertion) -> dict[str, Any]:
    """The entries that each branch has of its own."""
    place, request = insertion.place, insertion.request
    target, node, parameters = place.target, place.target.port.get_node(), place.method.parameters
    return {
        "method": place.method.name,
        "target_layer": sidecar.TargetLayer(
            node.get_friendly_name(),
            target.port.get_index(),
            node.get_type_name(),
            shape_of(target.port),
            target.layout,
            target.selected_by,
        ),
        "saliency_map": describe_map(insertion),
        "saliency_classes": _added(insertion.model, request.classes_name, _added_outputs(insertion)),
        "parameters": parameters and parameters(target, place.method.settings(request.options)),
    }


def _added_outputs(insertion: Insertion) -> dict[str, int]:
    """Index of every output that a branch has added, by its name."""
    names = insertion.request.added_names
    return {name: insertion.map_index + number for number, name in enumerate(names)}


def describe_black_box(
    model: ov.Model, scores: Scores, refusals: Sequence[Refusal], notes: Notes
) -> Description:
    """What a model is that stays as it is, since no branch is possible."""
    return Description(
        mode="blackbox",
        method=default_black_box(_task_of(scores)).value,
        target_layer=None,
        saliency_map=None,
        refusals=_plain(refusals),
        **_model_facts(model, len(model.outputs), scores, notes),
    )


def with_proof(
    description: Description,
    source: SourceModel,
    xml: Path | None,
    onnx: sidecar.OnnxFile | None,
    verification: checks.Verification,
    reshapes: tuple[checks.ReshapeCheck, ...] = (),
) -> Sidecar:
    """The sidecar of a model that was written to ``xml``, or as ONNX, or both, and proved."""
    told = {each.name: getattr(description, each.name) for each in fields(description)}
    files = tuple(sidecar.SourceFile(*file) for file in sorted(source.files.items()))
    return Sidecar(
        **told,
        source=sidecar.Source(source.path.name, source.format, source.sha256, files),
        model=None if xml is None else _ir_files(xml),
        onnx=onnx,
        verification=verification,
        reshapes=reshapes,
    )


def _ir_files(xml: Path) -> sidecar.ModelFiles:
    weights = xml.with_suffix(".bin")
    return sidecar.ModelFiles(xml.name, weights.name, sha256_of_file(xml), sha256_of_file(weights))


def _model_facts(model: ov.Model, originals: int, scores: Scores, notes: Notes) -> dict[str, Any]:
    """The entries that do not depend on how the model is explained."""
    return {
        "generator": sidecar.Generator("ovxai-convert", version("ovxai-convert"), ov.get_version()),
        "task": _task_of(scores).value,
        "inputs": tuple(
            sidecar.InputInfo(input_name(model, index), shape_of(port), type_of(port), input_layout(port))
            for index, port in enumerate(model.inputs)
        ),
        "outputs": tuple(
            sidecar.OutputInfo(output_name(model, index), index, shape_of(port), type_of(port))
            for index, port in enumerate(model.outputs[:originals])
        ),
        "scores": _scores_info(model, scores, notes.answer),
        "labels": notes.labels,
        "preprocessing": notes.preprocessing,
    }


def _task_of(scores: Scores) -> Task:
    return Task.DETECTION if scores.meaning == "detections" else Task.CLASSIFICATION


def _scores_info(model: ov.Model, scores: Scores, answer: Answer) -> sidecar.ScoresInfo:
    return sidecar.ScoresInfo(
        output_name(model, scores.output_index),
        scores.port.get_node().get_friendly_name(),
        scores.port.get_index(),
        scores.class_count,
        scores.activation,
        answer.probabilities,
        answer.groups,
        answer.multilabel,
        answer.threshold,
        answer.meaning,
    )


def _plain(refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """As they are read back: a sidecar does not tell one kind of refusal from another."""
    return tuple(Refusal(refusal.reason, refusal.node, refusal.method) for refusal in refusals)


def describe_map(insertion: Insertion) -> sidecar.SaliencyMapInfo:
    """What is told of the added output."""
    request = insertion.request
    port, selection = insertion.model.output(request.output_name), request.selection
    classes: str | dict[str, Any] = "all"
    if selection.indices is not None:
        classes = {"indices": list(selection.indices)}
    elif selection.top_k is not None:
        classes = {"top_k": selection.top_k, "indices_output": request.classes_name}
    return sidecar.SaliencyMapInfo(
        output=request.output_name,
        index=insertion.map_index,
        shape=shape_of(port),
        element_type=type_of(port),
        axes=insertion.place.method.axes,
        scaling="minmax_per_map" if request.embed_scaling else "none",
        value_range=(0, 255) if request.embed_scaling else None,
        classes=classes,
    )


def _added(model: ov.Model, name: str, added: dict[str, int]) -> sidecar.OutputInfo | None:
    if name not in added:
        return None
    port = model.output(name)
    return sidecar.OutputInfo(name, added[name], shape_of(port), type_of(port))
