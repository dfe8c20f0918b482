"""Compare OpenVINO with the frameworks that models come from: ``python tests/interop/references.py``.

Makes ``.venv-reference`` with this project, ONNX Runtime and the TensorFlow Lite interpreter. The real models
of the fixtures are converted there, and ten exports of the coverage bench where those were made. Each has to
be found equal by its own framework; a file that OpenVINO misreads has to be found out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT: Final = Path(__file__).resolve().parents[2]
EXPORTS: Final = ROOT / ".cache" / "coverage" / "models"
MOST_EXPORTS: Final = 10


def main() -> None:
    """Convert every model with ``--reference``, and say how far the frameworks are apart."""
    parser = argparse.ArgumentParser(description="Compare OpenVINO with ONNX Runtime and TensorFlow Lite.")
    parser.add_argument(
        "--exports", type=Path, default=EXPORTS, help="folder of ONNX exports to compare, too"
    )
    exports = sorted(parser.parse_args().exports.glob("*.onnx"))
    chosen = exports[:: max(1, len(exports) // MOST_EXPORTS)][:MOST_EXPORTS]
    python = _environment(ROOT / ".venv-reference")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="ovxai-reference-") as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-m", "fixtures.efficientnet_lite0", folder / "lite0.onnx"], check=True
        )
        cached = ROOT / ".cache" / "fixtures"
        fixtures = [folder / "lite0.onnx", *sorted(cached.glob("rock_paper_scissors*/*.tflite"))]
        for model in (*fixtures, *chosen):
            failed += _compared(python, model, folder / "out")
        failed += 1 - _compared(python, _misread(folder), folder / "out")
    sys.exit(1 if failed else 0)


def _compared(python: Path, model: Path, out: Path) -> int:
    """Convert one model; 1 if its framework does not agree."""
    reference = "tflite" if model.suffix == ".tflite" else "onnxruntime"
    program = python.with_name("ovxai-convert")
    command = [str(program), str(model), "-o", str(out), "--force", "-q", "--reference", reference]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=_outside())
    sidecar = out / f"{model.stem}_xai.json"
    if result.returncode != 0:
        print(f"{model.name}: {result.stderr.strip().splitlines()[-1]}")
        return 1
    check = json.loads(sidecar.read_text(encoding="utf-8"))["verification"]["reference"]
    apart = f"{check['max_relative_diff']:.2g} of the range apart at most"
    print(f"{model.name}: {check['runtime']} agrees, {apart}")
    return 0


def _misread(folder: Path) -> Path:
    """A classifier whose head is a reduction that OpenVINO reads over all axes."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])
    filters = np.random.default_rng(0).standard_normal((3, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "filters"], ["map"], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceL1", ["map"], ["lengths"], axes=[2, 3], keepdims=1),
        helper.make_node("Mul", ["map", "lengths"], ["weighed"]),
        helper.make_node("GlobalAveragePool", ["weighed"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["scores"]),
    ]
    weights = [numpy_helper.from_array(filters, "filters")]
    graph = helper.make_graph(nodes, "misread", [image], [scores], weights)
    path = folder / "misread.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    done = folder / ".installed"
    if not done.is_file():
        print(f"Installing into {folder.name} ...", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-e",
            ".[onnxruntime,tflite]",
        ]
        subprocess.run([python, *install], check=True, cwd=ROOT, env=_outside())
        done.touch()
    return python


def _outside() -> dict[str, str]:
    """The environment's variables without the path of another one's modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


if __name__ == "__main__":
    main()
