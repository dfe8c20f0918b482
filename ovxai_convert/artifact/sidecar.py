"""The sidecar: what a program must know to read a converted model, as dataclasses and as canonical JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from ovxai_convert.artifact.checks import ReshapeCheck, RuntimeCheck, Verification
from ovxai_convert.artifact.plain_data import to_plain, with_unknown
from ovxai_convert.artifact.schema import check
from ovxai_convert.errors import Refusal
from ovxai_convert.source.answers import Answer, Probabilities
from ovxai_convert.vocabulary import AnswerMeaning

SCHEMA_VERSION: Final = "1.3"


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
class OnnxFile:
    """The artifact as ONNX.

    Attributes:
        file: its name at conversion, for people.
        sha256: of the file.
        opset: the operator set of the nodes that were added, the source's own.
        nodes_added: how many there are.
        bytes_added: by how much the file has grown.
        external: weights that lie in files beside it, as beside its source.
        runtimes: in which it was run beside its source.
    """

    file: str
    sha256: str
    opset: int
    nodes_added: int
    bytes_added: int
    external: tuple[SourceFile, ...]
    runtimes: tuple[RuntimeCheck, ...]


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

    The last five are those of :class:`~ovxai_convert.source.answers.Answer`.
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
    meaning: AnswerMeaning = "classes"

    @property
    def answer(self) -> Answer:
        """How it is read."""
        return Answer(
            self.probabilities, self.groups, self.multilabel, self.confidence_threshold, self.meaning
        )


@dataclass(frozen=True)
class ScaleInfo:
    """One grid of places of a detector: the tensor in the written IR that holds its scores; -1: open."""

    layer: str
    port: int
    rows: int
    columns: int
    anchors: int


@dataclass(frozen=True)
class DetectionInfo:
    """A detector's dense head; see :class:`~ovxai_convert.anatomy.dense_head.DenseHead`."""

    scales: tuple[ScaleInfo, ...]
    activation: Literal["sigmoid", "softmax", "none"]
    objectness: str
    background: int | None


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


@dataclass(frozen=True, kw_only=True)
class HeadInfo:
    """Another class output and its map, where a model has maps of several; keys as in the description."""

    method: str
    target_layer: TargetLayer
    scores: ScoresInfo
    saliency_map: SaliencyMapInfo
    labels: tuple[str, ...] | None
    saliency_classes: OutputInfo | None = None
    parameters: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a converted model is, as it stands in the model itself; the fields are the sidecar's keys.

    ``parameters`` are those of the method, if it has any; ``detection`` is of a detector with maps.
    In the mode ``"blackbox"`` the model is the original as IR, ``method`` is what suits it, and there is no
    target and no map. ``unknown`` is the object that was read, with keys of versions to come; they are kept
    when it is written again.
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
    more_heads: tuple[HeadInfo, ...] = ()
    detection: DetectionInfo | None = None
    schema_version: str = SCHEMA_VERSION
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def to_data(self) -> dict[str, Any]:
        """As plain data, ready for JSON.

        Raises:
            jsonschema.ValidationError: it breaks its own schema, which is a bug.
        """
        known = {name: to_plain(getattr(self, name)) for name in keys_of(type(self))}
        data: dict[str, Any] = with_unknown(json.loads(json.dumps(known)), self.unknown)
        check(data, embedded=type(self) is Description)
        return data

    def to_line(self) -> str:
        """As one line of JSON, sorted keys: what stands in a model."""
        return json.dumps(self.to_data(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def added_outputs(self) -> tuple[OutputInfo | SaliencyMapInfo, ...]:
        """All that the conversion has added, in order."""
        added: list[OutputInfo | SaliencyMapInfo | None] = [
            self.saliency_map,
            self.saliency_classes,
            self.feature_vector,
        ]
        for head in self.more_heads:
            added += [head.saliency_map, head.saliency_classes]
        return tuple(output for output in added if output is not None)

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the class outputs that have a map, or would have."""
        return self.scores.output, *(head.scores.output for head in self.more_heads)

    def of_head(self, output: str) -> Description:
        """The same for one of its heads alone, as if it were the only one that has a map."""
        for head in self.more_heads:
            if head.scores.output == output:
                told = {each.name: getattr(head, each.name) for each in fields(head)}
                return replace(self, feature_vector=None, more_heads=(), **told)
        return self


@dataclass(frozen=True, kw_only=True)
class Sidecar(Description):
    """What stands in the file beside a converted model: its description, its files, and what was proved.

    ``model`` is None where it was written as ONNX alone, ``onnx`` where as IR alone.
    """

    source: Source
    model: ModelFiles | None
    verification: Verification
    reshapes: tuple[ReshapeCheck, ...] = ()
    onnx: OnnxFile | None = None

    def to_json(self) -> str:
        """Canonical text: sorted keys, two spaces, UTF-8 characters as they are, a trailing newline.

        Raises:
            jsonschema.ValidationError: the sidecar breaks its own schema, which is a bug.
        """
        return json.dumps(self.to_data(), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def keys_of(kind: type[Description]) -> list[str]:
    """The keys of a description's JSON."""
    return [each.name for each in fields(kind) if each.name != "unknown"]
