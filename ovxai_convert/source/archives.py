"""Archives that are given as models: whose they are by their table of contents, and what to give instead."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from ovxai_convert.source.pickles import PYTORCH, PYTORCH_MODULE, PYTORCH_WEIGHTS, holds_tensors_alone

UNPACK: Final = "an archive: unpack it and give the model in it"
_PACKED: Final = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
)
"""First bytes of gzip, bzip2, xz, zstd, 7z and RAR."""
_TAR: Final = 257
"""Where a tar file says ``ustar``."""
_MODELS: Final = (".xml", ".onnx", ".tflite", ".pdmodel", ".pb")
_MOST_NAMES: Final = 100_000
_MOST_PICKLE: Final = 8 * 2**20
"""Bytes of PyTorch's ``data.pkl`` that are looked through."""
_SPOILED: Final = (
    *(zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, LookupError, OverflowError),
    *(struct.error, zlib.error),
)
"""What ``zipfile`` raises of files that are cut or spoiled, or that have a password."""
_KINDS: Final = (
    (
        r"(^|/)code/.*\.py$",
        "a TorchScript file: save what openvino.convert_model(torch.jit.load(...)) makes, or export the "
        "model with torch.onnx.export",
    ),
    (
        r"(^|/)(archive_format|serialized_exported_program\.json)$",
        "a program of torch.export: save what openvino.convert_model(torch.export.load(...)) makes",
    ),
    (r"^MAR-INF/", "an archive of TorchServe: export the model in it as ONNX"),
    (r"(^|/)model\.weights\.h5$", "a Keras file: load it, write a folder with model.export() and give that"),
    (r"\.mlmodel$", "a Core ML model: give the model that it was made from"),
    (r"\.npy$", "a file of arrays (.npz): export the model that they belong to as ONNX"),
)
"""Names in an archive, and what tells the archive from others."""


def archived(path: Path, start: bytes) -> str | None:
    """What an archive holds, and what to give instead; None for what is none."""
    if start.startswith(_PACKED) or start[_TAR : _TAR + 5] == b"ustar":
        return UNPACK
    if not start.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            return _zipped(archive, archive.namelist()[:_MOST_NAMES])
    except _SPOILED:
        return None


def _zipped(archive: zipfile.ZipFile, names: Sequence[str]) -> str:
    for pattern, what in _KINDS:
        if any(re.search(pattern, name) for name in names):
            return what
    pickle = next((name for name in names if re.fullmatch(r"[^/]+/data\.pkl", name)), None)
    if pickle is not None:
        with archive.open(pickle) as file:
            alone = holds_tensors_alone(file.read(_MOST_PICKLE))
        return PYTORCH if alone is None else PYTORCH_WEIGHTS if alone else PYTORCH_MODULE
    inside = next((name for name in names if PurePosixPath(name).suffix.lower() in _MODELS), None)
    return UNPACK if inside is None else f"an archive: unpack it and give '{inside}' in it"
