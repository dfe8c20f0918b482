"""Multiply-accumulates of two models: `python -m benchmarks.macs ORIGINAL CONVERTED`, JSON on stdout."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from math import prod

import openvino as ov

from benchmarks.open_dimensions import closed_shape
from benchmarks.results import Macs


def count_macs(model: ov.Model) -> int:
    """Sum over convolutions and matrix products of a model whose shapes are all static."""
    return sum(_node_macs(node) for node in model.get_ordered_ops())


def _node_macs(node: ov.Node) -> int:
    kind = node.get_type_name()
    if kind not in ("Convolution", "GroupConvolution", "MatMul"):
        return 0
    out: int = prod(list(node.get_output_shape(0)))
    if kind == "MatMul":  # [..., M, K] x [..., K, N]: K per element
        shape: list[int] = list(node.get_input_shape(0))
        is_turned = len(shape) > 1 and node.get_attributes()["transpose_a"]
        return out * (shape[-2] if is_turned else shape[-1])
    weights: list[int] = list(node.get_input_shape(1))  # [O, I, k...] or [groups, O, I, k...]
    return out * prod(weights[1:] if kind == "Convolution" else weights[2:])


def read_static(path: str) -> ov.Model:
    """Read a model and close the dimensions that it leaves open: batch 1, 224 pixels."""
    model = ov.Core().read_model(path)
    if model.is_dynamic():
        model.reshape({port: ov.PartialShape(closed_shape(port)) for port in model.inputs})
    return model


def main() -> None:
    """Count both and print the original's and the branch's."""
    original, converted = (count_macs(read_static(path)) for path in sys.argv[1:3])
    print(json.dumps(asdict(Macs(original, converted - original))))


if __name__ == "__main__":
    main()
