"""A slice of the conversions that are killed at random times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def test_conversions_killed_at_random_times() -> None:
    command = [sys.executable, "-m", "tests.reliability.kills", "--count", "10"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["conversions"] == 10
    assert figures["found the older"] + figures["found the new"] == 10, figures
    assert figures["left temporary files"] > 0
