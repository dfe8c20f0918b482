"""Running a notebook without Jupyter: its cells as one program, and what each shows by the display protocol.

``python -m tests.examples.notebooks FOLDER`` runs ``docs/quickstart.ipynb`` again in ``FOLDER/docs``, beside
the ``FOLDER/demo-output`` that ``make demo`` makes, and writes into the notebook what its cells show,
pictures as JPEG, so that it stays small.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

QUICKSTART: Final = Path(__file__).resolve().parents[2] / "docs" / "quickstart.ipynb"
_JPEG: Final = (cv2.IMWRITE_JPEG_QUALITY, 86)


@dataclass(frozen=True)
class Shown:
    """What one cell shows: what it prints, and its last value as text, as HTML and as a picture, if any."""

    printed: str
    text: str | None = None
    html: str | None = None
    png: bytes | None = None


def code_cells(notebook: Any) -> list[Any]:
    """The cells that are run, in their order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def ran(notebook: Any) -> list[Shown]:
    """Run the cells one after the other in the current folder."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return [_ran("".join(cell["source"]), names) for cell in code_cells(notebook)]


def _ran(source: str, names: dict[str, Any]) -> Shown:
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    if value is None:
        return Shown(printed.getvalue())
    html, png = (getattr(value, name, lambda: None)() for name in ("_repr_html_", "_repr_png_"))
    return Shown(printed.getvalue(), repr(value), html, png)


def stored(shown: Shown, count: int) -> list[dict[str, Any]]:
    """The outputs of a cell as a notebook's file holds them."""
    outputs: list[dict[str, Any]] = []
    if shown.printed:
        outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(shown.printed)})
    if shown.text is not None:
        data: dict[str, Any] = {"text/plain": _lines(shown.text)}
        if shown.png is not None:
            picture = cv2.imdecode(np.frombuffer(shown.png, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            data["image/jpeg"] = base64.b64encode(cv2.imencode(".jpg", picture, _JPEG)[1].tobytes()).decode()
        outputs.append(
            {"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"}
        )
    return outputs


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main(folder: Path) -> None:
    """Run the notebook and keep what it shows."""
    notebook = json.loads(QUICKSTART.read_text(encoding="utf-8"))
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    os.chdir(folder / "docs")
    for count, (cell, shown) in enumerate(zip(code_cells(notebook), ran(notebook), strict=True), 1):
        cell["outputs"], cell["execution_count"] = stored(shown, count), count
    QUICKSTART.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
