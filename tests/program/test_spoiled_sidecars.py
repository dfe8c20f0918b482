"""Sidecars that were spoiled: refused in one line, or the same picture as before; never another one."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.broken_files import save_ir
from ovxai_convert import convert
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.source.reading import sha256_of_file
from tests.fuzz.json_mutations import at, places
from tests.program.invocation import Convert, Outcome
from tests.special_networks import labelled

Data = dict[str, Any]
Spoiling = tuple[str, Data]
SAMPLE: Final = 90
"""Of some thousands; all of them take minutes."""
RETYPED: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    3,
    0.5,
    10**40,
    "",
    "x",
    "../x",
    [],
    [0],
    [[]],
    {},
    {"a": 1},
)
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "all": {"feature_vector": True},
    "chosen": {"classes": [2, 0]},
    "best": {"top_k": 2},
    "one map": {"method": "activationmap"},
}


def spoiled(data: Data) -> Iterator[Spoiling]:
    """Each key left out, given values of other types and out of range; neighbours and lists swapped."""
    for path in places(data):
        name, (*front, last) = ".".join(map(str, path)), path
        value = at(data, path)
        if isinstance(last, str):
            without = copy.deepcopy(data)
            del at(without, tuple(front))[last]
            yield f"without {name}", without
        numbers = isinstance(value, int | float) and not isinstance(value, bool)
        others = [value + 1, value - 1, -value, float(value)] if numbers else []
        for other in (*RETYPED, *others):
            changed = copy.deepcopy(data)
            at(changed, tuple(front))[last] = other
            if json.dumps(changed) != json.dumps(data):
                yield f"{name} = {str(other)[:20]}", changed
        if isinstance(value, list) and len(value) > 1 and value[0] != value[1]:
            swapped = copy.deepcopy(data)
            items = at(swapped, path)
            items[0], items[1] = items[1], items[0]
            yield f"{name} swapped", swapped
    yield from exchanged(data)


def exchanged(data: Data) -> Iterator[Spoiling]:
    """Objects under one another's keys, and names of one thing for another."""
    for one, other in (
        ("inputs", "outputs"),
        ("saliency_map", "feature_vector"),
        ("saliency_map", "scores"),
        ("target_layer", "scores"),
    ):
        yield f"{one} and {other}", {**data, one: data[other], other: data[one]}
    for value in ("output", "saliency_map", "feature_vector", "nowhere"):
        for path in (("scores", "output"), ("outputs", 0, "name"), ("saliency_map", "output")):
            changed = copy.deepcopy(data)
            at(changed, path[:-1])[path[-1]] = value
            yield f"{'.'.join(map(str, path))} = {value}", changed


@pytest.fixture(scope="module", params=OPTIONS)
def artifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted model of three labelled classes whose preprocessing is known."""
    folder = tmp_path_factory.mktemp("spoiled")
    hints = PreprocessingHints(mean=(90.0, 100.0, 110.0), scale=(50.0,), colour="rgb", resize="letterbox")
    source = save_ir(labelled(), folder / "net.xml")
    return convert(source, folder / "out", preprocessing=hints, **OPTIONS[request.param]).xml


def shown(
    xml: Path, photograph: Path, out: Path, run_explain: Convert
) -> tuple[Outcome, dict[str, NDArray[Any]]]:
    """What comes of explaining all classes: maps by the names of their files."""
    outcome = run_explain(xml, photograph, "-o", out, "--targets", "all", "--raw", "-q")
    return outcome, {path.name: np.load(path) for path in sorted(out.glob("*.npy"))}


def assert_refused_or_equal(outcome: Outcome, found: Any, expected: Any, what: str) -> None:
    lines = outcome.stderr.splitlines()
    assert "Traceback" not in outcome.stderr, what
    if outcome.exit_code == 0:
        assert found.keys() == expected.keys(), what
        assert all((found[name] == expected[name]).all() for name in expected), what
    else:
        assert outcome.exit_code in (2, 3, 6), (what, outcome)
        assert len(lines) == 1, (what, lines)
        assert lines[0].startswith("Error: "), what
        assert found == {}, what


@pytest.mark.parametrize("described", [True, False], ids=["described", "sidecar alone"])
def test_spoiled_sidecar_is_refused_or_does_no_harm(
    described: bool,
    artifact: Path,
    tmp_path: Path,
    photograph: Path,
    run_explain: Convert,
    without_description: Callable[[Path], None],
    request: pytest.FixtureRequest,
) -> None:
    """Another part of all in each case; ``sidecar alone``: nothing stands in the model itself."""
    xml = shutil.copytree(artifact.parent, tmp_path / "artifact") / artifact.name
    if not described:
        without_description(xml)
    data: Data = json.loads(xml.with_suffix(".json").read_text(encoding="utf-8"))
    outcome, expected = shown(xml, photograph, tmp_path / "expected", run_explain)
    assert outcome.exit_code == 0
    assert expected
    everything = list(spoiled(data))
    assert len(everything) > 1000
    refused = 0
    for number, (what, changed) in enumerate(
        random.Random(request.node.name).sample(everything, min(SAMPLE, len(everything)))
    ):
        xml.with_suffix(".json").write_text(json.dumps(changed), encoding="utf-8")
        outcome, found = shown(xml, photograph, tmp_path / str(number), run_explain)
        if described or outcome.exit_code:
            assert_refused_or_equal(outcome, found, expected, what)
        assert "Traceback" not in outcome.stderr
        refused += outcome.exit_code != 0
    assert refused > min(SAMPLE, len(everything)) * 2 // 3


def test_hashes_of_another_model(
    artifact: Path, tmp_path: Path, photograph: Path, run_explain: Convert
) -> None:
    """The sidecar of one model, whose hashes were made to fit another that has its shapes."""
    other = save_ir(labelled(), tmp_path / "net.xml")
    labels = ("one", "two", "three")
    xml = convert(other, tmp_path / "out", labels=labels, method="activationmap").xml
    data: Data = json.loads(artifact.with_suffix(".json").read_text(encoding="utf-8"))
    data["model"]["xml_sha256"] = sha256_of_file(xml)
    data["model"]["bin_sha256"] = sha256_of_file(xml.with_suffix(".bin"))
    xml.with_suffix(".json").write_text(json.dumps(data), encoding="utf-8")
    outcome, found = shown(xml, photograph, tmp_path / "shown", run_explain)
    assert outcome.exit_code == 3
    assert "not the description of this model" in outcome.stderr
    assert found == {}
