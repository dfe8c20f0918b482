"""The folder that a model server loads: names of its files, and what Triton has to be told of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.vocabulary import OutputFormat

DEFAULT_MAX_BATCH_SIZE: Final = 0
"""Triton hands each request on with the batch that it has.

The OpenVINO backend fixes a model's batch at a ``max_batch_size`` above 0: a smaller request is then refused,
or padded to the full batch and paid for as such. A model whose batch is open needs neither.
"""
_VERSION: Final = "1"
_STEM: Final = "model"
"""Triton's backend looks for ``model.xml`` where it is told of no other name; OVMS takes any."""
_UNFIT: Final = frozenset('/\\:*?"<>|%#')
"""Characters that mean something in a path or an address."""
_TYPES: Final[Mapping[str, str]] = {
    "boolean": "TYPE_BOOL",
    "u8": "TYPE_UINT8",
    "u16": "TYPE_UINT16",
    "u32": "TYPE_UINT32",
    "u64": "TYPE_UINT64",
    "i8": "TYPE_INT8",
    "i16": "TYPE_INT16",
    "i32": "TYPE_INT32",
    "i64": "TYPE_INT64",
    "f16": "TYPE_FP16",
    "f32": "TYPE_FP32",
}
"""Element types that the OpenVINO backend takes; Triton itself has bf16, f64 and strings, too."""


class ModelServer(Enum):
    """A server whose model repository can be written."""

    OVMS = "ovms"
    TRITON = "triton"


@dataclass(frozen=True)
class ServedTensor:
    """An input or output as a client addresses it.

    Attributes:
        name: tensor name, None where the model gives none.
        element_type: as OpenVINO calls it, ``"f32"``.
        shape: extents, -1 where open, None where even the number of axes is.
        bounded: an extent is open between bounds.
    """

    name: str | None
    element_type: str
    shape: tuple[int, ...] | None
    bounded: bool = False


@dataclass(frozen=True)
class ArtifactFiles:
    """Names of an artifact's files below the output folder, with ``/`` between folders.

    Attributes:
        xml: the model as IR, whose weights lie beside it as ``.bin``; as ONNX it has that stem, too.
        sidecar: its description, under the model's stem.
        model_name: under which a server offers the model, None outside of a repository.
        config: Triton's model configuration, None for all others.
        output_format: in which forms the model is written.
    """

    xml: str
    sidecar: str
    model_name: str | None = None
    config: str | None = None
    output_format: OutputFormat = OutputFormat.IR

    @property
    def onnx(self) -> str:
        """The model as ONNX."""
        return f"{self.xml.removesuffix('.xml')}.onnx"

    @property
    def models(self) -> tuple[str, ...]:
        """The model in each form that it is written in."""
        forms = ((self.output_format.ir, self.xml), (self.output_format.onnx, self.onnx))
        return tuple(name for written, name in forms if written)

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the sidecar last: it completes the artifact."""
        weights = (f"{self.xml.removesuffix('.xml')}.bin",) if self.output_format.ir else ()
        configs = () if self.config is None else (self.config,)
        return (*self.models, *weights, *configs, self.sidecar)


def plain_files(name: str) -> ArtifactFiles:
    """The files that lie in the output folder itself; a UsageError for a name that is none of a file."""
    if name in ("", ".", "..") or set(name) & set("/\\\0"):
        raise UsageError(f"{name!r} is no name of a file")
    return ArtifactFiles(f"{name}.xml", f"{name}.json")


def repository_files(server: ModelServer, name: str) -> ArtifactFiles:
    """The files of a model ``name``, first version, in a server's model repository.

    Raises:
        UsageError: the name does not serve as that of a folder and in an address.
    """
    if not name or name[0] in ". " or name[-1] in ". " or not name.isprintable() or set(name) & _UNFIT:
        rule = f"not empty, no dot or blank at its ends, and none of {' '.join(sorted(_UNFIT))}"
        raise UsageError(f"{name!r} cannot name a model in a repository: {rule}")
    version = f"{name}/{_VERSION}/{_STEM}"
    config = f"{name}/config.pbtxt" if server is ModelServer.TRITON else None
    return ArtifactFiles(f"{version}.xml", f"{version}.json", name, config)


def artifact_files(
    path: Path,
    name: str | None,
    repository: ModelServer | None,
    output_format: OutputFormat = OutputFormat.IR,
) -> ArtifactFiles:
    """The files of what becomes of a model; a UsageError for a name that is none.

    ``name``, ``repository`` and ``output_format`` are those of :func:`ovxai_convert.pipeline.convert`.
    """
    if repository is not None and output_format.onnx:
        raise UsageError("a model server's repository is written as IR, and not as ONNX")
    parts = {"stem": path.stem, "folder": path.absolute().parent.name, "suffix": path.suffix[1:]}
    try:
        filled = (name or "{stem}_xai").format(**parts)
    except (KeyError, IndexError, ValueError, AttributeError):
        known = ", ".join(f"{{{part}}}" for part in parts)
        raise UsageError(f"a name may hold {known}, and no other braces; '{name}' does") from None
    files = plain_files(filled) if repository is None else repository_files(repository, filled)
    return replace(files, output_format=output_format)


def output_folders(xml: Path) -> tuple[Path, ...]:
    """Folders that may have been the output folder when a model was written that is there now."""
    path = xml.absolute()
    plain = path.parent
    versioned = plain.name == _VERSION and path.stem == _STEM
    return (plain, plain.parents[1]) if versioned and len(plain.parents) > 1 else (plain,)


def unnamed(inputs: Sequence[ServedTensor], outputs: Sequence[ServedTensor]) -> Refusal | None:
    """Why a server cannot load a model in which one of them has no name: it asks each for its own."""
    groups = (("input", inputs), ("output", outputs))
    places = ((field, index, each) for field, group in groups for index, each in enumerate(group))
    nameless = [f"{field} {index}" for field, index, tensor in places if tensor.name is None]
    if not nameless:
        return None
    return Refusal(
        f"a model server addresses inputs and outputs by tensor names, and {', '.join(nameless)} has none; "
        "give it one in the source, as with port.get_tensor().set_names({'scores'}), and convert that"
    )


def config_pbtxt(
    name: str,
    inputs: Sequence[ServedTensor],
    outputs: Sequence[ServedTensor],
    max_batch_size: int = DEFAULT_MAX_BATCH_SIZE,
) -> str | Refusal:
    """Triton's model configuration as protobuf's text, or why its OpenVINO backend takes no such model.

    Args:
        name: of the model and its folder.
        inputs: all inputs of the model.
        outputs: all outputs, in the order in which Triton lists them.
        max_batch_size: above 0, where the first axis of every tensor is open (and not its only one), Triton's
            batching of so many samples; smaller requests are padded, and each costs as much as a full one.
    """
    tensors = (*inputs, *outputs)
    if (refusal := unnamed(inputs, outputs)) is not None:
        return refusal
    for tensor in tensors:
        if (reason := _unfit(tensor)) is not None:
            return Refusal(f"Triton's OpenVINO backend cannot serve '{tensor.name}': {reason}")
    shapes = [tensor.shape or () for tensor in tensors]
    batched = max_batch_size > 0 and all(len(shape) > 1 and shape[0] == -1 for shape in shapes)
    lines = [
        f"name: {_quoted(name)}",
        'backend: "openvino"',
        f"max_batch_size: {max_batch_size if batched else 0}",
    ]
    for field, group in (("input", inputs), ("output", outputs)):
        for tensor in group:
            lines.extend(_entry(field, tensor, 1 if batched else 0))
    if batched and max_batch_size > 1:
        lines.append('parameters { key: "ENABLE_BATCH_PADDING" value { string_value: "YES" } }')
    return "\n".join(lines) + "\n"


def _unfit(tensor: ServedTensor) -> str | None:
    if tensor.element_type not in _TYPES:
        return f"it has no element type {tensor.element_type} (it has {', '.join(_TYPES)})"
    if tensor.shape is None:
        return "its number of axes is open"
    if not tensor.shape:
        return "it has no axis"
    return "its extents are bounded; reshape the source to fixed or open ones" if tensor.bounded else None


def _entry(field: str, tensor: ServedTensor, first_axis: int) -> Iterator[str]:
    dims = ", ".join(map(str, (tensor.shape or ())[first_axis:]))
    yield f"{field} {{"
    yield f"  name: {_quoted(tensor.name or '')}"
    yield f"  data_type: {_TYPES[tensor.element_type]}"
    yield f"  dims: [ {dims} ]"
    yield "}"


def _quoted(text: str) -> str:
    """A string of the text format: UTF-8 as it is, octal escapes for what no line may hold."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + "".join(each if each >= " " and each != "\x7f" else f"\\{ord(each):03o}" for each in escaped)
        + '"'
    )
