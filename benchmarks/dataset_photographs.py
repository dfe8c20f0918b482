"""A data set of JPEGs, cut and turned out of two photographs.

``python -m benchmarks.dataset_photographs FOLDER COUNT``
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fixtures.fetch import fetch

_SIZES: Final = ((500, 375), (640, 480), (375, 500), (800, 600))
"""Columns and rows, as in the data sets that classifiers are tried on."""


def main() -> None:
    """Write them; the same for the same count."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    sources = [cv2.imread(str(fetch(key))) for key in ("chelsea", "coffee")]
    draw = np.random.default_rng(20)
    for number in range(count):
        source = sources[number % 2]
        assert source is not None, "fixtures are whole"
        rows, columns = source.shape[:2]
        top, left = (int(draw.integers(0, side // 5 + 1)) for side in (rows, columns))
        cut = source[top : top + 4 * rows // 5, left : left + 4 * columns // 5]
        cut = cut[:, ::-1] if draw.random() < 0.5 else cut
        size = _SIZES[int(draw.integers(len(_SIZES)))]
        picture = cv2.resize(np.ascontiguousarray(cut), size, interpolation=cv2.INTER_AREA)
        assert cv2.imwrite(str(folder / f"{number:05}.jpg"), picture)


if __name__ == "__main__":
    main()
