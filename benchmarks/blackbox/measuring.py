"""One case through both: explain in turn with the device alone, then judge the maps."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.blackbox.cases import MODEL, Case
from benchmarks.blackbox.results import Areas, Judgement, MethodRow, Speed
from benchmarks.catalogue import CACHE, ROOT
from benchmarks.measured_process import run_measured
from benchmarks.results import Failure


def measure_case(case: Case, seconds: float, ancestor: str | Failure | None) -> MethodRow:
    """Measure one case.

    Args:
        case: what.
        seconds: how long explanations and the device run in turn.
        ancestor: the Python of the ancestor's environment, why there is none, or None to leave it out.
    """
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
        folder = Path(name).relative_to(ROOT)
        photographs, our_maps, their_maps = (folder / each for each in ("photographs", "ours", "ancestor"))
        for each in (photographs, our_maps, their_maps):
            (ROOT / each).mkdir()
        made = run_measured([sys.executable, "-m", "benchmarks.blackbox.photographs", photographs])
        if made.exit_code != 0:
            failure = Failure("photographs", made.reason)
            return MethodRow(case.key, case.title, case.limit, failure, None, None)
        ours = _speed(
            [sys.executable, "-m", "benchmarks.blackbox.explain_ours"], case, seconds, folder, our_maps
        )
        theirs: Speed | Failure | None = None
        if isinstance(ancestor, Failure):
            theirs = ancestor
        elif ancestor is not None:
            worker = [ancestor, "-m", "benchmarks.blackbox.explain_ancestor"]
            theirs = _speed(worker, case, seconds, folder, their_maps)
        judgement: Judgement | Failure | None = None
        if not case.all_classes and isinstance(ours, Speed):
            judged = [our_maps, *([their_maps] if isinstance(theirs, Speed) else [])]
            judgement = _judgement(photographs, judged)
    return MethodRow(case.key, case.title, case.limit, ours, theirs, judgement)


def _speed(worker: list[str], case: Case, seconds: float, folder: Path, maps: Path) -> Speed | Failure:
    saving: list[str | Path] = [] if case.all_classes else ["--maps", maps]
    command: list[str | Path] = [*worker, MODEL.relative_to(ROOT), case.key, folder / "photographs", *saving]
    finished = run_measured([*command, "--seconds", str(seconds)])
    if finished.exit_code != 0:
        return Failure("explaining", finished.reason)
    return Speed.from_dict(json.loads(finished.stdout))


def _judgement(photographs: Path, maps: list[Path]) -> Judgement | Failure:
    worker = [sys.executable, "-m", "benchmarks.blackbox.judging"]
    finished = run_measured([*worker, MODEL.relative_to(ROOT), photographs, *maps])
    if finished.exit_code != 0:
        return Failure("judging", finished.reason)
    found: dict[str, Any] = json.loads(finished.stdout)
    return Judgement(**{side: areas and Areas(**areas) for side, areas in found.items()})
