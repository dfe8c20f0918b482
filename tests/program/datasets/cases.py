"""Photographs of a data set, and reading what came of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from ovxai_convert.datasets.rows import Row
from ovxai_convert.datasets.tables import read_table
from ovxai_convert.photographs.image_files import encode_image
from tests.program.invocation import Outcome

COUNT: Final = 12
"""Photographs of the folder."""


def pictures_of(count: int, seed: int = 3) -> list[bytes]:
    """Photographs of a few coarse shapes, as files of JPEG."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (count, 5, 6, 3), np.uint8)
    return [encode_image(cv2.resize(each, (60, 44)), ".jpg") for each in coarse]


def rows_in(path: Path) -> list[Row]:
    return list(read_table(path))


def printed(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in outcome.stdout.splitlines()]
