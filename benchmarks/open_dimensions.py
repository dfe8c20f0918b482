"""What stands in for the dimensions that a model leaves open: one RGB image of 224 pixels, (N, C, H, W)."""

from __future__ import annotations

import openvino as ov

_EXTENTS = (1, 3, 224, 224)


def closed_shape(port: ov.Output) -> list[int]:
    """The static shape that an input is measured with."""
    return [
        extent.get_length() if extent.is_static else _EXTENTS[axis]
        for axis, extent in enumerate(port.get_partial_shape())
    ]
