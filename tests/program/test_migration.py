"""What ``docs/migration.md`` says of openvino-xai's names is so: each row of its table is tried."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer
from ovxai_convert.old_names import ABSENT, PATHS

TABLE: Final = Path(__file__).resolve().parents[2] / "docs" / "migration.md"
TOP: Final = ("Explainer", "Method", "Task", "insert_xai")
"""What the old package itself offers."""
MEANS: Final = re.compile(r"`(?P<name>[\w.]+)(?:\((?P<arguments>[^)]*)\))?`")


OLD_SCRIPT: Final = """
import openvino.runtime as ov
from openvino.runtime.utils.data_helpers.wrappers import OVDict
import openvino_xai as xai
from openvino_xai.common.parameters import Method, Task
from openvino_xai.common.utils import logger
from openvino_xai.explainer import ExplainMode
from openvino_xai.explainer.explainer import Explainer
from openvino_xai.explainer.explanation import Explanation
from openvino_xai.explainer.utils import ActivationType, get_postprocess_fn, get_preprocess_fn, get_score
from openvino_xai.explainer.visualizer import Visualizer, colormap, overlay
from openvino_xai.methods import RISE, ReciproCAM
from openvino_xai.methods.black_box.base import Preset
from openvino_xai.metrics import ADCC, InsertionDeletionAUC, PointingGame

logger.info("nothing is printed")
print(xai.Explainer is Explainer, ov.Core.__name__, OVDict.__name__, Preset.SPEED.value)
"""


@dataclass(frozen=True)
class Row:
    """One name: with a dot a member of a class; its arguments, None where it is not called."""

    name: str
    arguments: tuple[str, ...] | None
    paths: tuple[str, ...]
    here: str
    remark: str

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return self.name


def rows(text: str) -> Iterator[Row]:
    """The table's rows."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 4 or not cells[0].startswith("`"):
            continue
        means = MEANS.fullmatch(cells[0])
        assert means is not None, line
        arguments = means["arguments"]
        given = None if arguments is None else tuple(filter(None, arguments.split(", ")))
        paths = tuple(path.removeprefix(".") for path in re.findall(r"`([.\w]+)`", cells[1]))
        yield Row(means["name"], given, paths, cells[2], cells[3])


ROWS: Final = tuple(rows(TABLE.read_text(encoding="utf-8")))
WORKING: Final = [row for row in ROWS if row.here == "works"]
each_working = pytest.mark.parametrize("row", WORKING, ids=str)


def at(path: str, name: str) -> Any:
    """A name at an old path of this package."""
    found = importlib.import_module(f"ovxai_convert.{path}".rstrip("."))
    for part in name.split("."):
        found = getattr(found, part)
    return found


def taken(row: Row) -> list[inspect.Parameter]:
    """The parameters of what a row names, in their order; without a method's own object."""
    found = at(row.paths[0], row.name)
    parameters = list(inspect.signature(found).parameters.values())
    return [each for each in parameters if each.name != "self"]


def test_every_name_has_a_row() -> None:
    told = {(path, row.name) for row in ROWS for path in row.paths if "." not in row.name}
    known = {(path, name) for path, names in PATHS.items() for name in names} | {("", name) for name in TOP}
    assert told == known
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
    assert {row.here for row in ROWS} == {"works", "instead", "no"}


@each_working
def test_working_name_is_at_each_of_its_paths(row: Row) -> None:
    found = [at(path, row.top) for path in row.paths]
    assert all(each is found[0] for each in found)
    if "." in row.name and row.name.split(".")[1] not in getattr(found[0], "__annotations__", ()):
        assert hasattr(found[0], row.name.split(".")[1])


@pytest.mark.parametrize("row", [row for row in WORKING if row.arguments is not None], ids=str)
def test_working_call_takes_the_old_arguments(row: Row) -> None:
    """By name; and by place too, unless the row says from which one on they are to be named."""
    assert row.arguments is not None
    parameters = taken(row)
    named = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    assert set(row.arguments) <= set(named)
    placed = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    by_name = re.search(r"from `(\w+)` on by keyword", row.remark)
    count = row.arguments.index(by_name[1]) if by_name else len(row.arguments)
    assert tuple(placed[:count]) == row.arguments[:count]
    needed = {
        each.name for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    }
    assert needed <= set(row.arguments)


@pytest.mark.parametrize("row", [row for row in ROWS if row.here != "works"], ids=str)
def test_what_is_not_here_is_not_here(row: Row) -> None:
    """And says so; a member of a class that is here is just not there."""
    assert row.remark
    for path in row.paths:
        if "." in row.name:
            assert not hasattr(at(path, row.top), row.name.split(".")[1])
        else:
            assert row.name in ABSENT
            with pytest.raises(ImportError, match="is not here"):
                at(path, row.name)


def test_attributes_that_the_guide_names() -> None:
    found = Explainer(cnn(CnnSpec()))(np.zeros((10, 14, 3), np.float32))
    (line,) = re.findall(r"an explanation has (.*)\n", TABLE.read_text(encoding="utf-8"))
    names = re.findall(r"`(\w+)`", line)
    assert len(names) == 6
    assert all(hasattr(found, name) for name in names)
    assert not hasattr(found, "task")


def test_a_wrong_table_is_noticed() -> None:
    line = "| `insert_xai(model, task, explain_method, banana)` | `.` | works | |"
    (row,) = rows(line)
    assert row == Row("insert_xai", ("model", "task", "explain_method", "banana"), ("",), "works", "")
    with pytest.raises(AssertionError):
        test_working_call_takes_the_old_arguments(row)
    (row,) = rows("| `insert_xai(task, model)` | `.` | works | |")
    with pytest.raises(AssertionError):
        test_working_call_takes_the_old_arguments(row)
    (row,) = rows("| `Explainer` | `.common` | works | |")
    with pytest.raises(AttributeError):
        test_working_name_is_at_each_of_its_paths(row)


def test_the_command_that_renames(tmp_path: Path) -> None:
    """It is run as it stands there, on the imports of scripts and notebooks for the old package."""
    (command,) = re.findall(r"```sh\n(sed .*)\n```", TABLE.read_text(encoding="utf-8"))
    script = tmp_path / "script.py"
    script.write_text(OLD_SCRIPT, encoding="utf-8")
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "True Core OVDict speed\n", "")
