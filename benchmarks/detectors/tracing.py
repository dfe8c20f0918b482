"""Writes torch modules as ONNX by the tracing exporter, which most deployed files come from."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

_OPSET: Final = 17


def write_onnx(
    module: nn.Module, image: Tensor, path: Path, outputs: Sequence[str], *, input_name: str = "images"
) -> None:
    """Trace a module with a batch of one image."""
    names = {"input_names": [input_name], "output_names": list(outputs)}
    torch.onnx.export(module, (image,), str(path), opset_version=_OPSET, dynamo=False, **names)
