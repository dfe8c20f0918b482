"""The old paths: every name leads to where it lives, the others say why not, and nothing is loaded before."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Final

import pytest

from ovxai_convert.old_names import ABSENT, HOMES, PATHS

OWN: Final = "methods"
"""The old path that is a room of this package."""
PRESENT: Final = [(path, name) for path, names in PATHS.items() for name in names if name not in ABSENT]
GONE: Final = [(path, name) for path, names in PATHS.items() for name in names if name in ABSENT]


def fresh(code: str) -> str:
    """What a program prints that imports nothing else before."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(("path", "name"), PRESENT)
def test_name_is_the_one_that_lives_here(path: str, name: str) -> None:
    module = importlib.import_module(f"ovxai_convert.{path}")
    homes = [home for home, names in HOMES.items() if name in names]
    assert len(homes) == 1
    assert getattr(module, name) is getattr(importlib.import_module(f"ovxai_convert.{homes[0]}"), name)
    assert path == OWN or name in {*module.__all__} & {*dir(module)}


@pytest.mark.parametrize(("path", "name"), GONE)
def test_what_is_not_here_says_why(path: str, name: str) -> None:
    module = importlib.import_module(f"ovxai_convert.{path}")
    with pytest.raises(ImportError, match=f"'{name}' of openvino_xai.{path} is not here: .{{15,}}"):
        getattr(module, name)
    assert name not in dir(module)


def test_a_name_that_never_was_is_no_attribute() -> None:
    module = importlib.import_module("ovxai_convert.explainer")
    with pytest.raises(AttributeError, match="has no attribute 'Explaner'"):
        _ = module.Explaner
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("ovxai_convert.explainer.nothing")


def test_table_names_no_more_than_there_is() -> None:
    listed = {name for names in PATHS.values() for name in names}
    homed = {name for names in HOMES.values() for name in names}
    assert listed == homed | set(ABSENT)
    assert not homed & set(ABSENT)


@pytest.mark.parametrize(
    "statement",
    [
        "from ovxai_convert.explainer import ExplainMode as found",
        "from ovxai_convert.explainer.explainer import ExplainMode as found",
        "import ovxai_convert.explainer.explainer as old; found = old.ExplainMode",
        "import ovxai_convert.explainer; found = ovxai_convert.explainer.explainer.ExplainMode",
        "import ovxai_convert as xai; found = xai.explainer.ExplainMode",
        "from ovxai_convert.explainer import explainer; found = explainer.ExplainMode",
        "from ovxai_convert.explainer import *; found = ExplainMode",
        "import ovxai_convert.methods; from ovxai_convert.methods.black_box.base import Preset; found = "
        "ovxai_convert.ExplainMode",
    ],
)
def test_every_way_to_import(statement: str) -> None:
    assert fresh(f"{statement}; print(found)") == "<enum 'ExplainMode'>"


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    looks = "print({'numpy', 'openvino', 'cv2'} & set(sys.modules))"
    assert fresh(f"import ovxai_convert.explainer, sys; {looks}") == "set()"


def test_own_room_of_methods_stays_itself() -> None:
    methods = importlib.import_module("ovxai_convert.methods")
    assert methods.__file__ is not None
    with pytest.raises(AttributeError, match="has no attribute 'RISEN'"):
        _ = methods.RISEN
    assert methods.Method is importlib.import_module("ovxai_convert.common").Method
    assert importlib.import_module("ovxai_convert.methods.reciprocam").METHOD.name == "reciprocam"
