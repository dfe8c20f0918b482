"""Writing a model as IR."""

from __future__ import annotations

from pathlib import Path

import openvino as ov

from ovxai_convert.errors import WriteError, last_line


def write_ir(model: ov.Model, xml: Path) -> None:
    """Write ``xml`` and the ``.bin`` beside it, weights in the precision they have, or raise a WriteError."""
    try:
        ov.serialize(model, xml, xml.with_suffix(".bin"))
    except RuntimeError as error:
        raise WriteError(f"{xml}: cannot write the model: {last_line(error)}") from error
