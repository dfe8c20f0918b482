"""Files and folders that users give as models and OpenVINO does not read: each is called what it is."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
import pytest

from fixtures.broken_files import onnx_classifier
from ovxai_convert.errors import ModelReadError
from ovxai_convert.source.formats import FORMATS, format_of


def _zip(**files: bytes) -> bytes:
    """An archive of files by name, in which ``__`` stands for a slash and ``_dot_`` for a dot."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return content.getvalue()


def _tar() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("net.onnx"))
    return content.getvalue()


def _picture() -> bytes:
    return cv2.imencode(".png", np.zeros((3, 4, 3), np.uint8))[1].tobytes()


def _global(module: str, name: str) -> bytes:
    """A pickle, written by hand, that refers to a class which is not here."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b")R."


_STATE: Final = _global("collections", "OrderedDict")[:-1] + _global("torch._utils", "_rebuild_tensor_v2")[2:]
_SYMBOL: Final = b'{\n  "nodes": [\n    {\n      "op": "null", \n      "name": "data"}]}'
_PROTOTXT: Final = b'name: "net"\n# comment\ninput: "data"\nlayer {\n  name: "conv1"\n}\n'
_CORE_ML: Final = bytes([8, 4, 0x12, 0xB1, 2, 0x0A, 3]) + b"abc"

UNREAD: Final[Mapping[str, tuple[bytes, str]]] = {
    "mask_detector.model": (b"\x89HDF\r\n\x1a\n" + bytes(400), "a Keras file (HDF5): load it"),
    "weights.onnx": (b"\x89HDF\r\n\x1a\n" + bytes(400), "a Keras file (HDF5): load it"),
    "net.keras": (_zip(config_dot_json=b"{}", model_dot_weights_dot_h5=b"x"), "a Keras file: load it"),
    "model.json": (
        b'{"format": "layers-model", "modelTopology": {}}',
        "a TensorFlow.js model: give the Saved",
    ),
    "graph.json": (
        b'{"format": "graph-model", "modelTopology": {}}',
        "a TensorFlow.js model: give the Saved",
    ),
    "net-symbol.json": (_SYMBOL, "an MXNet model"),
    "net_xai.json": (b'{"schema_version": "1.1"}', "a sidecar, whose model is the .xml beside it"),
    "pir.json": (b'{"base_code": {"magic": "pir"}}', "a PaddlePaddle program in JSON"),
    "keras.json": (b'{"class_name": "Functional", "config": {}}', "the architecture of a Keras model"),
    "config.json": (b'{"architectures": ["ViT"]}', "the configuration of a Hugging Face model"),
    "numbers.json": (b"[1, 2]", "a JSON file"),
    "net-0000.params": (b"\x12\x01" + bytes(20), "an MXNet model"),
    "net.pt": (_zip(net__data_dot_pkl=_STATE, net__code____torch___dot_py=b""), "a TorchScript file"),
    "state.pth": (_zip(state__data_dot_pkl=_STATE, state__version=b"3"), "PyTorch file of weights alone"),
    "whole.bin": (
        _zip(w__data_dot_pkl=_global("models.resnet", "ResNet")),
        "PyTorch file (a pickled module)",
    ),
    "cut.pth": (_zip(w__data_dot_pkl=b"\x80\x02c"), "a PyTorch file: export the model"),
    "old.pt": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "a PyTorch file: export"),
    "program.pt2": (_zip(net__archive_format=b"pt2"), "a program of torch.export"),
    "bare.pt": (b"anything", "a PyTorch file: export"),
    "net.mar": (_zip(MAR_INF__MANIFEST=b"{}").replace(b"MAR_INF", b"MAR-INF"), "an archive of TorchServe"),
    "weights.npz": (_zip(arr_0_dot_npy=b"x"), "a file of arrays"),
    "net.zip": (_zip(net__net_dot_onnx=b"x"), "an archive: unpack it and give 'net/net.onnx' in it"),
    "strange.zip": (_zip(readme=b"x"), "an archive: unpack it"),
    "net.tar": (_tar(), "an archive: unpack it"),
    "net.onnx.gz": (b"\x1f\x8b\x08\x00" + bytes(20), "an archive: unpack it"),
    "forest.joblib": (_global("sklearn.ensemble._forest", "RandomForestClassifier"), "a scikit-learn model"),
    "forest.pkl": (_global("xgboost.sklearn", "XGBClassifier"), "a scikit-learn model"),
    "booster.pkl": (_global("xgboost.core", "Booster"), "a model of decision trees"),
    "objects.model": (pickle.dumps({"a": 1}), "a file of Python objects (a pickle)"),
    "net.caffemodel": (b"\x0a\x03net\xa2\x06\x10", "a Caffe model"),
    "deploy.prototxt": (_PROTOTXT, "a Caffe model"),
    "deploy.txt": (_PROTOTXT, "a Caffe model"),
    "net.mlmodel": (_CORE_ML, "a Core ML model"),
    "net.ml": (_CORE_ML, "a Core ML model"),
    "net.engine": (b"ftrt" + bytes(30), "an engine of TensorRT"),
    "net.dat": (b"ftrt" + bytes(30), "an engine of TensorRT"),
    "yolo.cfg": (b"# comment\n[net]\nbatch=1\n", "a Darknet model"),
    "yolo.weights": (struct.pack("<5i", 0, 2, 0, 0, 0), "a Darknet model"),
    "net.param": (b"7767517\n75 83\n", "an ncnn model"),
    "net.safetensors": (struct.pack("<Q", 20) + b'{"a":{"dtype":"F32"}}', "a file of weights alone"),
    "tensors": (struct.pack("<Q", 20) + b'{"a":{"dtype":"F32"}}', "a file of weights alone"),
    "llm.gguf": (b"GGUF\x03\0\0\0", "a language model (GGUF)"),
    "net.ort": (b"\x20\0\0\0ORTM" + bytes(20), "ONNX Runtime's own format"),
    "net.pte": (b"\x20\0\0\0ET12" + bytes(20), "a program of ExecuTorch"),
    "net.hef": (b"\x01HEF" + bytes(20), "a model compiled for one device"),
    "pointer.onnx": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "a pointer of Git LFS",
    ),
    "page.onnx": (b"\n<!DOCTYPE html>\n<html><head>", "a web page (HTML)"),
    "page.xml": (b"<?xml version='1.0'?>\n<html>", "a web page (HTML)"),
    "denied.tflite": (b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code>", "a server answers"),
    "cat.png": (_picture(), "a picture: the model comes first"),
    "alone.bin": (bytes(64), "the weights of an IR: give the .xml beside it"),
    "renamed.lite": (b"\x1c\0\0\0TFL3" + bytes(20), "it holds what a .tflite holds"),
    "renamed.ir": (b'<?xml version="1.0"?>\n<net name="n" version="11">', "it holds what a .xml holds"),
    "saved_model.pb": (b"\x08\x01\x12\x8b\x0a\x0a\x03", "give the folder that it is in"),
    "nothing.model": (b"", "the file is empty"),
}
"""A file by its name: what it holds, and what is said of it."""


@pytest.mark.parametrize("name", UNREAD)
def test_a_file_is_called_what_it_is(name: str, tmp_path: Path) -> None:
    content, said = UNREAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelReadError) as caught:
        format_of(tmp_path / name)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_weights_of_others_by_what_is_beside_them(tmp_path: Path) -> None:
    for name in ("net.bin", "net.param", "group1-shard1of1.bin"):
        (tmp_path / name).write_bytes(b"7767517\n" if name.endswith("param") else bytes(16))
    with pytest.raises(ModelReadError, match="an ncnn model"):
        format_of(tmp_path / "net.bin")
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ModelReadError, match=r"weights of a TensorFlow\.js model"):
        format_of(tmp_path / "group1-shard1of1.bin")


def test_no_pickle_is_loaded(tmp_path: Path) -> None:
    """One that would make a folder, by itself and in an archive of PyTorch's."""

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    trap = pickle.dumps(Trap(), protocol=2)
    for name, content in {"a.pkl": trap, "b.pth": _zip(b__data_dot_pkl=trap)}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelReadError):
            format_of(tmp_path / name)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(trap)
    assert (tmp_path / "sprung").is_dir(), "it would have"


def test_models_are_taken_for_nothing_else(tmp_path: Path) -> None:
    """ONNX by its content under any name, and what is read by its suffix alone."""
    model = onnx_classifier()
    for producer in ("", "pytorch", "\u732b"):
        model.producer_name = producer
        for name in ("net.onnx", "net.model", "net.pt", "net"):
            onnx.save(model, tmp_path / name, format="protobuf")
            assert format_of(tmp_path / name).name == "onnx"
    for name, content in {"frozen.pb": b"\x0a\x10\x0a\x01x", "net.pdmodel": b"\x0a\x10\x0a\x01x"}.items():
        (tmp_path / name).write_bytes(content)
        assert format_of(tmp_path / name).suffixes == next(
            row.suffixes for row in FORMATS if Path(name).suffix in row.suffixes
        )


@pytest.mark.parametrize("seed", range(40))
def test_spoiled_files_end_in_a_format_or_one_error(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    for name, (content, _) in UNREAD.items():
        spoiled = bytearray(content[: draw.randrange(len(content) + 1)] if draw.random() < 0.5 else content)
        for _ in range(draw.randrange(4)):
            if spoiled:
                spoiled[draw.randrange(len(spoiled))] = draw.randrange(256)
        (tmp_path / name).write_bytes(spoiled)
        with suppress(ModelReadError):
            assert format_of(tmp_path / name) in FORMATS


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "a folder without a model that OpenVINO reads"),
        (["net.xml", "net.bin"], r"a folder; name the model in it, as .*/net\.xml$"),
        (["a.onnx", "b.onnx", "c.tflite"], r"as .*/a\.onnx or one of 2 more$"),
        (["1/saved_model.pb"], r"name the model in it, as .*/1$"),
        (["1/model.xml", "1/model.bin"], r"name the model in it, as .*/1/model\.xml$"),
        (["config.json", "model.safetensors"], "does not read a Hugging Face checkpoint"),
        (["coremldata.bin"], "does not read a Core ML model"),
    ],
)
def test_a_folder_is_called_what_it_is(names: list[str], said: str, tmp_path: Path) -> None:
    for name in names:
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"something")
    (tmp_path / "models").mkdir(exist_ok=True)
    with pytest.raises(ModelReadError, match=said):
        format_of(tmp_path / "models")


def test_a_package_of_core_ml(tmp_path: Path) -> None:
    (tmp_path / "net.mlpackage").mkdir()
    with pytest.raises(ModelReadError, match="does not read a Core ML model"):
        format_of(tmp_path / "net.mlpackage")
