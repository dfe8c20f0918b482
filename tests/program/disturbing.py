"""Photographs that take long, never end, or break the process down: told to a program by their names."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_AT_START: Final = '''
    """Run by Python before anything else."""

    import io
    import os
    import signal
    import time

    _open = io.open


    def opened(file, *arguments, **options):
        name = os.path.basename(os.fspath(file)) if isinstance(file, (str, os.PathLike)) else ""
        if name.endswith((".jpg", ".png")):
            time.sleep({seconds})
            if name.startswith("deadly"):
                os.kill(os.getpid(), signal.SIGSEGV)
            if name.startswith("endless"):
                time.sleep(1000)
        return _open(file, *arguments, **options)


    io.open = opened
'''


def disturbed(folder: Path, seconds: float = 0.0) -> Mapping[str, str]:
    """The environment of a program to which photographs that it opens do what their names say.

    Each takes so many ``seconds`` more; at one called ``deadly...`` the process breaks down, as by a fault of
    the runtime; one called ``endless...`` is never read to its end.
    """
    folder.mkdir(exist_ok=True)
    text = textwrap.dedent(_AT_START).format(seconds=seconds)
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    before = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{before}" if before else str(folder)}
