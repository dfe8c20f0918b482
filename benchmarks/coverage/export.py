"""Exports architectures to files: `.venv-coverage/bin/python -m benchmarks.coverage.export KEY ...`.

Prints a line of JSON when it starts with an architecture and one when that has ended. One that fails does not
stop the rest, and whoever reads the lines knows which one was under way if the process dies.
"""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final

import torch
from torch import Tensor, nn

from benchmarks.coverage.catalogue import ARCHITECTURES, Architecture, Exporter
from benchmarks.coverage.torch_classifiers import make

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
    final = architecture.file
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{os.getpid()}.{final.name}")
    try:
        with torch.no_grad():
            _EXPORTERS[architecture.exporter](module, image, temporary)
        if temporary.with_suffix(".bin").exists():
            temporary.with_suffix(".bin").replace(final.with_suffix(".bin"))
        temporary.replace(final)
    finally:
        for suffix in (temporary.suffix, ".bin"):
            temporary.with_suffix(suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _only_our_lines() -> Iterator[IO[str]]:
    """Our own stdout; what exporters print goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as ours:
        os.dup2(2, 1)
        yield ours


def main() -> None:
    """Export what is named."""
    warnings.simplefilter("ignore")  # the tracer's: shapes that are constant here are meant to be
    logging.disable(logging.WARNING)
    with _only_our_lines() as lines:
        for key in sys.argv[1:]:
            print(json.dumps({"key": key, "reason": None, "ended": False}), file=lines, flush=True)
            try:
                export(ARCHITECTURES[key])
                reason = None
            except Exception as error:  # whatever a package raises is a row of the report
                text = str(error).strip().splitlines()
                reason = f"{type(error).__name__}: {text[0] if text else ''}"
            print(json.dumps({"key": key, "reason": reason, "ended": True}), file=lines, flush=True)


if __name__ == "__main__":
    main()
