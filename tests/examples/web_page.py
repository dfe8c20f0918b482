"""``examples/web`` as its README serves it: ONNX Runtime Web installed beside the page, and a server."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.devtools import Chromium
from tests.browser.seen import eventually

WEB: Final = Path(__file__).resolve().parents[2] / "examples" / "web"
_INSTALL: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
_RUNTIME: Final = Path("node_modules") / "onnxruntime-web" / "dist" / "ort.wasm.min.mjs"
_STATUS: Final = "document.getElementById('status').textContent"
_TYPES: Final = {"float32": np.float32, "uint8": np.uint8, "int8": np.int8}
_SHOWN: Final = """import('./page.js').then(({ shown }) => {
    const text = (array) => {
        const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        return btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(''));
    };
    const { sample, chosen, layout } = shown;
    return {
        input: [sample.type, sample.dims, text(sample.data)],
        map: ['uint8', [chosen.map.rows, chosen.map.columns], text(chosen.map.data)],
        levels: ['float32', [layout.height, layout.width], text(layout.levels)],
        index: chosen.index,
        probability: chosen.probability,
    };
})"""


def missing(reason: str) -> NoReturn:
    """Skip, or fail where OVXAI_REQUIRE_WEB=1."""
    if os.environ.get("OVXAI_REQUIRE_WEB") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def installed(folder: Path) -> Iterator[Path]:
    """A copy of the example with what npm installs, which is large and is gone afterwards."""
    npm = shutil.which("npm")
    if npm is None:
        missing("no npm is on the PATH")
    page = folder / "web"
    shutil.copytree(WEB, page, ignore=shutil.ignore_patterns("node_modules"))
    try:
        done = subprocess.run(
            [npm, *_INSTALL], cwd=page, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode != 0 or not (page / _RUNTIME).is_file():
            missing(f"npm does not install ONNX Runtime Web: {' '.join(done.stderr.split())}")
        yield page
    finally:
        shutil.rmtree(page)


class _Quiet(SimpleHTTPRequestHandler):
    """As ``python -m http.server``, without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


class Page:
    """The page in a browser: files go in, what it shows comes out."""

    def __init__(self, browser: Chromium, address: str) -> None:
        self.browser = browser
        browser.open(address)
        assert eventually(browser, f"{_STATUS} === 'Choose a model and a photograph.'"), self.status

    @property
    def status(self) -> str:
        """What it says."""
        return str(self.browser.value(_STATUS))

    def explain(self, model: Path, photo: Path, *sidecar: Path) -> dict[str, Any]:
        """What the page, just opened, shows: input, map, levels of the overlay, class and probability."""
        for field, files in (("#sidecar", sidecar), ("#model", (model,)), ("#photo", (photo,))):
            if files:
                self.browser.choose(field, *files)
        assert self.says("The model took"), self.status
        return self.shown()

    def says(self, text: str) -> bool:
        """Whether its words come to have a text in them."""
        return eventually(self.browser, f"{_STATUS}.includes({json.dumps(text)})")

    def shown(self) -> dict[str, Any]:
        """What it shows now."""
        found: dict[str, Any] = self.browser.value(_SHOWN)
        return {key: _array(*value) if isinstance(value, list) else value for key, value in found.items()}


def _array(kind: str, dims: list[int], text: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), _TYPES[kind]).reshape(dims)
