"""What OpenVINO cannot tell of an ONNX file: whether it is whole, and what its metadata says."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final, NamedTuple

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import uses_external_data

from ovxai_convert.errors import ModelReadError
from ovxai_convert.onnx_graph.nodes import inner_graphs
from ovxai_convert.source.limits import DEEPEST, TOO_DEEP

_AXES_IGNORED: Final = ("ReduceL1", "ReduceLogSum", "ReduceLogSumExp")
"""Ops whose ``axes`` OpenVINO passes over where they are an attribute: it reduces all axes."""


_LATEST_OPSET: Final = 1000
"""Far beyond any that will be; the runtime takes some seconds for each million."""
_LONGEST_NAME: Final = 10_000
_NO_TEXT: Final = "a name in it is no text in UTF-8"


class FileFacts(NamedTuple):
    """What a file says beside its graph, where OpenVINO is known to misread it, and its files of weights."""

    metadata: dict[str, str]
    misread: tuple[str, ...] = ()
    external: tuple[Path, ...] = ()


def read_facts(path: Path) -> FileFacts:
    """Check that an ONNX file is whole, and return its ``metadata_props`` and what is known to be misread.

    Weights in external files are not read. No ONNX model, a truncated one, one beyond all limits, or external
    data that are missing, too short or not in the model's folder are a ModelReadError.
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
    try:
        return _facts(path, model)
    except UnicodeDecodeError as error:
        raise ModelReadError(f"{path}: {_NO_TEXT}") from error


def _facts(path: Path, model: onnx.ModelProto) -> FileFacts:
    if not model.graph.node:
        raise ModelReadError(f"{path}: not an ONNX model, or an empty one: its graph has no nodes")
    if not model.opset_import:
        raise ModelReadError(f"{path}: the ONNX file is not whole: it names no operator set")
    versions = [opset.version for opset in model.opset_import]
    if not all(0 < version <= _LATEST_OPSET for version in versions):
        raise ModelReadError(f"{path}: there is no operator set {max(versions, key=abs)}")
    _check_outputs(path, model.graph)
    graphs = list(_graphs(model))
    if max(depth for depth, _ in graphs) > DEEPEST:  # which the reader takes minutes for
        raise ModelReadError(f"{path}: {TOO_DEEP}")
    names = [name for _, graph in graphs for name in _names(graph)]
    entries = [text for entry in model.metadata_props for text in (entry.key, entry.value)]
    if not all(isinstance(text, str) for text in (*names, *entries)):
        raise ModelReadError(f"{path}: {_NO_TEXT}")
    if max(map(len, names)) > _LONGEST_NAME:
        raise ModelReadError(f"{path}: a name in it is longer than {_LONGEST_NAME} characters")
    lacking = next((node for _, graph in graphs for node in graph.node if _lacks_inputs(model, node)), None)
    if lacking is not None:  # of which some make the reader break down
        name = lacking.name or "".join(lacking.output[:1])
        raise ModelReadError(f"{path}: the ONNX file is not whole: {lacking.op_type} '{name}' lacks an input")
    tensors = (tensor for _, graph in graphs for tensor in _tensors(graph))
    external = [_external_file(path, tensor) for tensor in tensors if uses_external_data(tensor)]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return FileFacts(metadata, tuple(_misread(model)), tuple(dict.fromkeys(external)))


def _lacks_inputs(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    """Whether a node has fewer inputs than its op has in the operator set that the file names."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    versions = [opset.version for opset in model.opset_import if opset.domain in {domain, node.domain}]
    least = _fewest_inputs(node.op_type, max(versions, default=0), domain)
    return len(node.input) < least


@cache
def _fewest_inputs(op: str, version: int, domain: str) -> int:
    """0 of an op that is not known."""
    try:
        return int(onnx.defs.get_schema(op, version, domain).min_input)
    except onnx.defs.SchemaError:
        return 0


_Graph = onnx.GraphProto | onnx.FunctionProto


def _graphs(model: onnx.ModelProto) -> Iterator[tuple[int, _Graph]]:
    """The graph and the functions of a file, and all graphs that nodes of these hold, by their depth."""
    roots: list[_Graph] = [model.graph, *model.functions]
    waiting: list[tuple[int, _Graph]] = [(0, graph) for graph in roots]
    while waiting:
        depth, graph = waiting.pop()
        yield depth, graph
        waiting += [(depth + 1, inner) for node in graph.node for inner in inner_graphs(node)]


def _names(graph: _Graph) -> Iterator[str]:
    """All names of a graph itself; protobuf hands out as bytes what is no text."""
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
    if isinstance(graph, onnx.GraphProto):
        yield from (value.name for value in (*graph.input, *graph.output))
        yield from (value.name for value in graph.initializer)


def _tensors(graph: _Graph) -> Iterator[onnx.TensorProto]:
    """The tensors of a graph in all places that may hold one."""
    sparse: list[onnx.SparseTensorProto] = []
    if isinstance(graph, onnx.GraphProto):
        yield from graph.initializer
        sparse += graph.sparse_initializer
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from [attribute.t] if attribute.HasField("t") else []
        yield from attribute.tensors
        sparse += [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        sparse += attribute.sparse_tensors
    for tensor in sparse:
        yield tensor.values
        yield tensor.indices


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
    """Where a tensor's values are: a regular file in the model's folder or below it."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    if not all(isinstance(value, str) for value in entries.values()):
        raise ModelReadError(f"{path}: the place of its external data is no text in UTF-8")
    location = entries.get("location", "")
    weights, folder = path.parent / location, path.parent.resolve()
    if (
        not location
        or PurePosixPath(location).is_absolute()
        or PureWindowsPath(location).drive
        or "\0" in location
    ):
        raise ModelReadError(
            f"{path}: its external data are said to be in '{location}', which is no file beside it"
        )
    try:
        numbers = [int(entries.get(key, 0)) for key in ("offset", "length")]
    except ValueError as error:
        raise ModelReadError(f"{path}: the place of its external data is no number") from error
    try:
        inside, there = weights.resolve().is_relative_to(folder), weights.is_file()
        size = weights.stat().st_size if there else 0
    except (OSError, RuntimeError) as error:  # a name too long, links in a circle
        raise ModelReadError(f"{path}: its external data file cannot be looked for: {error}") from error
    if not inside:
        raise ModelReadError(f"{path}: its external data file '{location}' is not in its folder")
    if not there:
        raise ModelReadError(f"{path}: its external data file '{location}' is missing")
    if min(numbers) < 0 or sum(numbers) > size:
        raise ModelReadError(f"{path}: its external data file '{location}' is too short")
    return weights
