"""Small ONNX classifiers as their exporters write them, in any operator set, type and place of weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

CLASSES: Final = 5
SIZE: Final = 16
_DRAWN: Final = np.random.default_rng(83)
_WEIGHTS: Final = {
    "w1": _DRAWN.standard_normal((6, 3, 3, 3)),
    "b1": _DRAWN.standard_normal(6),
    "w2": _DRAWN.standard_normal((8, 6, 3, 3)),
    "b2": _DRAWN.standard_normal(8),
    "fc": _DRAWN.standard_normal((CLASSES, 8)),
    "fb": _DRAWN.standard_normal(CLASSES),
}


@dataclass(frozen=True)
class Network:
    """``x -> Conv -> Relu -> Conv -> Relu (target) -> mean over cells -> Gemm -> logits``.

    Attributes:
        opset: its operator set.
        dtype: of all tensors.
        batch: None: open, under the name ``N``.
        softmax: whether it ends in one.
        version: of the format; before 4 all weights are inputs, too.
    """

    opset: int = 17
    dtype: type[np.floating[Any]] = np.float32
    batch: int | None = None
    softmax: bool = True
    version: int = 8

    def model(self) -> onnx.ModelProto:
        weights = {name: (0.4 * value).astype(self.dtype) for name, value in _WEIGHTS.items()}
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        nodes = [
            helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "stem", pads=[1] * 4, strides=[2, 2]),
            helper.make_node("Relu", ["c1"], ["r1"]),
            helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "body", pads=[1] * 4),
            helper.make_node("Relu", ["c2"], ["target"], "last"),
            helper.make_node("GlobalAveragePool", ["target"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["features"]),
            helper.make_node("Gemm", ["features", "fc", "fb"], ["logits"], transB=1),
        ]
        if self.softmax:
            nodes.append(helper.make_node("Softmax", ["logits"], ["scores"], axis=1))
        shown = "scores" if self.softmax else "logits"
        samples = self.batch or "N"
        old = [helper.make_tensor_value_info(name, kind, each.shape) for name, each in weights.items()]
        more = old if self.version < 4 else []
        graph = helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info("x", kind, [samples, 3, SIZE, SIZE]), *more],
            [helper.make_tensor_value_info(shown, kind, [samples, CLASSES])],
            [numpy_helper.from_array(value, name) for name, value in weights.items()],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=self.version if self.opset < 23 else 10,
        )
        model.metadata_props.add(key="author", value="Bär")
        return model

    def saved(self, path: Path) -> Path:
        onnx.save(self.model(), path)
        return path

    def with_weights_in(self, path: Path, location: str) -> Path:
        (path.parent / location).parent.mkdir(parents=True, exist_ok=True)
        onnx.save(self.model(), path, save_as_external_data=True, location=location, size_threshold=64)
        return path


def images(count: int = 1, seed: int = 7, dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
    """Normal numbers ``[count, 3, SIZE, SIZE]``."""
    return np.random.default_rng(seed).standard_normal((count, 3, SIZE, SIZE)).astype(dtype)
