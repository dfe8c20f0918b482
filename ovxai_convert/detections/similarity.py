"""D-RISE's likeness of two detections (Petsiuk et al., arXiv 2006.03204), and scores of boxes made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections, iou
from ovxai_convert.detections.forms import ReadDetections

_ALMOST: Final = np.float32(0.9)


def similarities(targets: Detections, proposals: Detections) -> NDArray[np.float32]:
    """How well each target is found again among the proposals of a picture that was altered: ``[targets]``.

    The score of a target t is that of the proposal j that is most like it (equations 1 to 4 of the paper):

        max_j  IoU(box_t, box_j) * cos(P_t, P_j) * O_j

    with P the scores of the classes and O the objectness: 0 to 1, and 0 where nothing overlaps it. The
    product is a logical and: another place, another class, or no object.

    What a model does not give:

    - Without scores of the classes, on either side, the cosine is 1 for equal labels and else 0, as it is of
      one-hot vectors.
    - Without an objectness the score of the proposal, which is that of its best class, stands for it. The
      paper leaves the factor out, for Faster R-CNN. But a cosine does not change with the length of P: for a
      detector of one stage, which answers with a box at every place of the picture, a proposal with all
      scores next to 0 would count as much as the object itself, and nothing would tell that it is gone. Such
      a model gives P_j = O_j * C_j in one, with C_j the class given an object. Of this, the cosine sees the
      direction only, which is that of C_j, and O_j is the highest of P_j where one class holds for certain
      if there is an object. A model that is in doubt between classes gets less than its objectness.
    - Where classes exclude each other and the background is one of them, the objectness is 1 less the
      probability of the background, without any such assumption (``Detections.objectness`` of these forms).

    A target's own objectness plays no part.
    """
    sure = proposals.scores if proposals.objectness is None else proposals.objectness
    bounds = iou(targets.boxes, proposals.boxes) * sure
    return np.array([_best(targets, at, proposals, bound) for at, bound in enumerate(bounds)], np.float32)


@dataclass(frozen=True)
class SimilarityScores:
    """Scores of target boxes in place of those of classes: what an explanation of them is made of.

    ``read`` makes detections of results (``BoxForm.read``, or a user's own), ``size`` is the input's rows and
    columns.
    """

    targets: Detections
    read: ReadDetections
    size: tuple[int, int]

    def __call__(self, results: Mapping[Any, NDArray[Any]], samples: int) -> NDArray[np.float32]:
        """Scores ``(samples, targets)``, 0 to 1; raises as ``read`` does."""
        return np.stack([similarities(self.targets, each) for each in self.read(results, self.size, samples)])


def _best(targets: Detections, at: int, proposals: Detections, bounds: NDArray[np.float32]) -> float:
    """The highest likeness of one target, given what each would be with a cosine of 1.

    That of the few with almost the highest bound is a floor: what is bounded below it is not computed.
    """
    if bounds.max(initial=0) <= 0:
        return 0.0
    few = np.flatnonzero(bounds >= _ALMOST * bounds.max())
    floor = _highest(targets, at, proposals, bounds, few)
    return _highest(targets, at, proposals, bounds, np.flatnonzero(bounds >= floor))


def _highest(
    targets: Detections,
    at: int,
    proposals: Detections,
    bounds: NDArray[np.float32],
    which: NDArray[np.intp],
) -> float:
    """The highest likeness of one target to some proposals, at least one."""
    return float((bounds[which] * _cosines(targets, at, proposals, which)).max())


def _cosines(
    targets: Detections, at: int, proposals: Detections, which: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Cosines of a target's scores of classes and those of some proposals; 0 where all scores are."""
    if targets.class_scores is None or proposals.class_scores is None:
        return np.asarray(proposals.labels[which] == targets.labels[at], np.float32)
    one = targets.class_scores[at]
    others = np.clip(proposals.class_scores[which], 0, 1)
    lengths = np.sqrt(one @ one) * np.sqrt(np.einsum("nk,nk->n", others, others))
    cosines = (others @ one) / np.where(lengths > 0, lengths, 1)
    return np.asarray(np.minimum(cosines, 1), np.float32)
