"""What is handed over as a model: one of OpenVINO's or a path, or else what to hand over instead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

import openvino as ov

from ovxai_convert.errors import UsageError
from ovxai_convert.vocabulary import value_in_words

_CONVERT: Final = (
    "give what openvino.convert_model() makes of it, or the path of a file that it was exported to"
)
_INSTEAD: Final[Mapping[str, str]] = {
    "openvino": "give the openvino.Model that it was compiled from, or its path",
    "torch": _CONVERT,
    "tensorflow": _CONVERT,
    "keras": _CONVERT,
    "jax": _CONVERT,
    "onnx": "give the path of its file; onnx.save() writes one",
    "onnxruntime": "give the path of its file",
    "numpy": "the model comes first, and then its options; an image is for the explainer that it makes",
    "ovxai_convert": "give its attribute xml, the path of the converted model",
}
"""What to give instead of an object of a library."""
_FILES: Final = "give an openvino.Model, or the path of a model's file"


def model_or_path(given: Any) -> ov.Model | Path:
    """A model in memory, or the path of one.

    Raises:
        UsageError: it is neither, with what to give instead.
    """
    if isinstance(given, ov.Model):
        return given
    if isinstance(given, str | PathLike):
        return model_path(given)
    raise UsageError(f"the model: {value_in_words(given)} is none; {_instead(given)}")


def model_in_memory(given: Any) -> ov.Model:
    """A model in memory; a UsageError for a path, too, with what to give instead."""
    if isinstance(given, str | PathLike):
        raise UsageError("the model: a path is none; give what openvino.Core().read_model() makes of it")
    model = model_or_path(given)
    assert isinstance(model, ov.Model), "a path is refused"
    return model


def model_path(given: Any) -> Path:
    """The path of a model; a UsageError for all else, with what to do with a model in memory."""
    if isinstance(given, ov.Model):
        raise UsageError(
            "files are converted, and not models in memory: save it with openvino.save_model() and give the "
            "path, or take insert_xai()"
        )
    if not isinstance(given, str | PathLike):
        raise UsageError(f"the model: {value_in_words(given)} is no path; {_instead(given)}")
    path = os.fspath(given)
    if not isinstance(path, str) or not path:
        raise UsageError(f"the model: {'an empty path' if not path else 'bytes'} name no file; {_FILES}")
    return Path(path)


def _instead(given: Any) -> str:
    """What to give, by the library of the object or of a class that its own is made of."""
    libraries = [kind.__module__.partition(".")[0] for kind in type(given).__mro__]
    return next((_INSTEAD[library] for library in libraries if library in _INSTEAD), _FILES)
