"""Spoils inputs and gives them to the commands: ``python -m tests.fuzz.run --seconds 600 --kinds onnx,ir``.

The same seed draws the same inputs. What does not end as it is documented is written,
with its files, into the folder of findings; the exit code is then 1.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from tests.fuzz.case import Case
from tests.fuzz.kinds import KINDS, draw
from tests.fuzz.supervising import Limits, Outcome, Worker, by_the_program
from tests.fuzz.verdict import fault, signature

KEPT_OF_A_CAUSE: Final = 3
PROOF_FAILED: Final = 5


@dataclass
class Tally:
    """What came of the inputs of a kind."""

    inputs: int = 0
    commands: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    broken_off: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Count an input and its commands."""
        self.inputs += 1
        self.commands += len(outcomes)
        for outcome in outcomes:
            if outcome.broken_off:
                self.broken_off[outcome.broken_off] += 1
                continue
            self.codes[str(outcome.exit_code)] += 1
            self.longest = max(self.longest, outcome.seconds)
            if (why := fault(outcome)) is not None:
                self.faults[why] += 1


@dataclass
class Run:
    """A run over kinds and seeds by several workers, and what came of it."""

    limits: Limits
    findings: Path
    tallies: dict[str, Tally] = field(default_factory=dict)
    causes: Counter[str] = field(default_factory=Counter)
    failed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, cases: Iterator[tuple[str, int]], until: float) -> None:
        """Do cases until there are no more, or no more time."""
        with Worker(self.limits) as worker, tempfile.TemporaryDirectory(prefix="ovxai-fuzz-") as name:
            while time.monotonic() < until:
                with self._lock:
                    kind, seed = next(cases, ("", 0))
                if not kind:
                    return
                case, folder = draw(kind, seed), Path(name) / f"{kind}-{seed}"
                outcomes = worker.run(case, folder, stop=lambda outcome: fault(outcome) is not None)
                shutil.rmtree(folder)
                with self._lock:
                    self.tallies[kind].add(outcomes)
                self._look_at(case, outcomes[-1], folder)

    def _look_at(self, case: Case, outcome: Outcome, folder: Path) -> None:
        """Keep a case that ends badly, and what is worth a look: what was broken off, and failed proofs.

        A case that was broken off has to end well by the program itself.
        """
        why, failed_proof = fault(outcome), outcome.exit_code == PROOF_FAILED
        if outcome.broken_off:
            again = by_the_program(case, folder, outcome.command, self.limits)
            shutil.rmtree(folder)
            why = fault(again)
            if why is not None:
                why = f"by the program itself: {why}; {again.stderr[:200]}"
        if why is None and not outcome.broken_off and not failed_proof:
            return
        with self._lock:
            cause = signature(outcome)
            self.causes[cause] += 1
            self.failed |= why is not None
            if why is not None:
                self.tallies[case.name.rpartition("-")[0]].faults[why] += outcome.broken_off != ""
            if self.causes[cause] > KEPT_OF_A_CAUSE:
                return
        where = self.findings / case.name
        shutil.rmtree(where, ignore_errors=True)
        case.save(where)
        told = f"{cause}\n{why}\n{outcome.command}\n{outcome.exit_code}\n{outcome.stderr}\n{outcome.where}"
        (where / "outcome.txt").write_text(told, encoding="utf-8", errors="backslashreplace")
        click.echo(f"{case.name}: {cause}; {why or 'one line, as documented'}", err=True)


def cases_of(kinds: Sequence[str], first: int, count: int | None) -> Iterator[tuple[str, int]]:
    """Kinds in turn, so that all come equally far."""
    seed = first
    while count is None or seed < first + count:
        yield from ((kind, seed) for kind in kinds)
        seed += 1


def run(
    kinds: Sequence[str],
    first: int,
    count: int | None,
    seconds: float,
    jobs: int,
    findings: Path,
    limits: Limits,
) -> Run:
    """Draw and do cases of all kinds, from a seed on."""
    result = Run(limits, findings, {kind: Tally() for kind in kinds})
    cases, until = cases_of(kinds, first, count), time.monotonic() + seconds
    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(result.work, cases, until) for _ in range(jobs)]:
            done.result()
    return result


def table(result: Run) -> str:
    """The figures by kind, as Markdown."""
    lines = [
        "| kind | inputs | commands | exit codes | broken off | not as documented | longest |",
        "| --- | ---: | ---: | --- | --- | ---: | ---: |",
    ]
    for kind, tally in result.tallies.items():
        codes = ", ".join(f"{code}: {number}" for code, number in sorted(tally.codes.items()))
        broken = ", ".join(f"{number} {why}" for why, number in sorted(tally.broken_off.items())) or "-"
        faults, longest = sum(tally.faults.values()), f"{tally.longest:.1f} s"
        lines.append(
            f"| {kind} | {tally.inputs} | {tally.commands} | {codes} | {broken} | {faults} | {longest} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--seconds", type=float, default=600.0, show_default=True, help="Budget of time.")
@click.option("--count", type=int, help="Inputs of each kind; default: as many as there is time for.")
@click.option("--kinds", default=",".join(KINDS), show_default=True, help="Kinds, with commas between.")
@click.option("--seed", type=int, default=0, show_default=True, help="The first seed.")
@click.option("--jobs", type=int, default=2, show_default=True, help="Workers.")
@click.option("--findings", type=click.Path(path_type=Path), default=Path("fuzz-findings"), show_default=True)
@click.option(
    "--timeout", type=float, default=Limits.seconds, show_default=True, help="Seconds of a command."
)
@click.option("--memory", type=int, default=Limits.mebibytes, show_default=True, help="MiB of a worker.")
def main(
    seconds: float,
    count: int | None,
    kinds: str,
    seed: int,
    jobs: int,
    findings: Path,
    timeout: float,
    memory: int,
) -> None:
    """Give spoiled inputs to the commands and print what came of them, by kind."""
    names = kinds.split(",")
    if strange := set(names) - set(KINDS):
        raise click.UsageError(f"no kinds: {', '.join(sorted(strange))}; known are {', '.join(KINDS)}")
    began = time.monotonic()
    result = run(names, seed, count, seconds, jobs, findings, Limits(timeout, memory))
    click.echo(table(result))
    inputs = sum(tally.inputs for tally in result.tallies.values())
    click.echo(f"\n{inputs} inputs in {time.monotonic() - began:.0f} s")
    for cause, number in result.causes.most_common():
        click.echo(f"{number:5d}  {cause}")
    raise SystemExit(result.failed)


if __name__ == "__main__":
    main()
