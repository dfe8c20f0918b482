"""Numbers and words that programs stumble over, and those that files of models hold."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

WHOLE: Final = (
    0,
    1,
    -1,
    2,
    3,
    7,
    16,
    255,
    256,
    1000,
    65536,
    10**6,
    2**31 - 1,
    2**31,
    -(2**31),
    2**40,
    2**62,
    2**63 - 1,
    -(2**63),
)
FLOATS: Final = (0.0, -0.0, 1.0, -1.0, 1e-38, 1e38, 3.5e38, float("inf"), float("-inf"), float("nan"), 1e-45)
_STRANGE: Final = (
    "",
    " ",
    "\x00",
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp",
    "line\nfeed\r\n",
    "%s%n%d",
    "{0}{stem}",
    "../../etc/passwd",
    "/dev/zero",
    "x" * 300,
    "x" * 20_000,
    "猫\U0001f408",
    "-1",
    "nan",
    "1e999",
    "9" * 5000,
    "0x10",
    "NaN,1,2",
    "?",
    "...",
    "-1..5",
    "[1,2",
    "true",
    "None",
    "output",
    "saliency_map",
    "image",
    "'\"<>&;",
)
_OP_NAMES: Final = (
    "Conv Relu Softmax Gemm MatMul Add Mul Reshape Transpose Flatten Concat Slice Gather ReduceMean Resize "
    "GlobalAveragePool MaxPool AveragePool ArgMax TopK NonZero Loop If Scan Identity Cast Shape Squeeze "
    "Unsqueeze Expand Tile Pad Einsum LayerNormalization BatchNormalization QuantizeLinear DequantizeLinear "
    "Clip Pow Sqrt Where NonMaxSuppression LSTM GRU DepthToSpace SpaceToDepth ScatterND Range OneHot Split"
)
_OPS: Final = _OP_NAMES.split()


def word(rng: random.Random, known: Sequence[str] = ()) -> str:
    """A strange word, the name of an op, or one that the file knows."""
    kinds: tuple[Sequence[str], ...] = (_STRANGE, _OPS, known or _OPS)
    return rng.choice(rng.choice(kinds))
