"""Folders that are given as models: a SavedModel is one; what the others hold, and what to name instead."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

_GRAPH: Final = "saved_model.pb"
_MOST_NAMES: Final = 1000
_CORE_ML: Final = "OpenVINO does not read a Core ML model: give the model that it was made from"
_HUGGING_FACE: Final = (
    "OpenVINO does not read a Hugging Face checkpoint: export it with 'optimum-cli export openvino' and give "
    "the .xml"
)
_OF_HUGGING_FACE: Final = ("model.safetensors", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack")


def no_saved_model(folder: Path, suffixes: Sequence[str]) -> str | None:
    """Why a folder is no TensorFlow SavedModel, with what to name instead; None if it may be one.

    ``suffixes`` are those of files that are read as models.
    """
    try:
        names = _names(folder)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if _GRAPH in names:
        return None
    if folder.suffix.lower() in (".mlpackage", ".mlmodelc") or "coremldata.bin" in names:
        return _CORE_ML
    if "config.json" in names and any(name in names for name in _OF_HUGGING_FACE):
        return _HUGGING_FACE
    models = _models(folder, names, suffixes) or _one_level_down(folder, names, suffixes)
    if models:
        others = f" or one of {len(models) - 1} more" if len(models) > 1 else ""
        return f"a folder; name the model in it, as {models[0]}{others}"
    return f"a folder without a model that OpenVINO reads (a SavedModel's holds {_GRAPH})"


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in islice(entries, _MOST_NAMES))


def _models(folder: Path, names: Sequence[str], suffixes: Sequence[str]) -> list[Path]:
    return [folder / name for name in names if Path(name).suffix.lower() in suffixes]


def _one_level_down(folder: Path, names: Sequence[str], suffixes: Sequence[str]) -> list[Path]:
    """Models in the folders of a folder, as model servers number them."""
    found: list[Path] = []
    for inner in (folder / name for name in names):
        try:
            below = _names(inner)
        except OSError:  # no folder, or a closed one
            continue
        found += [inner] if _GRAPH in below else _models(inner, below, suffixes)
    return found
