"""Killing a process at its n-th system call that changes files, and looking at what the next makes of it.

``python -m tests.reliability.killing FOLDER STATE LAYOUT`` does it at every call of a commit, before and
after the call is made; with ``--recovery`` also at every call of the recovery. It prints JSON. Each process
is a fork of one that has only imported the package: it is killed for real, and shares no state with the next.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ovxai_convert import durable
from ovxai_convert.artifact.recovery import recover
from ovxai_convert.artifact.staging import Staging
from tests.program.invocation import Snapshot, snapshot

LAYOUTS: Final = {
    "plain": ("net.xml", "net.bin", "net.json"),
    "repository": ("net/1/model.xml", "net/1/model.bin", "net/config.pbtxt", "net/1/model.json"),
}
STATES: Final = ("absent", "empty", "artifact", "sidecar", "linked")
CALLS: Final = ("open", "close", "mkdir", "rename", "replace", "unlink", "rmdir", "fsync")
NOT_KILLED: Final = 0


def kill_at(nth: int, when: str) -> None:
    """Have this process killed before or after it makes its n-th system call on files."""
    numbers = itertools.count(1)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            last = next(numbers) == nth
            if last and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return function(*args, **kwargs)
            finally:
                if last:
                    os.kill(os.getpid(), signal.SIGKILL)

        return call

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    vars(io)["open"] = deadly(io.open)  # pathlib's
    vars(durable)["open"] = deadly(open)
    locking = vars(durable)["_try_lock"]
    vars(durable)["_try_lock"] = deadly(locking)


def in_process(action: Callable[[], object]) -> int:
    """Do something in a process of its own; the signal that ended it, or 0."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed by itself"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else NOT_KILLED


def stage(out: Path, names: Sequence[str]) -> None:
    """Write new files the way a conversion does."""
    with Staging(out, names, force=True) as staging:
        for name in names:
            staging.write_text(name, f"new {name}")
        staging.commit()


def prepare(out: Path, state: str, names: Sequence[str]) -> None:
    """Bring an output folder into a state."""
    if state == "absent":
        return
    out.mkdir()
    (out / "strangers").mkdir()
    (out / "strangers" / "notes.txt").write_text("not ours")
    old = {"artifact": names, "sidecar": names[-1:], "linked": names}.get(state, ())
    for name in old:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if state == "linked":
            kept = out / "strangers" / name.replace("/", "_")
            kept.write_text(f"old {name}")
            path.symlink_to(os.path.relpath(kept, path.parent))
        else:
            path.write_text(f"old {name}")


def held(out: Path) -> Snapshot:
    """What a folder holds; one that is not there holds nothing, and links are told from files."""
    found = snapshot(out) or {}
    links = {name: os.readlink(out / name).encode() for name in found if (out / name).is_symlink()}
    return {**found, **{f"{name} ->": target for name, target in links.items()}}


def every_call() -> Iterator[tuple[int, str]]:
    """Numbers of calls, each once to be killed before and once after it."""
    return ((nth, when) for nth in itertools.count(1) for when in ("before", "after"))


class Scene:
    """A folder in some state, in which processes are killed."""

    def __init__(self, folder: Path, state: str, layout: str) -> None:
        self.out, self.state, self.names = folder / "out", state, LAYOUTS[layout]
        self.reset()
        self.old = held(self.out)
        in_process(lambda: stage(self.out, self.names))
        self.new = held(self.out)
        expected = {name: f"new {name}".encode() for name in self.names}
        assert {name: self.new[name] for name in self.names} == expected
        assert self.new != self.old

    def reset(self) -> None:
        """The older state again."""
        shutil.rmtree(self.out, ignore_errors=True)
        prepare(self.out, self.state, self.names)

    def seen(self) -> str:
        """``"old"``, ``"new"``, or all that is there if it is neither."""
        now = held(self.out)
        return "old" if now == self.old else "new" if now == self.new else f"neither: {sorted(now)}"

    def left(self) -> str:
        """All that is there, in temporary folders of whatever name."""
        return re.sub(r"-[0-9a-f]{12}\.tmp", "", str(sorted(held(self.out).items(), key=str)))

    def killed(self, action: Callable[[], object], nth: int, when: str) -> bool:
        """Do something, and be killed at a call; False if it ended before that."""

        def doomed() -> None:
            kill_at(nth, when)
            action()

        return in_process(doomed) == signal.SIGKILL

    def commit(self) -> None:
        stage(self.out, self.names)


def kill_commits(scene: Scene) -> list[dict[str, Any]]:
    """Kill at each call of a commit: what is then there, what after a recovery, and after another commit.

    Many calls leave the same behind; what becomes of that is looked at once.
    """
    results: list[dict[str, Any]] = []
    known: dict[str, tuple[str, str]] = {}
    for nth, when in every_call():
        scene.reset()
        if not scene.killed(scene.commit, nth, when):
            break
        at_death, left = scene.seen(), scene.left()
        if left not in known:
            in_process(lambda: recover(scene.out))
            recovered = scene.seen()
            scene.reset()
            assert scene.killed(scene.commit, nth, when)
            assert scene.left() == left
            in_process(scene.commit)
            known[left] = recovered, scene.seen()
        recovered, again = known[left]
        found = {"at_death": at_death, "recovered": recovered, "again": again}
        results.append({"call": nth, "when": when, **found})
    return results


def kill_recoveries(scene: Scene) -> list[dict[str, Any]]:
    """Kill commits, then at each call of the recovery, then let it run: what is there in the end."""
    results: list[dict[str, Any]] = []
    known: dict[str, str] = {}
    begun: set[str] = set()
    for nth in itertools.count(1):
        scene.reset()
        if not scene.killed(scene.commit, nth, "after"):
            break
        if scene.left() in begun:
            continue
        begun.add(scene.left())
        for mth, when in every_call():
            scene.reset()
            assert scene.killed(scene.commit, nth, "after")
            if not scene.killed(lambda: recover(scene.out), mth, when):
                break
            at_death, left = scene.seen(), scene.left()
            if left not in known:
                in_process(lambda: recover(scene.out))
                known[left] = scene.seen()
            found = {"at_death": at_death, "recovered": known[left]}
            results.append({"call": nth, "then": mth, "when": when, **found})
    return results


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("state", choices=STATES)
    parser.add_argument("layout", choices=LAYOUTS)
    parser.add_argument("--recovery", action="store_true")
    given = parser.parse_args()
    vars(os)["fsync"] = lambda descriptor: None  # only a loss of power loses what was written
    scene = Scene(given.folder, given.state, given.layout)
    json.dump((kill_recoveries if given.recovery else kill_commits)(scene), sys.stdout)


if __name__ == "__main__":
    main()
