"""Whole inputs of every kind, made by code or of the project's small exports, each as files by name."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

from fixtures.broken_files import onnx_classifier, save_ir, save_with_external_data
from fixtures.endless import save_endless
from fixtures.exports import FOLDER
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert
from tests.special_networks import class_token, labelled, two_class_outputs
from tests.transformers import VitSpec, transformer

Files = Mapping[str, bytes]
ARTIFACT: Final = "net_xai"
METADATA: Final = {
    "model_info model_type": "Classification",
    "model_info labels": "cat dog bird",
    "model_info mean_values": "1 2 3",
    "names": "{0: 'cat', 1: 'dog', 2: 'bird'}",
}


def _in_a_folder(write: Callable[[Path], object]) -> dict[str, bytes]:
    """What a function writes into a folder."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        return {path.name: path.read_bytes() for path in sorted(Path(name).iterdir())}


@cache
def onnx_files() -> tuple[Files, ...]:
    """ONNX classifiers, each with the files of its weights."""
    plain = [
        onnx_classifier(),
        onnx_classifier(1, METADATA),
        _with_branches(),
        _quantised(),
        _tokens(),
        _in_many_ops(),
    ]
    models = [{"net.onnx": model.SerializeToString()} for model in plain]
    models.append(
        _in_a_folder(lambda folder: save_with_external_data(onnx_classifier(), folder / "net.onnx"))
    )
    models.append(_in_a_folder(lambda folder: save_endless(folder / "net.onnx", turns=3)))
    return tuple(models)


@cache
def ir_files() -> tuple[Files, ...]:
    """IRs, plain and converted, and their weights."""
    models = (
        cnn(CnnSpec()),
        cnn(CnnSpec(batch=None, layout="NHWC", head="flatten", ending="softmax")),
        cnn(CnnSpec(dynamic_size=True, residual=True, activation="hswish")),
        cnn(CnnSpec(head="gap_conv1x1", ending="sigmoid")),
        labelled(),
        two_class_outputs(),
        class_token(),
        transformer(VitSpec()),
    )
    irs = [_in_a_folder(_saving(model)) for model in models]
    return (*irs, {f"net{Path(name).suffix}": content for name, content in artifact().items()})


def _saving(model: ov.Model) -> Callable[[Path], object]:
    return lambda folder: save_ir(model, folder / "net.xml")


@cache
def artifact() -> Files:
    """A converted model of three labelled classes, whose preprocessing is known."""

    def write(folder: Path) -> None:
        source = save_ir(labelled(), folder / "net.xml")
        convert(source, folder, feature_vector=True)
        source.unlink()
        source.with_suffix(".bin").unlink()

    return _in_a_folder(write)


@cache
def undescribed_artifact() -> Files:
    """The same with nothing in the model itself, and a sidecar that fits it all the same."""
    files = dict(artifact())
    before, _, rest = files[f"{ARTIFACT}.xml"].partition(b"<ovxai value=")
    files[f"{ARTIFACT}.xml"] = before + rest.partition(b"/>")[2]
    return files


@cache
def other_files() -> Mapping[str, tuple[Files, ...]]:
    """The project's exports of other frameworks."""

    def read(*names: str) -> Files:
        return {name: (FOLDER / name).read_bytes() for name in names}

    return {
        "tflite": (read("float.tflite"), read("int8.tflite")),
        "paddle": (read("program.pdmodel", "program.pdiparams"),),
        "tensorflow": (read("frozen.pb"),),
    }


@cache
def photographs() -> Mapping[str, bytes]:
    """A picture in every format that OpenCV writes, by a name of this suffix."""
    pixels = np.random.default_rng(3).integers(0, 256, (40, 48, 3), np.uint8)
    grey = pixels[..., 0]
    pictures: dict[str, Any] = {
        **dict.fromkeys(
            (".png", ".jpg", ".bmp", ".gif", ".webp", ".tiff", ".ppm", ".avif", ".jp2", ".ras"), pixels
        ),
        **dict.fromkeys((".hdr", ".pfm"), pixels.astype(np.float32) / 255),
        ".pgm": grey,
    }
    encoded = {suffix: cv2.imencode(suffix, picture) for suffix, picture in pictures.items()}
    deep = cv2.imencode(".png", pixels.astype(np.uint16) * 257)[1].tobytes()
    return {f"photo{suffix}": content.tobytes() for suffix, (_, content) in encoded.items()} | {
        "deep.png": deep
    }


LABELS: Final[Mapping[str, bytes]] = {
    "labels.txt": "cat\nbird\nHündin\n".encode(),
    "labels.json": json.dumps(["cat", "bird", "Hündin"]).encode(),
    "by_index.json": json.dumps({"0": "cat", "1": "bird", "2": "dog"}).encode(),
    "pairs.json": json.dumps({"0": ["n1", "cat"], "1": ["n2", "bird"], "2": ["n3", "dog"]}).encode(),
    "numbered.txt": b"0 cat\n1 bird\n2 dog\n",
    "python.txt": b"{0: 'cat', 1: 'bird', 2: 'dog'}",
    "table.csv": b'id,name\n1,bird\n0,"cat, Felis"\n2,dog\n',
    "data.yaml": b"path: x\nnc: 3\nnames:\n  0: cat\n  1: 'bird'  # flies\n  2: dog\n",
    "flow.yaml": b"names: [cat, 'bird',\n  dog]\n",
    "synsets.txt": b"n01440764 tench, Tinca tinca\nn01443537 goldfish\nn01484850 shark\n",
    "config.json": json.dumps(
        {"model_type": "vit", "id2label": {"0": "cat", "1": "bird"}, "label2id": {"cat": 0}}
    ).encode(),
    "objects.json": json.dumps([{"id": 1, "name": "cat"}, {"id": 0, "name": "bird"}]).encode(),
}


def _model(
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, Any],
    image: Sequence[Any] = (1, 3, 8, 8),
    opset: int = 17,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, list(image))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _random(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def _with_branches() -> onnx.ModelProto:
    """A head in an If."""
    bodies = [
        helper.make_graph(
            [helper.make_node(op, ["scores"], [f"out{op}"])],
            f"body{op}",
            [],
            [helper.make_tensor_value_info(f"out{op}", TensorProto.FLOAT, None)],
        )
        for op in ("Relu", "Sigmoid")
    ]
    nodes = [
        helper.make_node("Conv", ["image", "filters"], ["map"]),
        helper.make_node("GlobalAveragePool", ["map"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["scores"]),
        helper.make_node("ReduceMax", ["scores"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "zero"], ["which"]),
        helper.make_node("If", ["which"], ["output"], then_branch=bodies[0], else_branch=bodies[1]),
    ]
    weights = {"filters": _random(4, 3, 3, 3), "matrix": _random(4, 3), "zero": np.float32(0)}
    return _model(nodes, weights)


def _quantised() -> onnx.ModelProto:
    weights = {
        "scale": np.float32(0.05),
        "zero": np.uint8(128),
        "w8": np.random.default_rng(1).integers(-99, 99, (4, 3, 3, 3)).astype(np.int8),
        "wscale": np.float32(0.01),
        "wzero": np.int8(0),
        "matrix": _random(4, 3),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["dq"]),
        helper.make_node("DequantizeLinear", ["w8", "wscale", "wzero"], ["w"]),
        helper.make_node("Conv", ["dq", "w"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["target"]),
        helper.make_node("ReduceMean", ["target"], ["pooled"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["pooled", "matrix"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["output"], axis=1),
    ]
    return _model(nodes, weights)


def _tokens() -> onnx.ModelProto:
    """Attention of patches to each other, their mean, and scores."""
    weights = {
        "filters": _random(6, 3, 2, 2),
        "rows": np.array([0, 6, -1], np.int64),
        **{name: _random(6, 6) for name in "qkv"},
        "gain": np.ones(6, np.float32),
        "shift": np.zeros(6, np.float32),
        "matrix": _random(6, 3),
    }
    nodes = [
        helper.make_node("Conv", ["image", "filters"], ["map"], strides=[2, 2]),
        helper.make_node("Reshape", ["map", "rows"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["tokens"], perm=[0, 2, 1]),
        helper.make_node("LayerNormalization", ["tokens", "gain", "shift"], ["normed"]),
        *[helper.make_node("MatMul", ["normed", name], [name.upper()]) for name in "qkv"],
        helper.make_node("Einsum", ["Q", "K"], ["alike"], equation="bij,bkj->bik"),
        helper.make_node("Softmax", ["alike"], ["weights"], axis=2),
        helper.make_node("MatMul", ["weights", "V"], ["mixed"]),
        helper.make_node("Add", ["mixed", "tokens"], ["residual"]),
        helper.make_node("ReduceMean", ["residual"], ["pooled"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["pooled", "matrix"], ["output"]),
    ]
    return _model(nodes, weights, ("batch", 3, 8, 8))


def _in_many_ops() -> onnx.ModelProto:
    """A classifier that resizes, pads, slices, splits, joins and gathers."""
    ints: dict[str, Any] = {
        "sizes": [1, 3, 12, 12],
        "pads": [0, 0, 1, 1, 0, 0, 1, 1],
        "from": [1, 1],
        "to": [13, 13],
        "axes": [2, 3],
        "picks": [2, 0, 1, 3],
        "shape": [0, -1],
        "halves": [2, 2],
    }
    weights: dict[str, Any] = {name: np.array(value, np.int64) for name, value in ints.items()}
    weights |= {
        "filters": _random(4, 3, 3, 3),
        "matrix": _random(36, 3),
        "low": np.float32(0),
        "high": np.float32(6),
    }
    nodes = [
        helper.make_node("Resize", ["image", "", "", "sizes"], ["resized"], mode="linear"),
        helper.make_node("Pad", ["resized", "pads"], ["padded"]),
        helper.make_node("Slice", ["padded", "from", "to", "axes"], ["cut"]),
        helper.make_node("Conv", ["cut", "filters"], ["conv"], strides=[2, 2], pads=[1, 1, 1, 1], group=1),
        helper.make_node("Clip", ["conv", "low", "high"], ["clipped"]),
        helper.make_node("Split", ["clipped", "halves"], ["one", "other"], axis=1),
        helper.make_node("Sigmoid", ["one"], ["gate"]),
        helper.make_node("Mul", ["gate", "other"], ["gated"]),
        helper.make_node("Concat", ["gated", "one"], ["joined"], axis=1),
        helper.make_node("Gather", ["joined", "picks"], ["picked"], axis=1),
        helper.make_node("MaxPool", ["picked"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Reshape", ["pooled", "shape"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix"], ["scores"]),
        helper.make_node("LogSoftmax", ["scores"], ["output"], axis=-1),
    ]
    return _model(nodes, weights)


def contents(seeds: Sequence[Files]) -> Iterator[bytes]:
    """The first file of each."""
    for files in seeds:
        yield next(iter(files.values()))
