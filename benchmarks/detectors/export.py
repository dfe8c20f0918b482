"""Exports detectors to files: `.venv-detectors/bin/python -m benchmarks.detectors.export KEY ...`.

Prints a line of JSON when it starts with a detector and one when that has ended.
"""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import argparse
import importlib
import logging
import warnings
from pathlib import Path
from typing import Final

import torch

from benchmarks.detectors.catalogue import DETECTORS, Detector
from benchmarks.exporting import tell, whole
from benchmarks.torchvision_ops import provide

_SEED: Final = 1


def export(detector: Detector, folder: Path | None = None) -> None:
    """Write one detector's file, into the cache unless a folder is named; it is there only when whole."""
    provide()  # most packages import torchvision
    torch.manual_seed(_SEED)
    torch.backends.mha.set_fastpath_enabled(value=False)  # one op that only torch knows
    maker = importlib.import_module(f"benchmarks.detectors.from_{detector.source}")
    final = detector.file if folder is None else folder / detector.file.name
    with whole(final) as path, torch.no_grad():
        maker.write(detector, path)


def main() -> None:
    """Export what is named, or all."""
    parser = argparse.ArgumentParser(description="Export object detectors with random weights.")
    parser.add_argument(
        "keys", nargs="*", metavar="KEY", help="see benchmarks.detectors.catalogue; default: all"
    )
    parser.add_argument("--folder", type=Path, help="where to; default: the cache")
    arguments = parser.parse_args()
    if unknown := set(arguments.keys) - DETECTORS.keys():
        parser.error(f"no detector {', '.join(sorted(unknown))}; there are {', '.join(DETECTORS)}")
    warnings.simplefilter("ignore")  # the tracer's: shapes that are constant here are meant to be
    logging.disable(logging.WARNING)
    tell(arguments.keys or list(DETECTORS), lambda key: export(DETECTORS[key], arguments.folder))


if __name__ == "__main__":
    main()
