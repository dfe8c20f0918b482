"""From a conversion to its sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openvino as ov

from ovxai_convert.anatomy.inputs import input_layout, input_name
from ovxai_convert.anatomy.outputs import output_name
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact.sidecar import (
    Generator,
    InputInfo,
    ModelFiles,
    OutputInfo,
    ReshapeCheck,
    SaliencyMapInfo,
    ScoresInfo,
    Sidecar,
    Source,
    TargetLayer,
    Verification,
)
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.request import Insertion, Place, Request
from ovxai_convert.methods import DEFAULT_BLACK_BOX
from ovxai_convert.methods.class_selection import ClassSelection
from ovxai_convert.photographs.preprocessing import NO_HINTS, PreprocessingHints
from ovxai_convert.source.metadata import labels_of, preprocessing_of
from ovxai_convert.source.reading import SourceModel, sha256_of_file
from ovxai_convert.tensors.ports import extents
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP, Task


@dataclass(frozen=True)
class UserNotes:
    """What a user tells of a model beside its file.

    Attributes:
        labels: one per class; None: those of the model.
        preprocessing: where it says nothing, the model's own entries hold.
    """

    labels: tuple[str, ...] | None = None
    preprocessing: PreprocessingHints = NO_HINTS


def describe(
    source: SourceModel,
    insertion: Insertion,
    verification: Verification,
    reshapes: tuple[ReshapeCheck, ...],
    xml: Path,
    request: Request,
    notes: UserNotes,
) -> Sidecar:
    """The sidecar of a model that was written to ``xml`` with a branch and proved."""
    place = insertion.place
    target = place.target
    return Sidecar(
        mode="whitebox",
        method=place.method.name,
        target_layer=TargetLayer(
            target.port.get_node().get_friendly_name(),
            target.port.get_index(),
            target.port.get_node().get_type_name(),
            shape_of(target.port),
            target.layout,
            target.selected_by,
        ),
        saliency_map=describe_map(insertion, request),
        verification=verification,
        refusals=_plain(insertion.refusals),
        parameters=_parameters(place, request),
        reshapes=reshapes,
        **_model_facts(source, insertion.model, insertion.map_index, place.scores, xml, notes),
    )


def describe_black_box(
    source: SourceModel,
    scores: Scores,
    verification: Verification,
    xml: Path,
    refusals: Sequence[Refusal],
    notes: UserNotes,
) -> Sidecar:
    """The sidecar of a model that was written to ``xml`` as it is, since no branch is possible."""
    return Sidecar(
        mode="blackbox",
        method=DEFAULT_BLACK_BOX.value,
        target_layer=None,
        saliency_map=None,
        verification=verification,
        refusals=_plain(refusals),
        parameters=None,
        **_model_facts(source, source.model, len(source.model.outputs), scores, xml, notes),
    )


def _model_facts(
    source: SourceModel, model: ov.Model, originals: int, scores: Scores, xml: Path, notes: UserNotes
) -> dict[str, Any]:
    """The entries that do not depend on how the model is explained."""
    weights = xml.with_suffix(".bin")
    return {
        "generator": Generator("ovxai-convert", version("ovxai-convert"), ov.get_version()),
        "source": Source(source.path.name, source.format, source.sha256),
        "model": ModelFiles(xml.name, weights.name, sha256_of_file(xml), sha256_of_file(weights)),
        "task": Task.CLASSIFICATION.value,
        "inputs": tuple(
            InputInfo(input_name(model, index), shape_of(port), element_type_of(port), input_layout(port))
            for index, port in enumerate(model.inputs)
        ),
        "outputs": tuple(
            OutputInfo(output_name(model, index), index, shape_of(port), element_type_of(port))
            for index, port in enumerate(model.outputs[:originals])
        ),
        "scores": ScoresInfo(
            output_name(model, scores.output_index),
            scores.port.get_node().get_friendly_name(),
            scores.port.get_index(),
            scores.class_count,
            scores.activation,
        ),
        "labels": notes.labels or labels_of(source.model, source.metadata, scores.class_count),
        "preprocessing": _preprocessing(source.model, notes.preprocessing),
    }


def _parameters(place: Place, request: Request) -> dict[str, Any] | None:
    describe = place.method.parameters
    return None if describe is None else describe(place.target, place.method.settings(request.options))


def _preprocessing(model: ov.Model, told: PreprocessingHints) -> dict[str, Any] | None:
    """Entries under Model API's names: the model's own, and over them what the user tells."""
    entries = told.to_model_info()
    own = preprocessing_of(model) or {}
    if entries:
        own.pop("embedded_processing", None)
    return {**own, **entries} or None


def _plain(refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """As they are read back: a sidecar does not tell one kind of refusal from another."""
    return tuple(Refusal(each.reason, each.node, each.method) for each in refusals)


def describe_map(insertion: Insertion, request: Request) -> SaliencyMapInfo:
    """What the sidecar says of the added output."""
    port = insertion.model.outputs[insertion.map_index]
    return SaliencyMapInfo(
        output=SALIENCY_MAP,
        index=insertion.map_index,
        shape=shape_of(port),
        element_type=element_type_of(port),
        axes=insertion.place.method.axes,
        scaling="minmax_per_map" if request.embed_scaling else "none",
        value_range=(0, 255) if request.embed_scaling else None,
        classes=_describe_classes(request.selection),
    )


def _describe_classes(selection: ClassSelection) -> str | dict[str, Any]:
    if selection.indices is not None:
        return {"indices": list(selection.indices)}
    if selection.top_k is not None:
        return {"top_k": selection.top_k, "indices_output": SALIENCY_CLASSES}
    return "all"


def shape_of(port: ov.Output) -> tuple[int, ...]:
    """Extents of a tensor's axes, -1 where dynamic; empty where even the rank is."""
    return tuple(-1 if extent is None else extent for extent in extents(port) or ())


def element_type_of(port: ov.Output) -> str:
    """OpenVINO's name of a tensor's element type (``f32``, ``u8``)."""
    return str(port.get_element_type().get_type_name())
