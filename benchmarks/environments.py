"""Environments beside the project's own: the ancestor with its old OpenVINO, and torch for the exports."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from benchmarks.catalogue import ROOT
from benchmarks.failures import BenchmarkError

_Version = tuple[int, int]


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the project's root.

    Attributes:
        name: of the folder, with `.venv-` before it.
        requirements: what pip installs, with all that it depends on.
        alone: what pip installs after that, without what it says it depends on.
        oldest: the first Python version it works with.
        newest: the last.
    """

    name: str
    requirements: tuple[str, ...]
    alone: tuple[str, ...] = ()
    oldest: _Version = (3, 11)
    newest: _Version = (3, 14)


# The package asks for openvino-dev 2024.4, which its methods never import: the runtime of that release is
# enough. numpy 1 and this OpenVINO have no wheels for Python 3.13, this scipy none for 3.10.
ANCESTOR: Final = Environment(
    "ancestor",
    requirements=(
        "openvino==2024.4.0",
        "numpy==1.26.4",
        "scipy==1.17.1",
        "opencv-python-headless==4.11.0.86",
        "tqdm==4.70.1",
        "matplotlib==3.11.2",
    ),
    alone=("openvino-xai==1.1.0",),
    newest=(3, 12),
)
EXPORT: Final = Environment(
    "export",
    requirements=("torch==2.13.0", "transformers==5.23.0", "onnx==1.23.2", "numpy==2.4.6"),
)
# torchvision is installed alone since it asks for the torch of one device; timm asks for torchvision.
COVERAGE: Final = Environment(
    "coverage",
    requirements=(*EXPORT.requirements, "onnxscript==0.7.2", "openvino==2026.4.1", "pillow==12.3.0"),
    alone=("torchvision==0.28.0", "timm==1.0.31"),
)
# What is installed alone asks for the torch of one device, and ultralytics for an OpenCV with windows.
DETECTORS: Final = Environment(
    "detectors",
    requirements=(
        *COVERAGE.requirements,
        "matplotlib==3.11.2",
        "omegaconf==2.4.0",
        "onnxslim==0.1.98",
        "opencv-python-headless==5.0.0.93",
        "psutil==7.2.2",
        "pycocotools==2.0.11",
        "pyyaml==6.0.4",
        "requests==2.34.2",
        "scipy==1.17.1",
    ),
    alone=(*COVERAGE.alone, "ultralytics==8.4.190", "ultralytics-thop==2.2.3", "effdet==0.4.1"),
)


def ensure(environment: Environment) -> str:
    """Make an environment unless it stands already, and return its Python.

    Raises:
        BenchmarkError: this machine has no fitting Python, or pip cannot install the packages.
    """
    folder = ROOT / f".venv-{environment.name}"
    python = str(folder / "bin" / "python")
    stamp = folder / ".installed"
    content = "\n".join([*environment.requirements, *environment.alone])
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == content:
        return python
    print(f"Installing into {folder.name} ...", file=sys.stderr, flush=True)
    # Without pip, since Debian's python3 cannot put it there; the pip of this environment serves both.
    _run([_base_python(environment), "-m", "venv", "--clear", "--without-pip", str(folder)], environment)
    pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--no-input"]
    install = [*pip, "--disable-pip-version-check", "install", "--only-binary=:all:"]
    _run([*install, *environment.requirements], environment)
    if environment.alone:
        _run([*install, "--no-deps", *environment.alone], environment)
    stamp.write_text(content, encoding="utf-8")
    return python


def _base_python(environment: Environment) -> str:
    """This Python if it fits, else the newest fitting one on PATH."""
    minors = range(environment.newest[1], environment.oldest[1] - 1, -1)
    found = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in minors))]
    for python in found:
        if environment.oldest <= _version(python) <= environment.newest:
            return python
    span = f"{_text(environment.oldest)} to {_text(environment.newest)}"
    raise BenchmarkError(f".venv-{environment.name} needs a Python {span} on PATH")


def _version(python: str) -> _Version:
    """Major and minor version; (0, 0) of what cannot be started, as pyenv's shims of absent versions."""
    code = "import sys; print(*sys.version_info[:2])"
    result = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return 0, 0
    major, minor = result.stdout.split()
    return int(major), int(minor)


def _text(version: _Version) -> str:
    return ".".join(map(str, version))


def _run(command: list[str], environment: Environment) -> None:
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise BenchmarkError(f".venv-{environment.name}: {lines[-1] if lines else 'no message'}")


def main() -> None:
    """Make the environments that are named, or all."""
    known = {environment.name: environment for environment in (ANCESTOR, EXPORT, COVERAGE, DETECTORS)}
    parser = argparse.ArgumentParser(description="Make the environments of the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; default: all")
    names = parser.parse_args().names or list(known)
    if unknown := set(names) - known.keys():
        parser.error(f"no environment {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    try:
        for name in names:
            print(ensure(known[name]))
    except BenchmarkError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
