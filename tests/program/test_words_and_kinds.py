"""What is given in Python: words for enums, options of the other mode, and things of a wrong kind."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import onnx
import openvino as ov
import pytest

from fixtures.broken_files import onnx_classifier, save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import (
    Explainer,
    ExplainMode,
    Explanation,
    Method,
    Preset,
    SettingWarning,
    Task,
    UsageError,
    convert,
    insert_xai,
)
from ovxai_convert.artifact.repository import ModelServer
from ovxai_convert.blackbox import Aise, Rise
from ovxai_convert.vocabulary import member_of
from tests.program.invocation import Convert
from tests.running import CORE

IMAGE: Final = np.random.default_rng(0).standard_normal((10, 14, 3)).astype(np.float32)
FEW: Final[dict[str, Any]] = {"num_masks": 6}


def explained(explainer: Explainer, **options: Any) -> Explanation:
    found = explainer(IMAGE, **options)
    assert isinstance(found, Explanation)
    return found


class Elsewhere(Enum):
    """An enum of another package."""

    BLACKBOX = 1


Elsewhere.__name__ = "ExplainMode"


@pytest.mark.parametrize(
    ("given", "member"),
    [
        ("blackbox", ExplainMode.BLACKBOX),
        ("BLACKBOX", ExplainMode.BLACKBOX),
        ("Black-Box", ExplainMode.BLACKBOX),
        (ExplainMode.AUTO, ExplainMode.AUTO),
        (Elsewhere.BLACKBOX, ExplainMode.BLACKBOX),
        ("ViT-ReciproCAM", Method.VITRECIPROCAM),
        ("speed", Preset.SPEED),
        ("Classification", Task.CLASSIFICATION),
        ("ovms", ModelServer.OVMS),
    ],
    ids=str,
)
def test_words_of_members(given: object, member: Enum) -> None:
    assert member_of(type(member), given, "x") is member


@pytest.mark.parametrize(
    ("kind", "given", "text"),
    [
        (ExplainMode, "banana", "x: no 'banana'; there are whitebox, blackbox, auto"),
        (ExplainMode, "blakbox", "x: no 'blakbox'; did you mean 'blackbox'?"),
        (ExplainMode, "", "x: no ''; there are whitebox, blackbox, auto"),
        (ExplainMode, None, "x: None is none; there are whitebox, blackbox, auto"),
        (ExplainMode, 1, "x: 1 is none; there are whitebox, blackbox, auto"),
        (ExplainMode, Method.RISE, "x: Method.RISE is none; there are whitebox, blackbox, auto"),
        (ExplainMode, [1, 2], "x: a list is none; there are whitebox, blackbox, auto"),
        (Task, "tracking", "x: no 'tracking'; there are classification, detection"),
        (ExplainMode, "b" * 500, f"x: no '{'b' * 40}'; there are whitebox, blackbox, auto"),
    ],
    ids=str,
)
def test_words_of_nothing(kind: type[Enum], given: object, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        member_of(kind, given, "x")
    assert str(caught.value) == text


@pytest.mark.parametrize("at", ["construction", "call"])
def test_words_for_an_explainer(at: str) -> None:
    def taken(**options: Any) -> Explanation:
        made = Explainer(cnn(CnnSpec()), **(options if at == "construction" else {}))
        return explained(made, **({} if at == "construction" else options))

    assert taken(explain_mode="blackbox", **FEW).method is Method.RISE
    assert taken(explain_mode="whitebox").method is Method.RECIPROCAM
    assert taken(explain_method="rise", **FEW).method is Method.RISE
    assert taken(explain_method="activationmap").method is Method.ACTIVATIONMAP
    assert taken(explain_method="auto").method is Method.RECIPROCAM
    swift = taken(explain_method="rise", preset="speed", prob=0.4, tolerance=0.5)
    same = taken(explain_method=Method.RISE, preset=Preset.SPEED, prob=0.4, tolerance=0.5)
    for target in swift.targets:
        np.testing.assert_array_equal(swift.raw[target], same.raw[target])
    for options, text in (
        ({"explain_mode": "banana"}, "explain_mode: no 'banana'; there are"),
        ({"explain_method": "recipro"}, "explain_method: no 'recipro'; did you mean 'reciprocam'"),
        ({"explain_method": 3}, "explain_method: 3 is none; there are"),
        (
            {"explain_method": "rise", "preset": "fast"},
            "preset: no 'fast'; there are speed, balance, quality",
        ),
        ({"explain_mode": "whitebox", "explain_method": "rise"}, "rise is no whitebox method"),
        ({"target_layer": 3}, "target_layer: 3 is none; give the layer's friendly name"),
        ({"embed_scaling": "no"}, "embed_scaling is True or False, and not a str"),
    ):
        with pytest.raises(UsageError, match=text):
            taken(**options)


def test_words_at_construction_only() -> None:
    assert Explainer(cnn(CnnSpec()), task="classification").method is Method.RECIPROCAM
    for options, text in (
        ({"task": "tracking"}, "task: no 'tracking'; there are classification, detection"),
        ({"task": ExplainMode.AUTO}, "task: ExplainMode.AUTO is none"),
        ({"explain_mode": None}, "explain_mode: None is none"),
        ({"preprocess_fn": 3}, "preprocess_fn: 3 is none; give a function"),
        ({"postprocess_fn": "softmax"}, "postprocess_fn: a str is none; give a function"),
        ({"device_name": None}, "device_name: None is none"),
    ):
        with pytest.raises(UsageError, match=text):
            Explainer(cnn(CnnSpec()), **options)


def test_words_for_a_branch_in_memory() -> None:
    model = insert_xai(cnn(CnnSpec()), "classification", "ActivationMap")
    assert model.output("saliency_map").get_partial_shape().rank == 3
    for options, text in (
        ({"task": "segmentation"}, "task: no 'segmentation'"),
        ({"explain_method": "rise"}, "rise inserts no branch"),
        ({"explain_method": "cam"}, "explain_method: no 'cam'; did you mean"),
        ({"target_layer": 1.5}, "target_layer: 1.5 is none"),
    ):
        with pytest.raises(UsageError, match=text):
            insert_xai(cnn(CnnSpec()), **options)


def test_words_for_a_conversion(tmp_path: Path) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    report = convert(path, tmp_path / "out", method="Activation-Map", repository="OVMS")
    assert report.sidecar.method == "activationmap"
    for options, text in (
        ({"method": "rise"}, "no method 'rise' inserts a branch; those that do are auto, reciprocam"),
        ({"method": "banana"}, "method: no 'banana'; there are"),
        ({"repository": "tritn"}, "repository: no 'tritn'; did you mean 'triton'"),
        ({"preprocessing": {"mean": 1}}, "preprocessing: a dict is none; give PreprocessingHints"),
        ({"target_layer": 3}, "target_layer: 3 is none"),
    ):
        with pytest.raises(UsageError, match=text):
            convert(path, tmp_path / "not", **options)
    assert not (tmp_path / "not").exists()


@pytest.mark.parametrize(
    ("method", "settings", "text"),
    [
        (Rise, {"num_masks": "10"}, "num_masks is a whole number, and not a str"),
        (Rise, {"num_masks": 10.5}, "num_masks is a whole number, and not 10.5"),
        (Rise, {"num_masks": True}, "num_masks is a whole number, and not True"),
        (Rise, {"seed": None}, "seed is a whole number, and not None"),
        (Rise, {"prob": "half"}, "prob is a number, and not a str"),
        (Rise, {"centred": "no"}, "centred is True or False, and not a str"),
        (Rise, {"preset": None}, "preset: None is none"),
        (Aise, {"num_iterations_per_kernel": 2.0}, "num_iterations_per_kernel is a whole number"),
        (Aise, {"kernel_widths": 0.1}, "kernel_widths is a list of numbers, and not 0.1"),
        (Aise, {"kernel_widths": "wide"}, "kernel_widths is a list of numbers, and not a str"),
        (Aise, {"kernel_widths": ["wide"]}, "kernel_widths is a list of numbers, and not a list"),
        (Aise, {"kernel_widths": []}, "kernel_widths must be positive numbers"),
        (Aise, {"locally_biased": 1}, "locally_biased is True or False, and not 1"),
        (Aise, {"preset": "slow"}, "preset: no 'slow'"),
    ],
    ids=str,
)
def test_settings_of_another_kind(method: Any, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        method(**settings)


def test_numbers_of_numpy_are_numbers() -> None:
    found = Rise(num_masks=np.int64(5), prob=np.float32(0.5), preset="quality")  # type: ignore[arg-type]
    assert found.num_masks == 5
    assert found.preset is Preset.QUALITY
    Aise(kernel_widths=np.array([0.1, 0.2]))  # type: ignore[arg-type]


def test_options_of_the_other_mode_are_warned_of() -> None:
    unused = "num_masks: without effect, since it is explained by reciprocam"
    for mode in ("auto", "whitebox"):
        with pytest.warns(SettingWarning, match=unused) as said:
            explainer = Explainer(cnn(CnnSpec()), explain_mode=mode, **FEW)
        assert said[0].filename == __file__
        assert explainer.unused is not None
        explained(explainer)  # not said again with every call
        assert explained(explainer, explain_mode="blackbox").method is Method.RISE
        with pytest.warns(SettingWarning, match=unused) as said:
            explained(explainer, **FEW)
        assert said[0].filename == __file__
    with pytest.warns(SettingWarning, match="target_layer: without effect, since it is explained by rise"):
        explainer = Explainer(cnn(CnnSpec()), explain_mode="blackbox", target_layer="target", **FEW)
    assert explained(explainer, explain_mode="whitebox").method is Method.RECIPROCAM
    with pytest.warns(SettingWarning, match="target_layer: without effect"):
        explained(Explainer(cnn(CnnSpec())), explain_method="rise", target_layer="target", **FEW)


def test_the_command_says_so_in_a_line(
    onnx_model: Path, photograph: Path, tmp_path: Path, run_explain: Convert
) -> None:
    command = [onnx_model, photograph, "-o", tmp_path / "shown", "--num-masks", 5]
    outcome = run_explain(*command)
    assert outcome.exit_code == 0
    said = f"Warning: {onnx_model}: --num-masks: without effect, since it is explained by reciprocam"
    assert [line for line in outcome.stderr.splitlines() if line.startswith(said)]
    assert "without effect" not in run_explain(*command, "--mode", "blackbox").stderr


def test_settings_that_are_used_are_not_warned_of() -> None:
    assert Explainer(cnn(CnnSpec()), explain_mode="blackbox", **FEW).unused is None
    assert Explainer(cnn(CnnSpec()), explain_method="rise", **FEW).unused is None


def test_settings_of_the_explainer_go_to_methods_that_have_them() -> None:
    explainer = Explainer(cnn(CnnSpec()), explain_method="rise", seed=3, **FEW)
    aise = explained(explainer, explain_method="aise", num_iterations_per_kernel=2)
    assert aise.method is Method.AISE
    with pytest.raises(UsageError, match="aise has no setting 'num_masks'"):
        explained(explainer, explain_method="aise", **FEW)


def of_library(name: str) -> object:
    """An object of a class that is derived from one of a library."""
    base = type("Module", (), {"__module__": f"{name}.nn.modules.module"})
    return type("Network", (base,), {"__module__": "mine"})()


def no_models() -> dict[str, tuple[Any, str]]:
    compiled = CORE.compile_model(cnn(CnnSpec()), "CPU")
    give = "give an openvino.Model, or the path of a model's file"
    converted = r"a Network is .*; give what openvino.convert_model\(\) makes of it"
    return {
        "nothing": (None, f"None is .*; {give}"),
        "a number": (3, f"3 is .*; {give}"),
        "a list": (["a.xml"], f"a list is .*; {give}"),
        "bytes": (b"net.xml", f"a bytes is .*; {give}"),
        "no name": ("", "an empty path name"),
        "compiled": (compiled, "a CompiledModel is .*; give the openvino.Model that it was compiled from"),
        "request": (compiled.create_infer_request(), "an? InferRequest is .*; give the openvino.Model"),
        "onnx": (onnx_classifier(), "a ModelProto is .*; give the path of its file"),
        "torch": (of_library("torch"), converted),
        "keras": (of_library("keras.src"), converted),
        "an image": (IMAGE, "a ndarray is .*; the model comes first"),
        "a report": (of_library("ovxai_convert"), "a Network is .*; give its attribute xml"),
        "something": (SimpleNamespace(), f"a SimpleNamespace is .*; {give}"),
    }


@pytest.mark.parametrize("name", no_models())
def test_what_is_no_model_is_answered_with_what_to_give(name: str, tmp_path: Path) -> None:
    given, text = no_models()[name]
    for taking in (Explainer, insert_xai, lambda model: convert(model, tmp_path / "out")):
        with pytest.raises(UsageError) as caught:
            taking(given)
        assert str(caught.value).startswith("the model: ")
        assert "\n" not in str(caught.value)
        if taking is not insert_xai or name != "no name":
            assert caught.match(text)
    assert not (tmp_path / "out").exists()


def test_no_image() -> None:
    with pytest.raises(UsageError, match=r"None is no image; cv2.imread\(\) gives it for a file"):
        Explainer(cnn(CnnSpec()))(None)


def test_paths_and_models_where_the_other_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"give what openvino.Core\(\).read_model\(\) makes of it"):
        insert_xai("net.xml")
    with pytest.raises(UsageError, match=r"save it with openvino.save_model\(\)"):
        convert(cnn(CnnSpec()), tmp_path / "out")
    onnx.save(onnx_classifier(batch=1), tmp_path / "net.onnx")
    read = ov.Core().read_model(tmp_path / "net.onnx")
    assert len(insert_xai(read).outputs) == 1 + len(read.outputs)
