"""Files that are given as models and are none that OpenVINO reads: what each is, and what to give instead.

Known by their first bytes, whatever they are called; where these say nothing, by their suffix. Nothing is
ever unpickled or unpacked: of an archive the table of contents is read, of a pickle the names in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ovxai_convert.files import exists
from ovxai_convert.source.archives import UNPACK, archived
from ovxai_convert.source.pickles import PYTORCH, pickled

START: Final = 4096
"""Bytes from the beginning of a file that tell what it is."""

_DOWNLOAD: Final = "download the file itself"
_MADE_FROM: Final = "give the model that it was made from"
_TENSORRT: Final = "an engine of TensorRT: give the model that it was built from"
_CORE_ML: Final = f"a Core ML model: {_MADE_FROM}"
_KERAS_HDF5: Final = "a Keras file (HDF5): load it in Keras, write a folder with model.export() and give that"
_WEIGHTS_ALONE: Final = "a file of weights alone: export the model that they belong to as ONNX"
_CAFFE: Final = "a Caffe model: convert it to ONNX, or to an IR with OpenVINO 2022.3 or earlier"
_MXNET: Final = "an MXNet model: export it as ONNX with mxnet.onnx.export_model"
_DARKNET: Final = "a Darknet model: convert it to ONNX"
_NCNN: Final = f"an ncnn model: {_MADE_FROM}"
_EXECUTORCH: Final = f"a program of ExecuTorch: {_MADE_FROM}"
_ORT: Final = "a model in ONNX Runtime's own format: give the .onnx that it was made from"
_DEVICE: Final = f"a model compiled for one device: {_MADE_FROM}"


def _tells(prefix: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(prefix, at)


def _text(pattern: bytes) -> Callable[[bytes], bool]:
    """Whether a text begins so, behind marks, spaces and comments."""
    compiled = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|#[^\n]*\n)*(?:" + pattern + rb")", re.IGNORECASE)
    return lambda start: compiled.match(start) is not None


def _line(pattern: bytes) -> Callable[[bytes], bool]:
    """Whether a text has a line that begins so."""
    compiled = re.compile(rb"^\s*" + pattern, re.MULTILINE)
    return lambda start: b"\0" not in start and compiled.search(start) is not None


_NO_MODELS: Final[tuple[tuple[Callable[[bytes], bool], str], ...]] = (
    (
        _tells(b"version https://git-lfs.github.com/spec/"),
        "a pointer of Git LFS, and not the file that it stands for: fetch that with 'git lfs pull'",
    ),
    (
        _text(rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!doctype html|<html)"),
        f"a web page (HTML), as the address of a page gives it: {_DOWNLOAD}",
    ),
    (
        _text(rb"(?:<\?xml[^>]*>\s*)?<Error>"),
        f"what a server answers that refuses a download: {_DOWNLOAD}",
    ),
    (
        lambda start: (
            start.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"))
            or (start.startswith(b"RIFF") and start[8:12] == b"WEBP")
        ),
        "a picture: the model comes first, then pictures",
    ),
)
"""Signatures of what is no model at all, and what it is."""

_OTHERS: Final[tuple[tuple[Callable[[bytes], bool], str], ...]] = (
    (_tells(b"\x89HDF\r\n\x1a\n"), _KERAS_HDF5),
    (_tells(b"GGUF"), "a language model (GGUF): image classifiers are explained"),
    (_tells(b"ftrt"), _TENSORRT),
    (_tells(b"ORTM", 4), _ORT),
    (lambda start: start[4:6] == b"ET" and start[6:8].isdigit(), _EXECUTORCH),
    (_tells(b"RKNN"), _DEVICE),
    (_tells(b"\x01HEF"), _DEVICE),
    (_tells(b"\x12\x01\0\0\0\0\0\0"), _MXNET),
    (lambda start: re.match(rb"\x08[\x02-\x0f]\x12[\x80-\xff]*[\0-\x7f]\x0a", start) is not None, _CORE_ML),
    (_text(rb"7767517\s"), _NCNN),
    (_text(rb"\[(?:net|network|convolutional)\]"), _DARKNET),
    (_line(rb"layers?\s*\{\s*$"), _CAFFE),
    (lambda start: start[8:10] == b'{"' and 0 < int.from_bytes(start[:8], "little") < 2**32, _WEIGHTS_ALONE),
)
"""Signatures of what OpenVINO does not read, and what to give instead."""

_JSON: Final[tuple[tuple[bytes, str], ...]] = (
    (
        rb'"format"\s*:\s*"graph-model"',
        "a TensorFlow.js model: give the SavedModel folder that it was made from",
    ),
    (
        rb'"modelTopology"|"weightsManifest"',
        "a TensorFlow.js model: give the SavedModel folder of the Keras model that it was made from, or what "
        "tensorflowjs_converter --input_format tfjs_layers_model --output_format keras_saved_model makes",
    ),
    (rb'\A\s*\{\s*"nodes"\s*:\s*\[\s*\{\s*"op"\s*:\s*"null"', _MXNET),
    (
        rb'"schema_version"\s*:',
        "a sidecar, whose model is the .xml beside it",
    ),
    (
        rb'"base_code"|"magic"\s*:\s*"pir"',
        "a PaddlePaddle program in JSON: give the .pdmodel of it (FLAGS_enable_pir_api=0 writes that)",
    ),
    (
        rb'"class_name"\s*:\s*"(?:Sequential|Functional|Model)"',
        "the architecture of a Keras model without its weights: write a folder with model.export() and give "
        "that",
    ),
    (
        rb'"model_type"\s*:|"architectures"\s*:|"transformers_version"\s*:',
        "the configuration of a Hugging Face model: export that with 'optimum-cli export openvino' and give "
        "the .xml",
    ),
)
"""What a JSON file holds at its beginning, and what it is."""

_KERAS: Final = "a Keras file: write a folder with model.export() and give that"
_SUFFIXES: Final[Mapping[str, str]] = {
    **dict.fromkeys((".pt", ".pth", ".pt2", ".ckpt"), PYTORCH),
    **dict.fromkeys((".keras", ".h5", ".hdf5"), _KERAS),
    **dict.fromkeys((".engine", ".plan", ".trt"), _TENSORRT),
    **dict.fromkeys((".mlmodel", ".mlpackage", ".mlmodelc"), _CORE_ML),
    **dict.fromkeys((".caffemodel", ".prototxt"), _CAFFE),
    **dict.fromkeys((".cfg", ".weights"), _DARKNET),
    **dict.fromkeys((".hef", ".rknn", ".om", ".kmodel", ".dlc", ".blob", ".nb"), _DEVICE),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "a file of Python objects: export the model as ONNX"),
    ".param": _NCNN,
    ".params": _MXNET,
    ".mnn": f"an MNN model: {_MADE_FROM}",
    ".tmfile": f"a Tengine model: {_MADE_FROM}",
    ".pte": _EXECUTORCH,
    ".ort": _ORT,
    ".mar": "an archive of TorchServe: export the model in it as ONNX",
    ".safetensors": _WEIGHTS_ALONE,
    ".pdiparams": "the weights of a PaddlePaddle model: give the .pdmodel beside it",
    ".json": "a JSON file: of a sidecar the model is the .xml beside it",
}
"""Suffixes of what OpenVINO does not read, and what to give instead."""


def known_by_content(path: Path, start: bytes) -> str | None:
    """Why a file is not read, as its content tells; None where that tells nothing.

    ``start`` are its first bytes, up to :data:`START`.
    """
    no_model = next((what for is_one, what in _NO_MODELS if is_one(start)), None)
    if no_model is not None:
        return f"this is {no_model}"
    other = next((what for is_one, what in _OTHERS if is_one(start)), None)
    found = other or _in_json(start) or pickled(start) or archived(path, start)
    return None if found is None else f"OpenVINO does not read {found}"


def _in_json(start: bytes) -> str | None:
    """What a JSON file is by what it holds at its beginning."""
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return None
    return next((what for pattern, what in _JSON if re.search(pattern, start)), None)


def known_by_suffix(path: Path) -> str | None:
    """Why a file is not read, as its name tells; None where that tells nothing."""
    suffix = path.suffix.lower()
    what = _weights(path) if suffix == ".bin" else _SUFFIXES.get(suffix)
    what = UNPACK if suffix in (".zip", ".tar", ".tgz", ".gz", ".7z") else what
    return None if what is None else f"OpenVINO does not read {what}"


def _weights(path: Path) -> str:
    """Whose weights a ``.bin`` holds, by what is beside it."""
    if exists(path.with_suffix(".param")):
        return _NCNN
    if not exists(path.with_suffix(".xml")) and exists(path.with_name("model.json")):
        return "the weights of a TensorFlow.js model: give the model that it was made from"
    return "the weights of an IR: give the .xml beside it"
