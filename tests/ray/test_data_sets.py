"""Rows that workers of Ray's make: those of one machine, in its order, whatever happens to workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from ovxai_convert.datasets.explaining import Asked, HeadAnswer, Outcome, PhotographExplainer
from ovxai_convert.datasets.rows import Row
from ovxai_convert.datasets.sources import Item, Photographs
from ovxai_convert.datasets.tables import read_table
from ovxai_convert.datasets.truths import FolderTruths
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.on_ray import explain_dataset
from ovxai_convert.on_ray.ledger import MOST_DEATHS
from ovxai_convert.on_ray.outcomes import OnRay
from tests.ray.conftest import WORKERS, workers_of_this_process

pytest.importorskip("ray", reason="make ray installs it in an environment of its own")
PROGRAM: Final = [str(Path(sys.executable).with_name("ovxai-explain"))]
pytestmark = pytest.mark.filterwarnings("default")  # Ray's own are not ours


def timeless(rows: Iterator[Row] | Sequence[Row]) -> list[Row]:
    return [replace(row, seconds=None) for row in rows]


def rows_of(outcomes: Iterator[Outcome]) -> list[Row]:
    results = (result for outcome in outcomes for result in outcome.results)
    return timeless([row for r in results for row in (r.rows if isinstance(r, HeadAnswer) else [r.row])])


def of_data_set(data_set: Any) -> list[Row]:
    return timeless([Row(**{**row, "map_shape": _pair(row["map_shape"])}) for row in data_set.take_all()])


def _pair(shape: Any) -> tuple[int, int] | None:
    return None if shape is None else (int(shape[0]), int(shape[1]))


@pytest.fixture(scope="module")
def items(photographs: Path) -> list[Item]:
    return list(Photographs([str(photographs)], recursive=True))


@pytest.fixture(scope="module")
def explain(artifact: Path) -> PhotographExplainer:
    explainers = FileExplainer.for_heads(artifact, throughput=True)
    truths = [FolderTruths(each.explainer.label_names, each.class_count) for each in explainers]
    return PhotographExplainer(explainers, Asked("top2", run="run"), truths)


@pytest.fixture(scope="module")
def local(explain: PhotographExplainer, items: list[Item]) -> list[Row]:
    rows = rows_of(map(explain, items))
    assert sum(row.error is not None for row in rows) >= 2
    assert sum(row.map is not None for row in rows) >= 2 * 96
    return rows


def test_rows_are_those_of_this_process(
    ray: Any, explain: PhotographExplainer, items: list[Item], local: list[Row]
) -> None:
    assert rows_of(OnRay(ray, explain, WORKERS)(items)) == local


def test_those_that_are_alone_are_explained_here(
    ray: Any, explain: PhotographExplainer, items: list[Item], local: list[Row]
) -> None:
    began: list[tuple[int, int]] = []
    engine = OnRay(ray, explain, WORKERS, began=lambda first, last: began.append((first, last)))
    assert rows_of(engine(items, lambda number: number < 3)) == local
    assert began[:3] == [(0, 0), (1, 1), (2, 2)]
    assert [first for first, _ in began] == list(range(len(items)))


def test_a_worker_that_is_killed_costs_no_row_and_doubles_none(
    ray: Any, explain: PhotographExplainer, items: list[Item], local: list[Row]
) -> None:
    killed: list[int] = []

    def taken() -> Iterator[Outcome]:
        for number, outcome in enumerate(OnRay(ray, explain, WORKERS)(many)):
            if number in (10, 400):
                (pid, *_) = workers_of_this_process()
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            yield outcome

    many = [replace(item, name=f"{turn}/{item.name}") for turn in range(12) for item in items]
    assert rows_of(taken()) == local * 12
    assert len(set(killed)) == 2


def test_workers_that_are_killed_all_the_time(
    ray: Any, explain: PhotographExplainer, items: list[Item], local: list[Row]
) -> None:
    killed: set[int] = set()
    done = threading.Event()

    def kill() -> None:
        while not done.wait(1.5):
            for pid in workers_of_this_process()[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            if len(killed) == 4:
                return

    killer = threading.Thread(target=kill)
    many = [replace(item, name=f"{turn}/{item.name}") for turn in range(12) for item in items]
    killer.start()
    rows = rows_of(OnRay(ray, explain, WORKERS)(many))
    done.set()
    killer.join()
    assert rows == local * 12
    assert killed


@dataclass(frozen=True)
class Deadly:
    """A truth that nobody survives to tell, at some photographs; it notes how often it was asked."""

    names: frozenset[str]
    notes: Path

    def __call__(self, item: Item) -> None:
        if item.path.name in self.names:
            with self.notes.open("a", encoding="utf-8") as notes:
                notes.write(f"{item.path.name}\n")
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_photograph_that_kills_workers_is_given_up_and_no_other(
    ray: Any, explain: PhotographExplainer, items: list[Item], local: list[Row], tmp_path: Path
) -> None:
    deadly = Deadly(frozenset({"042.jpg", "043.jpg"}), tmp_path / "notes")
    harmful = replace(explain, truths=[deadly])
    rows = rows_of(OnRay(ray, harmful, WORKERS)(items))
    lost = [row for row in rows if row.error is not None and "workers died" in row.error]
    assert [Path(row.path).name for row in lost] == ["042.jpg", "043.jpg"]
    assert lost[0].error == f"{MOST_DEATHS} workers died while they were at it"
    untold = [replace(row, truth=None, correct=None) for row in local]
    assert [row for row in rows if row not in lost] == [
        row for row in untold if Path(row.path).name not in deadly.names
    ]
    asked = (tmp_path / "notes").read_text("utf-8").splitlines()
    assert asked.count("042.jpg") == asked.count("043.jpg") == MOST_DEATHS + 1


def test_the_command_writes_the_same_table(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    def table(name: str, *options: str) -> tuple[int, list[Row], str]:
        path, out = tmp_path / f"{name}.jsonl", tmp_path / name
        command = [*PROGRAM, str(artifact), "-r", str(photographs), "-o", str(out), "--table", str(path)]
        command += ["--targets", "top2", "--json", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=200)
        assert len(done.stdout.splitlines()) == len(list(read_table(path))), done.stdout
        return done.returncode, timeless(read_table(path)), done.stderr

    here, there = table("here"), table("there", "--engine", "ray", "--jobs", "2")
    assert here[:2] == there[:2]
    assert here[0] == 3
    assert "INFO" not in there[2]
    assert [line for line in there[2].splitlines() if line.startswith(("Error", "Warning"))] == [
        line for line in here[2].splitlines() if line.startswith(("Error", "Warning"))
    ]
    written = {
        path.relative_to(tmp_path / "here"): path.read_bytes() for path in (tmp_path / "here").rglob("*.png")
    }
    assert len(written) >= 2 * 96
    for path, content in written.items():
        assert (tmp_path / "there" / path).read_bytes() == content


def test_no_cluster_at_an_address_is_one_line(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    command = [*PROGRAM, str(artifact), str(photographs / "cat"), "-q"]
    command += ["-o", str(tmp_path / "out"), "--engine", "ray", "--ray-address", "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=200)
    assert done.returncode == 2
    assert "--ray-address 127.0.0.1:1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_data_set_of_paths(
    ray: Any, artifact: Path, items: list[Item], local: list[Row], tmp_path: Path
) -> None:
    given = ray.data.from_items([{"path": item.shown, "truth": item.truth, "more": 1} for item in items])
    found = explain_dataset(given, artifact, targets="top2", pictures=tmp_path / "pictures")
    rows = of_data_set(found)
    assert [replace(row, picture=None) for row in rows] == [replace(row, run=None) for row in local]
    pictures = [row.picture for row in rows if row.picture is not None]
    assert len(pictures) == len(set(pictures)) >= 2 * 96
    assert all((tmp_path / "pictures" / each).is_file() for each in pictures)


def test_a_data_set_of_items(ray: Any, artifact: Path, items: list[Item], local: list[Row]) -> None:
    rows = of_data_set(explain_dataset(ray.data.from_items(items), artifact, targets="top2"))
    assert rows == [replace(row, run=None) for row in local]


def test_other_data_sets_keep_their_order_of_things(ray: Any, artifact: Path, items: list[Item]) -> None:
    before = ray.data.DataContext.get_current().execution_options.preserve_order
    explain_dataset(ray.data.from_items(items), artifact).take(1)
    assert ray.data.DataContext.get_current().execution_options.preserve_order is before


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([{"file": "a.jpg"}], {}, "no column 'path', only 'file'"),
        ([{"path": "a.jpg", "truth": "horse"}], {}, "'horse' is no class"),
        ([{"path": "a.jpg", "truth": "cat"}, {"path": "./a.jpg", "truth": "dog"}], {}, "two truths"),
        ([{"path": 3}], {}, "a path of the data set is 3"),
        ([{"path": "a.jpg"}], {"concurrency": 0}, "concurrency has to be"),
        ([{"path": "a.jpg"}], {"num_cpus": 0.5}, "num_cpus has to be"),
        ([{"path": "a.jpg"}], {"targets": "horse"}, "horse"),
    ],
)
def test_what_cannot_be_explained_is_told_at_once(
    ray: Any, artifact: Path, rows: list[dict[str, Any]], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        explain_dataset(ray.data.from_items(rows), artifact, **options)


def test_no_photographs_are_no_rows(ray: Any, explain: PhotographExplainer) -> None:
    assert list(OnRay(ray, explain, WORKERS)([])) == []


def test_a_run_that_is_interrupted_goes_on_with_either_engine(
    artifact: Path, photographs: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.jsonl"
    options = ["--no-pictures", "--table", str(table), "-o", str(tmp_path / "out")]
    command = [*PROGRAM, str(artifact), "-r", str(photographs), *options]
    process = subprocess.Popen(
        [*command, "--engine", "ray", "--jobs", "1"], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and not (table.exists() and table.read_bytes().count(b"\n") > 5):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "--resume goes on" in said
    assert "Traceback" not in said
    begun = len(list(read_table(table)))
    assert 5 < begun < 99
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    resumed = timeless(read_table(table))
    whole = [str(tmp_path / "whole.jsonl") if each == str(table) else each for each in command]
    subprocess.run(whole, capture_output=True, check=False, timeout=60)
    assert resumed == timeless(read_table(tmp_path / "whole.jsonl"))
