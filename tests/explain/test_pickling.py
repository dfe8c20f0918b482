"""Pickles and copies of an explainer, of what it gives and of what it raises."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest

from fixtures.broken_files import save_ir
from fixtures.networks import cnn
from ovxai_convert import (
    Explainer,
    ExplainMode,
    Method,
    ModelReadError,
    ProofWarning,
    Refusal,
    RefusedError,
    Task,
    UsageError,
    convert,
)
from ovxai_convert.blackbox.method import Preset
from ovxai_convert.explain.explanation import Layout
from ovxai_convert.explain.files import FileExplainer
from tests.reliability.threads import BLACK_BOX, SPEC, WHITE_BOX, Job, as_list, images, in_turn, same
from tests.running import run

JOBS: Final = (*WHITE_BOX[:4], BLACK_BOX[0])
PROTOCOLS: Final = range(2, pickle.HIGHEST_PROTOCOL + 1)


def halved(image: Any) -> Any:
    return image / 2


def negated(results: Any) -> Any:
    return -results["output"]


def assert_alike(one: Explainer, other: Explainer, jobs: Sequence[Job] = JOBS) -> None:
    assert one is not other
    assert all(same(*pair) for pair in zip(in_turn(one, jobs), in_turn(other, jobs), strict=True))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [Method, ExplainMode, Preset, Task, Layout])
def test_members_of_enums_stay_themselves(kind: Any, protocol: int) -> None:
    for member in kind:
        assert pickle.loads(pickle.dumps(member, protocol)) is member
        assert copy.deepcopy(member) is member


def copies(explainer: Explainer) -> list[Explainer]:
    pickled = [pickle.loads(pickle.dumps(explainer, protocol)) for protocol in (2, pickle.HIGHEST_PROTOCOL)]
    return [*pickled, copy.deepcopy(explainer), copy.copy(explainer)]


def test_a_model_in_memory_goes_with_the_pickle() -> None:
    explainer = Explainer(cnn(SPEC))
    for each in copies(explainer):
        assert_alike(each, explainer)
        assert each._model is not explainer._model
    assert_alike(pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(explainer)))), explainer)


@pytest.mark.parametrize("artifact", [False, True])
def test_a_model_on_disk_is_read_where_it_was(
    artifact: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = save_ir(cnn(SPEC), Path("net.xml"))
    path = convert(path, Path("out")).xml if artifact else path
    assert not path.is_absolute()
    explainer = Explainer(path)
    pickled = pickle.dumps(explainer)
    assert len(pickled) < 2000, "the model is not in it"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert_alike(pickle.loads(pickled), explainer)
    assert_alike(copy.deepcopy(explainer), explainer)
    for file in path.name, path.with_suffix(".bin").name:
        (tmp_path / path.parent / file).unlink()
    with pytest.raises(ModelReadError, match=r"\.xml"):
        pickle.loads(pickled)


def test_an_artifact_in_memory_is_still_one(tmp_path: Path) -> None:
    xml = convert(save_ir(cnn(SPEC), tmp_path / "net.xml"), tmp_path / "out").xml
    with pytest.warns(ProofWarning, match="in memory"):
        explainer = Explainer(ov.Core().read_model(xml))
    with pytest.warns(ProofWarning, match="in memory"):
        again = pickle.loads(pickle.dumps(explainer))
    assert again._engines.loaded.description == explainer._engines.loaded.description is not None
    assert_alike(again, explainer)


@pytest.mark.filterwarnings("ignore::ovxai_convert.SettingWarning")  # of masks, that are for the second call
def test_options_and_functions_go_along() -> None:
    options: dict[str, Any] = {
        "preprocess_fn": halved,
        "postprocess_fn": negated,
        "explain_mode": ExplainMode.WHITEBOX,
        "explain_method": Method.ACTIVATIONMAP,
        "target_layer": "block0",
        "embed_scaling": False,
        "num_masks": 4,
    }
    explainer = Explainer(cnn(SPEC), **options)
    jobs = [Job(images(0)), Job(images(1), {"explain_mode": ExplainMode.BLACKBOX, "targets": -1})]
    for each in copies(explainer):
        assert_alike(each, explainer, jobs)
        assert (each.method, each._plan, each._settings) == (Method.RISE, explainer._plan, {"num_masks": 4})
    found = in_turn(pickle.loads(pickle.dumps(explainer)), jobs)
    scores = run(cnn(SPEC), {"image": halved(images(1))})[0][0]
    assert found[0][0].method is Method.ACTIVATIONMAP
    assert [each.score for each in found[1][0].predictions.values()] == pytest.approx(-scores, rel=1e-4)


def test_a_function_that_cannot_be_pickled() -> None:
    explainer = Explainer(cnn(SPEC), preprocess_fn=lambda image: image / 2)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(explainer)
    assert_alike(copy.deepcopy(explainer), Explainer(cnn(SPEC), preprocess_fn=halved))


def test_an_explainer_of_files(tmp_path: Path) -> None:
    path = save_ir(cnn(SPEC), tmp_path / "net.xml")
    explainer = FileExplainer(path, labels=("a", "b", "c"))
    again = pickle.loads(pickle.dumps(explainer))
    assert (again.assumed, again.method, again.preprocessing) == (
        explainer.assumed,
        explainer.method,
        explainer.preprocessing,
    )
    assert again.explainer.label_names == ("a", "b", "c")
    assert_alike(again.explainer, explainer.explainer)


def test_explanations() -> None:
    for found in in_turn(Explainer(cnn(SPEC)), JOBS):
        assert same(pickle.loads(pickle.dumps(found)), found)
        assert same(copy.deepcopy(found), found)


def test_errors() -> None:
    error = RefusedError([Refusal("too big", "node", "reciprocam"), Refusal("none")])
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.refusals, str(again)) == (RefusedError, error.refusals, str(error))
    usage = pickle.loads(pickle.dumps(UsageError("no such layer")))
    assert (type(usage), str(usage)) == (UsageError, "no such layer")


def explained(explainer: Explainer, seed: int) -> Any:
    return os.getpid(), as_list(explainer(images(seed)))


def test_processes_that_are_started_anew() -> None:
    explainer = Explainer(cnn(SPEC))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(explained, [explainer] * 2, range(2)))
    for seed, (process, explanations) in enumerate(found):
        assert process != os.getpid()
        (expected,) = as_list(explainer(images(seed)))
        assert same(explanations, [expected])
        assert np.ptp(expected.raw[expected.targets[0]]) > 0
