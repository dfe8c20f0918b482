"""The image to explain, and covering parts of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError


@dataclass(frozen=True)
class Subject:
    """One image as the model takes it.

    Attributes:
        image: a model input without its batch axis, in the input's element type.
        spatial_axes: which axes of ``image`` are rows and columns: ``(1, 2)`` for CHW, ``(0, 1)`` for HWC.
    """

    image: NDArray[Any]
    spatial_axes: tuple[int, int]

    def __post_init__(self) -> None:
        rows, columns = self.spatial_axes
        if not 0 <= rows < columns < self.image.ndim:
            raise UsageError(
                f"an image of shape {self.image.shape} has no rows and columns at axes {self.spatial_axes}"
            )
        if self.image.size == 0:
            raise UsageError(f"the image is empty: its shape is {self.image.shape}")
        if not (np.issubdtype(self.image.dtype, np.floating) or np.issubdtype(self.image.dtype, np.integer)):
            raise UsageError(f"the image must hold integers or floats, not {self.image.dtype}")

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, H and W."""
        rows, columns = self.spatial_axes
        return self.image.shape[rows], self.image.shape[columns]

    def empty_batch(self, count: int) -> NDArray[Any]:
        """A batch to fill, ``(count, *image.shape)``."""
        return np.empty((count, *self.image.shape), self.image.dtype)

    def aligned(self, per_pixel: NDArray[Any]) -> NDArray[Any]:
        """A view of ``[H, W]`` that broadcasts against the image."""
        rows, columns = self.spatial_axes
        return per_pixel.reshape(
            [extent if axis in (rows, columns) else 1 for axis, extent in enumerate(self.image.shape)]
        )

    def mask_into(self, out: NDArray[Any], mask: NDArray[np.float32]) -> None:
        """``out = image * mask``, with a mask ``[H, W]`` of 0..1; rounded where the image holds integers."""
        if np.issubdtype(self.image.dtype, np.floating):
            np.multiply(self.image, self.aligned(mask), out=out, casting="same_kind")
        else:
            product = np.multiply(self.image, self.aligned(mask), dtype=np.float32)
            np.copyto(out, np.rint(product, out=product), casting="unsafe")
