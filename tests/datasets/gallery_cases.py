"""Rows of small data sets with their pictures, and a reader of what a report of many holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ovxai_convert.datasets.gallery import write_gallery
from tests.explain.report_cases import FACTS, GREEN, VIOLET, Page, plain

WHEN = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """The columns of a table that a report shows."""

    path: str
    truth: str | None = None
    class_index: int | None = 0
    label: str | None = "cat"
    score: float | None = 0.9
    rank: int | None = 1
    correct: bool | None = None
    picture: str | None = None
    width: int | None = 90
    height: int | None = 60
    seconds: float | None = 0.0123
    error: str | None = None
    head: str | None = None
    target_layer: str | None = "features"


def failed(path: str, error: str, truth: str | None = None) -> Row:
    """The row of a photograph that was not explained."""
    return Row(path, truth, None, None, None, None, None, None, None, None, None, error, None, None)


def judged(path: str, truth: str, label: str, index: int = 0, score: float = 0.9, **others: Any) -> Row:
    """The row of an answer that is right if it is called as the truth is."""
    return Row(path, truth, index, label, score, 1, truth == label, **others)


ANIMALS = ("cat", "dog", "lynx")


def animals(pictures: Path, count: int = 100) -> Iterator[Row]:
    """Violet photographs ``photo<n>.png``, every tenth of which fails, with green pictures.

    Number n shows animal n % 3; every seventh is taken for the next one. The score is (n % 50) / 50.
    """
    for number in range(count):
        truth = number % 3
        name, folder = f"photo{number}", pictures / "photographs" / ANIMALS[truth]
        path = str(folder / f"{name}.png")
        if number % 10 == 9:
            yield failed(
                path, f"{path}: {'not an image' if number % 20 == 9 else 'no such file'}", ANIMALS[truth]
            )
            continue
        answer = (truth + (number % 7 == 6)) % 3
        label = ANIMALS[answer]
        picture = f"maps/{name}_{label}.png"
        draw(pictures / picture, GREEN)
        draw(Path(path), VIOLET)
        score = number % 50 / 50
        yield judged(path, ANIMALS[truth], label, answer, score, picture=picture)


def draw(path: Path, colour: tuple[int, int, int]) -> None:
    """Write a picture of one colour, whatever its name is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(plain(colour)))[1].tobytes())


def data_in(page: str) -> dict[str, Any]:
    """What a page holds for its script."""
    found = re.search(r'<script type="application/json" id="photographs">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = json.loads(found.group(1))
    return read


def items_of(page: str, panel: str) -> list[str]:
    """The lines of a panel's list, as they are read."""
    found = re.search(rf'<section class="panel {panel}".*?</section>', page, re.DOTALL)
    if found is None:
        return []
    lines = re.findall(r"<li.*?</li>", found.group(), re.DOTALL)
    return [re.sub(r"\s+", " ", Page(line).text).strip() for line in lines]


def written(folder: Path, rows: Iterable[Row]) -> str:
    """The first page of a report."""
    path = folder / "report.html"
    files = write_gallery(path, rows, FACTS, when=WHEN)
    assert files[0] == path
    return path.read_text(encoding="utf-8")


def figures(text: str) -> str:
    """The numbers at the head."""
    found = re.search(r'<dl class="figures">.*?</dl>', text, re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", Page(found.group().replace("</d", " </d")).text).strip()
