"""Keeping libraries from printing past Python while they read a file that may be broken."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what is written to the process's file descriptor 2 nowhere.

    OpenVINO's readers and OpenCV's decoders log there, past ``sys.stderr``; their verdict comes as an
    exception or a return value all the same.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as sink:
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
