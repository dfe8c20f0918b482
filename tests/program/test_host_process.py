"""A process that converts and explains, on many threads, stays as it is: also while it does so."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import UsageError, convert
from tests.program.invocation import snapshot

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 120
WATCHED: Final = """
import gc, json, locale, logging, os, random, signal, sys, threading, time, warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import cv2, numpy, onnx, openvino  # what importing these does is theirs
from fixtures.networks import cnn
from ovxai_convert import Explainer, convert
from tests.reliability.threads import BLACK_BOX, SPEC, WHITE_BOX, as_list

def logger_state(logger):
    handlers = [repr(each) for each in logger.handlers]
    return logger.level, logger.disabled, logger.propagate, handlers, logger.filters[:]

def look():
    known = logging.Logger.manager.loggerDict.values()
    loggers = [each for each in known if isinstance(each, logging.Logger)]
    return {
        "descriptors": [os.fstat(number)[:3] for number in range(3)],
        "streams": [repr(each) for each in (sys.stdin, sys.stdout, sys.stderr, sys.displayhook)],
        "signals": [repr(signal.getsignal(each)) for each in sorted(signal.valid_signals())],
        "wakeup": signal.getitimer(signal.ITIMER_REAL),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "warnings": repr(warnings.filters) + repr(warnings.showwarning),
        "logging": [logger_state(each) for each in (logging.getLogger(), *loggers)],
        "disabled": logging.root.manager.disable,
        "hooks": [repr(each) for each in (sys.excepthook, threading.excepthook, sys.unraisablehook)],
        "tracing": [repr(each) for each in (sys.gettrace(), sys.getprofile())],
        "numbers": (numpy.geterr(), repr(numpy.random.get_state()), repr(random.getstate())),
        "opencv": (cv2.getNumThreads(), cv2.useOptimized()),
        "interpreter": (sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold()),
        "locale": locale.setlocale(locale.LC_ALL),
        "path": sys.path[:],
    }

def everything(number):
    out = convert("net.xml", f"out{number}", force=True).xml
    explainer = Explainer(out)
    for job in (*WHITE_BOX[:4], BLACK_BOX[0]):
        as_list(explainer(job.images, **job.options))
    as_list(explainer(WHITE_BOX[0].images, overlay=True))[0].save(f"pictures{number}")

def meddle(number):
    if "MEDDLE" not in os.environ:
        return
    from ovxai_convert.cli.child import quiet_libraries
    with quiet_libraries():
        time.sleep(0.5)

openvino.serialize(cnn(SPEC), "net.xml", "net.bin")
everything("first")  # libraries that are loaded at first use have their loggers, too
before, changed, looks = look(), set(), 0
with ThreadPoolExecutor(4) as pool:
    running = [pool.submit(work, number) for number in range(4) for work in (everything, meddle)]
    while not all(each.done() for each in running):
        now, looks = look(), looks + 1
        changed |= {name for name in before if now[name] != before[name]}
        time.sleep(0.001)
    for each in running:
        each.result()
now = look()
changed |= {name for name in before if now[name] != before[name]}
open("told.json", "w").write(json.dumps([sorted(changed), looks]))
"""


def watched(folder: Path, **environment: str) -> tuple[str, str, str]:
    """What a process that is watched prints, what it complains of, and what it tells of itself."""
    result = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout, result.stderr, (folder / "told.json").read_text()


def test_nothing_of_the_process_changes(tmp_path: Path) -> None:
    out, err, told = watched(tmp_path)
    assert (out, err) == ("", "")
    assert told.startswith("[[], ")
    assert int(told[5:-1]) > 50, "it was looked at while it worked"


def test_what_a_command_does_would_be_seen(tmp_path: Path) -> None:
    """The commands silence libraries while they run, and put everything back."""
    _, _, told = watched(tmp_path, MEDDLE="1")
    assert '"descriptors"' in told
    assert '"streams"' in told


@pytest.mark.parametrize("same_folder", [False, True])
def test_conversions_at_once(same_folder: bool, tmp_path: Path) -> None:
    """Each writes what it writes alone; one that is refused costs the others nothing."""
    specs = [CnnSpec(seed=1), CnnSpec(seed=2, channels=6), CnnSpec(seed=3, head="flatten"), CnnSpec(seed=4)]
    paths = [save_ir(cnn(spec), tmp_path / f"net{index}.xml") for index, spec in enumerate(specs)]

    def converted(index: int, folder: Path) -> Path:
        return convert(paths[index], folder if same_folder else folder / str(index)).xml

    for index in range(len(paths)):
        converted(index, tmp_path / "alone")
    with ThreadPoolExecutor(len(paths) + 1) as pool:
        refused = pool.submit(convert, paths[0], tmp_path / "at once", target_layer="nonsense", name="other")
        found = list(pool.map(converted, range(len(paths)), [tmp_path / "at once"] * len(paths)))
        with pytest.raises(UsageError, match="nonsense"):
            refused.result()
    assert len(set(found)) == len(paths)
    assert snapshot(tmp_path / "at once") == snapshot(tmp_path / "alone")
