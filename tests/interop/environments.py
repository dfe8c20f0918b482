"""The peers' own environments, made at the first call: each pins its packages, and none shares ours."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """A folder ``.venv-<name>`` beside the project's, with packages of exactly these versions."""

    name: str
    requirements: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Packages that come along, do not fit the others, and are not needed."""

    def python(self) -> Path:
        """Its interpreter; whatever else was installed there is thrown away."""
        folder = ROOT / f".venv-{self.name}"
        python, done, wanted = folder / "bin" / "python", folder / ".installed", "\n".join(self.requirements)
        if not done.is_file() or done.read_text(encoding="utf-8") != wanted:
            print(f"Installing {', '.join(self.requirements)} into {folder.name} ...", flush=True)
            venv.create(folder, with_pip=True, clear=True)
            install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *self.requirements]
            subprocess.run([python, *install], check=True)
            if self.without:
                remove = ["-m", "pip", "uninstall", "--quiet", "--yes", *self.without]
                subprocess.run([python, *remove], check=True)
            done.write_text(wanted, encoding="utf-8")
        return python

    def run(self, script: str, folder: Path, *arguments: object) -> Any:
        """Run one of the programs beside this file in a folder; the JSON of the last line that it prints."""
        # -P: files here have the names of the packages that they are about
        command = [self.python(), "-P", Path(__file__).with_name(script), *arguments]
        outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        result = subprocess.run(
            list(map(str, command)), cwd=folder, env=outside, check=True, stdout=subprocess.PIPE, text=True
        )
        return json.loads(result.stdout.splitlines()[-1])


def same_openvino(*others: str) -> tuple[str, ...]:
    """Requirements with the very OpenVINO that this environment has."""
    return (*others, f"openvino=={version('openvino')}")


def with_onnx(requirements: Sequence[str]) -> tuple[str, ...]:
    """Requirements with the very ONNX that this environment has."""
    return (*requirements, f"onnx=={version('onnx')}")


MODEL_API: Final = Environment("model-api", with_onnx(same_openvino("openvino-model-api==0.4.7")))
NNCF: Final = Environment("nncf", same_openvino("nncf==3.4.0"))
OPTIMUM: Final = Environment(
    "optimum", same_openvino("torch==2.13.0", "optimum-intel==2.2.0"), without=("torchvision",)
)
TRITON: Final = Environment("triton", same_openvino("nvidia-pytriton==0.7.0", "tritonclient[grpc]==2.73.0"))
