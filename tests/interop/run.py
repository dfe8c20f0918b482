"""Prove that Model API reads a converted model: ``python tests/interop/run.py``, or ``make model-api``.

Model API and this project live in two environments, since it pins its own dependencies; the first run makes
``.venv-model-api``. Fails unless the result carries exactly the saliency map that the slow definition gives
(one grey level is left to rounding) and the top class with its label.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENT: Final = "openvino-model-api==0.4.7"


def main() -> None:
    """Make the artifact, read it with Model API, compare."""
    parser = argparse.ArgumentParser(description="Read a converted model with Model API.")
    parser.add_argument("--python", type=Path, help=f"a Python that has {REQUIREMENT} already")
    python = parser.parse_args().python or _environment(ROOT / ".venv-model-api")
    with tempfile.TemporaryDirectory(prefix="ovxai-model-api-") as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "tests.interop.make_artifact", folder], cwd=ROOT, check=True)
        found = _read_with_model_api(python, folder)
        _compare(found, json.loads((folder / "expected.json").read_text(encoding="utf-8")))
        exact = _compare_maps(np.load(folder / "found.npy"), np.load(folder / "expected.npy"))
    print(json.dumps(found))
    print(
        f"Model API shows the map as defined: {exact:.3%} of its cells exactly, the others within one level"
    )


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    done = folder / ".installed"
    if not done.is_file() or done.read_text(encoding="utf-8") != REQUIREMENT:
        print(f"Installing {REQUIREMENT} into {folder.name} ...", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
        subprocess.run([python, *install], check=True)
        done.write_text(REQUIREMENT, encoding="utf-8")
    return python


def _read_with_model_api(python: Path, folder: Path) -> dict[str, Any]:
    script = ROOT / "tests" / "interop" / "check_model_api.py"
    arguments = [folder / "efficientnet_lite0_xai.xml", folder / "photograph.png", folder / "found.npy"]
    command = [python, script, *arguments]
    result = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def _compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    wanted = {"class": "ndarray", "shape": [1, 1000, 7, 7], "dtype": "uint8", **expected}
    differing = {key: (found[key], value) for key, value in wanted.items() if found[key] != value}
    if differing:
        sys.exit(f"Error: found and expected differ: {differing}")


def _compare_maps(found: np.ndarray, expected: np.ndarray) -> float:
    """Share of cells that are equal; the others must be within one level."""
    difference = np.abs(found.astype(np.int64) - expected)
    if difference.max() > 1 or expected.max() != 255:
        place = tuple(int(index) for index in np.unravel_index(difference.argmax(), difference.shape))
        sys.exit(f"Error: the map shows {found[place]} at {place}, expected {expected[place]}")
    return float((difference == 0).mean())


if __name__ == "__main__":
    main()
