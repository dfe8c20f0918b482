"""The child that does a command's work: ``python -m ovxai_convert.cli.child FD``, its order on stdin.

It tells over the file descriptor, one JSON object a line, at which file it is, what it does and which codes
of failures there were.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, NoReturn

_PDEATHSIG: Final = 1
"""Linux's ``PR_SET_PDEATHSIG``: which signal a process gets when its parent dies."""
_MAX_PIXELS: Final = "OPENCV_IO_MAX_IMAGE_PIXELS"
"""How OpenCV is told, before it is loaded, of how many pixels a picture may be; it asks the file's header."""


@dataclass(frozen=True)
class Start:
    """Where a child that takes the place of another goes on.

    Attributes:
        first: the file to start at.
        failed: how many before it have failed.
        broken_off: why the one before it was broken off; None: it was not.
        alone: the last file that is to be worked on by itself, since one of those until it is harmful.
    """

    first: int = 0
    failed: int = 0
    broken_off: str | None = None
    alone: int = -1


class _State:
    """Whether this process is a child, where it tells, and how much memory it may take."""

    inside = False
    telling: int | None = None
    mebibytes: int | None = None
    lock = Lock()


def inside() -> bool:
    """Whether the work is to be done in this process."""
    return _State.inside


def is_alone() -> bool:
    """Whether this process is there for the work alone, so that settings of libraries are nobody else's."""
    return _State.telling is not None


def limited() -> bool:
    """Whether there is a limit of memory, which several files at once would come to sooner."""
    return _State.mebibytes is not None


def send(told: Mapping[str, Any]) -> None:
    """Tell the parent something; nothing where there is none."""
    if _State.telling is not None:
        with _State.lock, suppress(BrokenPipeError):
            os.write(_State.telling, json.dumps(told).encode() + b"\n")


def do(work: str, arguments: Mapping[str, Any], start: Start) -> NoReturn:
    """Do the work in this process and leave with its exit code."""
    with quiet_libraries():
        try:
            module = importlib.import_module(f"ovxai_convert.cli.work.{work}")
            if _State.mebibytes is not None:
                _limit_memory(_State.mebibytes)
            sys.exit(module.work(start, **arguments))
        except BrokenPipeError:  # nobody reads any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(1)


def main(telling: int) -> None:
    """Take the order and carry it out."""
    _die_with_the_parent()
    _State.inside, _State.telling = True, telling
    os.set_inheritable(telling, False)
    work, arguments, start, _State.mebibytes, pixels = pickle.load(sys.stdin.buffer)
    if pixels is not None:
        os.environ[_MAX_PIXELS] = str(pixels)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    keep_to_yourself()
    try:
        do(work, arguments, start)
    except KeyboardInterrupt:  # between two files; the parent says so
        sys.exit(1)


def keep_to_yourself() -> None:
    """Let libraries neither say nor send anything beside what the command says; before they are loaded.

    Python's warnings, as NumPy's of numbers that are none, are not shown. OpenVINO tells Google Analytics of
    every import unless it finds no package that could.
    """
    warnings.simplefilter("ignore")
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # as Python has it for what is not there


def _die_with_the_parent() -> None:
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


def _limit_memory(mebibytes: int) -> None:
    """Let allocations beyond a limit fail at once; what the libraries hold already is not counted."""
    with suppress(ImportError, ValueError, OSError, StopIteration):
        resource = importlib.import_module("resource")
        with open("/proc/self/status", encoding="ascii") as status:
            held = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
        resource.setrlimit(resource.RLIMIT_DATA, (held + mebibytes * 2**20,) * 2)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let nothing reach the terminal that libraries write past Python.

    Readers of models and pictures log to file descriptor 2; their verdict comes as an exception all the same.
    The process is the command's own: code that is imported into others does not do this.
    """
    real, ours = sys.stderr, os.dup(2)
    with open(os.devnull, "wb") as nowhere, open(ours, "w", encoding=real.encoding, buffering=1) as kept:
        os.dup2(nowhere.fileno(), 2)
        if real is sys.__stderr__:
            sys.stderr = kept
        try:
            yield
        finally:
            sys.stderr = real
            os.dup2(ours, 2)


if __name__ == "__main__":
    # under its own name, which the work imports, and not under that of a program
    importlib.import_module("ovxai_convert.cli.child").main(int(sys.argv[1]))
