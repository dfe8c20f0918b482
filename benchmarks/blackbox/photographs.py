"""Writes the photographs as model inputs, `python -m benchmarks.blackbox.photographs FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.blackbox.cases import PHOTOGRAPHS
from fixtures.fetch import FixtureError, fetch
from fixtures.photographs import load_rgb, preprocess


def main() -> None:
    """One file for each photograph, float32 (1, 3, 224, 224)."""
    folder = Path(sys.argv[1])
    for name in PHOTOGRAPHS:
        try:
            path = fetch(name)
        except FixtureError as error:
            sys.exit(str(error))
        np.save(folder / f"{name}.npy", preprocess(load_rgb(path), 224, 127.0, 128.0))


if __name__ == "__main__":
    main()
