"""What a model server's folder holds: names of files, and Triton's configuration word for word."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.artifact.repository import (
    ArtifactFiles,
    ModelServer,
    ServedTensor,
    config_pbtxt,
    plain_files,
    repository_files,
)
from ovxai_convert.artifact.serving import served_tensors, server_config
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods.method import ClassSelection
from tests.running import insert_branch

IMAGE: Final = ServedTensor("image", "f32", (-1, 3, 10, 14))
SCORES: Final = ServedTensor("output", "f32", (-1, 3))
MAP: Final = ServedTensor("saliency_map", "u8", (-1, 3, 5, 7))
OPEN: Final = """\
name: "net"
backend: "openvino"
max_batch_size: 0
input {
  name: "image"
  data_type: TYPE_FP32
  dims: [ -1, 3, 10, 14 ]
}
output {
  name: "output"
  data_type: TYPE_FP32
  dims: [ -1, 3 ]
}
output {
  name: "saliency_map"
  data_type: TYPE_UINT8
  dims: [ -1, 3, 5, 7 ]
}
"""
BATCHED: Final = """\
name: "net"
backend: "openvino"
max_batch_size: 4
input {
  name: "image"
  data_type: TYPE_FP32
  dims: [ 3, 10, 14 ]
}
output {
  name: "output"
  data_type: TYPE_FP32
  dims: [ 3 ]
}
output {
  name: "saliency_map"
  data_type: TYPE_UINT8
  dims: [ 3, 5, 7 ]
}
parameters { key: "ENABLE_BATCH_PADDING" value { string_value: "YES" } }
"""


def text(config: str | Refusal | None) -> str:
    assert isinstance(config, str), config
    return config


def reason(config: str | Refusal | None) -> str:
    assert isinstance(config, Refusal), config
    assert "\n" not in config.reason
    return config.reason


def test_names_of_files() -> None:
    ovms, triton = repository_files(ModelServer.OVMS, "net"), repository_files(ModelServer.TRITON, "net")
    model = ("net/1/model.xml", "net/1/model.bin")
    assert ovms.names == (*model, "net/1/model.json")
    assert triton.names == (*model, "net/config.pbtxt", "net/1/model.json")
    assert plain_files("net").names == ("net.xml", "net.bin", "net.json")
    assert Path(triton.xml).with_suffix(".json") == Path(triton.sidecar)


@pytest.mark.parametrize("name", ["resnet-50", "a.b", "Küche", "two words", "v1_2", "x"])
def test_name_that_serves(name: str) -> None:
    assert repository_files(ModelServer.OVMS, name).model_name == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".net", "net.", " net", "a/b", "a\\b", "../net", "a:b", "a\nb", "a%2Fb", "a?b", "a\0"],
)
@pytest.mark.parametrize("server", ModelServer)
def test_name_that_does_not_serve(server: ModelServer, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a model") as caught:
        repository_files(server, name)
    assert len(str(caught.value).splitlines()) == 1


def test_open_batch() -> None:
    assert text(config_pbtxt("net", [IMAGE], [SCORES, MAP])) == OPEN


def test_open_batch_as_tritons() -> None:
    assert text(config_pbtxt("net", [IMAGE], [SCORES, MAP], max_batch_size=4)) == BATCHED


def test_batch_of_one_needs_no_padding() -> None:
    config = text(config_pbtxt("net", [IMAGE], [SCORES, MAP], max_batch_size=1))
    assert "max_batch_size: 1\n" in config
    assert "PADDING" not in config


@pytest.mark.parametrize(
    "other",
    [
        ServedTensor("saliency_map", "u8", (1, 3, 5, 7)),
        ServedTensor("saliency_map", "u8", (3, -1, 5, 7)),
        ServedTensor("saliency_map", "u8", (-1,)),
    ],
)
def test_batch_that_is_not_open_everywhere(other: ServedTensor) -> None:
    config = text(config_pbtxt("net", [IMAGE], [SCORES, other], max_batch_size=4))
    assert "max_batch_size: 0\n" in config
    assert "dims: [ -1, 3, 10, 14 ]" in config
    assert f"dims: [ {', '.join(map(str, other.shape or ()))} ]" in config


@pytest.mark.parametrize(
    ("element_type", "expected"),
    [
        ("boolean", "BOOL"),
        ("u8", "UINT8"),
        ("u16", "UINT16"),
        ("u32", "UINT32"),
        ("u64", "UINT64"),
        ("i8", "INT8"),
        ("i16", "INT16"),
        ("i32", "INT32"),
        ("i64", "INT64"),
        ("f16", "FP16"),
        ("f32", "FP32"),
    ],
)
def test_element_type(element_type: str, expected: str) -> None:
    tensor = ServedTensor("x", element_type, (1, 2))
    assert f"data_type: TYPE_{expected}\n" in text(config_pbtxt("net", [tensor], [SCORES]))


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (ServedTensor("x", "bf16", (1, 2)), "'x': it has no element type bf16"),
        (ServedTensor("x", "f64", (1, 2)), "no element type f64"),
        (ServedTensor("x", "string", (1,)), "no element type string"),
        (ServedTensor("x", "i4", (1,)), "no element type i4"),
        (ServedTensor("x", "f32", None), "number of axes is open"),
        (ServedTensor("x", "f32", ()), "no axis"),
        (ServedTensor("x", "f32", (-1, 3), bounded=True), "extents are bounded"),
        (ServedTensor(None, "f32", (1, 2)), "and input 0 has none"),
    ],
)
def test_tensor_that_triton_does_not_take(tensor: ServedTensor, expected: str) -> None:
    assert expected in reason(config_pbtxt("net", [tensor], [SCORES]))
    assert expected.replace("input 0", "output 1") in reason(config_pbtxt("net", [IMAGE], [SCORES, tensor]))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('say "hi"', r'"say \"hi\""'),
        ("back\\slash", r'"back\\slash"'),
        ("it's", '"it\'s"'),
        ("Küche/出力:0", '"Küche/出力:0"'),
        ("a\nb\tc\x7f", r'"a\012b\011c\177"'),
        ("\x018", r'"\0018"'),
    ],
)
def test_name_of_a_tensor_is_quoted(name: str, written: str) -> None:
    config = text(config_pbtxt("net", [ServedTensor(name, "f32", (1, 2))], [SCORES]))
    assert f"  name: {written}\n" in config
    assert len(config.splitlines()) == len(text(config_pbtxt("net", [IMAGE], [SCORES])).splitlines())


def test_converted_model() -> None:
    model = insert_branch(cnn(CnnSpec(batch=None)), Request()).model
    assert server_config(repository_files(ModelServer.TRITON, "net"), model) == OPEN
    assert server_config(repository_files(ModelServer.OVMS, "net"), model) is None
    assert server_config(plain_files("net"), model) is None


def test_batch_as_tritons_backend_sets_it() -> None:
    """It declares the first axis the batch and fixes it; every output has to follow."""
    model = insert_branch(cnn(CnnSpec(batch=None)), Request()).model
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input("image").tensor().set_layout(ov.Layout("N..."))
    fixed = steps.build()
    ov.set_batch(fixed, 4)
    assert [list(port.shape) for port in fixed.outputs] == [[4, 3], [4, 3, 5, 7]]


def test_every_added_output_is_listed() -> None:
    model = insert_branch(cnn(CnnSpec(batch=2)), Request(selection=ClassSelection(top_k=2))).model
    config = text(server_config(repository_files(ModelServer.TRITON, "net"), model))
    assert [line for line in config.splitlines() if "name: " in line] == [
        'name: "net"',
        '  name: "image"',
        '  name: "output"',
        '  name: "saliency_map"',
        '  name: "saliency_classes"',
    ]
    assert "dims: [ 2, 2 ]" in config


@pytest.mark.parametrize("server", ModelServer)
def test_model_with_an_output_without_a_name(server: ModelServer) -> None:
    model = cnn(CnnSpec())
    model.outputs[0].get_node().input_value(0).get_tensor().set_names(set())
    assert "and output 0 has none" in reason(server_config(repository_files(server, "net"), model))
    assert server_config(plain_files("net"), model) is None


def test_tensor_of_several_names_goes_by_openvinos_choice(tmp_path: Path) -> None:
    model = cnn(CnnSpec())
    model.outputs[0].get_tensor().set_names({"z", "b", "a:0"})
    ov.serialize(model, tmp_path / "net.xml")
    read = ov.Core().read_model(tmp_path / "net.xml")
    assert [tensor.name for tensor in served_tensors(read.outputs)] == [read.outputs[0].get_any_name()]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ([1, 3], ServedTensor("x", "f32", (1, 3))),
        ([-1, 3], ServedTensor("x", "f32", (-1, 3))),
        ([ov.Dimension(2, -1), 3], ServedTensor("x", "f32", (-1, 3))),
        ([ov.Dimension(1, 8), 3], ServedTensor("x", "f32", (-1, 3), bounded=True)),
        (None, ServedTensor("x", "f32", None)),
    ],
)
def test_shape_as_it_is_served(shape: list[int | ov.Dimension] | None, expected: ServedTensor) -> None:
    partial = ov.PartialShape.dynamic() if shape is None else ov.PartialShape(shape)
    parameter = ops.parameter(partial, np.float32)
    parameter.output(0).get_tensor().set_names({"x"})
    assert served_tensors(parameter.outputs()) == (expected,)


def test_files_are_values() -> None:
    assert repository_files(ModelServer.OVMS, "net") == ArtifactFiles(
        "net/1/model.xml", "net/1/model.json", "net"
    )
