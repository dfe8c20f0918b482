"""The guide to outputs: its Python is run as it stands there, its commands convert what that writes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.program.invocation import Convert, assert_one_error
from tests.running import CORE, random_inputs, run

GUIDE: Final = (Path(__file__).resolve().parents[2] / "docs" / "outputs.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
ROWS, CLASSES = 4, 62


def captcha(path: Path) -> Path:
    """Four characters of 62 from a grey image of 20x32, as one output ``chars`` ``[1, 4, 62]``."""
    draw = np.random.default_rng(7)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(draw.normal(0, 1, shape).astype(np.float32), name)

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["maps"], name="conv", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["maps"], ["target"], name="target"),
            helper.make_node("GlobalAveragePool", ["target"], ["pooled"], name="pool"),
            helper.make_node("Flatten", ["pooled"], ["flat"], name="flat"),
            helper.make_node("MatMul", ["flat", "matrix"], ["scores"], name="scores"),
            helper.make_node("Reshape", ["scores", "shape"], ["chars"], name="rows"),
        ],
        "captcha",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 20, 32])],
        [helper.make_tensor_value_info("chars", TensorProto.FLOAT, [1, ROWS, CLASSES])],
        [
            weights("kernel", 6, 1, 3, 3),
            weights("matrix", 6, ROWS * CLASSES),
            numpy_helper.from_array(np.array([1, ROWS, CLASSES]), "shape"),
        ],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, ir_version=9, opset_imports=[opset]), path)
    return path


def age_gender(path: Path) -> Path:
    """A number and two classes from an image of 20x32, as the outputs ``age`` and ``gender``."""
    draw = np.random.default_rng(8)
    sizes = {"kernel": (6, 3, 3, 3), "years": (6, 1), "kinds": (6, 2)}
    weights = [
        numpy_helper.from_array(draw.normal(0, 1, size).astype(np.float32), name)
        for name, size in sizes.items()
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["maps"], name="conv", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["maps"], ["target"], name="target"),
            helper.make_node("GlobalAveragePool", ["target"], ["pooled"], name="pool"),
            helper.make_node("Flatten", ["pooled"], ["flat"], name="flat"),
            helper.make_node("MatMul", ["flat", "years"], ["age"], name="age"),
            helper.make_node("MatMul", ["flat", "kinds"], ["gender"], name="gender"),
        ],
        "faces",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 20, 32])],
        [
            helper.make_tensor_value_info("age", TensorProto.FLOAT, [1, 1]),
            helper.make_tensor_value_info("gender", TensorProto.FLOAT, [1, 2]),
        ],
        weights,
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, ir_version=9, opset_imports=[opset]), path)
    return path


def test_the_guide_explains_several_outputs(
    tmp_path: Path,
    photograph: Path,
    run_convert: Convert,
    run_explain: Convert,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    age_gender(tmp_path / "age_gender.onnx")
    photograph.rename(tmp_path / "face.jpg")
    monkeypatch.chdir(tmp_path)
    commands = {"ovxai-convert": run_convert, "ovxai-explain": run_explain}
    for line in BLOCKS[0].splitlines():
        program, *arguments = shlex.split(line, comments=True)
        outcome = commands[program](*arguments)
        assert outcome.exit_code == 0, outcome.stderr
    made = {path.name for path in (tmp_path / "explained").iterdir()}
    assert "face_age_age.png" in made
    assert made - {"face_age_age.png"} <= {"face_gender_0.png", "face_gender_1.png"}
    assert len(made) == 2


def test_the_source_is_refused_with_a_way_on(
    tmp_path: Path, photograph: Path, run_convert: Convert, run_explain: Convert, run_inspect: Convert
) -> None:
    path = captcha(tmp_path / "captcha.onnx")
    said = (
        "output 'chars' [1,4,62] is not a class tensor [N, K]: it holds 4 rows of 62 numbers; if these are 4 "
    )
    assert_one_error(run_convert(path, "-o", tmp_path / "out", "-q"), 4, said)
    for mode in ("auto", "blackbox"):
        outcome = run_explain(path, photograph, "-o", tmp_path / "out", "-q", "--mode", mode)
        assert_one_error(outcome, 4, said)
    inspected = run_inspect(path).stdout
    assert said in inspected
    assert "docs/outputs.md" in inspected
    assert not (tmp_path / "out").exists()


def test_the_guide_cuts_the_rows_out(
    tmp_path: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = captcha(tmp_path / "captcha.onnx")
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    _, commands = BLOCKS
    monkeypatch.chdir(tmp_path)
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "ovxai-convert"
        assert run_convert(*arguments).exit_code == 0
    inputs = random_inputs(CORE.read_model(source))
    (chars,) = run(CORE.read_model(source), inputs)
    one, everything = (run(CORE.read_model(f"{folder}/captcha_xai.xml"), inputs) for folder in ("one", "all"))
    for place in range(ROWS):
        np.testing.assert_allclose(one[1 + place], chars[:, place], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(one[-1], everything[1 + ROWS + 1])  # the map of char_1
    assert one[-1].shape == (1, CLASSES, 20, 32)
    assert not np.array_equal(everything[1 + ROWS], everything[1 + ROWS + 1])
