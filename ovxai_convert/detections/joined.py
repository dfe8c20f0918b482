"""Which numbers of one output that holds all of a candidate are its box, its objectness and its classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ovxai_convert.detections.arrangements import Arrangement, Joined, RowsWithScore, SixColumns
from ovxai_convert.detections.grids import anchors_per_cell
from ovxai_convert.detections.outputs import BoxHints, CandidateLayout, OutputShape
from ovxai_convert.errors import Refusal
from ovxai_convert.vocabulary import SALIENCY_MAP

_BOX: Final = 4
_PICKED_ROW: Final = (5, 6)
"""Numbers of a box that is picked already: corners and a score, maybe a label."""
_MOST_QUERIES: Final = 1000
"""That a transformer has."""
_TELL_CLASSES: Final = "the number of classes would tell"


def joined_form(outputs: Sequence[OutputShape], index: int, hints: BoxHints) -> Arrangement | Refusal:
    """How ``[N, a, b]`` holds candidates; the reason alone where that cannot be told.

    Five or six numbers in a row may also be corners, a score and a label of boxes that are picked already.
    They are that where there are not as many of them as cells of the grids of a detector, and where their
    number varies while the size of the input does not.
    """
    output = outputs[index]
    masks = mask_numbers(outputs, index, hints)
    row = None if output.shape[2] is None else output.shape[2] - masks
    if row in _PICKED_ROW and hints.layout is None and hints.objectness is None:
        picked = _are_picked(output.shape[1], row, hints)
        if isinstance(picked, Refusal):
            return picked
        if picked:
            return SixColumns(index, masks) if row == _PICKED_ROW[1] else RowsWithScore(index, None)
    layout = hints.layout or _layout(output, hints, masks)
    if isinstance(layout, Refusal):
        return layout
    channels, candidates = (
        (output.shape[1], output.shape[2])
        if layout == "channels_first"
        else (output.shape[2], output.shape[1])
    )
    if channels is None:
        return Refusal(f"how many numbers {output} has of a candidate is open; {_TELL_CLASSES}")
    columns = channels - masks
    objectness = _has_objectness(output, columns, candidates, layout, hints)
    if isinstance(objectness, Refusal):
        return objectness
    classes = columns - _BOX - objectness
    if classes < 1 or hints.class_count not in (None, classes):
        return _other_classes(output, hints)
    on_grid = candidates is None or hints.size is None or anchors_per_cell(candidates, hints.size)
    queries = layout == "channels_last" and not objectness and not on_grid
    guessed = candidates is None and hints.class_count is None and hints.layout is None
    return Joined(index, layout, objectness, classes, queries, guessed)


def mask_numbers(outputs: Sequence[OutputShape], index: int, hints: BoxHints) -> int:
    """How many numbers of a candidate make its mask, 0 where it has none: as many as there are prototypes.

    Prototypes are an output ``[N, M, h, w]`` beside that of the candidates (YOLO for segmentation), which is
    of something else where the number of classes says so, or its name.
    """
    counts = [
        output.shape[1]
        for output in outputs
        if output.rank == 4 and output.is_real and not output.named(SALIENCY_MAP)
    ]
    masks = counts[0] or 0 if len(counts) == 1 else 0
    if hints.class_count is None:
        return masks
    wanted = {hints.class_count + masks + extra for extra in (_BOX, _BOX + 1)}
    wanted |= {masks + numbers for numbers in _PICKED_ROW}
    return masks if {*outputs[index].shape[1:]} & wanted else 0


def _are_picked(rows: int | None, numbers: int, hints: BoxHints) -> bool | Refusal:
    """Whether rows of five or six numbers are boxes that are picked already."""
    if hints.class_count is not None and numbers - hints.class_count not in (_BOX, _BOX + 1):
        return True
    if rows is None and hints.size is None:
        return Refusal(
            f"{numbers} numbers in a row are either a candidate or a box with its score, "
            "which the size of the input would tell"
        )
    return rows is None or hints.size is None or anchors_per_cell(rows, hints.size) is None


def _layout(output: OutputShape, hints: BoxHints, masks: int) -> CandidateLayout | Refusal:
    """Which of two axes holds candidates: by the number of classes, by what is open, or by the grids."""
    first, last = output.shape[1:]
    if hints.class_count is not None:
        wanted = {hints.class_count + masks + extra for extra in (_BOX, _BOX + 1)}
        if (first in wanted) != (last in wanted):
            return "channels_first" if first in wanted else "channels_last"
        if first is not None and last is not None and first not in wanted:
            return _other_classes(output, hints)
    if (first is None) != (last is None):  # how many candidates there are varies with the size of the input
        return "channels_last" if first is None else "channels_first"
    if first is None or last is None:
        return Refusal(f"which axis of {output} holds candidates is open; {_TELL_CLASSES}")
    if hints.size is not None:
        on_grid = [anchors_per_cell(extent, hints.size) is not None for extent in (first, last)]
        if on_grid[0] != on_grid[1]:
            return "channels_last" if on_grid[0] else "channels_first"
    if first > last:
        return "channels_last"
    return Refusal(f"which axis of {output} holds candidates cannot be told; {_TELL_CLASSES}")


def _has_objectness(
    output: OutputShape,
    columns: int,
    candidates: int | None,
    layout: CandidateLayout,
    hints: BoxHints,
) -> bool | Refusal:
    """Whether a number of objectness stands behind the four of the box.

    The detectors that put candidates last have none, nor have transformers, whose candidates are no cells;
    those that have several anchors in a cell have one.
    """
    unclear = Refusal(
        f"whether the fifth of the {columns} numbers of a candidate in {output} is its objectness or its "
        f"first class cannot be told; {_TELL_CLASSES}"
    )
    if hints.objectness is not None:
        return hints.objectness
    if layout == "channels_first":
        return False
    if hints.class_count is not None:
        return columns == _BOX + 1 + hints.class_count
    if columns == _BOX + 1:
        return False
    if candidates is not None and hints.size is not None:
        anchors = anchors_per_cell(candidates, hints.size)
        if anchors == 1 or (anchors is None and candidates > _MOST_QUERIES):
            return unclear
        return anchors is not None
    return unclear


def _other_classes(output: OutputShape, hints: BoxHints) -> Refusal:
    count = hints.class_count
    classes = "classes" if count is None else "one class" if count == 1 else f"{count} classes"
    return Refusal(f"{output} does not hold boxes of {classes}")
