"""D-RISE: which pixels have to be seen for a box to be found again (Petsiuk et al., arXiv 2006.03204)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from ovxai_convert.blackbox.method import BlackBoxMethod, Preset
from ovxai_convert.blackbox.rise import Rise
from ovxai_convert.vocabulary import Task

CELLS_FOR_BOXES: Final[Mapping[Preset, int]] = {Preset.SPEED: 8, Preset.BALANCE: 16, Preset.QUALITY: 24}


@dataclass(frozen=True)
class DRise(Rise):
    """RISE over a stream whose columns are boxes, and no classes, with masks of more cells.

    The score of a box for a masked image is how well the detector finds it again there: the highest likeness
    of the box to one of the proposals (equations 1 to 4 of the paper; ``detections.similarity``). All else is
    RISE: the map of box t at pixel x is

        map_t(x) = 1 / (p N) * sum_i max_j s(t, proposal_j(image * mask_i)) * mask_i(x)

    Settings are those of :class:`Rise`; a map belongs to one box, so ``targets`` of ``explain`` are columns
    of the stream. ``BALANCE`` is as in the paper: 5000 masks of 16 x 16 cells, each seen with probability
    0.5. An object is smaller than a picture, and RISE's 8 x 8 cells are coarse for it; the other two presets
    have about as many masks for each cell.

    Departures from the paper: maps that have converged take fewer masks, unless ``num_masks`` is given or
    ``tolerance`` is 0; the mean score is taken out of the sum (``centred``); sums are divided by ``p N``, as
    RISE's are, so that a map is in the unit of scores; masks cover the model's input, and not the photograph
    before it is resized.

    Attributes:
        preset: SPEED, BALANCE, QUALITY, also as text: at most 1000, 5000, 10000 masks of 8, 16, 24 cells.
    """

    preset_cells: ClassVar[Mapping[Preset, int]] = CELLS_FOR_BOXES


METHOD: Final = BlackBoxMethod("drise", DRise, Task.DETECTION)
