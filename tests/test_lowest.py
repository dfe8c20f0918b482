"""The lowest versions that are tried are those that the package allows."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_lowest_versions_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = {name: version for each in project["dependencies"] for name, version in [each.split(">=")]}
    lines = (ROOT / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tried = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert tried.keys() == allowed.keys()
    for name, version in allowed.items():
        assert f"{tried[name]}.".startswith(f"{version}."), name
