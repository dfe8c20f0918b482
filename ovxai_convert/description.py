"""From a conversion to its sidecar."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import openvino as ov

from ovxai_convert.branches.class_selection import ClassSelection
from ovxai_convert.graph.inputs import input_layout, input_name
from ovxai_convert.graph.ports import extents
from ovxai_convert.graph.scores import output_name
from ovxai_convert.insertion import Insertion, Request
from ovxai_convert.model_info import labels_of, preprocessing_of
from ovxai_convert.model_io import SourceModel, sha256_of_file
from ovxai_convert.sidecar import (
    Generator,
    InputInfo,
    ModelFiles,
    OutputInfo,
    RefusalInfo,
    SaliencyMapInfo,
    ScoresInfo,
    Sidecar,
    Source,
    TargetLayer,
    Verification,
)
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP, ClassToken, Task


def describe(
    source: SourceModel, insertion: Insertion, verification: Verification, xml: Path, request: Request
) -> Sidecar:
    """The sidecar of a model that was written to ``xml`` and proved."""
    weights = xml.with_suffix(".bin")
    model, target, scores = insertion.model, insertion.target, insertion.scores
    return Sidecar(
        generator=Generator("ovxai-convert", version("ovxai-convert"), ov.get_version()),
        source=Source(source.path.name, source.format, source.sha256),
        model=ModelFiles(xml.name, weights.name, sha256_of_file(xml), sha256_of_file(weights)),
        mode="whitebox",
        method=insertion.branch.method.value,
        task=Task.CLASSIFICATION.value,
        inputs=tuple(
            InputInfo(input_name(model, index), shape_of(port), element_type_of(port), input_layout(port))
            for index, port in enumerate(model.inputs)
        ),
        outputs=tuple(
            OutputInfo(output_name(model, index), index, shape_of(port), element_type_of(port))
            for index, port in enumerate(model.outputs[: insertion.map_index])
        ),
        target_layer=TargetLayer(
            target.port.get_node().get_friendly_name(),
            target.port.get_index(),
            target.port.get_node().get_type_name(),
            shape_of(target.port),
            target.layout,
            target.selected_by,
        ),
        scores=ScoresInfo(
            output_name(model, scores.output_index),
            scores.port.get_node().get_friendly_name(),
            scores.port.get_index(),
            scores.class_count,
            scores.activation,
        ),
        saliency_map=_describe_map(insertion, request),
        labels=labels_of(source, scores.class_count),
        preprocessing=preprocessing_of(source),
        verification=verification,
        refusals=tuple(RefusalInfo(each.method, each.reason, each.node) for each in insertion.refusals),
        parameters=_describe_parameters(insertion, request),
    )


def _describe_parameters(insertion: Insertion, request: Request) -> dict[str, Any] | None:
    if insertion.target.block is None:
        return None
    kept = request.masking.class_token is ClassToken.KEEP
    return {
        "kernel": request.masking.kernel.value,
        "class_token": "kept" if kept else "dropped",
        "block": insertion.target.block,
    }


def _describe_map(insertion: Insertion, request: Request) -> SaliencyMapInfo:
    port = insertion.model.outputs[insertion.map_index]
    return SaliencyMapInfo(
        output=SALIENCY_MAP,
        index=insertion.map_index,
        shape=shape_of(port),
        element_type=element_type_of(port),
        axes=insertion.branch.axes,
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
