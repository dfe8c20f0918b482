"""What a model file says of its labels and its preprocessing, beside the graph."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any, Final

from openvino import Model

_ONNX_KEYS: Final = ("labels", "names", "classes", "class_names")
_PREPROCESSING_KEYS: Final = (
    "embedded_processing",
    "layout",
    "mean_values",
    "orig_height",
    "orig_width",
    "pad_value",
    "resize_type",
    "reverse_input_channels",
    "scale_values",
)


def labels_of(model: Model, metadata: Mapping[str, str], class_count: int) -> tuple[str, ...] | None:
    """One label per class, from ``model_info`` of an IR or from ONNX metadata; None where neither has them.

    ``model_info/labels`` separates labels by spaces, as Model API reads it. ONNX metadata hold a JSON or
    Python list, or a mapping from index to label, under the keys that exporters use.
    """
    lists = [str(_model_info(model, "labels") or "").split()]
    lists += [_parsed(metadata[key]) for key in _ONNX_KEYS if key in metadata]
    return next((tuple(labels) for labels in lists if len(labels) == class_count), None)


def preprocessing_of(model: Model) -> dict[str, Any] | None:
    """The entries of ``model_info`` that say how an image becomes an input, under Model API's own names."""
    entries = {key: value for key in _PREPROCESSING_KEYS if (value := _model_info(model, key)) is not None}
    return entries or None


def _model_info(model: Model, key: str) -> str | None:
    path = ["model_info", key]
    return model.get_rt_info(path).astype(str) if model.has_rt_info(path) else None


def _parsed(text: str) -> list[str]:
    """The labels in a text, in the order of their indices; none where it does not name every index."""
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, dict):
            by_index = {str(index): label for index, label in value.items()}
            value = [by_index.get(str(index)) for index in range(len(by_index))]
        if isinstance(value, list | tuple) and all(isinstance(label, str) for label in value):
            return list(value)
    return []
