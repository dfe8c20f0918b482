"""What OpenVINO cannot tell of an ONNX file: whether it is whole, and what its metadata says."""

from __future__ import annotations

import mmap
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from ovxai_convert.errors import ModelReadError


def read_metadata(path: Path) -> dict[str, str]:
    """Check that an ONNX file is whole and return its ``metadata_props``.

    Weights in external files are not read; it is checked that they are there.

    Raises:
        ModelReadError: no ONNX model, a truncated one, or external data that are missing or too short.
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
    for tensor in (*model.graph.initializer, *constants):
        if uses_external_data(tensor):
            _check_external(path, tensor)
    return {entry.key: entry.value for entry in model.metadata_props}


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


def _check_external(path: Path, tensor: onnx.TensorProto) -> None:
    info = ExternalDataInfo(tensor)
    weights = path.parent / info.location
    if not weights.is_file():
        raise ModelReadError(f"{path}: its external data file '{info.location}' is missing")
    if (info.offset or 0) + (info.length or 0) > weights.stat().st_size:
        raise ModelReadError(f"{path}: its external data file '{info.location}' is too short")
