"""Pickles, which hold Python objects: whose they are by the names in them; none is ever loaded."""

from __future__ import annotations

import pickletools
import re
import struct
from typing import Final

PYTORCH: Final = (
    "a PyTorch file: export the model with torch.onnx.export, or save what openvino.convert_model makes"
)
PYTORCH_WEIGHTS: Final = (
    "a PyTorch file of weights alone (a state dict or a checkpoint): load them into their model, and export "
    "that with torch.onnx.export"
)
PYTORCH_MODULE: Final = (
    "a PyTorch file (a pickled module): load it where its classes are known, and export it with "
    "torch.onnx.export"
)
_OTHERS: Final = (
    (rb"sklearn", "a scikit-learn model (a pickle): export it as ONNX with skl2onnx"),
    (rb"xgboost|lightgbm|catboost", "a model of decision trees (a pickle): networks are explained"),
    (
        rb"keras|tensorflow",
        "a pickled Keras model: load it, write a folder with model.export() and give that",
    ),
    (rb"fastai|torch", PYTORCH),
)
_TENSORS: Final = ("torch._utils", "torch.storage", "torch", "collections", "numpy", "_codecs", "builtins")
"""Modules whose classes make tensors and dictionaries of them, and no module of a network."""


def pickled(start: bytes) -> str | None:
    """What a pickle holds, by the names among its first bytes, and what to give instead; None: no pickle."""
    if not re.match(rb"\x80[\x02-\x05]", start):
        return None
    if start.startswith(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."):  # PyTorch's own, before its archives
        return PYTORCH
    known = (what for pattern, what in _OTHERS if re.search(pattern, start))
    return next(known, "a file of Python objects (a pickle): export the model as ONNX")


def holds_tensors_alone(pickle: bytes) -> bool | None:
    """Whether PyTorch's ``data.pkl`` names nothing but tensors and dictionaries; None where it is cut."""
    modules = set()
    try:
        for opcode, argument, _ in pickletools.genops(pickle):
            if opcode.name == "GLOBAL":
                modules.add(str(argument).split()[0])
    except (ValueError, OverflowError, LookupError, EOFError, struct.error):  # as its readers of arguments do
        return None
    return all(module in _TENSORS or module.startswith("numpy.") for module in modules)
