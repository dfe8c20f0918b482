"""The table of source formats: how files of each are recognised and checked, and what else users have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openvino import Model

from ovxai_convert.errors import ModelReadError
from ovxai_convert.files import exists, is_file, is_folder
from ovxai_convert.source.onnx_file import FileFacts, read_facts
from ovxai_convert.source.tflite_weights import unsigned_weights


def _check_ir(path: Path, start: bytes) -> None:
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise ModelReadError(f"{path}: not an OpenVINO IR: the file is no XML")
    if not is_file(weights_of(path)):
        raise ModelReadError(f"{path}: its weights '{path.with_suffix('.bin').name}' are missing beside it")


def weights_of(xml: Path) -> Path:
    """The ``.bin`` of an IR: beside it, or, where it is a link, beside the file that it leads to."""
    beside = xml.with_suffix(".bin")
    return beside if is_file(beside) else xml.resolve().with_suffix(".bin")


def _check_tflite(path: Path, start: bytes) -> None:
    if start[4:8] != b"TFL3":
        raise ModelReadError(f"{path}: not a TensorFlow Lite model")


def _paddle_weights(path: Path) -> tuple[Path, ...]:
    weights = path.with_suffix(".pdiparams")
    return (weights,) if is_file(weights) else ()


def is_ir(path: Path) -> bool:
    """Whether a file is an IR by its name."""
    return path.suffix.lower() in IR.suffixes


@dataclass(frozen=True)
class Format:
    """A format that OpenVINO reads, and the suffixes of its files in lower case.

    Attributes:
        check: raises ModelReadError where OpenVINO would use several lines or say nothing, given the path
            and the file's first bytes.
        facts: free entries of a file, and what is known to be misread of it.
        misread: what is known to be misread, as the model that was read shows it.
        parts: files beside that belong to a model, given its path.
        keeps_names: whether the reader leaves nodes unnamed that the file does not name, rather than hand
            made-up names from one to another.
    """

    name: str
    suffixes: tuple[str, ...]
    check: Callable[[Path, bytes], None] | None = None
    facts: Callable[[Path], FileFacts] | None = None
    misread: Callable[[Model], tuple[str, ...]] | None = None
    parts: Callable[[Path], tuple[Path, ...]] = lambda _: ()
    keeps_names: bool = False


IR: Final = Format("ir", (".xml",), _check_ir, parts=lambda path: (weights_of(path),), keeps_names=True)
TENSORFLOW: Final = Format("tensorflow", (".pb", ".pbtxt", ".meta"))
OTHER: Final = Format("other", ())
FORMATS: Final = (
    IR,
    Format("onnx", (".onnx",), facts=read_facts, keeps_names=True),
    Format("tflite", (".tflite",), _check_tflite, misread=unsigned_weights),
    TENSORFLOW,
    Format("paddle", (".pdmodel",), parts=_paddle_weights),
    OTHER,
)

_PYTORCH: Final = (
    "a PyTorch file: export the model with torch.onnx.export, or save what openvino.convert_model makes"
)
_KERAS: Final = "a Keras file: write a folder with model.export() and give that"
_TENSORRT: Final = "an engine of TensorRT: give the model that it was built from"
_INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys((".pt", ".pth", ".pt2", ".ckpt"), _PYTORCH),
    **dict.fromkeys((".keras", ".h5", ".hdf5"), _KERAS),
    **dict.fromkeys((".engine", ".plan", ".trt"), _TENSORRT),
    **dict.fromkeys((".mlmodel", ".mlpackage"), "a Core ML model: give the model that it was made from"),
    ".safetensors": "a file of weights alone: export the model that they belong to as ONNX",
    ".bin": "the weights of an IR: give the .xml beside it",
    ".pdiparams": "the weights of a PaddlePaddle model: give the .pdmodel beside it",
    ".json": "a sidecar, whose model is the .xml beside it, or a PaddlePaddle program, which it knows as "
    ".pdmodel only (FLAGS_enable_pir_api=0 writes that)",
}
"""Files that OpenVINO does not read but users have, and what to give instead."""


def format_of(path: Path) -> Format:
    """The format of a model; a ModelReadError if it is missing, does not look like it, or cannot be read."""
    if not exists(path):
        raise ModelReadError(f"{path}: no such file")
    if not is_folder(path) and not is_file(path):
        raise ModelReadError(f"{path}: not a regular file")
    suffix = path.suffix.lower()
    kind = TENSORFLOW if is_folder(path) else next((row for row in FORMATS if suffix in row.suffixes), OTHER)
    if is_file(path):
        try:
            with path.open("rb") as file:
                start = file.read(64)
        except OSError as error:
            raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
        if not start:
            raise ModelReadError(f"{path}: the file is empty")
        if kind.check is not None:
            kind.check(path, start)
    if suffix in _INSTEAD:
        raise ModelReadError(f"{path}: OpenVINO does not read {_INSTEAD[suffix]}")
    return kind
