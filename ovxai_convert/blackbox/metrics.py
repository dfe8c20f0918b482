"""How well a map names the pixels that a score hangs on: deletion and insertion.

The metrics of RISE's paper (arXiv 1806.07421). Deletion covers the pixels of an image one after
the other, the map's highest first; a good map makes the score fall at once. Insertion shows them on an empty
or blurred canvas in the same order; a good map makes it rise at once. Either is summed up as the area under
the score over the fraction of pixels, which lies in 0..1 where scores do, as probabilities: smaller is better
for deletion, larger for insertion.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.streaming import ScoreStream, Subject, Trial, chosen
from ovxai_convert.errors import UsageError


@dataclass(frozen=True)
class ScoreCurve:
    """A class's scores while pixels are covered or shown, and their fractions, 0 to 1, ``[steps + 1]``."""

    fractions: NDArray[np.float64]
    scores: NDArray[np.float32]

    @property
    def auc(self) -> float:
        """Area under the curve, by the trapezoidal rule."""
        means = (self.scores[1:].astype(np.float64) + self.scores[:-1]) / 2
        return float(means @ np.diff(self.fractions))


def deletion(
    image: NDArray[Any],
    spatial_axes: tuple[int, int],
    saliency_map: NDArray[Any],
    score_stream: ScoreStream,
    target: int,
    batch_size: int,
    steps: int = 224,
    baseline: float | NDArray[Any] = 0.0,
) -> ScoreCurve:
    """The score while pixels are replaced by the baseline, the map's highest first; smaller area is better.

    Pixels of equal value go row by row. The curve has ``steps + 1`` points; at point i, ``round(i H W /
    steps)`` pixels are gone.

    The image is a model input without its batch axis, ``spatial_axes`` of which are rows and columns; the map
    is ``[H, W]``. The stream gives probabilities, for an area in 0..1. The baseline is a number (0 is the
    mean colour of an image normalised to mean 0), or an image. There are no more steps than pixels.

    Raises:
        UsageError: a map of another size or with NaN, a class out of range, scores that do not fit.
    """
    trial = Trial(image, spatial_axes, score_stream, batch_size)
    return _curve(trial, image, _canvas(trial, baseline), saliency_map, target, steps)


def insertion(
    image: NDArray[Any],
    spatial_axes: tuple[int, int],
    saliency_map: NDArray[Any],
    score_stream: ScoreStream,
    target: int,
    batch_size: int,
    steps: int = 224,
    start: float | NDArray[Any] = 0.0,
) -> ScoreCurve:
    """The score while pixels of the image are shown on the start, the map's highest first; larger is better.

    As ``deletion``, but for ``start``: a number, or an image such as ``blurred`` makes. (The paper starts
    from a blurred image, on which no sharp edge appears where pixels do; openvino-xai starts from 0, as
    here.)
    """
    trial = Trial(image, spatial_axes, score_stream, batch_size)
    return _curve(trial, _canvas(trial, start), image, saliency_map, target, steps)


def blurred(image: NDArray[Any], spatial_axes: tuple[int, int], sigma: float = 5.0) -> NDArray[Any]:
    """The image through a Gaussian of ``sigma`` pixels along rows and columns, reflected at the border."""
    subject = Subject(image, spatial_axes)
    if not sigma > 0:
        raise UsageError(f"sigma must be above 0, not {sigma}")
    planes = np.moveaxis(image, spatial_axes, (-2, -1))
    soft = np.empty(planes.shape, np.float32)
    for index in np.ndindex(planes.shape[:-2]):
        soft[index] = cv2.GaussianBlur(np.ascontiguousarray(planes[index], np.float32), (0, 0), sigma)
    return _canvas(subject, np.moveaxis(soft, (-2, -1), spatial_axes))


def _canvas(subject: Subject, fill: float | NDArray[Any]) -> NDArray[Any]:
    canvas = np.asarray(fill)
    if canvas.shape not in ((), subject.image.shape):
        raise UsageError(
            f"a baseline image must have the image's shape {subject.image.shape}, not {canvas.shape}"
        )
    if np.issubdtype(subject.image.dtype, np.integer):
        canvas = np.rint(canvas)
    return canvas.astype(subject.image.dtype)


def _curve(
    trial: Trial,
    before: NDArray[Any],
    after: NDArray[Any],
    saliency_map: NDArray[Any],
    target: int,
    steps: int,
) -> ScoreCurve:
    places = _places(trial, saliency_map)
    if not 1 <= steps <= places.size:
        raise UsageError(f"steps must be 1 to {places.size}, the number of pixels, not {steps}")
    counts = np.rint(np.linspace(0, places.size, steps + 1)).astype(np.intp)

    def altered(step: int, out: NDArray[Any]) -> None:
        out[...] = np.where(trial.aligned(places < counts[step]), after, before)

    with closing(trial.scores(len(counts), altered)) as stream:
        scores = [batch[:, chosen([target], batch.shape[1])[0]].copy() for batch in stream]
    return ScoreCurve(counts / places.size, np.concatenate(scores))


def _places(subject: Subject, saliency_map: NDArray[Any]) -> NDArray[np.intp]:
    """Each pixel's place in the order of the map, ``[H, W]``: 0 for the highest."""
    if saliency_map.shape != subject.size:
        raise UsageError(f"the map must have the image's size {subject.size}, not shape {saliency_map.shape}")
    values = saliency_map.astype(np.float64).ravel()
    if np.isnan(values).any():
        raise UsageError("the map holds NaN, which has no place in an order")
    places = np.empty(values.size, np.intp)
    places[np.argsort(-values, kind="stable")] = np.arange(values.size)
    return places.reshape(subject.size)
