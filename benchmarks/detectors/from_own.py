"""Detectors that are written here, small, in the exact form of other projects' exports."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, no-any-return"

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from benchmarks.detectors import anchor_forms, point_forms, yolo_forms
from benchmarks.detectors.blocks import Form
from benchmarks.detectors.catalogue import Detector
from benchmarks.detectors.tracing import write_onnx
from benchmarks.detectors.weights import enliven, pictures


def write(detector: Detector, path: Path) -> None:
    """Write a detector with random weights."""
    form, image = make(detector)
    write_onnx(form, image, path, form.outputs)


def make(detector: Detector) -> tuple[Form, Tensor]:
    """A detector's module with random weights, and an image for it."""
    known = {**yolo_forms.FORMS, **point_forms.FORMS, **anchor_forms.FORMS}
    form = known[detector.settings["form"]](detector.classes, detector.size)
    images = pictures(4, detector.size) * detector.largest
    if form.channels_last:
        images = images.permute(0, 2, 3, 1)
    # Most are written for batches of one.
    enliven(form, lambda: [form(image[None]) for image in images], form.heads())
    return form, images[:1]
