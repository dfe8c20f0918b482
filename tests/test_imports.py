"""Who may know what: the package's imports, read from its source, and what importing it does."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = "ovxai_convert"
ROOT: Final = Path(__file__).resolve().parents[1]
FOUNDATION: Final = frozenset({"errors", "vocabulary", "steps", "files", "old_names"})
LADDER: Final[Mapping[str, frozenset[str]]] = {
    "errors": frozenset(),
    "vocabulary": frozenset(),
    "compiling": frozenset(),
    "steps": frozenset(),
    "durable": frozenset(),
    "files": frozenset(),
    "old_names": frozenset(),
    "tensors": frozenset(),
    "onnx_graph": frozenset(),
    "ops": frozenset({"tensors", "onnx_graph"}),
    "anatomy": frozenset({"tensors", "ops"}),
    "mosaic": frozenset({"tensors", "ops", "anatomy"}),
    "blackbox": frozenset(),
    "detections": frozenset(),
    "methods": frozenset({"tensors", "ops", "anatomy", "mosaic", "blackbox"}),
    "source": frozenset({"tensors", "onnx_graph", "ops"}),
    "insertion": frozenset({"tensors", "ops", "anatomy", "mosaic", "methods", "source"}),
    "emission": frozenset({"tensors", "onnx_graph", "ops"}),
    "photographs": frozenset({"durable", "tensors", "anatomy"}),
    "pictures": frozenset({"blackbox", "photographs"}),
    "artifact": frozenset({"durable", "tensors", "anatomy", "methods", "insertion", "source", "photographs"})
    | {"detections", "emission"},
    "proof": frozenset(
        {
            "compiling",
            "tensors",
            "onnx_graph",
            "ops",
            "anatomy",
            "methods",
            "source",
            "insertion",
            "emission",
            "photographs",
            "artifact",
        }
    ),
    "explain": frozenset(
        {"compiling", "tensors", "anatomy", "blackbox", "methods", "source", "insertion", "photographs"}
    )
    | {"detections", "pictures", "artifact"},
    "datasets": frozenset(
        {"durable", "blackbox", "methods", "source", "photographs", "pictures", "artifact", "explain"}
    ),
    "evaluation": frozenset(
        {"durable", "blackbox", "methods", "source", "photographs", "pictures", "artifact", "explain"}
    )
    | {"datasets"},
    "on_ray": frozenset({"source", "photographs", "pictures", "explain", "datasets"}),
    "ancestor": frozenset(
        {"anatomy", "blackbox", "methods", "source", "insertion", "photographs", "pictures", "explain"}
    ),
    "inspection": frozenset({"tensors", "anatomy", "methods", "source", "insertion", "artifact"}),
    "pipeline": frozenset(
        {"tensors", "anatomy", "methods", "source", "insertion", "photographs", "artifact", "proof"}
    ),
}
"""What a room may import, beside itself and the bottom of the house; ``cli`` may import all."""
ONLY_IN: Final[Mapping[str, frozenset[str]]] = {
    "click": frozenset({"cli"}),
    "jsonschema": frozenset({"artifact.schema"}),
    "onnx": frozenset(
        {"source.onnx_file", "onnx_graph", "ops", "emission", "proof.onnx_cut", "proof.onnx_rules"}
    ),
    "google": frozenset({"source.onnx_file"}),
}
"""Libraries that one module or room alone imports."""
NO_OPENVINO: Final = (
    "errors",
    "vocabulary",
    "durable",
    "artifact.staging",
    "artifact.recovery",
    "artifact.sidecar",
    "artifact.schema",
    "artifact.parsing",
    "artifact.repository",
    "source.onnx_file",
    "source.labels",
    "source.class_names",
    "source.label_files",
    "photographs.image_files",
    "photographs.preprocessing",
    "photographs.hints",
    "photographs.model_api",
    "photographs.described",
    "source.answers",
    "cli",
    "blackbox",
    "detections",
)
NEVER: Final = ("torch", "tensorflow", "openvino_xai", "tests", "fixtures")
EXITS: Final = frozenset({"sys.exit", "os._exit", "exit", "quit", "print", "SystemExit"})


def sources(package: Path) -> dict[str, ast.Module]:
    """Syntax trees of all modules below a folder, by dotted name from the package's root."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


SOURCES: Final = sources(ROOT / PACKAGE)
ROOMS: Final = {f"{name.split('.')[0]}." for name in SOURCES if "." in name}
"""Folders of the package."""
each_module = pytest.mark.parametrize("name", SOURCES, ids=lambda name: name or "__init__")


def imported(tree: ast.Module) -> Iterator[str]:
    """Absolute names of everything that a module imports, at any depth of its code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_parts(tree: ast.Module) -> set[str]:
    """Parts of the package (first name behind its own) that a module imports."""
    names = (name.split(".") for name in imported(tree))
    return {name[1] for name in names if name[0] == PACKAGE and len(name) > 1}


def imported_modules(name: str, trees: Mapping[str, ast.Module]) -> set[str]:
    """Modules of the package that a module imports."""
    found = set()
    for each in imported(trees[name]):
        inner = each.removeprefix(f"{PACKAGE}.")
        if inner == each:
            continue
        found.add(inner if inner in trees else inner.rpartition(".")[0])
    return found - {name}


def cycle(trees: Mapping[str, ast.Module]) -> list[str]:
    """Modules left when those that import nothing of the rest are taken away, again and again."""
    edges = {name: imported_modules(name, trees) for name in trees}
    while free := [name for name, targets in edges.items() if not targets & edges.keys()]:
        for name in free:
            del edges[name]
    return sorted(edges)


def calls(tree: ast.Module) -> set[str]:
    """Names of all functions that are called and exceptions that are raised."""
    functions = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    raised = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc)
    return {ast.unparse(each) for each in (*functions, *raised)}


def test_there_are_modules_to_look_at() -> None:
    assert {
        "",
        "cli.convert",
        "errors",
        "anatomy.flow",
        "mosaic.rewriting",
        "methods.reciprocam",
        "blackbox.rise",
    } <= set(SOURCES)


@each_module
def test_room_imports_only_downwards(name: str) -> None:
    room = name.split(".")[0]
    imports = imported_parts(SOURCES[name]) - {room} - FOUNDATION
    if room in ("", "cli"):
        assert "cli" not in imports - {room}
    else:
        assert imports <= LADDER[room]


def test_arrows_run_one_way() -> None:
    assert set(LADDER) == {name.split(".")[0] for name in SOURCES if name} - {"cli", "schemas"}
    rooms = list(LADDER)
    for room, below in LADDER.items():
        assert all(rooms.index(each) < rooms.index(room) for each in below), room


def test_few_modules_stand_at_the_root() -> None:
    assert len([name for name in SOURCES if "." not in name and f"{name}." not in ROOMS]) <= 10


@each_module
def test_library_is_imported_in_its_one_place(name: str) -> None:
    libraries = {each.split(".")[0] for each in imported(SOURCES[name])}
    for library, parts in ONLY_IN.items():
        assert library not in libraries or parts & {name, name.split(".")[0]}
    assert not libraries & set(NEVER)


@pytest.mark.parametrize("part", NO_OPENVINO)
def test_part_without_openvino(part: str) -> None:
    modules = [name for name in SOURCES if name == part or name.startswith(f"{part}.")]
    assert modules
    for name in modules:
        assert "openvino" not in {each.split(".")[0] for each in imported(SOURCES[name])}


@each_module
def test_only_the_cli_prints_or_exits(name: str) -> None:
    assert name.split(".")[0] == "cli" or not calls(SOURCES[name]) & EXITS


def test_the_cli_is_seen_to_exit() -> None:
    assert "sys.exit" in calls(SOURCES["cli.child"]) & EXITS


def test_no_cycle() -> None:
    assert cycle({name: tree for name, tree in SOURCES.items() if name}) == []


def test_a_cycle_is_found() -> None:
    texts = {
        "a": "from ovxai_convert import b",
        "b": "from ovxai_convert.c import x",
        "c": "import ovxai_convert.a",
    }
    assert cycle({name: ast.parse(text) for name, text in texts.items()}) == ["a", "b", "c"]


CONVENTIONS: Final = frozenset(
    {
        "work",  # what a command does in its child
        *("METHOD", "OPS"),  # what the file of a method, or of a family of ops, is there for
        *("build", "define", "locate", "candidates", "parameters"),  # fields of a method
        *("along", "broadcasting", "unary", "values_of", "rows_read_by"),  # makers of a row's fields
    }
)
"""Names that many files of one room have, since their table asks for them."""


def test_a_name_stands_for_one_thing() -> None:
    owners: dict[str, list[str]] = {}
    for module, tree in SOURCES.items():
        for node in tree.body:
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names += [target.id for target in targets if isinstance(target, ast.Name)]
            for name in names:
                if not name.startswith("_"):
                    owners.setdefault(name, []).append(module)
    twice = {name: modules for name, modules in owners.items() if len(modules) > 1}
    assert {name for name in twice if name not in CONVENTIONS} == set(), twice


def test_a_refusal_stays_a_value() -> None:
    """Only public functions raise it, and nobody catches it."""
    raising = {name for name, tree in SOURCES.items() if "RefusedError" in calls(tree)}
    assert raising == {
        "ancestor.method_objects",
        "evaluation.evaluated_models",
        "proof.tying",
        "pipeline",
        "insertion.insert",
        "explain.comparing",
        "explain.engines",
        "explain.explained",
        "explain.explainer",
        "explain.files",
    }
    for name, tree in SOURCES.items():
        handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.type]
        caught = {ast.unparse(handler.type) for handler in handlers if handler.type}
        assert "RefusedError" not in " ".join(caught), name


@each_module
def test_every_module_says_its_subject(name: str) -> None:
    docstring = ast.get_docstring(SOURCES[name])
    assert docstring
    assert len(docstring.splitlines()[0]) > 20


@each_module
def test_no_vague_names(name: str) -> None:
    assert not set(name.split(".")) & {"utils", "util", "common", "misc", "manager", "base"}


LOOK_AROUND: Final = f"""
import json, logging, os, signal, sys, warnings
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {NEVER!r}:
            raise ImportError(name + " is not there")
sys.meta_path.insert(0, Refuse())
import cv2, jsonschema, numpy, onnx, openvino  # what these do is theirs
def look():
    return [
        [repr(each) for each in logging.getLogger().handlers],
        logging.getLogger().level,
        [repr(signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGTERM)],
        repr(warnings.filters),
        sorted(os.environ),
        sorted(os.listdir(".")),
        os.getcwd(),
        repr(sys.excepthook),
        [repr(each) for each in (sys.stdout, sys.stderr)],
    ]
before = look()
import importlib
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
assert look() == before, (before, look())
print(json.dumps(sorted(sys.modules)))
"""


def modules_after(names: list[str], folder: Path) -> set[str]:
    """Import modules in a fresh process that refuses optional libraries; all that is loaded then."""
    command = [sys.executable, "-c", LOOK_AROUND, json.dumps(names)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 1, "importing prints nothing"
    return set(json.loads(lines[0]))


def test_importing_has_no_effects(tmp_path: Path) -> None:
    loaded = modules_after([f"{PACKAGE}.{name}" if name else PACKAGE for name in SOURCES], tmp_path)
    assert f"{PACKAGE}.cli" in loaded
    assert not loaded & set(NEVER)


def test_the_library_does_not_load_the_cli(tmp_path: Path) -> None:
    library = [f"{PACKAGE}.{name}" for name in SOURCES if name and name.split(".")[0] != "cli"]
    loaded = modules_after(library, tmp_path)
    assert f"{PACKAGE}.pipeline" in loaded
    assert not loaded & {f"{PACKAGE}.cli", "click"}


def test_what_the_package_offers_is_there_when_asked_for() -> None:
    package = importlib.import_module(PACKAGE)
    listed = sorted(name for names in package._HOMES.values() for name in names)
    assert listed == sorted(package.__all__)
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name).__module__.startswith(PACKAGE)
    shown = [name for name in dir(package) if not name.startswith("__")]
    assert shown == sorted(package.__all__), "nothing that the package itself imports"
    assert package.__version__ == metadata.version("ovxai-convert")
    with pytest.raises(AttributeError, match="has no attribute 'convrt'"):
        _ = package.convrt
