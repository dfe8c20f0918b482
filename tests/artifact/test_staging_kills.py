"""Killed at whatever call, a process leaves the older artifact or the new one to the next."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]


def found(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What the script prints, in a process of its own, whose threads are none of the tests'."""
    command = [sys.executable, "-m", "tests.reliability.killing", str(folder), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    results: list[dict[str, Any]] = json.loads(result.stdout)
    return results


@pytest.mark.parametrize(
    ("state", "layout"),
    [
        ("absent", "plain"),
        ("artifact", "plain"),
        ("linked", "plain"),
        ("empty", "repository"),
        ("artifact", "repository"),
        ("sidecar", "repository"),
    ],
)
def test_kill_at_every_call_of_a_commit(state: str, layout: str, tmp_path: Path) -> None:
    results = found(tmp_path, state, layout)
    recovered = [each["recovered"] for each in results]
    old = recovered.count("old")
    assert recovered == ["old"] * old + ["new"] * (len(results) - old), "there is one step that decides"
    assert 0 < old < len(results)
    assert {each["again"] for each in results} == {"new"}
    assert Counter(each["at_death"][:7] for each in results)["neither"] > len(results) // 2


def test_kill_at_every_call_of_a_recovery(tmp_path: Path) -> None:
    results = found(tmp_path, "artifact", "plain", "--recovery")
    assert len(results) > 200
    assert {each["recovered"] for each in results} == {"old", "new"}
    by_call: dict[int, set[str]] = {}
    for each in results:
        by_call.setdefault(each["call"], set()).add(each["recovered"])
    assert {len(ends) for ends in by_call.values()} == {1}, "a kill changes nothing of what is decided"


FORGETFUL: Final = """
import shutil, sys
from tests.reliability import killing
def forgetful(folder):
    for left in folder.glob(".ovxai-*.tmp"):
        shutil.rmtree(left)
killing.recover = forgetful
killing.main()
"""


def test_a_recovery_that_only_tidies_up_is_noticed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORGETFUL, str(tmp_path), "artifact", "plain"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    recovered = [each["recovered"] for each in json.loads(result.stdout)]
    assert [each for each in recovered if each.startswith("neither")]
