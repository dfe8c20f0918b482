"""Whether a description is of the model at hand, and what has become of that model since."""

from __future__ import annotations

import json
from collections.abc import Iterator

from openvino import Model, Output

from ovxai_convert.artifact.sidecar import Description, OutputInfo, SaliencyMapInfo, Sidecar
from ovxai_convert.methods.method import PER_CLASS
from ovxai_convert.source.answers import READ_BY_ACTIVATION
from ovxai_convert.tensors.ports import extents, shape_text


def contradiction(description: Description, model: Model) -> str | None:
    """Why a description cannot be of a model, whatever shapes and types that may have been given since."""
    return next(_contradictions(description, model), None)


def disagreement(sidecar: Sidecar, embedded: Description) -> str | None:
    """The first key of which a sidecar says something else than what stands in its model."""
    told, own = sidecar.to_data(), embedded.to_data()
    differing = [
        key
        for key in sorted(own)
        if json.dumps(told.get(key), sort_keys=True) != json.dumps(own[key], sort_keys=True)
    ]
    return differing[0] if differing else None


def changes(description: Description, model: Model) -> str | None:
    """Where a model has other shapes or types than were described; of outputs only if no input has."""
    pairs = zip(description.inputs, model.inputs, strict=True)
    inputs = [_change(f"input '{told.name}'", told.shape, told.element_type, port) for told, port in pairs]
    outputs = [
        _change(f"output '{_name_of(told)}'", told.shape, told.element_type, model.outputs[told.index])
        for told in (*description.outputs, *description.added_outputs)
    ]
    found = [change for change in inputs if change] or [change for change in outputs if change]
    return "; ".join(found) or None


def input_was_replaced(description: Description, model: Model) -> bool:
    """Whether the image's input is no more the one that the preprocessing was told of.

    Other extents leave it what it was; another type, or rows and columns on other axes, do not.
    """
    if len(description.inputs) != 1 or len(model.inputs) != 1:
        return True
    told, port = description.inputs[0], model.inputs[0]
    channels = told.layout.index("C") if told.layout and len(told.layout) == len(told.shape) else None
    shape = shape_of(port)
    other_channels = (
        channels is not None and len(shape) == len(told.shape) and shape[channels] != told.shape[channels]
    )
    return told.element_type != type_of(port) or len(shape) != len(told.shape) or other_channels


def shape_of(port: Output) -> tuple[int, ...]:
    """Extents of a tensor's axes, -1 where dynamic; empty where even the rank is."""
    return tuple(-1 if extent is None else extent for extent in extents(port) or ())


def type_of(port: Output) -> str:
    """OpenVINO's name of a tensor's element type, as ``f32``."""
    return str(port.get_element_type().get_type_name())


def _contradictions(description: Description, model: Model) -> Iterator[str]:
    outputs, originals, added = model.outputs, description.outputs, description.added_outputs
    if len(description.inputs) != len(model.inputs):
        yield f"it tells of {len(description.inputs)} inputs, the model has {len(model.inputs)}"
    if [output.index for output in originals] != list(range(len(originals))):
        yield "its outputs are not numbered in their order"
    names = [output.name for output in originals]
    if len(set(names)) != len(names):
        yield "two of its outputs have one name"
    everything: list[tuple[str, int]] = [(output.name, output.index) for output in originals]
    everything += [(_name_of(output), output.index) for output in added]
    if sorted(index for _, index in everything) != list(range(len(outputs))):
        yield f"it numbers {len(everything)} outputs, the model has {len(outputs)}"
        return
    for name, index in everything:
        has = outputs[index].get_names()
        if (has and name not in has) or (not has and name != str(index)):
            yield f"output {index} is not called '{name}'"
    yield from _of_heads(description, outputs)
    if description.feature_vector is not None and len(description.feature_vector.shape) != 2:
        yield "its feature vector is not [N, C]"


def _of_heads(description: Description, outputs: list[Output]) -> Iterator[str]:
    names = [output.name for output in description.outputs]
    for name in description.heads:
        if name not in names:
            yield f"the scores are in an output '{name}', which is not among the outputs"
            return
    if len(set(description.heads)) != len(description.heads):
        yield "two of its heads are one output"
    for name in description.heads:
        head = description.of_head(name)
        yield from _of_classes(head, outputs)
        if head.saliency_map is not None:
            yield from _of_the_map(head.saliency_map, head, outputs)


def _of_classes(description: Description, outputs: list[Output]) -> Iterator[str]:
    scores, labels = description.scores, description.labels
    index = next(output.index for output in description.outputs if output.name == scores.output)
    shown = extents(outputs[index]) or ()
    if scores.activation != "argmax" and scores.meaning != "detections":
        held = [extent for extent in shown[1:] if extent != 1] or [1]
        if len(shown) > 1 and (len(held) > 1 or held[0] not in (None, scores.class_count)):
            yield f"output '{scores.output}' {list(shown)} does not hold {scores.class_count} classes"
    classes = scores.answer.class_count(scores.class_count)
    if labels is not None and len(labels) != classes:
        yield f"{len(labels)} labels do not name {classes} classes"
    last = 0
    for first, behind in scores.groups:
        if not last <= first < behind <= scores.class_count:
            yield f"a group of classes from {first} to {behind} does not fit"
        last = behind
    usual = READ_BY_ACTIVATION.get(scores.activation, scores.probabilities)
    if scores.activation == "argmax" and scores.probabilities != usual:
        yield f"behind the activation {scores.activation} numbers are not read by '{scores.probabilities}'"
    if scores.probabilities == "groups" and not scores.groups:
        yield "groups of classes are told of where there are none"
    if scores.meaning in ("binary", "quantity") and scores.class_count != 1:
        yield f"{scores.class_count} numbers are no {scores.meaning} answer"


def _of_the_map(saliency: SaliencyMapInfo, description: Description, outputs: list[Output]) -> Iterator[str]:
    port, count = outputs[saliency.index], description.scores.class_count
    shape = extents(port)
    if shape is None or len(shape) != len(saliency.axes):
        yield f"the map {port.get_partial_shape()} has other axes than {', '.join(saliency.axes)}"
        return
    levels = saliency.scaling == "minmax_per_map"
    if levels != (type_of(port) == "u8") or levels != (saliency.value_range is not None):
        yield f"the map is of {type_of(port)} and said to be scaled by {saliency.scaling}"
    chosen = saliency.classes
    if saliency.axes != PER_CLASS:
        if chosen != "all":
            yield "classes are chosen of a map that stands for all of them"
        return
    maps = shape[1]
    if isinstance(chosen, str):
        wanted = count
    elif "indices" in chosen:
        wanted = len(chosen["indices"])
        if any(index >= count for index in chosen["indices"]) or len(set(chosen["indices"])) != wanted:
            yield f"its maps are of classes that do not exist among {count}, or of one class twice"
    else:
        wanted = chosen["top_k"]
        told = description.saliency_classes
        if wanted > count or (
            description.schema_version != "1.0" and (told is None or told.name != chosen["indices_output"])
        ):
            yield f"'{chosen['indices_output']}' does not tell the {wanted} classes of its maps"
    if maps not in (None, wanted):
        yield f"the map has {maps} classes, described are {wanted}"


def _change(what: str, shape: tuple[int, ...], element_type: str, port: Output) -> str | None:
    if shape_of(port) == shape and type_of(port) == element_type:
        return None
    was, now = f"{element_type} {shape_text(shape)}", f"{type_of(port)} {shape_text(shape_of(port))}"
    return f"{what} was {was}, and is {now}"


def _name_of(output: OutputInfo | SaliencyMapInfo) -> str:
    return output.output if isinstance(output, SaliencyMapInfo) else output.name
