"""Let a real Triton serve converted models: ``python -m tests.interop.triton``, or ``make triton``.

Makes ``.venv-triton`` with PyTriton, which ships Triton for Linux and no OpenVINO backend: its Python backend
runs the model with OpenVINO, and that word of the configuration alone is changed. Fails unless Triton's own
message reads the configuration, Triton loads the model, and the example's client gets OpenVINO's map, as
bytes and as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert
from tests.interop.environments import TRITON
from tests.interop.rows import Row
from tests.running import CORE, random_inputs, run

ROOT: Final = Path(__file__).resolve().parents[2]
URL: Final = "http://127.0.0.1:18431"
SECONDS: Final = 60
"""For Triton to load a model."""
CASES: Final[dict[str, tuple[CnnSpec, dict[str, Any]]]] = {
    "open": (CnnSpec(batch=None), {"top_k": 2}),
    "fixed": (CnnSpec(batch=2, layout="NHWC"), {}),
    "raw": (CnnSpec(batch=None, seed=1), {"embed_scaling": False}),
}


def main() -> None:
    """Convert, serve, compare."""
    for row in rows():
        print(f"{row.change}: {row.found}")


def rows() -> Iterator[Row]:
    """One row per model; ends the program where something is wrong."""
    python = TRITON.python()
    for name, (spec, settings) in CASES.items():
        with tempfile.TemporaryDirectory(prefix="ovxai-triton-") as folder:
            said = _check(python, Path(folder), name, spec, settings)
        found = f"Triton loads it, and its client gets OpenVINO's maps; {said}"
        yield Row("Triton", "convolutions", name, found)


def _check(python: Path, folder: Path, name: str, spec: CnnSpec, settings: dict[str, Any]) -> str:
    """Serve one model; what its configuration says."""
    repository = folder / "repository"
    ov.save_model(cnn(spec), folder / "net.xml", compress_to_fp16=False)
    xml = convert(folder / "net.xml", repository, name=name, repository="triton", **settings).xml
    config = repository / name / "config.pbtxt"
    text = config.read_text(encoding="utf-8")
    reader = list(map(str, (python, ROOT / "tests" / "interop" / "check_triton_config.py", config)))
    said = json.loads(subprocess.run(reader, check=True, stdout=subprocess.PIPE, cwd=folder).stdout)
    config.write_text(text.replace('backend: "openvino"', 'backend: "python"'), encoding="utf-8")
    shutil.copy(ROOT / "tests" / "interop" / "triton_model.py", xml.with_name("model.py"))
    with _triton(python, folder):
        for options in ((), ("--json",)):
            _compare(folder, name, xml, options)
    outputs = [f"{output['name']} {output['dims']}" for output in said["output"]]
    return f"outputs {', '.join(outputs)}"


def _compare(folder: Path, name: str, xml: Path, options: tuple[str, ...]) -> None:
    """Hold the client's maps to those that OpenVINO gives here."""
    model = CORE.read_model(xml)
    inputs = random_inputs(model)
    scores, maps, *classes = run(model, inputs)
    np.save(folder / "input.npy", inputs["image"])
    saved = folder / "map.npy"
    where = [URL, name, folder / "input.npy", "--sidecar", xml.with_suffix(".json"), "--map", saved]
    command = [sys.executable, ROOT / "examples" / "kserve_client.py", *where, *options]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    best = scores.argmax(axis=1)
    places = [list(classes[0][n]).index(index) if classes else index for n, index in enumerate(best)]
    expected = np.stack([maps[n, place] for n, place in enumerate(places)])
    if not np.array_equal(np.load(saved), expected):
        sys.exit(f"Error: {name}: the map that came through Triton is another {' '.join(options)}")


@contextmanager
def _triton(python: Path, folder: Path) -> Iterator[None]:
    """Triton with the folder's repository, ready."""
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(python.parents[1])}))
    server = packages / "pytriton" / "tritonserver"
    backends = folder / "backends"
    shutil.copytree(server / "backends", backends)
    stub = f"{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copy(server / "python_backend_stubs" / stub / "triton_python_backend_stub", backends / "python")
    libraries = [
        server / "external_libs",
        packages / "nvidia_pytriton.libs",
        sysconfig.get_config_var("LIBDIR"),
    ]
    environment = os.environ | {
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(packages),
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
    }
    command = [server / "bin" / "tritonserver", f"--model-repository={folder / 'repository'}"]
    command += [f"--backend-directory={backends}", "--disable-auto-complete-config"]
    command += ["--http-address=127.0.0.1", f"--http-port={URL.rpartition(':')[2]}"]
    command += ["--allow-grpc=false", "--allow-metrics=false"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=log)
        try:
            _wait(process, folder / "log")
            yield
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    """Until Triton has loaded all models."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{URL}/v2/health/ready"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    sys.exit(
        f"Error: Triton did not load the model:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}"
    )


if __name__ == "__main__":
    main()
