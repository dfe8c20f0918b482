"""The lowest versions that are tried are those that the package allows."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TRIED_EXTRAS: Final = ("parquet", "remote")
"""Those without which tests of data sets fail."""


def test_lowest_versions_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (each for name in TRIED_EXTRAS for each in project["optional-dependencies"][name])
    needed = [*project["dependencies"], *extras]
    allowed = {name: version for each in needed for name, version in [each.split(">=")]}
    lines = (ROOT / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tried = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert tried.keys() == allowed.keys()
    for name, version in allowed.items():
        assert f"{tried[name]}.".startswith(f"{version}."), name
