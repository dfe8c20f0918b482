"""``examples/run_classification.py`` explains in every way that a model allows, and names the others."""

from __future__ import annotations

import argparse
import io
import runpy
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import cv2
import numpy as np
import pytest

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explanation, PreprocessingHints, convert
from ovxai_convert.explain.files import FileExplainer
from tests.running import CORE
from tests.special_networks import perceptron, two_class_outputs
from tests.transformers import VitSpec, transformer

PROGRAM: Final = Path(__file__).resolve().parents[2] / "examples" / "run_classification.py"
EXAMPLE: Final = runpy.run_path(str(PROGRAM))
WHITE: Final = ("auto_prepared", "auto_functions", "whitebox_reciprocam", "whitebox_reciprocam_raw")
MASKS: Final = 20
BLACK: Final = ("blackbox_rise", "blackbox_aise")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """40 rows and 70 columns of smooth random colours."""
    rough = np.random.default_rng(3).integers(0, 256, (8, 14, 3), np.uint8)
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), cv2.resize(rough, (70, 40)))
    return path


@dataclass(frozen=True)
class Result:
    """What the example says, and how it ends."""

    returncode: int
    stdout: str
    stderr: str


def called_in_a_process(*arguments: object) -> Result:
    """The example as a program."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments), f"--num-masks={MASKS}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return Result(done.returncode, done.stdout, done.stderr)


def call(*arguments: object) -> Result:
    """The same without a new process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", [str(PROGRAM), *map(str, arguments), f"--num-masks={MASKS}"]),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        code = EXAMPLE["main"]()
    return Result(code, stdout.getvalue(), stderr.getvalue())


def lines(result: Result) -> dict[str, str]:
    """What it says, by step."""
    assert (result.returncode, "Traceback" in result.stderr) == (0, False), result.stderr
    return {step: said for step, _, said in (line.partition(": ") for line in result.stdout.splitlines())}


def pictures(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".png")


def given(model: Path, photo: Path, **others: Any) -> argparse.Namespace:
    """The command line's values, read."""
    names = (
        "size",
        "mean",
        "scale",
        "colour",
        "resize",
        "layout",
        "resize_to",
        "labels",
        "scores_output",
        "preprocess",
    )
    nothing = dict.fromkeys(names)
    settings = {"targets": "top2", "num_masks": 20, "device": "CPU", **nothing, **others}
    return argparse.Namespace(model=model, image=photo, **settings)


def test_every_step_of_a_convolutional_network(photo: Path, tmp_path: Path) -> None:
    model = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    command = [model, photo, "--output", tmp_path / "out", "--targets", "0,2", "--mean", "128"]
    said = lines(called_in_a_process(*command))
    assert list(said) == [*EXAMPLE["STEPS"], "insert_xai"]
    assert said.pop("whitebox_vitreciprocam").startswith("not possible: vitreciprocam: no attention")
    for step in (*WHITE, *BLACK, "insert_xai"):
        assert said[step].endswith(f": {tmp_path / 'out' / step}")
        assert pictures(tmp_path / "out" / step) == ["photo_0.png", "photo_2.png"]
    assert pictures(tmp_path / "out" / "whitebox_activationmap") == ["photo_per_image_map.png"]
    assert "the other outputs as before" in said["insert_xai"]
    inserted = CORE.read_model(tmp_path / "out" / "insert_xai" / "model_xai.xml")
    assert "saliency_map" in inserted.outputs[-1].get_names()


def test_a_transformer_has_its_own_method(photo: Path, tmp_path: Path) -> None:
    model = save_ir(transformer(VitSpec(batch=1)), tmp_path / "vit.xml")
    said = lines(call(model, photo, "--output", tmp_path / "out"))
    assert said["whitebox_vitreciprocam"].startswith("vitreciprocam, ")
    assert said["auto_prepared"].startswith("vitreciprocam (what was tried before: ")
    assert said["whitebox_reciprocam"].startswith("not possible: ")


def test_what_no_branch_fits_is_a_black_box(photo: Path, tmp_path: Path) -> None:
    model = save_ir(perceptron(), tmp_path / "flat.xml")
    said = lines(call(model, photo, "--output", tmp_path / "out"))
    assert said["auto_prepared"].startswith("rise (what was tried before: ")
    for step in ("whitebox_reciprocam", "whitebox_activationmap", "insert_xai"):
        assert said[step].startswith("not possible: ")
        assert not (tmp_path / "out" / step).exists()
    assert len(pictures(tmp_path / "out" / "blackbox_aise")) == 2


def test_own_artifact(photo: Path, tmp_path: Path) -> None:
    hints = PreprocessingHints(mean=(127,), scale=(64,), colour="bgr", resize="stretch")
    report = convert(
        save_ir(cnn(CnnSpec()), tmp_path / "net.xml"), tmp_path / "artifact", preprocessing=hints
    )
    result = call(report.xml, photo, "--output", tmp_path / "out")
    said = lines(result)
    assert "assumed" not in result.stderr
    assert said["auto_functions"].startswith("reciprocam, ")
    assert said["insert_xai"].startswith("not possible: the model already has a tensor 'saliency_map'")


def test_which_output_is_meant_is_not_guessed(photo: Path, tmp_path: Path) -> None:
    """Nor does the function that reads scores take the first one, where the classes stand in another."""
    result = call(save_ir(two_class_outputs(), tmp_path / "two.xml"), photo, "--output", tmp_path / "out")
    assert (result.returncode, result.stdout) == (4, "")
    assert "'first', 'second'" in result.stderr
    chosen = convert(tmp_path / "two.xml", tmp_path / "artifact", scores_output="second").xml
    for model, output in ((chosen, None), (tmp_path / "two.xml", "second")):
        subject = EXAMPLE["subject_of"](given(model, photo, scores_output=output))
        assert "second" in CORE.read_model(model).outputs[subject.read_scores.index].get_names()
        assert EXAMPLE["auto_functions"](subject).targets == EXAMPLE["auto_prepared"](subject).targets


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    "hints",
    [
        PreprocessingHints(mean=(1, 2, 3), scale=(4,), colour="bgr", resize="stretch"),
        PreprocessingHints(resize="crop"),
        PreprocessingHints(resize="letterbox", colour="rgb"),
        PreprocessingHints(resize="crop", resize_to=20),
    ],
    ids=lambda hints: f"{hints.resize}{hints.resize_to or ''}",
)
def test_the_model_is_given_what_ovxai_explain_gives_it(
    hints: PreprocessingHints, layout: Any, photo: Path, tmp_path: Path
) -> None:
    """And the picture under the maps is the part that it sees, so that maps lie where they belong."""
    model = save_ir(cnn(CnnSpec(layout=layout)), tmp_path / "net.xml")
    said = {name: getattr(hints, name) for name in ("mean", "scale", "colour", "resize", "resize_to")}
    subject = EXAMPLE["subject_of"](given(model, photo, **said))
    image = np.asarray(cv2.imread(str(photo)), np.uint8)
    reader = FileExplainer(model, preprocessing=hints)
    expected = reader.preprocessing(image)
    np.testing.assert_allclose(subject.preprocess_fn(subject.image), expected, atol=1.01)
    region = reader.preprocessing.region(*image.shape[:2])
    assert subject.image.shape[:2] == (round(region.bottom - region.top), round(region.right - region.left))
    found = EXAMPLE["auto_functions"](subject)
    other = reader.explainer(image, [0, 1, 2])
    assert isinstance(other, Explanation)
    for index in found.targets:
        np.testing.assert_allclose(found.raw[index].astype(int), other.raw[index], atol=3)


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [("model", 3), ("image", 3), ("missing", 3), ("targets", 2)],
    ids=lambda value: str(value),
)
def test_bad_input_is_one_line(spoiled: str, code: int, photo: Path, tmp_path: Path) -> None:
    model: Path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    text = tmp_path / "text.onnx"
    text.write_text("no model and no picture")
    pictures_by_case = {"image": text, "missing": tmp_path / "nowhere.png"}
    arguments = [text if spoiled == "model" else model, pictures_by_case.get(spoiled, photo)]
    targets = "banana" if spoiled == "targets" else "top2"
    run = called_in_a_process if spoiled == "model" else call
    result = run(*arguments, "--output", tmp_path / "out", "--targets", targets)
    assert result.returncode == code
    assert result.stdout == ""
    told = [
        line for line in result.stderr.splitlines() if "assumed" not in line and "the model sees" not in line
    ]
    assert len(told) == 1, told
    assert not list(tmp_path.glob("out/**/*.png"))


def test_numbers_are_those_of_openvino(photo: Path, tmp_path: Path) -> None:
    """The branch of the own pipeline, run here once more, gives the map that the picture shows."""
    model = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    subject = EXAMPLE["subject_of"](given(model, photo, targets="1"))
    EXAMPLE["own_pipeline"](subject, tmp_path / "own", [1])
    inserted = CORE.read_model(tmp_path / "own" / "model_xai.xml")
    precise = CORE.compile_model(inserted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    grey = precise(subject.preprocess_fn(subject.image))["saliency_map"][0, 1]
    found = EXAMPLE["by"](EXAMPLE["xai"].Method.RECIPROCAM)(subject)
    assert np.ptp(grey) == 255
    np.testing.assert_array_equal(grey, found.raw[1])
    assert pictures(tmp_path / "own") == ["photo_1.png"]


def test_a_yes_or_no_has_one_map_in_the_own_pipeline(photo: Path, tmp_path: Path) -> None:
    """Its row is not called by a class's index: it is the map of the yes, whatever the answer."""
    model = save_ir(cnn(CnnSpec(classes=1, ending="sigmoid")), tmp_path / "net.xml")
    said = lines(call(model, photo, "--output", tmp_path / "out", "--targets", "0,1"))
    assert "saliency_map [1, 1, 5, 7]" in said["insert_xai"]
    assert pictures(tmp_path / "out" / "insert_xai") == ["photo_map0.png"]
    assert len(pictures(tmp_path / "out" / "auto_functions")) == 2


def test_numbers_that_look_wrong_are_warned_of(photo: Path, tmp_path: Path) -> None:
    """Those for pixels of 0 to 1, given for pixels of 0 to 255; a recipe has the right ones."""
    model = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    command = [model, photo, "--output", tmp_path / "out", "--targets", "0"]
    wrong = call(*command, "--mean", "0.485,0.456,0.406", "--scale", "0.229,0.224,0.225")
    assert f"{model}: " in wrong.stderr
    assert "0.485" in wrong.stderr
    right = call(*command, "--preprocess", "imagenet", "--resize", "stretch")
    assert (right.returncode, right.stderr) == (0, "")
    subject = EXAMPLE["subject_of"](given(model, photo, preprocess="imagenet", resize="stretch"))
    grey = subject.preprocess_fn(np.full((40, 70, 3), 128, np.uint8))[0, :, 0, 0]
    np.testing.assert_allclose(
        grey, (128 / 255 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], atol=0.01
    )
