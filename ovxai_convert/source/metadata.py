"""What a model file says of itself beside the graph: Model API's entries, and labels in every form."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Final

from openvino import Model

from ovxai_convert.source.label_values import labels_in

MODEL_INFO: Final = "model_info"
"""Where Model API, Geti and Ultralytics write: a section of an IR's ``rt_info``, a prefix of ONNX's keys."""
_ONNX_KEYS: Final = ("labels", "names", "classes", "class_names")


def model_info_of(model: Model, metadata: Mapping[str, str]) -> dict[str, str]:
    """All entries of ``model_info``, as text: of an IR, or of the metadata of an ONNX file."""
    entries = {
        key.removeprefix(MODEL_INFO).strip(): value
        for key, value in metadata.items()
        if key.startswith(f"{MODEL_INFO} ")
    }
    if model.has_rt_info([MODEL_INFO]):
        section = model.get_rt_info([MODEL_INFO]).value
        for key in section if isinstance(section, dict) else ():
            if not isinstance(section[key], dict):
                entries[key] = model.get_rt_info([MODEL_INFO, key]).astype(str)
    return entries


def any_labels_of(model: Model, metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """The names of classes that a model says first, however many they are; None where it names none."""
    return next((tuple(labels) for labels in _lists_of_labels(model, metadata) if labels), None)


def labels_of(model: Model, metadata: Mapping[str, str], class_count: int) -> tuple[str, ...] | None:
    """One label per class; None where nothing names them all.

    ``label_info`` and ``hierarchical_config`` of ``model_info`` are JSON and hold names as they are; its
    ``labels`` are separated by spaces, as Model API reads them, which calls the first of one class more
    ``other``. ONNX metadata hold a JSON or Python list, or a mapping of indices, under the keys that
    exporters use.
    """
    lists = _lists_of_labels(model, metadata)
    return next((tuple(labels) for labels in lists if len(labels) == class_count), None)


def _lists_of_labels(model: Model, metadata: Mapping[str, str]) -> list[list[str]]:
    entries = model_info_of(model, metadata)
    plain = entries.get("labels", "").split()
    lists = [
        _label_names(entries.get("label_info", "")),
        _grouped_labels(entries.get("hierarchical_config", "")),
        plain,
        ["other", *plain] if plain else [],
    ]
    return [*lists, *(_parsed(metadata[key]) for key in _ONNX_KEYS if key in metadata)]


def _label_names(text: str) -> list[str]:
    """The names of Geti's ``label_info``."""
    names = _json_object(text).get("label_names")
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _grouped_labels(text: str) -> list[str]:
    """The labels of ``hierarchical_config``, group by group, which is the order of the scores."""
    heads = _json_object(text).get("cls_heads_info")
    groups = heads.get("all_groups") if isinstance(heads, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
        return []
    return [str(label) for group in groups for label in group]


def _json_object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _parsed(text: str) -> list[str]:
    """The labels in a text, in the order of their indices; none where it does not name every index."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return list(labels_in(parse(text)).labels)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return []
