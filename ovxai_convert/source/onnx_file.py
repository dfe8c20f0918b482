"""What OpenVINO cannot tell of an ONNX file: whether it is whole, and what its metadata says."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from ovxai_convert.errors import ModelReadError

_AXES_IGNORED: Final = ("ReduceL1", "ReduceLogSum", "ReduceLogSumExp")
"""Ops whose ``axes`` OpenVINO passes over where they are an attribute: it reduces all axes."""


class FileFacts(NamedTuple):
    """What a file says beside its graph, where OpenVINO is known to misread it, and its files of weights."""

    metadata: dict[str, str]
    misread: tuple[str, ...] = ()
    external: tuple[Path, ...] = ()


def read_facts(path: Path) -> FileFacts:
    """Check that an ONNX file is whole, and return its ``metadata_props`` and what is known to be misread.

    Weights in external files are not read. No ONNX model, a truncated one, or external data that are missing
    or too short are a ModelReadError.
    """
    model = onnx.ModelProto()
    try:
        with (  # parsed where it lies: read first, the weights would be in memory twice
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as content,
        ):
            model.ParseFromString(content)  # type: ignore[arg-type]  # takes any buffer; its stub says bytes
    except DecodeError as error:
        raise ModelReadError(f"{path}: not an ONNX model, or a truncated one") from error
    if not model.graph.node:
        raise ModelReadError(f"{path}: not an ONNX model, or an empty one: its graph has no nodes")
    if not model.opset_import:
        raise ModelReadError(f"{path}: the ONNX file is not whole: it names no operator set")
    _check_outputs(path, model.graph)
    attributes = (attribute for node in model.graph.node for attribute in node.attribute)
    constants = (attribute.t for attribute in attributes if attribute.HasField("t"))
    external = [
        _external_file(path, tensor)
        for tensor in (*model.graph.initializer, *constants)
        if uses_external_data(tensor)
    ]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return FileFacts(metadata, tuple(_misread(model)), tuple(dict.fromkeys(external)))


def _misread(model: onnx.ModelProto) -> Iterator[str]:
    versions = [opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")]
    version = max(versions, default=0)
    if 13 <= version < 18:  # later, the axes are an input
        for node in model.graph.node:
            if node.op_type in _AXES_IGNORED and "axes" in [attribute.name for attribute in node.attribute]:
                name = node.name or node.output[0]
                yield f"{node.op_type} '{name}' of operator set {version}, whose axes it ignores"


def _check_outputs(path: Path, graph: onnx.GraphProto) -> None:
    """A file cut between two nodes still parses; its outputs are then made by no node."""
    made = {name for node in graph.node for name in node.output}
    made.update(tensor.name for tensor in graph.input)
    made.update(tensor.name for tensor in graph.initializer)
    made.update(tensor.values.name for tensor in graph.sparse_initializer)
    missing = [output.name for output in graph.output if output.name not in made]
    if missing or not graph.output:
        what = f"output '{missing[0]}' is computed by no node" if missing else "it has no outputs"
        raise ModelReadError(f"{path}: the ONNX file is not whole: {what}")


def _external_file(path: Path, tensor: onnx.TensorProto) -> Path:
    """Where a tensor's values are, if they are there."""
    info = ExternalDataInfo(tensor)
    weights = path.parent / info.location
    if not weights.is_file():
        raise ModelReadError(f"{path}: its external data file '{info.location}' is missing")
    if (info.offset or 0) + (info.length or 0) > weights.stat().st_size:
        raise ModelReadError(f"{path}: its external data file '{info.location}' is too short")
    return weights
