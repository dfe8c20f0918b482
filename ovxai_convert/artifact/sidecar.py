"""The sidecar: what a program must know to read a converted model, as dataclasses and as canonical JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, Final, get_args, get_type_hints

import jsonschema

from ovxai_convert.errors import ModelReadError, Refusal

SCHEMA_VERSION: Final = "1.1"


@dataclass(frozen=True)
class Generator:
    """The program that wrote the artifact, and the OpenVINO it ran on."""

    name: str
    version: str
    openvino: str


@dataclass(frozen=True)
class Source:
    """The model that was converted: file name, format and SHA-256 of the file."""

    file: str
    format: str
    sha256: str


@dataclass(frozen=True)
class ModelFiles:
    """The artifact's IR: file names beside the sidecar, and their SHA-256."""

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
    """The class tensor: the output it feeds, its node in the written IR, and the final activation."""

    output: str
    node: str
    port: int
    class_count: int
    activation: str


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


@dataclass(frozen=True)
class Sidecar:
    """All of it; the fields are the sidecar's keys. ``parameters`` are those of the method, if it has any.

    In the mode ``"blackbox"`` the model is the original as IR, ``method`` is what suits it, and there is no
    target and no map.
    """

    generator: Generator
    source: Source
    model: ModelFiles
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
    verification: Verification
    refusals: tuple[Refusal, ...]
    parameters: dict[str, Any] | None = None
    reshapes: tuple[ReshapeCheck, ...] = ()
    schema_version: str = SCHEMA_VERSION

    def to_json(self) -> str:
        """Canonical text: sorted keys, two spaces, UTF-8 characters as they are, a trailing newline.

        Raises:
            jsonschema.ValidationError: the sidecar breaks its own schema, which is a bug.
        """
        data = json.loads(json.dumps(asdict(self)))
        _validator().validate(data)
        return json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def read_sidecar(path: str | Path) -> Sidecar:
    """Read a sidecar; a ModelReadError if missing, no JSON, of a version not known here or not valid."""
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelReadError(f"{path}: not a sidecar: no JSON ({error})") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, str) and version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise ModelReadError(f"{path}: sidecar version {version} is not known here (known: {SCHEMA_VERSION})")
    try:
        _validator().validate(data)
    except jsonschema.ValidationError as error:
        raise ModelReadError(f"{path}: not a valid sidecar: {error.json_path}: {error.message}") from error
    for refusal in data["refusals"]:
        if refusal["method"] == "locate":  # version 1.0 wrote it where no method got so far
            refusal["method"] = None
    sidecar: Sidecar = _from_json(Sidecar, data)
    return sidecar


@cache
def _validator() -> jsonschema.Draft202012Validator:
    text = resources.files("ovxai_convert.schemas").joinpath("sidecar-v1.schema.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def _from_json(kind: Any, data: Any) -> Any:
    """Plain data as a type hint has them: objects are dataclasses, lists are tuples."""
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]  # `X | None`; of other unions no member is built here
    if isinstance(data, list):
        return tuple(_from_json(get_args(kind)[0], item) for item in data)
    if isinstance(data, dict) and is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _from_json(hints[name], value) for name, value in data.items()})
    return data
