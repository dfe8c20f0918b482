"""Families of OpenVINO op types that behave alike; the one place where type names are listed."""

from __future__ import annotations

from typing import Final

CONVOLUTIONS: Final = frozenset(
    {
        "Convolution",
        "GroupConvolution",
        "BinaryConvolution",
        "DeformableConvolution",
        "ConvolutionBackpropData",
        "GroupConvolutionBackpropData",
    }
)
"""Data first, then weights; data is always (N, C, spatial...)."""

POOLINGS: Final = frozenset({"MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool"})
"""Data is always (N, C, spatial...)."""

UNARY: Final = frozenset(
    {
        *(
            "Abs",
            "Acos",
            "Acosh",
            "Asin",
            "Asinh",
            "Atan",
            "Atanh",
            "Ceiling",
            "Clamp",
            "Convert",
            "Cos",
            "Cosh",
        ),
        *(
            "Elu",
            "Erf",
            "Exp",
            "FakeConvert",
            "Floor",
            "Gelu",
            "HSigmoid",
            "HSwish",
            "HardSigmoid",
            "Identity",
        ),
        *(
            "IsFinite",
            "IsInf",
            "IsNaN",
            "Log",
            "LogicalNot",
            "Mish",
            "Negative",
            "Relu",
            "Round",
            "Selu",
        ),
        *(
            "Sigmoid",
            "Sign",
            "Sin",
            "Sinh",
            "SoftPlus",
            "SoftSign",
            "Sqrt",
            "Swish",
            "Tan",
            "Tanh",
            "ConvertLike",
        ),
    }
)
"""One value in, one value out; inputs after the first are parameters without axes (Swish's beta)."""

BROADCASTING: Final = frozenset(
    {
        *("Add", "Subtract", "Multiply", "Divide", "Maximum", "Minimum", "Power", "SquaredDifference", "Mod"),
        *("FloorMod", "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "Select"),
        *("LogicalAnd", "LogicalOr", "LogicalXor", "FakeQuantize"),
    }
)
"""Several values in, aligned to the right and broadcast as in NumPy."""

ELEMENTWISE: Final = UNARY | BROADCASTING | {"PRelu"}

NORMALISATIONS: Final = frozenset(
    {"BatchNormInference", "MVN", "NormalizeL2", "LRN", "GroupNormalization", "RMS", "Softmax", "LogSoftmax"}
)

SHAPE_KEEPING: Final = NORMALISATIONS | {"ShuffleChannels", "CumSum", "ReverseSequence"}
"""The first output has the axes of the first input."""

AXIS_REDUCING: Final = frozenset(
    {
        *("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"),
        *("ReduceLogicalAnd", "ReduceLogicalOr"),
    }
)

AXIS_MOVES: Final = frozenset({"Reshape", "Transpose", "Squeeze", "Unsqueeze"})
"""The same numbers under other axes."""
