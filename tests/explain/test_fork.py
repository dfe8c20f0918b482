"""A forked process: an explainer from before refuses, a new one works, and nothing hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 90
BEGIN: Final = """
import copy, gc, multiprocessing, os, pickle, signal, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of forks beside threads
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, ExplainMode, UsageError
from tests.reliability.threads import BLACK_BOX, SPEC, WHITE_BOX, as_list, in_turn, same
JOBS = (WHITE_BOX[0], BLACK_BOX[0])
explainer = Explainer(cnn(SPEC))
expected = in_turn(explainer, JOBS)  # compiled and used in both ways

def alike(other):
    return all(same(*pair) for pair in zip(in_turn(other, JOBS), expected, strict=True))

def refused(number=0):
    for job in JOBS:
        try:
            explainer(job.images, **job.options)
        except UsageError as error:
            assert "forked" in str(error) and chr(10) not in str(error), error
        else:
            return "worked"
    return "refused"

def in_a_fork(work, leave=os._exit):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # ends what hangs
        code = 1
        try:
            work()
            code = 0
        finally:
            leave(code)
    _, status = os.waitpid(child, 0)
    print("child", status)
"""
CASES: Final = {
    "refuses": ("in_a_fork(lambda: print(refused(), flush=True))", "refused\nchild 0\n"),
    "copied": ("in_a_fork(lambda: print(alike(copy.deepcopy(explainer)), flush=True))", "True\nchild 0\n"),
    "unpickled": (
        "data = pickle.dumps(explainer)\nin_a_fork(lambda: print(alike(pickle.loads(data)), flush=True))",
        "True\nchild 0\n",
    ),
    "made there": ("in_a_fork(lambda: print(alike(Explainer(cnn(SPEC))), flush=True))", "True\nchild 0\n"),
    "forked again": (
        "in_a_fork(lambda: in_a_fork(lambda: print(refused(), flush=True)))",
        "refused\nchild 0\nchild 0\n",
    ),
    "leaves in order": ("in_a_fork(lambda: None, sys.exit)", "child 0\n"),
    "is destroyed": (
        "def drop():\n    global explainer\n    del explainer\n    gc.collect()\n"
        "in_a_fork(drop, sys.exit)\nprint(alike(explainer))",
        "child 0\nTrue\n",
    ),
    "pool of processes": (
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    print(pool.map(refused, range(3)), pool.map(alike, [explainer]))",
        "['refused', 'refused', 'refused'] [True]\n",
    ),
    "while threads work": (
        "def busy():\n"
        "    while True:\n"
        "        in_turn(explainer, JOBS)\n"
        "        in_turn(Explainer(cnn(SPEC)), JOBS)\n"
        "for _ in range(3):\n"
        "    threading.Thread(target=busy, daemon=True).start()\n"
        "time.sleep(0.3)\n"
        "for _ in range(5):\n"
        "    in_a_fork(lambda: print(refused(), flush=True), sys.exit)\n"
        "sys.stdout.flush()\nos._exit(0)",
        "refused\nchild 0\n" * 5,
    ),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("case", CASES)
def test_forked_process(case: str) -> None:
    code, expected = CASES[case]
    result = subprocess.run(
        [sys.executable, "-c", f"{BEGIN}\n{code}\n"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (result.returncode, result.stdout) == (0, expected), result.stderr
