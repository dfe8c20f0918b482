"""The table of source formats: how files of each are recognised and checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openvino import Model

from ovxai_convert.errors import ModelReadError
from ovxai_convert.files import exists, is_file, is_folder
from ovxai_convert.source.model_folders import no_saved_model
from ovxai_convert.source.onnx_file import FileFacts, read_facts
from ovxai_convert.source.tflite_weights import unsigned_weights
from ovxai_convert.source.unread_files import START, known_by_content, known_by_suffix


def _check_ir(path: Path, start: bytes) -> None:
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise ModelReadError(f"{path}: not an OpenVINO IR: the file is no XML")
    if not is_file(weights_of(path)):
        raise ModelReadError(f"{path}: its weights '{path.with_suffix('.bin').name}' are missing beside it")


def weights_of(xml: Path) -> Path:
    """The ``.bin`` of an IR: beside it, or, where it is a link, beside the file that it leads to."""
    beside = xml.with_suffix(".bin")
    return beside if is_file(beside) else xml.resolve().with_suffix(".bin")


def _is_ir(start: bytes) -> bool:
    return re.match(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<net\s", start) is not None


def _is_onnx(start: bytes) -> bool:
    """A message whose first fields are those of a ModelProto: its version, then text or the graph."""
    version = re.match(rb"\x08[\x03-\x1f](?:\x12(.)|[\x1a\x22\x28\x32\x3a\x42])", start, re.DOTALL)
    if version is None or version[1] is None:
        return version is not None
    producer = start[4 : 4 + version[1][0]]
    return producer.decode("utf-8", "replace").isprintable()


def _is_tflite(start: bytes) -> bool:
    return start[4:8] == b"TFL3"


def _check_tflite(path: Path, start: bytes) -> None:
    if not _is_tflite(start):
        raise ModelReadError(f"{path}: not a TensorFlow Lite model")


def _check_tensorflow(path: Path, start: bytes) -> None:
    if path.name == "saved_model.pb":
        raise ModelReadError(f"{path}: the graph of a SavedModel alone; give the folder that it is in")


def _paddle_weights(path: Path) -> tuple[Path, ...]:
    weights = path.with_suffix(".pdiparams")
    return (weights,) if is_file(weights) else ()


def is_ir(path: Path) -> bool:
    """Whether a file is an IR by its name."""
    return path.suffix.lower() in IR.suffixes


def is_onnx(path: Path) -> bool:
    """Whether a file is ONNX by its name."""
    return path.suffix.lower() in ONNX.suffixes


@dataclass(frozen=True)
class Format:
    """A format that OpenVINO reads, and the suffixes of its files in lower case.

    Attributes:
        check: raises ModelReadError where OpenVINO would use several lines or say nothing, given the path
            and the file's first bytes.
        is_one: whether the first bytes of a file are such a model's, where its suffix says nothing.
        whatever_suffix: whether OpenVINO reads it under any name.
        facts: free entries of a file, and what is known to be misread of it.
        misread: what is known to be misread, as the model that was read shows it.
        parts: files beside that belong to a model, given its path.
        keeps_names: whether the reader leaves nodes unnamed that the file does not name, rather than hand
            made-up names from one to another.
    """

    name: str
    suffixes: tuple[str, ...]
    check: Callable[[Path, bytes], None] | None = None
    is_one: Callable[[bytes], bool] | None = None
    whatever_suffix: bool = False
    facts: Callable[[Path], FileFacts] | None = None
    misread: Callable[[Model], tuple[str, ...]] | None = None
    parts: Callable[[Path], tuple[Path, ...]] = lambda _: ()
    keeps_names: bool = False


IR: Final = Format(
    "ir", (".xml",), _check_ir, _is_ir, parts=lambda path: (weights_of(path),), keeps_names=True
)
ONNX: Final = Format(
    "onnx", (".onnx",), is_one=_is_onnx, whatever_suffix=True, facts=read_facts, keeps_names=True
)
TENSORFLOW: Final = Format("tensorflow", (".pb", ".pbtxt", ".meta"), _check_tensorflow)
OTHER: Final = Format("other", ())
FORMATS: Final = (
    IR,
    ONNX,
    Format("tflite", (".tflite",), _check_tflite, _is_tflite, misread=unsigned_weights),
    TENSORFLOW,
    Format("paddle", (".pdmodel",), parts=_paddle_weights),
    OTHER,
)
SUFFIXES: Final = tuple(suffix for row in FORMATS for suffix in row.suffixes)
"""Of all files that are read as models."""


def format_of(path: Path) -> Format:
    """The format of a model; a ModelReadError if it is missing, does not look like it, or cannot be read.

    What is not read is known by its content before its suffix; what is read, where its suffix says nothing.
    """
    if not exists(path):
        raise ModelReadError(f"{path}: no such file")
    if is_folder(path):
        if (reason := no_saved_model(path, SUFFIXES)) is not None:
            raise ModelReadError(f"{path}: {reason}")
        return TENSORFLOW
    if not is_file(path):
        raise ModelReadError(f"{path}: not a regular file")
    start = _start(path)
    suffix = path.suffix.lower()
    if (reason := known_by_content(path, start)) is not None:
        raise ModelReadError(f"{path}: {reason}")
    kind = next((row for row in FORMATS if suffix in row.suffixes), OTHER)
    if kind is OTHER:
        kind = next((row for row in FORMATS if row.is_one is not None and row.is_one(start)), OTHER)
        if kind.suffixes and not kind.whatever_suffix:
            name = " or ".join(kind.suffixes)
            raise ModelReadError(f"{path}: it holds what a {name} holds, and is read under that name only")
    if kind.check is not None:
        kind.check(path, start)
    if kind is OTHER and (reason := known_by_suffix(path)) is not None:
        raise ModelReadError(f"{path}: {reason}")
    return kind


def _start(path: Path) -> bytes:
    """The first bytes of a file that is not empty."""
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    if not start:
        raise ModelReadError(f"{path}: the file is empty")
    return start
