"""Killing whole conversions at random times: how often the older artifact is found, the new one, or neither.

``python -m tests.reliability.kills --count 200`` converts a small model over an artifact of it, again and
again, and kills each conversion: every other one at any time, the others while its files are being put in
place. A fresh process then reads the artifact, which has to be whole and alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import onnx

from fixtures.broken_files import onnx_classifier
from ovxai_convert import convert, read_sidecar
from ovxai_convert.artifact.sidecar import Sidecar
from tests.program.invocation import snapshot
from tests.reliability.killing import in_process

NAMES: Final = ("net_xai.bin", "net_xai.json", "net_xai.xml")
COMMIT_SECONDS: Final = 0.03
"""About what it takes to put the files in place."""


def kill_conversions(folder: Path, count: int, seed: int = 0) -> Counter[str]:
    """Figures by what they count; ``wrong: ...`` should not be among them."""
    source, out = folder / "net.onnx", folder / "out"
    onnx.save(onnx_classifier(), source)

    def old() -> None:
        convert(source, out, embed_scaling=False)

    def new() -> None:
        convert(source, out, force=True)

    def is_placing() -> bool:
        return bool(list(out.glob(".ovxai-*/.record")))

    in_process(old)
    before = snapshot(out)
    started = time.monotonic()
    in_process(new)
    seconds = time.monotonic() - started
    after = snapshot(out)
    assert before != after
    drawn, figures = random.Random(seed), Counter(conversions=count)
    for index in range(count):
        shutil.rmtree(out)
        out.mkdir()
        for name, content in (before or {}).items():
            (out / name).write_bytes(content or b"")
        if index % 2:
            kill_after(new, is_placing, drawn.uniform(0, COMMIT_SECONDS))
        else:
            kill_after(new, lambda: True, drawn.uniform(0, seconds))
        figures["left temporary files"] += bool(list(out.glob(".*")))
        figures["left a record in force"] += bool(list(out.glob(".*/.record")))
        figures["left neither artifact in place"] += not any(
            whole is not None and {name: (snapshot(out) or {}).get(name) for name in NAMES} == whole
            for whole in (before, after)
        )
        in_process(lambda: is_whole(out / NAMES[2]))
        now = snapshot(out)
        figures["found the older"] += now == before
        figures["found the new"] += now == after
        if now not in (before, after):
            figures[f"wrong: {sorted(now or {})}"] += 1
    return figures


def is_whole(xml: Path) -> None:
    """Read an artifact as a command does, which refuses a sidecar of other files; then look for more."""
    assert isinstance(read_sidecar(xml), Sidecar)
    assert sorted(os.listdir(xml.parent)) == sorted(NAMES)


def kill_after(action: Callable[[], object], begins: Callable[[], bool], delay: float) -> None:
    """Kill a process some time after something has begun; it may have ended before."""
    pid = os.fork()
    if pid == 0:
        action()
        os._exit(0)
    ended = False
    while not ended and not begins():
        time.sleep(0.0002)
        ended = os.waitpid(pid, os.WNOHANG)[0] == pid
    if not ended:
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(kill_conversions(Path(folder), given.count, given.seed), indent=2))


if __name__ == "__main__":
    main()
