"""The sidecar's JSON Schema, and holding data to it."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final

import jsonschema

_LONGEST: Final = 300
"""Characters of a reason why data are not valid; it may quote all of them."""
_TYPES: Final = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
)
_Validator: Final[type[jsonschema.Draft202012Validator]] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, type_checker=_TYPES
)
"""Where whole numbers are wanted, JSON's 1.0 is none: it cannot count anything here."""


def check(data: Any, *, embedded: bool) -> None:
    """Hold plain data to the schema; ``embedded``: as what stands in a model, which knows less.

    Raises:
        jsonschema.ValidationError: they break it.
    """
    _validator(embedded).validate(data)


def why_invalid(data: Any, *, embedded: bool) -> str | None:
    """The place in data that break the schema and why, in one line; None if they do not."""
    try:
        check(data, embedded=embedded)
    except jsonschema.ValidationError as error:
        reason = " ".join(error.message.split())
        shown = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]} ..."
        return f"{error.json_path}: {shown}"
    return None


@cache
def _validator(embedded: bool) -> jsonschema.Draft202012Validator:
    """For what stands in a model (``embedded``) without what it does not know."""
    text = resources.files("ovxai_convert.schemas").joinpath("sidecar-v1.schema.json").read_text("utf-8")
    schema = json.loads(text)
    if embedded:
        without = {"source", "model", "verification", "reshapes", "onnx"}
        schema["required"] = [key for key in schema["required"] if key not in without]
        schema["allOf"].pop()  # that it is written in one form or another
        since = schema["allOf"][0]["else"]
        since["required"] = [key for key in since["required"] if key not in without]
    return _Validator(schema)
