"""Reading a model of any format that OpenVINO reads, and writing one as IR."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import openvino as ov

from ovxai_convert.errors import ModelReadError, WriteError, last_line
from ovxai_convert.quiet import quiet_stderr
from ovxai_convert.source.names import settle_names
from ovxai_convert.source.onnx_file import read_metadata

_FORMATS = {
    ".xml": "ir",
    ".onnx": "onnx",
    ".tflite": "tflite",
    ".pb": "tensorflow",
    ".pbtxt": "tensorflow",
    ".meta": "tensorflow",
    ".pdmodel": "paddle",
}
_PYTORCH = (
    "a PyTorch file: export the model with torch.onnx.export, or save what openvino.convert_model makes"
)
_KERAS = "a Keras file: write a folder with model.export() and give that"
_TENSORRT = "an engine of TensorRT: give the model that it was built from"
_INSTEAD = {
    ".pt": _PYTORCH,
    ".pth": _PYTORCH,
    ".pt2": _PYTORCH,
    ".ckpt": _PYTORCH,
    ".safetensors": "a file of weights alone: export the model that they belong to as ONNX",
    ".keras": _KERAS,
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".engine": _TENSORRT,
    ".plan": _TENSORRT,
    ".trt": _TENSORRT,
    ".mlmodel": "a Core ML model: give the model that it was made from",
    ".mlpackage": "a Core ML model: give the model that it was made from",
    ".bin": "the weights of an IR: give the .xml beside it",
    ".pdiparams": "the weights of a PaddlePaddle model: give the .pdmodel beside it",
    ".json": "a sidecar, whose model is the .xml beside it, or a PaddlePaddle program, which it knows as "
    ".pdmodel only (FLAGS_enable_pir_api=0 writes that)",
}
"""Files that OpenVINO does not read but users have, and what to give instead."""


@dataclass(frozen=True)
class SourceModel:
    """A model as it was read.

    Attributes:
        path: where it came from.
        format: ``"ir"``, ``"onnx"``, ``"tflite"``, ``"tensorflow"``, ``"paddle"`` or ``"other"``.
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
    kind = "tensorflow" if path.is_dir() else _FORMATS.get(path.suffix.lower(), "other")
    _check_present(path, kind)
    if path.suffix.lower() in _INSTEAD:
        raise ModelReadError(f"{path}: OpenVINO does not read {_INSTEAD[path.suffix.lower()]}")
    with ThreadPoolExecutor(1) as beside:  # hashing takes as long as half of the reading, on one core
        digest = beside.submit(_sha256_of, path)
        metadata = read_metadata(path) if kind == "onnx" else {}
        model = read_model(path)
        if kind != "ir":
            settle_names(model, None if kind == "onnx" else read_model(path))
        return SourceModel(path, kind, digest.result(), model, metadata)


def read_model(path: Path) -> ov.Model:
    """Read with OpenVINO's reader, whatever the format; its errors become one line."""
    try:
        with quiet_stderr():
            return ov.Core().read_model(path)
    except RuntimeError as error:
        raise ModelReadError(f"{path}: OpenVINO cannot read it: {last_line(error)}") from error


def write_ir(model: ov.Model, xml: Path) -> None:
    """Write ``xml`` and the ``.bin`` beside it, weights in the precision they have.

    Raises:
        WriteError: the files cannot be written.
    """
    try:
        ov.serialize(model, xml, xml.with_suffix(".bin"))
    except RuntimeError as error:
        raise WriteError(f"{xml}: cannot write the model: {last_line(error)}") from error


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


def _check_present(path: Path, kind: str) -> None:
    """What OpenVINO would say in several lines, or not at all."""
    if not path.exists():
        raise ModelReadError(f"{path}: no such file")
    if path.is_dir():
        return
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    if not start:
        raise ModelReadError(f"{path}: the file is empty")
    if kind == "ir" and not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise ModelReadError(f"{path}: not an OpenVINO IR: the file is no XML")
    if kind == "ir" and not path.with_suffix(".bin").is_file():
        raise ModelReadError(f"{path}: its weights '{path.with_suffix('.bin').name}' are missing beside it")
    if kind == "tflite" and start[4:8] != b"TFL3":
        raise ModelReadError(f"{path}: not a TensorFlow Lite model")
