"""``ovxai-inspect``: what it shows, as a table and as JSON; and both programs' help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openvino import opset15 as ops

from fixtures.broken_files import perceptron, save_ir
from fixtures.networks import CnnSpec, Draw, classifier, cnn, image_parameter, named
from ovxai_convert import convert
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method, methods_for
from ovxai_convert.mosaic.cost import readable
from ovxai_convert.source.reading import read_model
from ovxai_convert.vocabulary import Task
from tests.program.invocation import Convert, call_process
from tests.running import insert_branch
from tests.special_networks import two_class_outputs
from tests.transformers import VitSpec, transformer


def test_table(onnx_model: Path, run_inspect: Convert) -> None:
    outcome = run_inspect(onnx_model)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert lines[0] == f"{onnx_model} (onnx)"
    assert "scores:   'scores' [?,3], 3 classes, final activation: softmax, output 'output'" in lines
    assert {"reciprocam: possible", "activationmap: possible"} <= set(lines)
    chosen = [line.split() for line in lines if line.startswith("->")]
    note = ["the", "last", "feature", "map", "before", "the", "scores"]
    target = insert_branch(read_model(onnx_model), Request())
    cost = [f"{100 * target.cost.share:.1f}", "%", *readable(target.cost.peak_bytes).split()]
    assert chosen == [["->", "target", "Relu", "[?,4,10,14]", "NCHW", "reciprocam", *cost, *note]]


def test_json_says_the_same(onnx_model: Path, run_inspect: Convert) -> None:
    outcome = run_inspect(onnx_model, "--json")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    found = json.loads(outcome.stdout)
    assert found["file"] == str(onnx_model)
    assert found["format"] == "onnx"
    assert found["artifact"] is None
    assert found["refusal"] is None
    assert found["scores"] == {
        "output": "output",
        "name": "scores",
        "shape": [-1, 3],
        "class_count": 3,
        "activation": "softmax",
        "meaning": "classes",
        "probabilities": "as_is",
        "multilabel": False,
        "remarks": [],
    }
    possible = {row["method"]: row["possible"] for row in found["methods"]}
    assert possible.items() >= {"reciprocam": True, "vitreciprocam": False, "activationmap": True}.items()
    assert [row["name"] for row in found["candidates"] if row["chosen"]] == ["target"]


def test_every_name_in_the_table_can_be_asked_for(
    onnx_model: Path, tmp_path: Path, run_inspect: Convert
) -> None:
    rows = json.loads(run_inspect(onnx_model, "--json").stdout)["candidates"]
    usable = [row["name"] for row in rows if row["layout"]]
    assert len(usable) >= 2
    for index, name in enumerate(usable):
        target = convert(onnx_model, tmp_path / str(index), target_layer=name).sidecar.target_layer
        assert target is not None
        assert target.name == name
        assert target.selected_by == "user"


def test_transformer_blocks_are_candidates(tmp_path: Path, run_inspect: Convert) -> None:
    path = save_ir(transformer(VitSpec()), tmp_path / "vit.xml")
    outcome = run_inspect(path)
    lines = outcome.stdout.splitlines()
    assert "vitreciprocam: possible" in lines
    assert not any(line.startswith("no target:") for line in lines)
    (chosen,) = [line.split() for line in lines if line.startswith("->")]
    cost = insert_branch(read_model(path), Request()).cost
    assert chosen[1] == "normed1"
    assert f"{100 * cost.share:.1f}" in chosen
    assert any("--block 2" in line and line.split()[0] == "normed0" for line in lines)
    with pytest.raises(RefusedError, match="no block 3"):
        insert_branch(read_model(path), Request(Method.VITRECIPROCAM, options={"block": 3}))


def test_long_list_is_cut_unless_all_is_asked(tmp_path: Path, run_inspect: Convert) -> None:
    path = save_ir(cnn(CnnSpec(strides=(2, 1, 1, 1, 1, 1))), tmp_path / "deep.xml")
    few, everything = run_inspect(path).stdout.splitlines(), run_inspect(path, "--all").stdout.splitlines()
    assert few[-1].endswith("more (--all)")
    left_out = int(few[-1].split()[2])
    assert len(everything) == len(few) - 1 + left_out
    assert json.loads(run_inspect(path, "--json").stdout)["candidates"][-1]["name"] in everything[-1]


def test_converted_model(onnx_model: Path, out: Path, run_inspect: Convert) -> None:
    report = convert(onnx_model, out)
    outcome = run_inspect(report.xml)
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines()[1].startswith("converted by ovxai-convert ")
    assert "maps:     output 1 'saliency_map' u8 [?,3,10,14]" in outcome.stdout.splitlines()
    assert "proof:    outputs bit-exact on 3 inputs, CPU" in outcome.stdout.splitlines()
    assert "not as proved" not in outcome.stdout
    found = json.loads(run_inspect(report.xml, "--json").stdout)
    assert found["artifact"] == json.loads(report.sidecar_path.read_text())
    assert found["doubts"] == []
    report.sidecar_path.unlink()
    assert "not as proved: no sidecar is beside it" in run_inspect(report.xml).stdout


def test_model_without_feature_map(tmp_path: Path, run_inspect: Convert) -> None:
    path = perceptron(tmp_path)
    outcome = run_inspect(path)
    assert outcome.exit_code == 0
    assert "no target: no feature map" in outcome.stdout
    assert "reciprocam: refused: no feature map" in outcome.stdout
    found = json.loads(run_inspect(path, "--json").stdout)
    assert [row["possible"] for row in found["methods"]] == [False] * len(methods_for(Task.CLASSIFICATION))


def test_several_class_outputs(tmp_path: Path, run_inspect: Convert) -> None:
    path = save_ir(two_class_outputs(), tmp_path / "two.xml")
    assert "several outputs are class tensors: 'first', 'second'" in run_inspect(path).stdout
    assert "output 'second'" in run_inspect(path, "--scores-output", "second").stdout


def test_inspecting_writes_nothing(onnx_model: Path, run_inspect: Convert) -> None:
    run_inspect(onnx_model)
    assert [path.name for path in onnx_model.parent.iterdir()] == [onnx_model.name]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            "ovxai-convert",
            "--output-dir --method --target-layer --scores-output --no-embed-scaling --exact --verify-with"
            " --force --quiet --version Exit codes: MODEL",
        ),
        ("ovxai-inspect", "--scores-output --all --json --version MODEL"),
    ],
)
def test_help(program: str, words: str) -> None:
    outcome = call_process(program, ["--help"])
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert not [word for word in words.split() if word not in outcome.stdout]
    assert outcome.stdout == call_process(program, ["-h"]).stdout


def test_what_makes_a_branch_dear_is_named(tmp_path: Path, run_inspect: Convert) -> None:
    """A convolution of several cells behind the map has to be computed for every copy."""
    draw, image = Draw(3), image_parameter(CnnSpec(height=6, width=8))
    target = named(ops.relu(draw.convolution(image, 4)), "target")
    mixed = named(ops.convolution(target, draw.numbers(4, 4, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1]), "mixing")
    scores = named(draw.linear(ops.reduce_mean(ops.relu(mixed), [2, 3], False), 3), "scores")
    path = save_ir(classifier(scores, [image]), tmp_path / "net.xml")
    rows = json.loads(run_inspect(path, "--json").stdout)["candidates"]
    why = "Convolution 'mixing': its window covers several cells; its kernel is not the whole map"
    assert {row["name"]: row["written_out"] for row in rows}["target"] == [why]
    assert insert_branch(read_model(path), Request(target_layer="target")).written_out[0].node == "mixing"


def test_nothing_is_written_out_behind_a_plain_map(onnx_model: Path, run_inspect: Convert) -> None:
    outcome = run_inspect(onnx_model)
    assert "written out" not in outcome.stdout
    assert json.loads(run_inspect(onnx_model, "--json").stdout)["methods"][0]["written_out"] == []
