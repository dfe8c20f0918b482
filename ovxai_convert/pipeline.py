"""The whole conversion: read, insert, write aside, prove, describe, put in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from openvino import Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact.box_reading import seen_from_outside
from ovxai_convert.artifact.conversion import ConversionReport, warnings_on
from ovxai_convert.artifact.description import with_proof
from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.artifact.reading import find_artifact
from ovxai_convert.artifact.recovery import recover_around
from ovxai_convert.artifact.repository import ArtifactFiles, ModelServer, artifact_files
from ovxai_convert.artifact.serving import server_config
from ovxai_convert.artifact.staging import Staging
from ovxai_convert.artifact.writing import Writer
from ovxai_convert.errors import Refusal, RefusedError, UsageError
from ovxai_convert.insertion.heads import insert_branches, requests_for
from ovxai_convert.insertion.insert import insert_branch, name_taken
from ovxai_convert.insertion.request import DEFAULT_MAX_BRANCH_BYTES, Insertion, Request, select_classes
from ovxai_convert.insertion.task import layers_named, taken_for, task_of
from ovxai_convert.methods import WHITE_BOX_METHODS, Method, method_of
from ovxai_convert.methods.method import ALL_CLASSES
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_input import takes_image
from ovxai_convert.photographs.recipes import as_hints
from ovxai_convert.proof.execution import quantises
from ovxai_convert.proof.forms import Forms, check_target
from ovxai_convert.proof.framework import (
    AUTO,
    DoesNotRunError,
    Framework,
    chosen_framework,
    compare_with_framework,
)
from ovxai_convert.proof.prover import Proof, Prover
from ovxai_convert.proof.trial_inputs import photograph_trial, too_large
from ovxai_convert.source.answers import AnswerHints, ToldActivation
from ovxai_convert.source.formats import format_of
from ovxai_convert.source.given import model_path
from ovxai_convert.source.label_files import Labels, given_labels
from ovxai_convert.source.metadata import any_labels_of
from ovxai_convert.source.reading import SourceModel, read_source
from ovxai_convert.steps import Steps
from ovxai_convert.tensors.precision import has_narrow_tensors
from ovxai_convert.vocabulary import SALIENCY_MAP, OutputFormat, Task, member_of

_UNWATCHED: Final = Steps()


def convert(
    path: str | Path,
    out_dir: str | Path,
    *,
    task: Task | str | None = None,
    method: Method | str | None = None,
    target_layer: str | Sequence[str] | None = None,
    scores_output: str | Sequence[str] | None = None,
    embed_scaling: bool = True,
    classes: int | str | Sequence[int | str] | None = None,
    top_k: int | None = None,
    max_branch_memory: int = DEFAULT_MAX_BRANCH_BYTES,
    exact: bool = False,
    force: bool = False,
    verify_with: Sequence[str | Path] = (),
    require_whitebox: bool = False,
    labels: Labels = None,
    preprocessing: PreprocessingHints | str = NO_HINTS,
    multilabel: bool | None = None,
    confidence_threshold: float | None = None,
    activation: ToldActivation | None = None,
    reference: str = AUTO,
    name: str | None = None,
    repository: ModelServer | str | None = None,
    output_format: OutputFormat | str = OutputFormat.IR,
    output_name: str = SALIENCY_MAP,
    feature_vector: bool = False,
    steps: Steps = _UNWATCHED,
    **options: Any,
) -> ConversionReport:
    """Write ``<name>.xml``, ``.bin`` and ``.json``: the same model with the output ``saliency_map``.

    Where no branch is possible and nothing asks for one in particular (a method, a layer, classes), the model
    is written as it is, with a sidecar that tells to explain it as a black box, and why.

    Args:
        path: a model in any format that OpenVINO reads.
        out_dir: folder for the three files; made if missing.
        task: ``"classification"`` or ``"detection"``; None or ``"auto"``: a detector is one that has no class
            output and looks like a detector.
        method: ``"reciprocam"``, ``"vitreciprocam"``, ``"activationmap"``, of detectors
            ``"classprobabilitymap"``; None or ``"auto"`` takes the first that is possible.
        target_layer: friendly name, tensor name or ``NAME:PORT`` of the feature map; of a detector, of the
            layers that hold class scores at all places, one for each scale; None finds it.
        scores_output: tensor name or index of the class output; None takes the only one. Several (a list, or
            with commas between) get a map each, ``saliency_map_<output>``; those of a detector are scales.
        embed_scaling: maps as u8 grey levels; else raw scores in the model's float type.
        classes: indices or labels of the classes that get a map, several in one text between commas; None
            gives one to each.
        top_k: maps of this many best classes of each input, which ``saliency_classes`` then names.
        max_branch_memory: bytes that the branch may need at once; more is refused.
        exact: refuse instead of accepting an output that moved by up to a millionth of its range.
        force: replace files of these names that exist.
        verify_with: photographs to prove it on, beside the random inputs.
        require_whitebox: refuse a model in which no branch is possible.
        labels: one per class, or by index, or the path of a file of them, for those who read the artifact;
            None takes those of the model.
        preprocessing: of the model's input, likewise, or a recipe's name
            (:data:`~ovxai_convert.photographs.recipes.RECIPES`); what it leaves open, by the model's entries.
        multilabel: whether several classes may be the answer; None: as the model says.
        confidence_threshold: the probability above which a class then belongs to it, 0 to 1.
        activation: what the class output's numbers lack to be probabilities, ``"softmax"`` or
            ``"sigmoid"``; ``"none"``: they are shown as they are; None: as the graph tells.
        reference: ``"onnxruntime"`` or ``"tflite"``: the framework that the source comes from, which has to
            give OpenVINO's outputs; ``"auto"``: that, if it is installed; ``"none"``.
        name: of the files, without their suffixes; None: ``{stem}_xai``. In it ``{stem}``,
            ``{folder}`` and ``{suffix}`` are those of the model.
        repository: ``"ovms"`` or ``"triton"``: write the folder that this server loads,
            ``<name>/1/model.xml`` and what belongs to it.
        output_format: ``"ir"``, ``"onnx"`` or ``"both"``: as ONNX, ``<name>.onnx``, an ONNX file alone can be
            written, with all that it holds and nodes for the branch behind that.
        output_name: tensor name of the map; another one where the model has a ``saliency_map`` already.
        feature_vector: one more output, ``feature_vector`` ``[N, C]`` f32: the mean of the target over its
            cells.
        steps: is told what is being done.
        **options: of the method that is named. vitreciprocam has ``kernel`` (``"gaussian"``, ``"single"``:
            what a copy keeps of the patches), ``class_token`` (``"keep"``, ``"drop"``) and ``block``, counted
            from the last, 1.

    Raises:
        OvxaiError: of the kind that tells what went wrong; ``out_dir`` is then as it was.
    """
    path, out_dir = model_path(path), Path(out_dir)
    if not output_name:
        raise UsageError("the map's output needs a name")
    layers = layers_named(target_layer)
    asked_for = bool(layers) or classes is not None or top_k is not None or feature_vector
    named = _method(method)
    wanted_task = task_of(task, named)
    own, memory = _options(named, options), max_branch_memory
    request = Request(
        named,
        layers[0] if layers else None,
        None,
        embed_scaling,
        max_branch_bytes=memory,
        options=own,
        output_name=output_name,
        feature_vector=feature_vector,
    )
    told = UserNotes(
        given_labels(labels),
        as_hints(preprocessing),
        AnswerHints(multilabel, threshold=confidence_threshold, activation=activation),
    )
    server = None if repository is None else member_of(ModelServer, repository, "repository")
    files = artifact_files(path, name, server, member_of(OutputFormat, output_format, "output_format"))
    check_target(path, out_dir, files)
    recover_around(path)
    format_of(path)  # before a folder is made for what is no model
    with Staging(out_dir, files.names, force=force) as staging:
        with steps.step("reading it"):
            source = read_source(path)
        framework = chosen_framework(reference, source.format)
        anatomy = Anatomy(source.model)
        detector = taken_for(anatomy, wanted_task, _told_of_detector(source, told, layers, scores_output))
        if detector is None:
            requests = requests_for(source.model, request, scores_output)
        else:
            requests = [replace(request, detector=detector)]
        found = [one.scores(anatomy) for one in requests]
        if find_artifact(source.model, path, source.files) is not None:
            raise RefusedError([Refusal("it was converted already; convert the model that it was made from")])
        found = _from_outside(source, found, detector) or found
        for one, scores in zip(requests, found, strict=True):
            if isinstance(scores, Refusal):
                tried = scores if detector is not None else insert_branch(anatomy, one)
                raise RefusedError(_why_none(tried, scores))
        heads = [scores for scores in found if isinstance(scores, Scores)]
        for refusal in (too_large(source.model), *(name_taken(anatomy, one) for one in requests)):
            if refusal is not None:
                raise RefusedError([refusal])
        writer = Writer.for_source(staging.folder / files.xml, source, heads, told)
        forms = Forms(writer, files, staging, source)
        requests = _with_classes(requests, heads, writer, classes, top_k)
        photographs = [photograph_trial(source.model, Path(image)) for image in verify_with]
        prover = Prover(anatomy, photographs, steps)
        with steps.step("building the branch"):
            insertions = insert_branches(anatomy, requests)
        if isinstance(insertions, list):
            _told_to_the_server(staging, files, insertions[0].model)
            with steps.step("proving it"):
                written = forms.proved(prover, anatomy, insertions, exact=exact)
        else:
            may_stay = named is None and not asked_for and not require_whitebox and len(heads) == 1
            if not may_stay or not takes_image(source.model):
                raise RefusedError(insertions)
            _told_to_the_server(staging, files, source.model)
            written = forms.as_it_was(prover, source.model, heads[0], insertions)
        proof = _with_framework(written.proof, framework, prover, source, asked=reference != AUTO)
        files_there = forms.xml, written.onnx
        sidecar = with_proof(written.description, source, *files_there, proof.verification, proof.reshapes)
        staging.write_text(files.sidecar, sidecar.to_json())
        staging.commit()
    warnings = (*writer.warnings, *proof.warnings, *warnings_on(sidecar, insertions, path))
    models = tuple(out_dir / name for name in files.models)
    return ConversionReport(models, out_dir / files.sidecar, sidecar, warnings)


def _method(method: object) -> Method | None:
    """The white-box method that is meant, None for any."""
    named = method_of(method, "method")
    if named is not None and named.white_box is None:
        known = ["auto", *(white_box.name for white_box in WHITE_BOX_METHODS)]
        raise UsageError(f"no method '{named.value}' inserts a branch; those that do are {', '.join(known)}")
    return named


def _told_of_detector(
    source: SourceModel, told: UserNotes, layers: tuple[str, ...], scores_output: str | Sequence[str] | None
) -> Told:
    """What user and model say of it, if it is one."""
    output = scores_output
    if output is not None and not isinstance(output, str):
        output = ",".join(output)
    labels = told.labels or any_labels_of(source.model, source.metadata)
    return Told(output, layers, labels, told.answer.activation)


def _from_outside(
    source: SourceModel, found: Sequence[Scores | Refusal], detector: Told | None
) -> list[Scores | Refusal]:
    """A detector without a dense head as what a black-box method explains; nothing of all else.

    A refusal to read its boxes says both.
    """
    if detector is None or not isinstance(found[0], Refusal):
        return []
    seen = seen_from_outside(source.model, detector)
    if isinstance(seen, Refusal):
        seen = Refusal(f"{found[0].reason}; nor can its boxes be read: {seen.reason}", found[0].node)
    return [seen]


def _options(method: Method | None, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options that are given, if the method has them."""
    given = {name: value for name, value in options.items() if value is not None}
    if method is not None and method.white_box is not None:
        method.white_box.settings(given)
    elif given:
        known = {method.name: {option.name for option in method.options} for method in WHITE_BOX_METHODS}
        owners = " or ".join(name for name, names in known.items() if names & given.keys()) or "none"
        raise UsageError(f"{', '.join(given)}: options of a method that is named: {owners}")
    return given


def _told_to_the_server(staging: Staging, files: ArtifactFiles, model: Model) -> None:
    """Write the server's configuration, if it has one; a RefusedError if it cannot serve the model."""
    config = server_config(files, model)
    if isinstance(config, Refusal):
        raise RefusedError([config])
    if files.config is not None and config is not None:
        staging.write_text(files.config, config)


def _why_none(tried: Insertion | Refusal | tuple[Refusal, ...], scores: Refusal) -> tuple[Refusal, ...]:
    return tried if isinstance(tried, tuple) else (scores,)


def _with_classes(
    requests: Sequence[Request],
    heads: Sequence[Scores],
    writer: Writer,
    classes: int | str | Sequence[int | str] | None,
    top_k: int | None,
) -> list[Request]:
    """With the classes of each head that get a map; a UsageError where they do not exist."""
    if classes is not None and len(heads) > 1:
        raise UsageError("classes are chosen of one class output, and not of several")
    chosen = []
    for request, scores, notes in zip(requests, heads, (writer.notes, *writer.more_notes), strict=True):
        selection = select_classes(classes, top_k, notes.labels, notes.answer.class_count(scores.class_count))
        # the one map of a yes or no serves both
        binary = notes.answer.meaning == "binary"
        chosen.append(replace(request, selection=ALL_CLASSES if binary else selection))
    return chosen


def _with_framework(
    proof: Proof, framework: Framework | None, prover: Prover, source: SourceModel, *, asked: bool
) -> Proof:
    """A proof that also says whether OpenVINO reads the source as its own framework does, or may not.

    ``asked``: whether the user has named the framework, which must run the source then.
    """
    if framework is not None:
        rounded = quantises(source.model) or has_narrow_tensors(source.model)
        try:
            check = compare_with_framework(framework, source.path, prover.reference, rounded=rounded)
        except DoesNotRunError as error:
            if asked:
                raise
            return replace(proof, warnings=(*proof.warnings, f"{error}; so the two were not compared"))
        return replace(proof, verification=replace(proof.verification, reference=check))
    doubts = tuple(
        f"OpenVINO is known to read this otherwise than it is meant: {what}; compare its outputs with those "
        "of the framework that the file comes from (--reference, where that is installed)"
        for what in source.misread
    )
    return replace(proof, warnings=proof.warnings + doubts)
