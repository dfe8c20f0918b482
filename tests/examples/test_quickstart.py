"""The notebook in docs runs as it is, and what is kept in it is what its cells show."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert.photographs.image_files import read_image
from tests.examples.notebooks import QUICKSTART, Shown, code_cells, ran

MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def notebook() -> Any:
    return json.loads(QUICKSTART.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo` leaves, and a folder beside it."""
    folder = tmp_path_factory.mktemp("quickstart")
    made = folder / "demo-output"
    made.mkdir()
    (folder / "docs").mkdir()
    weights = read_legacy_checkpoint(fetch(WEIGHTS))
    onnx.save(build(weights, 1, fetch_labels(WEIGHTS)), made / "efficientnet_lite0.onnx")
    assert cv2.imwrite(str(made / "coffee.png"), read_image(fetch("coffee")))
    return folder


@pytest.fixture(scope="module")
def shown(notebook: Any, folder: Path) -> list[Shown]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "docs")
        return ran(notebook)


def without_digits(text: str) -> str:
    """What does not change with the machine: numbers do, a little."""
    return re.sub(r"[\d.]+", "#", re.sub(r" +", " ", text))


def test_what_is_kept_is_what_is_shown(notebook: Any, shown: list[Shown]) -> None:
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell, found in zip(cells, shown, strict=True):
        printed = "".join(line for output in cell["outputs"] for line in output.get("text", ()))
        assert without_digits(printed) == without_digits(found.printed)
        values = [output["data"] for output in cell["outputs"] if "data" in output]
        assert len(values) == (found.text is not None)
        for data in values:
            assert without_digits("".join(data["text/plain"])) == without_digits(found.text or "")
            assert ("image/jpeg" in data) == (found.png is not None) == (found.html is not None)
            if found.png is not None:
                assert_alike(base64.b64decode(data["image/jpeg"]), found.png)


def assert_alike(kept: bytes, now: bytes) -> None:
    first, second = (cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in (kept, now))
    assert first is not None
    assert second is not None
    assert first.shape == second.shape
    assert abs(first.astype(int) - second).mean() < 3


def test_pictures_of_other_cells_are_not_alike(shown: list[Shown]) -> None:
    """What makes the comparison above worth something."""
    first, second = (each.png for each in shown if each.png is not None and len(each.png) > 100_000)
    assert first is not None
    assert second is not None
    with pytest.raises(AssertionError):
        assert_alike(first, second)


def test_it_tells_what_it_should(shown: list[Shown]) -> None:
    texts = [found.text or "" for found in shown]
    assert any("bit-exact" in found.printed for found in shown)
    assert sum(found.png is not None for found in shown) == 3
    assert any("espresso" in text and "tea cup" in text for text in texts)
    assert any(text.startswith("Comparison of methods: espresso") for text in texts)


def test_it_leaves_what_it_says(shown: list[Shown], folder: Path) -> None:
    left = {path.name for path in (folder / "demo-output" / "quickstart").iterdir()}
    assert {"efficientnet_lite0_xai.xml", "coffee_espresso.png", "comparison.png"} <= left
    assert [path.name for path in (folder / "docs").iterdir()] == []


def test_it_is_small_and_tells_of_no_machine() -> None:
    text = QUICKSTART.read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    assert not re.search(r"/(home|root|tmp|work)/", text)
