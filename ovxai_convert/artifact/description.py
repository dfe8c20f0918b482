"""From a conversion to its sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openvino as ov

from ovxai_convert.anatomy.interface import input_layout, input_name, output_name
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact import sidecar
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import DEFAULT_BLACK_BOX
from ovxai_convert.photographs.preprocessing import NO_HINTS, PreprocessingHints
from ovxai_convert.source.metadata import labels_of, preprocessing_of
from ovxai_convert.source.reading import SourceModel, sha256_of_file
from ovxai_convert.tensors.ports import extents
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP, Task


@dataclass(frozen=True)
class UserNotes:
    """What a user tells of a model beside its file; where that is nothing, the model's own entries hold."""

    labels: tuple[str, ...] | None = None
    preprocessing: PreprocessingHints = NO_HINTS


def describe(
    source: SourceModel,
    insertion: Insertion,
    verification: sidecar.Verification,
    reshapes: tuple[sidecar.ReshapeCheck, ...],
    xml: Path,
    request: Request,
    notes: UserNotes,
) -> sidecar.Sidecar:
    """The sidecar of a model that was written to ``xml`` with a branch and proved."""
    place = insertion.place
    target, node, parameters = place.target, place.target.port.get_node(), place.method.parameters
    return sidecar.Sidecar(
        mode="whitebox",
        method=place.method.name,
        target_layer=sidecar.TargetLayer(
            node.get_friendly_name(),
            target.port.get_index(),
            node.get_type_name(),
            shape_of(target.port),
            target.layout,
            target.selected_by,
        ),
        saliency_map=describe_map(insertion, request),
        verification=verification,
        refusals=_plain(insertion.refusals),
        parameters=parameters and parameters(target, place.method.settings(request.options)),
        reshapes=reshapes,
        **_model_facts(source, insertion.model, insertion.map_index, place.scores, xml, notes),
    )


def describe_black_box(
    source: SourceModel,
    scores: Scores,
    verification: sidecar.Verification,
    xml: Path,
    refusals: Sequence[Refusal],
    notes: UserNotes,
) -> sidecar.Sidecar:
    """The sidecar of a model that was written to ``xml`` as it is, since no branch is possible."""
    return sidecar.Sidecar(
        mode="blackbox",
        method=DEFAULT_BLACK_BOX.value,
        target_layer=None,
        saliency_map=None,
        verification=verification,
        refusals=_plain(refusals),
        **_model_facts(source, source.model, len(source.model.outputs), scores, xml, notes),
    )


def _model_facts(
    source: SourceModel, model: ov.Model, originals: int, scores: Scores, xml: Path, notes: UserNotes
) -> dict[str, Any]:
    """The entries that do not depend on how the model is explained."""
    weights = xml.with_suffix(".bin")
    own, told = preprocessing_of(source.model) or {}, notes.preprocessing.to_model_info()
    if told:
        own.pop("embedded_processing", None)
    return {
        "generator": sidecar.Generator("ovxai-convert", version("ovxai-convert"), ov.get_version()),
        "source": sidecar.Source(source.path.name, source.format, source.sha256),
        "model": sidecar.ModelFiles(xml.name, weights.name, sha256_of_file(xml), sha256_of_file(weights)),
        "task": Task.CLASSIFICATION.value,
        "inputs": tuple(
            sidecar.InputInfo(input_name(model, index), shape_of(port), _type_of(port), input_layout(port))
            for index, port in enumerate(model.inputs)
        ),
        "outputs": tuple(
            sidecar.OutputInfo(output_name(model, index), index, shape_of(port), _type_of(port))
            for index, port in enumerate(model.outputs[:originals])
        ),
        "scores": sidecar.ScoresInfo(
            output_name(model, scores.output_index),
            scores.port.get_node().get_friendly_name(),
            scores.port.get_index(),
            scores.class_count,
            scores.activation,
        ),
        "labels": notes.labels or labels_of(source.model, source.metadata, scores.class_count),
        "preprocessing": {**own, **told} or None,
    }


def _plain(refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """As they are read back: a sidecar does not tell one kind of refusal from another."""
    return tuple(Refusal(refusal.reason, refusal.node, refusal.method) for refusal in refusals)


def describe_map(insertion: Insertion, request: Request) -> sidecar.SaliencyMapInfo:
    """What the sidecar says of the added output."""
    port, selection = insertion.model.outputs[insertion.map_index], request.selection
    classes: str | dict[str, Any] = "all"
    if selection.indices is not None:
        classes = {"indices": list(selection.indices)}
    elif selection.top_k is not None:
        classes = {"top_k": selection.top_k, "indices_output": SALIENCY_CLASSES}
    return sidecar.SaliencyMapInfo(
        output=SALIENCY_MAP,
        index=insertion.map_index,
        shape=shape_of(port),
        element_type=_type_of(port),
        axes=insertion.place.method.axes,
        scaling="minmax_per_map" if request.embed_scaling else "none",
        value_range=(0, 255) if request.embed_scaling else None,
        classes=classes,
    )


def shape_of(port: ov.Output) -> tuple[int, ...]:
    """Extents of a tensor's axes, -1 where dynamic; empty where even the rank is."""
    return tuple(-1 if extent is None else extent for extent in extents(port) or ())


def _type_of(port: ov.Output) -> str:
    return str(port.get_element_type().get_type_name())
