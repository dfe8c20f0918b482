"""Reading a model of any format that OpenVINO reads, and naming the nodes that its file left unnamed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import openvino as ov

from ovxai_convert.errors import ModelReadError, last_line
from ovxai_convert.source.formats import IR, format_of
from ovxai_convert.source.onnx_file import FileFacts


@dataclass(frozen=True)
class SourceModel:
    """A model as it was read from ``path``; nodes that the file left unnamed have settled names.

    ``sha256`` is the file's, or in a folder that of all in the order of their names; ``metadata`` are free
    entries (ONNX ``metadata_props``); ``misread`` is what OpenVINO is known to read otherwise than meant.
    """

    path: Path
    format: str
    sha256: str
    model: ov.Model
    metadata: dict[str, str] = field(default_factory=dict)
    misread: tuple[str, ...] = ()


def read_source(path: Path) -> SourceModel:
    """Read a model; a ModelReadError if it is missing, not whole, without weights or of no known format."""
    kind = format_of(path)
    with ThreadPoolExecutor(1) as beside:  # hashing takes as long as half of the reading, on one core
        digest = beside.submit(_sha256_of, path)
        metadata, misread = FileFacts({}) if kind.facts is None else kind.facts(path)
        model = read_model(path)
        if kind is not IR:
            settle_names(model, None if kind.keeps_names else read_model(path))
        misread += () if kind.misread is None else kind.misread(model)
        return SourceModel(path, kind.name, digest.result(), model, metadata, misread)


def settle_names(model: ov.Model, read_again: ov.Model | None = None) -> None:
    """Replace names that OpenVINO made up from a counter of the process by ``Type_1``, ``Type_2``, ...

    Without this the same file would give other bytes at each conversion, and a layer's name as printed could
    not be used in the next call.

    ``read_again`` is the same file, read a second time: a name that differs was made up. Readers need it that
    hand made-up names on from one node to another; else a node without a name answers with its unique one.
    """
    nodes = model.get_ordered_ops()
    if read_again is None:
        named = {node: node.get_friendly_name() != node.get_name() for node in nodes}
    else:
        pairs = zip(nodes, read_again.get_ordered_ops(), strict=True)
        named = {node: node.get_friendly_name() == twin.get_friendly_name() for node, twin in pairs}
    taken = {node.get_friendly_name() for node, kept in named.items() if kept}
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(1))
    for node in (node for node, kept in named.items() if not kept):
        kind = node.get_type_name()
        free = (f"{kind}_{number}" for number in numbers[kind] if f"{kind}_{number}" not in taken)
        node.set_friendly_name(next(free))


def read_model(path: Path) -> ov.Model:
    """Read with OpenVINO's reader, whatever the format; its errors become one line."""
    try:
        return ov.Core().read_model(path)
    except RuntimeError as error:
        raise ModelReadError(f"{path}: OpenVINO cannot read it: {last_line(error)}") from error


def sha256_of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_of(path: Path) -> str:
    if path.is_file():
        return sha256_of_file(path)
    total = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        total.update(bytes.fromhex(sha256_of_file(file)))
    return total.hexdigest()
