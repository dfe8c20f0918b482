"""Reading descriptions: from a sidecar's file, and from the text that stands in a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from ovxai_convert.artifact.plain_data import from_plain
from ovxai_convert.artifact.schema import why_invalid
from ovxai_convert.artifact.sidecar import SCHEMA_VERSION, Description, Sidecar, keys_of
from ovxai_convert.errors import ModelReadError
from ovxai_convert.files import read_text
from ovxai_convert.source.answers import DEFAULT_THRESHOLD, READ_BY_ACTIVATION

_MOST_BYTES: Final = 64 * 2**20
"""A sidecar holds a label and some entries per class."""


def read_sidecar_file(path: Path) -> Sidecar:
    """Read a sidecar; a ModelReadError if missing, no JSON, of a version not known here or not valid."""
    return _parsed(Sidecar, read_text(path, "sidecar", _MOST_BYTES), str(path), "sidecar")


def read_description(text: str, where: str) -> Description:
    """Read what stands in a model; a ModelReadError that begins with ``where`` as for a sidecar."""
    return _parsed(Description, text, where, "description")


def claims_to_be_one(path: Path) -> bool | None:
    """Whether a file of any content means to be a sidecar; None for one that is no JSON."""
    try:
        data = json.loads(read_text(path, "sidecar", _MOST_BYTES))
    except (ModelReadError, ValueError, RecursionError):
        return None
    return isinstance(data, dict) and len({"schema_version", "generator", "verification"} & set(data)) > 1


_D = TypeVar("_D", bound=Description)


def _parsed(kind: type[_D], text: str, where: str, what: str) -> _D:
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelReadError(f"{where}: not a {what}: no JSON ({error})") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, str) and version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise ModelReadError(f"{where}: {what} version {version} is not known here (known: {SCHEMA_VERSION})")
    if (reason := why_invalid(data, embedded=kind is Description)) is not None:
        raise ModelReadError(f"{where}: not a valid {what}: {reason}")
    known = {key: data[key] for key in keys_of(kind) if key in data}
    if version == "1.0":
        known = _as_1_1(known)
    built = from_plain(kind, known)
    assert isinstance(built, kind), "a description is no list and no number"
    return replace(built, unknown=data)


def _as_1_1(data: dict[str, Any]) -> dict[str, Any]:
    """A sidecar of version 1.0 with what has come since; ``schema_version`` stays, by which it is known."""
    refusals = [
        {**refusal, "method": None if refusal["method"] == "locate" else refusal["method"]}
        for refusal in data["refusals"]
    ]
    read: dict[str, Any] = {"groups": [], "multilabel": False, "confidence_threshold": DEFAULT_THRESHOLD}
    activation, count = data["scores"]["activation"], data["scores"]["class_count"]
    plain = "as_is" if count == 1 else "softmax"
    read["probabilities"] = READ_BY_ACTIVATION.get(activation, plain)
    return {**data, "refusals": refusals, "scores": {**read, **data["scores"]}}


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
