"""The two ops of torchvision that detectors need, in Python.

Its compiled part does not load beside a torch that was built for another device, and its Python part will not
be imported where their names are unknown. For tracing, it is enough that they run at all.
"""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

import sys
from typing import Final

import torch
from torch import Tensor

_NMS: Final = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_ROI_ALIGN: Final = (
    "(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width,"
    " int sampling_ratio, bool aligned) -> Tensor"
)


def provide() -> None:
    """Make torchvision importable and its detectors run, if they do not already."""
    try:
        import torchvision
    except RuntimeError:
        pass
    else:
        return
    for name, signature in (("nms", _NMS), ("qnms", _NMS), ("roi_align", _ROI_ALIGN)):
        torch.library.define(f"torchvision::{name}", signature)
    torch.library.impl("torchvision::nms", "CPU", _nms)
    torch.library.impl("torchvision::roi_align", "CPU", _roi_align)

    import torchvision.extension
    import torchvision.ops

    # Some of its modules have a name of their own for what says whether the ops are here.
    for module in (torchvision.extension, sys.modules["torchvision.ops.roi_align"]):
        vars(module)["_has_ops"] = _are_here


def _are_here() -> bool:
    return True


def _nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    order, kept = scores.argsort(descending=True, stable=True), list[Tensor]()
    areas = (dets[:, 2] - dets[:, 0]) * (dets[:, 3] - dets[:, 1])
    while order.numel():
        best, order = order[0], order[1:]
        kept.append(best)
        corners = (
            torch.maximum(dets[best, :2], dets[order, :2]),
            torch.minimum(dets[best, 2:], dets[order, 2:]),
        )
        common = (corners[1] - corners[0]).clamp(min=0).prod(1)
        order = order[common <= iou_threshold * (areas[best] + areas[order] - common)]
    return torch.stack(kept) if kept else order


def _roi_align(
    input: Tensor,  # noqa: A002 - the op's own name of it
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    from torchvision.ops.roi_align import _roi_align as compiled_first

    in_python = compiled_first.__wrapped__
    return in_python(input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned)
