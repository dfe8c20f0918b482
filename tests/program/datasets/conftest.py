"""A converted classifier, and a folder of photographs for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.broken_files import save_ir
from ovxai_convert import convert
from tests.program.datasets.cases import COUNT, pictures_of
from tests.special_networks import labelled


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted classifier of 10x14 pixels whose three classes have labels."""
    folder = tmp_path_factory.mktemp("converted")
    return convert(save_ir(labelled(), folder / "net.xml"), folder / "artifact").xml


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``set/<folder>/<number>.jpg``; two folders are called as classes are, of which the model sees one."""
    root = tmp_path / "set"
    for number, content in enumerate(pictures_of(COUNT)):
        path = root / ("bird", "cat", "misc")[number % 3] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root
