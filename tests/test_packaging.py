"""What an installed package holds: all that lies in the tree, folder by folder."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePath
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = ROOT / "ovxai_convert"


def settings() -> dict[str, Any]:
    """What ``pyproject.toml`` tells setuptools."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    return found


def folders() -> dict[str, Path]:
    """Packages of the tree, by dotted name."""
    return {
        ".".join(each.parent.relative_to(ROOT).parts): each.parent for each in PACKAGE.rglob("__init__.py")
    }


def test_every_folder_is_installed() -> None:
    named = settings()["packages"]
    assert sorted(named) == sorted([*folders(), "ovxai_convert.schemas"])
    assert list(named) == sorted(named)


@pytest.mark.parametrize("name", folders())
def test_what_is_no_module_is_installed_too(name: str) -> None:
    patterns = settings()["package-data"].get(name, [])
    files = [path.name for path in folders()[name].iterdir() if path.is_file() and path.suffix != ".py"]
    assert [each for each in files if not any(PurePath(each).match(pattern) for pattern in patterns)] == []
    assert [each for each in patterns if not any(PurePath(name).match(each) for name in files)] == []
