"""Maps that know nothing of model and photograph: what a method's map has to be better than."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.pictures.rendering import enlarged

RANDOM, CENTRE = "random", "centre"
BASELINES: Final = (RANDOM, CENTRE)
"""Names of these maps, in place of a method's."""
RANDOM_MAPS: Final = 4
"""Of each photograph; their measures are averaged."""

_CELLS: Final = (7, 7)
"""As coarse as a white-box map is: strewn pixels would destroy any image at once."""


def random_maps(size: tuple[int, int], count: int, seed: tuple[int, ...]) -> list[NDArray[np.float32]]:
    """Smooth random maps in a size of rows and columns; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [enlarged(rng.random(_CELLS), size) for _ in range(count)]


def centre_map(size: tuple[int, int]) -> NDArray[np.float32]:
    """A map that is highest in the middle, where people who take photographs have their objects.

    ``exp(-2 r^2)``, with r = 1 in the middle of each edge.
    """
    rows, columns = (np.linspace(-1, 1, 2 * extent + 1)[1::2] for extent in size)
    return np.asarray(np.exp(-2 * np.add.outer(rows**2, columns**2)), np.float32)
