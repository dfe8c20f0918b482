"""A cluster of two workers for all tests of this folder, a converted network, and photographs."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fixtures.broken_files import save_ir
from ovxai_convert import convert
from tests.special_networks import labelled

WORKERS = 2


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    library = pytest.importorskip("ray")
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # of what Ray itself does
        library.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield library
        library.shutdown()


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted classifier of 10x14 pixels whose three classes are cat, dog and bird."""
    folder = tmp_path_factory.mktemp("model")
    return convert(save_ir(labelled(), folder / "net.xml"), folder / "artifact").xml


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 photographs in folders of two classes, and three files among them that are none."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for number in range(96):
        pixels = cv2.resize(rng.integers(0, 256, (5, 6, 3), np.uint8), (60, 50))
        path = folder / ("cat", "dog")[number % 2] / f"{number:03}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())
    (folder / "cat" / "empty.jpg").write_bytes(b"")
    (folder / "dog" / "text.png").write_bytes(b"no image")
    whole = (folder / "dog" / "001.jpg").read_bytes()
    (folder / "dog" / "truncated.jpg").write_bytes(whole[:200])
    return folder


def workers_of_this_process() -> list[int]:
    """Process ids of the actors that explain, among all that this process has started."""
    parents: dict[int, int] = {}
    found = []
    for each in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = Path("/proc", each, "stat").read_text("utf-8")
            command = Path("/proc", each, "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(each)] = int(status.rpartition(")")[2].split()[1])
        if command.startswith(b"ray::MapWorker"):
            found.append(int(each))
    return [pid for pid in found if _descends(pid, os.getpid(), parents)]


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor
