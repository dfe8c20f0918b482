"""Reading a model of any format that OpenVINO reads, and naming the nodes that its file left unnamed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import openvino as ov

from ovxai_convert.errors import ModelReadError, last_line
from ovxai_convert.source.formats import IR, SUFFIXES, format_of, is_ir, weights_of
from ovxai_convert.source.limits import check_limits
from ovxai_convert.source.onnx_file import FileFacts

_NO_READER: Final = "Please check that model format"
"""In what OpenVINO says of a file that none of its readers takes."""


@dataclass(frozen=True)
class SourceModel:
    """A model as it was read from ``path``; nodes that the file left unnamed have settled names.

    ``sha256`` is the file's, or in a folder that of all in the order of their names; ``files`` are all that
    the model consists of, by their path from its folder, and their SHA-256; ``metadata`` are free entries
    (ONNX ``metadata_props``); ``misread`` is what OpenVINO is known to read otherwise than meant.
    """

    path: Path
    format: str
    sha256: str
    model: ov.Model
    files: Mapping[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    misread: tuple[str, ...] = ()


def read_source(path: Path) -> SourceModel:
    """Read a model; a ModelReadError if it is missing, not whole, without weights or of no known format."""
    kind = format_of(path)
    with ThreadPoolExecutor(1) as beside:  # hashing takes as long as half of the reading, on one core
        main = beside.submit(_digests, path)
        metadata, misread, external = FileFacts({}) if kind.facts is None else kind.facts(path)
        parts = [beside.submit(_digest_of_part, path, file) for file in (*kind.parts(path), *external)]
        model = read_model(path)
        check_limits(path, model)
        if kind is not IR:
            settle_names(model, None if kind.keeps_names else read_model(path))
        misread += () if kind.misread is None else kind.misread(model)
        sha256, files = main.result()
        files.update(part.result() for part in parts)
        return SourceModel(path, kind.name, sha256, model, files, metadata, misread)


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
        return ov.Core().read_model(path, weights_of(path)) if is_ir(path) else ov.Core().read_model(path)
    except UnicodeDecodeError as error:  # of what OpenVINO has to say
        raise ModelReadError(f"{path}: OpenVINO cannot read it: a name in it is no text in UTF-8") from error
    except RuntimeError as error:
        said = last_line(error)
        if _NO_READER in said:
            said = f"nothing tells what kind of model it is; those that are read are {', '.join(SUFFIXES)}"
        raise ModelReadError(f"{path}: OpenVINO cannot read it: {said}") from error


def sha256_of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digests(path: Path) -> tuple[str, dict[str, str]]:
    """SHA-256 of a model's file or folder, and of each file that it is."""
    if path.is_file():
        sha256 = sha256_of_file(path)
        return sha256, {path.name: sha256}
    total, files = hashlib.sha256(), {}
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        name = file.relative_to(path).as_posix()
        files[name] = sha256_of_file(file)
        total.update(bytes.fromhex(files[name]))
    return total.hexdigest(), files


def _digest_of_part(path: Path, part: Path) -> tuple[str, str]:
    """A file beside a model, by its path from there if it has one, and its SHA-256."""
    folder = path.parent
    name = part.relative_to(folder).as_posix() if part.is_relative_to(folder) else part.name
    return name, sha256_of_file(part)
