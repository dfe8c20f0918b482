"""The sidecar: what a program must know to read a converted model, as dataclasses and as canonical JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_type_hints

import jsonschema

from ovxai_convert.errors import ModelReadError, Refusal
from ovxai_convert.source.answers import NO_ANSWER_HINTS, Probabilities, answer_of

SCHEMA_VERSION: Final = "1.1"
_LONGEST: Final = 300
"""Characters of a reason why a file is not valid; it may quote all of it."""


@dataclass(frozen=True)
class Generator:
    """The program that wrote the artifact, and the OpenVINO it ran on."""

    name: str
    version: str
    openvino: str


@dataclass(frozen=True)
class SourceFile:
    """A file of the model that was converted: its path from the model's folder, and its SHA-256."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """The model that was converted: file name, format, SHA-256 of the file, and all files it consists of."""

    file: str
    format: str
    sha256: str
    files: tuple[SourceFile, ...] = ()


@dataclass(frozen=True)
class ModelFiles:
    """The artifact's IR: file names at conversion, for people, and SHA-256 of the files."""

    xml: str
    bin: str
    xml_sha256: str
    bin_sha256: str


@dataclass(frozen=True)
class InputInfo:
    """A model input; -1 is a dynamic extent, the layout is null where the graph does not tell."""

    name: str
    shape: tuple[int, ...]
    element_type: str
    layout: str | None


@dataclass(frozen=True)
class OutputInfo:
    """An output of the original model, at its index."""

    name: str
    index: int
    shape: tuple[int, ...]
    element_type: str


@dataclass(frozen=True)
class TargetLayer:
    """The feature map whose cells are masked; ``name`` is a friendly name in the written IR."""

    name: str
    port: int
    type: str
    shape: tuple[int, ...]
    layout: str
    selected_by: str


@dataclass(frozen=True)
class ScoresInfo:
    """The class tensor: the output it feeds, its node in the written IR, its activation, how it is read.

    The last four are those of :class:`~ovxai_convert.source.answers.Answer`.
    """

    output: str
    node: str
    port: int
    class_count: int
    activation: str
    probabilities: Probabilities
    groups: tuple[tuple[int, int], ...]
    multilabel: bool
    confidence_threshold: float


@dataclass(frozen=True)
class Upsampling:
    """How a map is laid over a photograph: between the centres of cells by an interpolation of OpenCV's."""

    interpolation: str = "cubic"
    place_of_value: str = "centre"


@dataclass(frozen=True)
class SaliencyMapInfo:
    """The added output. ``axes`` names its axes, ``value_range`` is null for raw scores.

    ``classes`` is ``"all"``, ``{"indices": [...]}`` for maps of these classes in this order, or
    ``{"top_k": K, "indices_output": name}`` where another output tells the classes of each sample.
    """

    output: str
    index: int
    shape: tuple[int, ...]
    element_type: str
    axes: tuple[str, ...]
    scaling: str
    value_range: tuple[int, int] | None
    classes: str | dict[str, Any] = "all"
    upsampling: Upsampling = Upsampling()


@dataclass(frozen=True)
class OutputCheck:
    """How far an original output moved: 0.0 and ``bit_exact`` as a rule."""

    name: str
    bit_exact: bool
    max_abs_diff: float


@dataclass(frozen=True)
class SaliencyCheck:
    """The map against its slow definition: cells compared, and the largest difference in the map's unit.

    Of the maps that were looked at so many varied from cell to cell, and so many were compared: those whose
    definition varies by more than float32 loses. Where none was, ``unchecked`` says why.
    """

    positions_checked: int
    max_abs_diff: float
    maps_checked: int = 0
    maps_varied: int = 0
    maps_compared: int = 0
    unchecked: str | None = None


@dataclass(frozen=True)
class FrameworkCheck:
    """How far OpenVINO's outputs are from those of the source's framework, ``runtime``.

    The largest difference of an output, and the largest as a part of the output's range.
    """

    runtime: str
    max_abs_diff: float
    max_relative_diff: float


@dataclass(frozen=True)
class Verification:
    """What was measured before the artifact was written; without a branch there is no map to check."""

    device: str
    inputs: int
    outputs: tuple[OutputCheck, ...]
    saliency_map: SaliencyCheck | None
    reference: FrameworkCheck | None = None


@dataclass(frozen=True)
class ReshapeCheck:
    """What came of a change of shape that was tried: one shape per input.

    ``result``: ``"proved"`` (outputs and map were compared), ``"source_does_not"`` (the original does not
    take it) or ``"converted_does_not"`` (the original takes it, the converted model fails). ``bit_exact``:
    whether outputs equal those of the original that gives its target layer out, too.
    """

    shapes: tuple[tuple[int, ...], ...]
    result: str
    bit_exact: bool | None = None
    saliency_map: SaliencyCheck | None = None


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a converted model is, as it stands in the model itself; the fields are the sidecar's keys.

    ``parameters`` are those of the method, if it has any. In the mode ``"blackbox"`` the model is the
    original as IR, ``method`` is what suits it, and there is no target and no map. ``unknown`` is the object
    that was read, with keys of versions to come; they are kept when it is written again.
    """

    generator: Generator
    mode: str
    method: str
    task: str
    inputs: tuple[InputInfo, ...]
    outputs: tuple[OutputInfo, ...]
    target_layer: TargetLayer | None
    scores: ScoresInfo
    saliency_map: SaliencyMapInfo | None
    labels: tuple[str, ...] | None
    preprocessing: dict[str, Any] | None
    refusals: tuple[Refusal, ...]
    parameters: dict[str, Any] | None = None
    saliency_classes: OutputInfo | None = None
    feature_vector: OutputInfo | None = None
    schema_version: str = SCHEMA_VERSION
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def to_data(self) -> dict[str, Any]:
        """As plain data, ready for JSON.

        Raises:
            jsonschema.ValidationError: it breaks its own schema, which is a bug.
        """
        known = json.loads(json.dumps({name: _plain(getattr(self, name)) for name in _keys(type(self))}))
        data: dict[str, Any] = _with_unknown(known, self.unknown)
        _validator(type(self) is Description).validate(data)
        return data

    def to_line(self) -> str:
        """As one line of JSON, sorted keys: what stands in a model."""
        return json.dumps(self.to_data(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def added_outputs(self) -> tuple[OutputInfo | SaliencyMapInfo, ...]:
        """All that the conversion has added, in order."""
        added = (self.saliency_map, self.saliency_classes, self.feature_vector)
        return tuple(output for output in added if output is not None)


@dataclass(frozen=True, kw_only=True)
class Sidecar(Description):
    """What stands in the file beside a converted model: its description, its files, and what was proved."""

    source: Source
    model: ModelFiles
    verification: Verification
    reshapes: tuple[ReshapeCheck, ...] = ()

    def to_json(self) -> str:
        """Canonical text: sorted keys, two spaces, UTF-8 characters as they are, a trailing newline.

        Raises:
            jsonschema.ValidationError: the sidecar breaks its own schema, which is a bug.
        """
        return json.dumps(self.to_data(), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def read_sidecar_file(path: Path) -> Sidecar:
    """Read a sidecar; a ModelReadError if missing, no JSON, of a version not known here or not valid."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelReadError(f"{path}: not a sidecar: no text in UTF-8") from error
    return _parsed(Sidecar, text, str(path), "sidecar")


def read_description(text: str, where: str) -> Description:
    """Read what stands in a model; a ModelReadError that begins with ``where`` as for a sidecar."""
    return _parsed(Description, text, where, "description")


def claims_to_be_one(path: Path) -> bool | None:
    """Whether a file of any content means to be a sidecar; None for one that is no JSON."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return isinstance(data, dict) and len({"schema_version", "generator", "verification"} & set(data)) > 1


_D = TypeVar("_D", bound=Description)


def _parsed(kind: type[_D], text: str, where: str, what: str) -> _D:
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelReadError(f"{where}: not a {what}: no JSON ({error})") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, str) and version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise ModelReadError(f"{where}: {what} version {version} is not known here (known: {SCHEMA_VERSION})")
    try:
        _validator(kind is Description).validate(data)
    except jsonschema.ValidationError as error:
        reason = " ".join(error.message.split())
        shown = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]} ..."
        raise ModelReadError(f"{where}: not a valid {what}: {error.json_path}: {shown}") from error
    known = {key: data[key] for key in _keys(kind) if key in data}
    if version == "1.0":
        known = _as_1_1(known)
    built = _from_json(kind, known)
    assert isinstance(built, kind), "a description is no list and no number"
    return replace(built, unknown=data)


def _as_1_1(data: dict[str, Any]) -> dict[str, Any]:
    """A sidecar of version 1.0 with what has come since; ``schema_version`` stays, by which it is known."""
    refusals = [
        {**refusal, "method": None if refusal["method"] == "locate" else refusal["method"]}
        for refusal in data["refusals"]
    ]
    scores = data["scores"]
    answer = answer_of(scores["activation"], scores["class_count"], NO_ANSWER_HINTS)
    read: dict[str, Any] = {
        "probabilities": answer.probabilities,
        "groups": [],
        "multilabel": False,
        "confidence_threshold": answer.threshold,
    }
    return {**data, "refusals": refusals, "scores": {**read, **scores}}


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


_TYPES: Final = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
)
_Validator: Final[type[jsonschema.Draft202012Validator]] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, type_checker=_TYPES
)
"""Where whole numbers are wanted, JSON's 1.0 is none: it cannot count anything here."""


@cache
def _validator(embedded: bool) -> jsonschema.Draft202012Validator:
    """For what stands in a model (``embedded``) without what it does not know."""
    text = resources.files("ovxai_convert.schemas").joinpath("sidecar-v1.schema.json").read_text("utf-8")
    schema = json.loads(text)
    if embedded:
        without = {"source", "model", "verification", "reshapes"}
        schema["required"] = [key for key in schema["required"] if key not in without]
        since = schema["allOf"][0]["else"]
        since["required"] = [key for key in since["required"] if key not in without]
    return _Validator(schema)


def _keys(kind: type[Description]) -> list[str]:
    return [each.name for each in fields(kind) if each.name != "unknown"]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _with_unknown(known: Any, read: Any) -> Any:
    """What is known, and in objects of the same place what was read beside it."""
    if isinstance(known, dict) and isinstance(read, Mapping):
        merged = {key: _with_unknown(value, read.get(key)) for key, value in known.items()}
        return {**{key: value for key, value in read.items() if key not in known}, **merged}
    if isinstance(known, list) and isinstance(read, list) and len(known) == len(read):
        return [_with_unknown(*pair) for pair in zip(known, read, strict=True)]
    return known


def _from_json(kind: Any, data: Any) -> Any:
    """Plain data as a type hint has them: objects are dataclasses, lists are tuples."""
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]  # `X | None`; of other unions no member is built here
    if isinstance(data, list):
        kinds = get_args(kind)
        rest = kinds[:1] * len(data) if len(kinds) < 2 or kinds[1] is Ellipsis else kinds
        return tuple(_from_json(*pair) for pair in zip(rest, data, strict=True))
    if isinstance(data, dict) and is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _from_json(hints[name], value) for name, value in data.items() if name in hints})
    return data
