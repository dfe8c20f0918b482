"""Exports architectures to files: `.venv-coverage/bin/python -m benchmarks.coverage.export KEY ...`.

Prints a line of JSON when it starts with an architecture and one when that has ended.
"""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.coverage.catalogue import ARCHITECTURES, Architecture, Exporter
from benchmarks.coverage.torch_classifiers import make
from benchmarks.exporting import tell, whole

_OPSET: Final = 17
_DYNAMO_OPSET: Final = 20


def _traced(module: nn.Module, image: Tensor, path: Path, *, open_batch: bool = False) -> None:
    axes: dict[str, dict[int, str]] = {"input": {0: "batch"}, "logits": {0: "batch"}} if open_batch else {}
    names: dict[str, Any] = {"input_names": ["input"], "output_names": ["logits"], "dynamic_axes": axes}
    torch.onnx.export(module, (image,), str(path), opset_version=_OPSET, dynamo=False, **names)


def _traced_open_batch(module: nn.Module, image: Tensor, path: Path) -> None:
    _traced(module, image, path, open_batch=True)


def _dynamo(module: nn.Module, image: Tensor, path: Path) -> None:
    names: dict[str, Any] = {"input_names": ["input"], "output_names": ["logits"], "external_data": False}
    torch.onnx.export(module, (image,), str(path), opset_version=_DYNAMO_OPSET, dynamo=True, **names)


def _openvino(module: nn.Module, image: Tensor, path: Path) -> None:
    import openvino as ov

    model = ov.convert_model(module, example_input=image, input=[list(image.shape)])
    ov.save_model(model, path, compress_to_fp16=False)


_EXPORTERS: Final[Mapping[Exporter, Callable[[nn.Module, Tensor, Path], None]]] = MappingProxyType(
    {
        Exporter.TRACED: _traced,
        Exporter.TRACED_OPEN_BATCH: _traced_open_batch,
        Exporter.DYNAMO: _dynamo,
        Exporter.OPENVINO: _openvino,
    }
)


def export(architecture: Architecture) -> None:
    """Write one architecture's file; it is there only when it is whole."""
    module, image = make(architecture)
    with whole(architecture.file) as path, torch.no_grad():
        _EXPORTERS[architecture.exporter](module, image, path)


def main() -> None:
    """Export what is named."""
    warnings.simplefilter("ignore")  # the tracer's: shapes that are constant here are meant to be
    logging.disable(logging.WARNING)
    tell(sys.argv[1:], lambda key: export(ARCHITECTURES[key]))


if __name__ == "__main__":
    main()
