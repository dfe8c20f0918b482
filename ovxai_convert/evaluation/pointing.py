"""The pointing game: whether the highest point of a map lies in a box around the object.

J. Zhang, Z. Lin, J. Brandt, X. Shen, S. Sclaroff, "Top-Down Neural Attention by Excitation Backprop" (IJCV
126, 2018). Points are the middles of the input's pixels, laid over the photograph: a map tells nothing finer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.evaluation.annotations import ObjectBox
from ovxai_convert.photographs.preprocessing import FieldOfView


class PointedAt:
    """Boxes on a photograph of ``size`` rows and columns, as an input of ``grid`` rows and columns shows it.

    ``margin``: by how many pixels of the photograph the boxes are made larger; the paper's game has 15.
    """

    def __init__(
        self,
        size: tuple[int, int],
        region: FieldOfView,
        grid: tuple[int, int],
        boxes: Sequence[ObjectBox],
        margin: float = 0,
    ) -> None:
        rows, columns = grid
        down = region.top + (np.arange(rows) + 0.5) * (region.bottom - region.top) / rows
        across = region.left + (np.arange(columns) + 0.5) * (region.right - region.left) / columns
        points = np.stack(np.broadcast_arrays(across, down[:, np.newaxis]), axis=-1).reshape(-1, 2)
        shown = (points >= 0).all(axis=1) & (points[:, 0] <= size[1]) & (points[:, 1] <= size[0])
        self._shown = shown.reshape(grid)
        hit = np.zeros(len(points), np.bool_)
        for box in boxes:
            low, high = (box.left - margin, box.top - margin), (box.right + margin, box.bottom + margin)
            hit |= (points >= low).all(axis=1) & (points <= high).all(axis=1)
        self._hit = hit.reshape(grid) & self._shown

    @property
    def chance(self) -> float:
        """The share of points that are hits, as often as one at random is; 0: no box is seen."""
        return float(self._hit.sum() / max(1, self._shown.sum()))

    def hits(self, saliency_map: NDArray[np.float32]) -> float:
        """1 if the highest point of a map in the input's size lies in a box, else 0.

        Of several points that are equally high the share that do: a map that is the same everywhere has no
        more than chance. What lies in the input's padding is no point of the photograph.
        """
        values = np.where(self._shown, saliency_map, -np.inf)
        return float(self._hit[values == values.max()].mean())
