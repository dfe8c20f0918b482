"""A model as the runtime takes it: from memory, from a file, or as an artifact with its sidecar."""

from __future__ import annotations

import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from openvino import Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.interface import has_output
from ovxai_convert.anatomy.scores import find_scores
from ovxai_convert.artifact.sidecar import Sidecar, read_sidecar
from ovxai_convert.errors import ModelReadError, Refusal
from ovxai_convert.photographs.preprocessing import PreprocessingHints, hints_from_model_info
from ovxai_convert.source.metadata import labels_of, preprocessing_of
from ovxai_convert.source.reading import read_source, sha256_of_file
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP


@dataclass(frozen=True)
class ScoresPlace:
    """The output that holds the K classes, and what stands between the scores and it."""

    output_index: int
    activation: str
    class_count: int


@dataclass(frozen=True)
class LoadedModel:
    """A model, with its branch if it has one, and what is known of it.

    ``scores`` is the class output, or why none was found; ``hints`` are what the sidecar, or else the model
    itself, says of its preprocessing.
    """

    model: Model
    sidecar: Sidecar | None
    scores: ScoresPlace | Refusal
    labels: tuple[str, ...] | None
    hints: PreprocessingHints

    def original(self) -> Model:
        """A copy without the outputs that a conversion has added."""
        copy = self.model.clone()
        for output in list(copy.outputs):
            if output.get_names() & {SALIENCY_MAP, SALIENCY_CLASSES}:
                copy.remove_result(output.get_node())
        return copy


def load_model(model: Model | str | PathLike[str]) -> LoadedModel:
    """Take a model from memory, from a file of any format that OpenVINO reads, or from an artifact.

    A ModelReadError: the file is no model, or its sidecar is missing, broken, of a version that is not known,
    or does not belong to the files beside it.
    """
    if isinstance(model, Model):
        return _without_sidecar(model, {})
    path = Path(model)
    source = read_source(path)
    sidecar = _sidecar_beside(path, source.model)
    if sidecar is None:
        return _without_sidecar(source.model, source.metadata)
    weights = path.with_name(sidecar.model.bin)
    for file, recorded in ((path, sidecar.model.xml_sha256), (weights, sidecar.model.bin_sha256)):
        if not file.is_file() or sha256_of_file(file) != recorded:
            raise ModelReadError(f"{file}: not the file that its sidecar describes; convert the model again")
    index = next(output.index for output in sidecar.outputs if output.name == sidecar.scores.output)
    scores = ScoresPlace(index, sidecar.scores.activation, sidecar.scores.class_count)
    hints = hints_from_model_info(sidecar.preprocessing or {})
    return LoadedModel(source.model, sidecar, scores, sidecar.labels, hints)


def _without_sidecar(model: Model, metadata: dict[str, str]) -> LoadedModel:
    scores = find_scores(Anatomy(model))
    hints = hints_from_model_info(preprocessing_of(model) or {})
    if isinstance(scores, Refusal):
        return LoadedModel(model, None, scores, None, hints)
    place = ScoresPlace(scores.output_index, scores.activation, scores.class_count)
    return LoadedModel(model, None, place, labels_of(model, metadata, scores.class_count), hints)


def _sidecar_beside(path: Path, model: Model) -> Sidecar | None:
    """The sidecar of a converted model; a file of its name beside another model may be anything."""
    beside = path.with_suffix(".json")
    converted = has_output(model, SALIENCY_MAP)
    if beside != path and beside.is_file() and (converted or _claims_to_be_one(beside)):
        return read_sidecar(beside)
    if converted:
        raise ModelReadError(
            f"{path}: it was converted, but its sidecar '{beside.name}' is missing beside it"
        )
    return None


def _claims_to_be_one(path: Path) -> bool:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and {"schema_version", "generator"} <= set(data)
