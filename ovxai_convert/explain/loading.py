"""A model as the runtime takes it: from memory, from a file, or as an artifact by its description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from openvino import Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.dense_target import detector_scores
from ovxai_convert.anatomy.interface import image_ports, output_name
from ovxai_convert.anatomy.scores import Scores, find_scores, output_index
from ovxai_convert.artifact.box_reading import (
    DetectorFacts,
    detector_facts,
    hints_of_description,
    hints_of_head,
)
from ovxai_convert.artifact.fitting import shape_of, type_of
from ovxai_convert.artifact.ir import IrInMemory
from ovxai_convert.artifact.notes import NOTHING_TOLD, UserNotes, known_labels, own_answer, own_hints
from ovxai_convert.artifact.reading import Artifact, find_artifact
from ovxai_convert.artifact.recovery import recover_around
from ovxai_convert.artifact.remarks import remarks_on
from ovxai_convert.artifact.sidecar import Description, SaliencyMapInfo
from ovxai_convert.detections.outputs import BoxHints
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.insertion.class_scores import with_class_scores
from ovxai_convert.insertion.heads import named_outputs
from ovxai_convert.insertion.task import taken_for
from ovxai_convert.methods import Method
from ovxai_convert.methods.method import PER_CLASS, PER_IMAGE
from ovxai_convert.photographs.described import hints_from_description
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_api import hints_from_model_info
from ovxai_convert.source.answers import NO_ANSWER_HINTS, Answer, AnswerHints, answer_of
from ovxai_convert.source.metadata import any_labels_of
from ovxai_convert.source.reading import read_source
from ovxai_convert.tensors.ports import extents
from ovxai_convert.vocabulary import SALIENCY_MAP, AnswerMeaning, Range, Task


@dataclass(frozen=True)
class ScoresPlace:
    """The output that holds the K classes, and how its numbers are read."""

    output_index: int
    class_count: int
    activation: str
    answer: Answer

    @property
    def groups(self) -> tuple[Range, ...]:
        """Classes that exclude each other."""
        return self.answer.groups

    @property
    def meaning(self) -> AnswerMeaning:
        """What its numbers are."""
        return self.answer.meaning

    def told(self, hints: AnswerHints) -> ScoresPlace:
        """The same, read as a user says; a UsageError for what does not fit."""
        if hints == NO_ANSWER_HINTS:
            return self
        known = AnswerHints(self.answer.multilabel, self.answer.groups or None, self.answer.threshold)
        return replace(self, answer=answer_of(self, hints.or_else(known)))


@dataclass(frozen=True)
class OwnMap:
    """A map that a model gives by itself, and the method that made it; None where nobody says."""

    saliency: SaliencyMapInfo
    method: Method | None


@dataclass(frozen=True)
class LoadedModel:
    """A model, with its branch if it has one, and what is known of it. It can be pickled, as IR.

    Attributes:
        description: of an artifact, of the head in question if it has several; None of any other model.
        heads: names of all class outputs that an artifact has maps of.
        scores: the class output, or why none was found.
        own_map: the map among the model's outputs, if one is there and fits its classes.
        labels: one per class, or None.
        hints: what the description, or else the model itself, says of its preprocessing; an error where that
            makes no sense, which matters only if nobody says anything else.
        doubts: what is not as it was proved, one line each.
        remarks: what was taken for what in its class output, likewise.
        added: indices of the outputs that a conversion has added.
        detector: of a detector, how its boxes are read; None of a classifier.
        sha256: of the files that it was read from, by their names; of a model in memory there are none.
    """

    model: Model
    description: Description | None
    scores: ScoresPlace | Refusal
    own_map: OwnMap | None
    labels: tuple[str, ...] | None
    hints: PreprocessingHints | UsageError
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    added: tuple[int, ...] = ()
    detector: DetectorFacts | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "model": IrInMemory.of(self.model)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "model": state["model"].read()})

    @property
    def task(self) -> Task:
        """What the model is for."""
        return Task.CLASSIFICATION if self.detector is None else Task.DETECTION

    @property
    def head(self) -> str:
        """Name of the class output in question; "" where none was found."""
        scores = self.scores
        return "" if isinstance(scores, Refusal) else output_name(self.model, scores.output_index)

    def told(self, notes: UserNotes) -> LoadedModel:
        """The same, its answer and its classes read as a user says; a UsageError for what does not fit."""
        if isinstance(self.scores, Refusal):
            return self
        scores = self.scores.told(notes.answer)
        count = scores.answer.class_count(scores.class_count)
        kept = self.labels if self.labels is not None and len(self.labels) == count else None
        named = kept if notes.labels is None else scores.answer.class_names(notes.labels, scores.class_count)
        if named is None and scores.meaning == "quantity":
            named = (self.head,)  # what is measured, as a rule
        return replace(self, scores=scores, labels=named)

    def original(self) -> Model:
        """A copy without the outputs that a conversion has added."""
        copy = self.model.clone()
        added = [copy.outputs[index].get_node() for index in self.added]
        if self.detector is not None and self.detector.scores_output is not None:
            added.append(copy.outputs[-1].get_node())
        for node in added:
            copy.remove_result(node)
        return copy


def load_model(
    model: Model | str | PathLike[str],
    told: UserNotes = NOTHING_TOLD,
    scores_output: str | None = None,
    task: Task | None = None,
    layers: tuple[str, ...] = (),
) -> LoadedModel:
    """Take a model from memory, from a file of any format that OpenVINO reads, or from an artifact.

    What the user has ``told`` of labels and answer goes before what the model says; what that says of
    preprocessing is not looked at where something else is told. ``scores_output`` is the tensor name or index
    of the class output; None takes the only one, or the first of those that an artifact has maps of.
    ``task``: what the model is for; None: as it looks, or as an artifact says. ``layers``: those that hold a
    detector's class scores.

    Raises:
        ModelReadError: the file is no model, or its description is broken, of a version that is not known,
            or of another model.
        UsageError: entries of the model on its answer that make no sense; what is told does not fit; an
            output that does not exist.
    """
    loaded = _found(model).of_head(scores_output, told, task, layers)
    if scores_output is None and len(loaded.heads) > 1:
        listed = ", ".join(f"'{head}'" for head in loaded.heads)
        remark = f"the model has maps of {listed}; those of the first are taken (--scores-output)"
        loaded = replace(loaded, remarks=(*loaded.remarks, remark))
    return loaded


def load_heads(
    model: Model | str | PathLike[str],
    told: UserNotes = NOTHING_TOLD,
    wanted: str | None = None,
    task: Task | None = None,
    layers: tuple[str, ...] = (),
) -> list[LoadedModel]:
    """The same for each of several class outputs, read once.

    ``wanted``: an output, or several with commas between; None: the only one, or all that an artifact has
    maps of. Labels that are told are those of each that has so many classes; errors as of
    :func:`load_model`, or a UsageError where there is none.
    """
    found = _found(model)
    if found.detects(wanted, told, task, layers):
        return [found.of_head(wanted, told, Task.DETECTION, layers)]
    names: list[str | None] = [*named_outputs(found.model, wanted)]
    if wanted is None:
        names = [None] if found.artifact is None else [*found.artifact.description.heads]
    if len(names) < 2:
        return [found.of_head(name, told, Task.CLASSIFICATION) for name in names]
    without = replace(told, labels=None)
    heads = [found.of_head(name, without, Task.CLASSIFICATION) for name in names]
    each_told = told.of_each([head.scores for head in heads])
    return [head.told(one) for head, one in zip(heads, each_told, strict=True)]


@dataclass(frozen=True)
class _Found:
    """A model, and what is known of it: by a conversion, or by the file that it came from."""

    model: Model
    artifact: Artifact | None
    metadata: Mapping[str, str]
    sha256: Mapping[str, str]

    def detects(
        self, wanted: str | None, told: UserNotes, task: Task | None, layers: tuple[str, ...]
    ) -> bool:
        """Whether it is taken for a detector."""
        if self.artifact is not None:
            return self.artifact.description.task == Task.DETECTION.value
        said = Told(wanted, layers, told.labels, told.answer.activation)
        return taken_for(Anatomy(self.model), task, said) is not None

    def of_head(
        self,
        scores_output: str | None,
        told: UserNotes,
        task: Task | None = None,
        layers: tuple[str, ...] = (),
    ) -> LoadedModel:
        """All that is known of one class output, or of a detector."""
        if self.artifact is not None:
            loaded = _described(self.model, self.artifact, scores_output, layers)
        else:
            loaded = _not_described(self.model, self.metadata, told, scores_output, task, layers)
        return _with_scores(replace(loaded.told(told), sha256=self.sha256))


def _found(model: Model | str | PathLike[str]) -> _Found:
    if isinstance(model, Model):
        return _Found(model, find_artifact(model, None), {}, {})
    path = Path(model)
    recover_around(path)
    source = read_source(path)
    artifact = find_artifact(source.model, path, source.files)
    return _Found(source.model, artifact, source.metadata, source.files)


def _with_scores(loaded: LoadedModel) -> LoadedModel:
    """A detector whose boxes cannot be read with its classes' scores as one more output, if there are any."""
    facts = loaded.detector
    if facts is None or not isinstance(facts.form, Refusal):
        return loaded
    model = with_class_scores(loaded.model, facts.told)
    if not isinstance(model, Model):
        return loaded
    name = output_name(model, len(model.outputs) - 1)
    return replace(
        loaded,
        model=model,
        detector=replace(facts, scores_output=name),
        remarks=(*loaded.remarks, f"its maps are shown without boxes: {facts.form.reason}"),
    )


def _described(
    model: Model, artifact: Artifact, scores_output: str | None, layers: tuple[str, ...]
) -> LoadedModel:
    """By what a conversion has said of it, or of the head in question."""
    everything, doubts = artifact.description, artifact.doubts
    detects = everything.task == Task.DETECTION.value
    told = everything.of_head(_head(model, everything, None if detects else scores_output))
    index = next(output.index for output in told.outputs if output.name == told.scores.output)
    scores = told.scores
    answer = scores.answer
    hints = _hints_of(told)
    if artifact.input_replaced:
        if hints != NO_HINTS:
            doubts += ("its preprocessing was told of another input, and is not obeyed",)
        hints = NO_HINTS
    elif hints.size is not None and not _takes(model, hints.size, hints.layout):
        hints = replace(hints, size=None)  # it was reshaped since
    place = ScoresPlace(index, scores.class_count, scores.activation, answer)
    own = None if told.saliency_map is None else OwnMap(told.saliency_map, _known(told.method))
    added = tuple(output.index for output in everything.added_outputs)
    detector = None
    if detects:
        made = None if told.detection is None else told.detection.activation
        said = Told(scores_output, layers, told.labels, made)
        detector = detector_facts(model, added, said, hints_of_description(told))
    return LoadedModel(
        model,
        told,
        place,
        own,
        told.labels,
        hints,
        doubts,
        heads=everything.heads,
        added=added,
        detector=detector,
    )


def _head(model: Model, description: Description, wanted: str | None) -> str:
    """The head that is wanted, by its output's name or index; the first one where none is."""
    if wanted is None:
        return description.heads[0]
    name = output_name(model, output_index(model, wanted))
    if name not in description.heads:
        listed = ", ".join(f"'{head}'" for head in description.heads)
        raise UsageError(f"the model was converted for {listed}, and not for the output '{wanted}'")
    return name


def _known(method: str) -> Method | None:
    """A method by its name; None for one of a version to come, whose map is read as any."""
    return next((each for each in Method if each.value == method), None)


def _takes(model: Model, size: tuple[int, int], layout: str | None) -> bool:
    """Whether rows and columns of a model's only input are open, or of this size."""
    shape = extents(model.inputs[0]) or ()
    axes = (layout or "NCHW").index("H"), (layout or "NCHW").index("W")
    return all(
        axis < len(shape) and shape[axis] in (None, wanted) for axis, wanted in zip(axes, size, strict=True)
    )


def _hints_of(told: Description) -> PreprocessingHints:
    if told.preprocessing is None:
        return NO_HINTS
    if told.schema_version == "1.0":
        return hints_from_model_info(told.preprocessing)
    return hints_from_description(told.preprocessing)


def _not_described(
    model: Model,
    metadata: Mapping[str, str],
    told: UserNotes,
    scores_output: str | None,
    task: Task | None,
    layers: tuple[str, ...],
) -> LoadedModel:
    """By what the model itself says."""
    anatomy, hints = Anatomy(model), own_hints(model, metadata, told.preprocessing)
    named = told.labels or any_labels_of(model, metadata)
    detector = taken_for(anatomy, task, Told(scores_output, layers, named, told.answer.activation))
    if detector is not None:
        return _detector(anatomy, metadata, detector, hints)
    scores = find_scores(anatomy, scores_output)
    if isinstance(scores, Refusal):
        return LoadedModel(model, None, scores, None, None, hints)
    count = scores.class_count
    answer = answer_of(scores, own_answer(model, metadata))
    place = ScoresPlace(scores.output_index, count, scores.activation, answer)
    labels = known_labels(model, metadata, count, answer)
    said = tuple(remarks_on(scores, output_name(model, scores.output_index), answer, told.answer))
    return LoadedModel(model, None, place, _foreign_map(model, count), labels, hints, remarks=said)


def _detector(
    anatomy: Anatomy,
    metadata: Mapping[str, str],
    told: Told,
    hints: PreprocessingHints | UsageError,
) -> LoadedModel:
    """A detector by what its graph says, which may have no dense head."""
    model, found = anatomy.model, detector_scores(anatomy, told)
    known = BoxHints(len(told.labels or ()) or None)
    activation = "none"
    if isinstance(found, Scores) and found.dense is not None:
        known, activation = hints_of_head(found.dense), found.activation
    facts = detector_facts(model, (), told, known)
    scores = facts.boxes_at(model.outputs[0])
    if isinstance(scores, Refusal):
        return LoadedModel(model, None, scores, None, None, hints, detector=facts)
    count = scores.class_count
    answer = answer_of(scores, own_answer(model, metadata))
    place = ScoresPlace(0, count, activation, answer)
    labels = known_labels(model, metadata, count, answer)
    own = _foreign_map(model, count)
    return LoadedModel(model, None, place, own, labels, hints, detector=facts)


def _foreign_map(model: Model, class_count: int) -> OwnMap | None:
    """A map that another program has put in, if its shape says of which classes it is.

    OTX and Geti export ``saliency_map`` as ``[N, K, h, w]`` or ``[N, h, w]``.
    """
    found = [index for index, port in enumerate(model.outputs) if SALIENCY_MAP in port.get_names()]
    if not found or not found[0]:
        return None
    port, batches = model.outputs[found[0]], [extents(image) for image in image_ports(model)]
    shape = extents(port) or ()
    axes = {4: PER_CLASS, 3: PER_IMAGE}.get(len(shape))
    if axes is None or not batches or shape[0] != (batches[0] or (None,))[0]:
        return None
    if axes == PER_CLASS and shape[1] != class_count:
        return None
    levels = type_of(port) == "u8"
    return OwnMap(
        SaliencyMapInfo(
            SALIENCY_MAP,
            found[0],
            shape_of(port),
            type_of(port),
            axes,
            "minmax_per_map" if levels else "none",
            (0, 255) if levels else None,
        ),
        None,
    )
