"""A head for every op type that works element by element."""

from __future__ import annotations

from typing import Final

import numpy as np
from openvino import opset15 as ops
from openvino import opset16

from tests.ops.heads import (
    CHANNELS,
    Build,
    OpCase,
    above,
    inside,
    on_pair,
    on_x,
    positive,
)

_UNARY: Final[dict[str, Build]] = {
    "Abs": on_x(ops.abs),
    "Acos": lambda s: ops.acos(inside(s.target)),
    "Acosh": lambda s: ops.acosh(positive(s.target, 1.1)),
    "Asin": lambda s: ops.asin(inside(s.target)),
    "Asinh": on_x(ops.asinh),
    "Atan": on_x(ops.atan),
    "Atanh": lambda s: ops.atanh(inside(s.target)),
    "Ceiling": on_x(ops.ceiling),
    "Clamp": on_x(ops.clamp, -0.5, 0.7),
    "Convert": lambda s: ops.convert(ops.multiply(s.target, np.float32(3)), "i32"),
    "ConvertLike": lambda s: ops.convert_like(ops.multiply(s.target, np.float32(3)), np.int32(1)),
    "Cos": on_x(ops.cos),
    "Cosh": on_x(ops.cosh),
    "Elu": on_x(ops.elu, 0.7),
    "Erf": on_x(ops.erf),
    "Exp": on_x(ops.exp),
    "FakeConvert": lambda s: ops.fake_convert(s.target, np.array([4], np.float32), np.array([0], np.float32)),
    "Floor": on_x(ops.floor),
    "Gelu": on_x(ops.gelu, "tanh"),
    "HSigmoid": lambda s: ops.hsigmoid(ops.multiply(s.target, np.float32(2))),
    "HSwish": lambda s: ops.hswish(ops.multiply(s.target, np.float32(2))),
    "HardSigmoid": on_x(ops.hard_sigmoid, np.float32(0.3), np.float32(0.4)),
    "Identity": lambda s: opset16.identity(ops.tanh(s.target)),
    "IsFinite": lambda s: ops.is_finite(ops.log(ops.relu(s.target))),
    "IsInf": lambda s: ops.is_inf(ops.log(ops.relu(s.target))),
    "IsNaN": lambda s: ops.is_nan(ops.sqrt(s.target)),
    "Log": lambda s: ops.log(positive(s.target)),
    "LogicalNot": lambda s: ops.logical_not(above(s.target)),
    "Mish": on_x(ops.mish),
    "Negative": on_x(ops.negative),
    "Relu": on_x(ops.relu),
    "Round": lambda s: ops.round(ops.multiply(s.target, np.float32(3)), "half_to_even"),
    "Selu": on_x(ops.selu, np.array([1.6], np.float32), np.array([1.05], np.float32)),
    "Sigmoid": on_x(ops.sigmoid),
    "Sign": on_x(ops.sign),
    "Sin": on_x(ops.sin),
    "Sinh": on_x(ops.sinh),
    "SoftPlus": on_x(ops.softplus),
    "SoftSign": on_x(ops.softsign),
    "Sqrt": lambda s: ops.sqrt(positive(s.target)),
    "Swish": on_x(ops.swish, np.float32(1.7)),
    "Tan": lambda s: ops.tan(inside(s.target)),
    "Tanh": on_x(ops.tanh),
    "PRelu": lambda s: ops.prelu(s.target, s.draw.numbers(CHANNELS)),
}

_BROADCASTING: Final[dict[str, Build]] = {
    "Add": on_pair(ops.add),
    "Subtract": lambda s: ops.subtract(s.skip, s.target),
    "Multiply": on_pair(ops.multiply),
    "Divide": lambda s: ops.divide(s.target, ops.add(s.skip, np.float32(3))),
    "Maximum": on_pair(ops.maximum),
    "Minimum": on_pair(ops.minimum),
    "Power": lambda s: ops.power(positive(s.target, 0.5), s.skip),
    "SquaredDifference": on_pair(ops.squared_difference),
    "Mod": lambda s: ops.mod(s.target, positive(s.skip, 0.5)),
    "FloorMod": lambda s: ops.floor_mod(s.target, positive(s.skip, 0.5)),
    "Equal": lambda s: ops.equal(ops.sign(s.target), ops.sign(s.skip)),
    "NotEqual": lambda s: ops.not_equal(ops.sign(s.target), ops.sign(s.skip)),
    "Less": on_pair(ops.less),
    "LessEqual": on_pair(ops.less_equal),
    "Greater": on_pair(ops.greater),
    "GreaterEqual": on_pair(ops.greater_equal),
    "Select": lambda s: ops.select(above(s.target), s.skip, s.target),
    "LogicalAnd": lambda s: ops.logical_and(above(s.target), above(s.skip)),
    "LogicalOr": lambda s: ops.logical_or(above(s.target), above(s.skip)),
    "LogicalXor": lambda s: ops.logical_xor(above(s.target), above(s.skip)),
    "FakeQuantize": lambda s: ops.fake_quantize(
        *(s.target, np.float32(-1), s.draw.numbers(1, CHANNELS, 1, 1, scale=0.1, offset=1.0)),
        *(np.float32(-1), np.float32(1), 16),
    ),
}


ELEMENTWISE_CASES: Final = tuple(OpCase(op, build) for op, build in (_UNARY | _BROADCASTING).items())
