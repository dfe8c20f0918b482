"""Comparing feature vectors with their definition: the mean of the target over its cells."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import VerificationError
from ovxai_convert.methods import WhiteBoxMethod
from ovxai_convert.methods.method import Head

_ROUNDING: Final = 1e-5
"""Largest error, as a part of the target's largest magnitude."""
_HALF_ROUNDING: Final = 2e-3
"""The same where the model rounds its target to half precision, and the definition does not."""


class CutHead(Head, Protocol):
    """A head, the method that explains it, and whether the model rounds the target to half precision."""

    @property
    def method(self) -> WhiteBoxMethod:
        """The method."""

    @property
    def half_target(self) -> bool:
        """Whether the model does."""


def check_feature_vector(cut: CutHead, values: NDArray[Any], found: NDArray[Any]) -> None:
    """Check a feature vector ``[N, C]`` against the values of the target where a model is cut.

    Raises:
        VerificationError: a channel differs, with the sample, the channel and both values.
    """
    target, cells = cut.target, values.astype(np.float64)
    if (patches := target.patches) is not None:
        first, count = patches
        cells = np.take(cells, range(first, first + count), axis=target.feature_axes[0])
    expected = cells.mean(axis=target.feature_axes)
    accepted = (_HALF_ROUNDING if cut.half_target else _ROUNDING) * float(np.abs(cells).max(initial=0))
    apart = np.abs(expected - found)
    if found.shape != expected.shape or not apart.max(initial=0) <= accepted:
        where = np.unravel_index(int(np.nanargmax(apart)), apart.shape) if apart.size else ()
        sample, channel = (int(index) for index in where)
        raise VerificationError(
            f"the feature vector of sample {sample} has {found[sample, channel]:.6g} at channel {channel}, "
            f"where the mean of the target's cells is {expected[sample, channel]:.6g}"
        )
