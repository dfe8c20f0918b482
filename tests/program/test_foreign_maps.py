"""Models in which another program has put a map: explained by it where its shape fits, else by a branch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, Method, RefusedError, convert, insert_xai, read_sidecar
from tests import oracle
from tests.oracle import Floats, Port
from tests.program.invocation import Convert, assert_one_error
from tests.running import CORE, run

IMAGE: Floats = np.random.default_rng(1).standard_normal((10, 14, 3)).astype(np.float32)
BATCH: Final = {"image": IMAGE.transpose(2, 0, 1)[np.newaxis]}


def with_output(kind: str) -> ov.Model:
    """A classifier of three classes with an output ``saliency_map`` that another program might have made."""
    model = cnn(CnnSpec(batch=1))
    target = next(node for node in model.get_ordered_ops() if node.get_friendly_name() == "target").output(0)
    mean = ops.reduce_mean(target, [1], keep_dims=True)

    def scaled(*factors: float) -> ov.Node:
        return ops.concat([ops.multiply(mean, np.float32(factor)) for factor in factors], 1)

    maps = {
        "per class": scaled(1, -1, 2),
        "per image": ops.squeeze(mean, [1]),
        "levels": ops.convert(ops.clamp(scaled(9, 50, 300), 0, 255), "u8"),
        "one channel": mean,
        "other classes": scaled(1, 2),
        "flat": ops.reshape(mean, [1, -1], False),
    }
    result = ops.result(maps[kind], name="saliency_map/result")
    result.output(0).get_tensor().set_names({"saliency_map"})
    model.add_results([result])
    return model


def own_map(model: ov.Model) -> np.ndarray:
    maps: np.ndarray = run(model, BATCH)[-1][0]
    return maps


@pytest.mark.parametrize("kind", ["per class", "per image", "levels"])
def test_map_whose_shape_fits_is_shown(kind: str) -> None:
    model = with_output(kind)
    explainer = Explainer(model)
    assert explainer.method is None
    explanation = explainer(IMAGE, -1, resize=False, colormap=False)
    assert not isinstance(explanation, list)
    assert explanation.method_name == "the model's own map"
    found = np.stack(list(explanation.saliency_map.values()))
    np.testing.assert_array_equal(found, own_map(model).reshape(found.shape))
    assert explanation.targets == (["per_image_map"] if kind == "per image" else [0, 1, 2])


@pytest.mark.parametrize("kind", ["one channel", "other classes", "flat"])
def test_map_whose_shape_says_nothing_of_classes_is_left_alone(kind: str) -> None:
    model = with_output(kind)
    explainer = Explainer(model)
    assert explainer.method is Method.RECIPROCAM
    explanation = explainer(IMAGE, -1, resize=False, colormap=False)
    assert not isinstance(explanation, list)
    expected = oracle.reciprocam(cnn(CnnSpec(batch=1)), Port("target"), Port("scores"), "NCHW", BATCH)
    oracle.assert_grey_levels_equal(np.stack(list(explanation.saliency_map.values())), expected[0])


def test_a_method_that_is_asked_for_goes_before() -> None:
    explainer = Explainer(with_output("per class"), explain_method=Method.RECIPROCAM)
    assert explainer.method is Method.RECIPROCAM


@pytest.mark.parametrize("kind", ["per class", "one channel"])
def test_another_name_for_the_map_of_a_branch(
    kind: str, tmp_path: Path, out: Path, photograph: Path, run_convert: Convert, run_explain: Convert
) -> None:
    model = with_output(kind)
    path = save_ir(model, tmp_path / "net.xml")
    assert_one_error(run_convert(path, "-o", out, "-q"), 4, "--output-name gives the map another name")
    options = ["-o", out, "-q", "--output-name", "cam", "--top-k", "2"]
    assert run_convert(path, *options).exit_code == 0
    converted = CORE.read_model(out / "net_xai.xml")
    names = [sorted(port.get_names()) for port in converted.outputs]
    assert names == [["output"], ["saliency_map"], ["cam"], ["cam_classes"]]
    sidecar = read_sidecar(out / "net_xai.json")
    assert sidecar.saliency_map is not None
    assert sidecar.saliency_classes is not None
    assert (sidecar.saliency_map.output, sidecar.saliency_classes.name) == ("cam", "cam_classes")
    np.testing.assert_array_equal(own_map(model), run(converted, BATCH)[1][0])
    outcome = run_explain(out / "net_xai.xml", photograph, "-o", tmp_path / "shown", "-q", "--raw")
    assert outcome.exit_code == 0
    (found,) = (tmp_path / "shown").glob("*.npy")
    assert np.load(found).dtype == np.uint8


@pytest.mark.parametrize("name", ["target", "output", "image"])
def test_names_that_the_model_has(name: str, tmp_path: Path, out: Path) -> None:
    model = cnn(CnnSpec())
    target = next(node for node in model.get_ordered_ops() if node.get_friendly_name() == "target")
    target.output(0).get_tensor().set_names({"target"})
    with pytest.raises(RefusedError, match=f"the model already has a tensor '{name}'"):
        convert(save_ir(model, tmp_path / "net.xml"), out, output_name=name)
    assert not out.exists()


def test_explaining_from_the_shell(
    tmp_path: Path, out: Path, photograph: Path, run_explain: Convert, run_inspect: Convert
) -> None:
    path = save_ir(with_output("levels"), tmp_path / "otx.xml")
    outcome = run_explain(path, photograph, "-o", out, "--report", out / "page.html")
    assert outcome.exit_code == 0
    assert ", the model's own map, " in outcome.stdout
    assert "the model&#x27;s own map" in (out / "page.html").read_text(encoding="utf-8")
    found = json.loads(run_inspect(path, "--json").stdout)
    assert found["artifact"] is None
    assert found["scores"]["output"] == "output"
    assert [method["possible"] for method in found["methods"]][:1] == [True]


def test_inserting_into_it_in_memory_is_refused() -> None:
    with pytest.raises(RefusedError, match="already has a tensor 'saliency_map'"):
        insert_xai(with_output("per class"))
