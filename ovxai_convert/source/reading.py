"""Reading a model of any format that OpenVINO reads."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import openvino as ov

from ovxai_convert.errors import ModelReadError, last_line
from ovxai_convert.source.formats import IR, format_of
from ovxai_convert.source.names import settle_names


@dataclass(frozen=True)
class SourceModel:
    """A model as it was read.

    Attributes:
        path: where it came from.
        format: name of its format, see ``FORMATS``.
        sha256: of the file at ``path`` (of all files, in the order of their names, where it is a folder).
        model: the model; nodes that the file left unnamed have settled names.
        metadata: free entries of the file itself (ONNX ``metadata_props``).
    """

    path: Path
    format: str
    sha256: str
    model: ov.Model
    metadata: dict[str, str] = field(default_factory=dict)


def read_source(path: Path) -> SourceModel:
    """Read a model.

    Raises:
        ModelReadError: the file is missing, empty, truncated, of no known format, or lacks its weights.
    """
    kind = format_of(path)
    with ThreadPoolExecutor(1) as beside:  # hashing takes as long as half of the reading, on one core
        digest = beside.submit(_sha256_of, path)
        metadata = kind.metadata(path)
        model = read_model(path)
        if kind is not IR:
            settle_names(model, None if kind.keeps_names else read_model(path))
        return SourceModel(path, kind.name, digest.result(), model, metadata)


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
    for each in sorted(file for file in path.rglob("*") if file.is_file()):
        total.update(bytes.fromhex(sha256_of_file(each)))
    return total.hexdigest()
