"""What a network without a class tensor looks like by what its outputs hold: a detector, a segmenter, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

from openvino import Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.interface import input_layout, output_name
from ovxai_convert.anatomy.other_tasks import detects
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.axes import Axis, static_extent
from ovxai_convert.tensors.ports import address, extents
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP

_BOX: Final = 4
"""Numbers that a box has: two corners, or a centre and a size."""
_MOST_CHOICES: Final = 16
"""Rows that may stand beside their best classes (characters of a text); of more, the column is a score."""
_DETECTOR: Final = "a detector"
_PICTURE: Final = 3
"""Channels of a picture."""
_ACTIVATIONS: Final = (Trait.SOFTMAX, Trait.LOG_SOFTMAX, Trait.SIGMOID)

_Found: TypeAlias = tuple[str, str, str]
"""What a network looks like, what was seen, and at which node."""


@dataclass(frozen=True)
class _Answer:
    """What an output shows: a tensor and its extents; for each axis, which places it runs over (D, H, W).

    ``parts`` are the extents of what was joined on an axis.
    """

    name: str
    port: Output
    shape: tuple[int | None, ...]
    places: tuple[frozenset[str], ...]
    parts: tuple[tuple[int | None, ...], ...]

    def __str__(self) -> str:
        return f"output '{self.name}' {self.port.get_partial_shape()}"

    @property
    def long(self) -> list[int]:
        """Axes longer than one, but for that of the batch."""
        longer = [axis for axis, extent in enumerate(self.shape) if extent != 1]
        return [axis for axis in longer if axis or (self.places and self.places[0])]

    @property
    def spatial(self) -> list[int]:
        """Those of them that run over places."""
        return [axis for axis in self.long if self.places and self.places[axis]]

    def length(self, axis: int) -> str:
        """An axis's extent as text."""
        extent = self.shape[axis]
        return "any number of" if extent is None else str(extent)


def likeness(anatomy: Anatomy) -> Refusal | None:
    """What the outputs together look like, and what was seen; None where they look like nothing known.

    To be asked of networks whose outputs show no class tensor. Names tell nothing here.
    """
    answers = _answers(anatomy)
    return next((refusal for sign in _SIGNS if (refusal := _refused(sign(anatomy, answers)))), None)


def looks_like_detector(anatomy: Anatomy) -> bool:
    """Whether the outputs together look like what a detector answers."""
    answers = _answers(anatomy)
    found = (sign(anatomy, answers) for sign in _SIGNS)
    first = next((seen for seen in found if seen is not None), None)
    if first is not None:
        return first[0] == _DETECTOR
    return any(scores_of_boxes(anatomy, answer.port) is not None for answer in answers)


def scores_of_boxes(anatomy: Anatomy, scores: Output) -> Refusal | None:
    """Why what has the shape of scores ``[N, K]`` is one number for each of K boxes; None if it is not.

    The K of a detector are places or anchors, joined or merged from several axes, and another output has at
    least four numbers for each of them.
    """
    shown = _answer(anatomy, "", scores)
    merged = (sum(atom.extent != 1 for atom in axis) > 1 for axis in anatomy.axes.get(scores, ()))
    if not any(merged) and not any(len(parts) > 1 for parts in shown.parts):
        return None
    found = (
        _boxes_and_scores(anatomy, [other, shown]) for other in _answers(anatomy) if other.port != scores
    )
    return next((refusal for each in found if (refusal := _refused(each))), None)


def _refused(found: _Found | None) -> Refusal | None:
    if found is None:
        return None
    what, seen, node = found
    return Refusal(f"this looks like {what} ({seen}); only classifiers and detectors are explained", node)


def _answers(anatomy: Anatomy) -> list[_Answer]:
    """What the outputs show, but for maps that are among them, and for those of any rank."""
    outputs = [each.get_node().input_value(0) for each in anatomy.model.outputs]
    names = [output_name(anatomy.model, index) for index in range(len(outputs))]
    return [
        _answer(anatomy, name, port)
        for name, port in zip(names, outputs, strict=True)
        if name not in (SALIENCY_MAP, SALIENCY_CLASSES) and extents(port) is not None
    ]


def _answer(anatomy: Anatomy, name: str, port: Output) -> _Answer:
    meaning = anatomy.axes.get(port, ())
    parts = tuple(tuple(static_extent(part) for atom in axis for part in atom.parts) for axis in meaning)
    return _Answer(name, port, extents(port) or (), tuple(map(_places, meaning)), parts)


def _places(axis: Axis) -> frozenset[str]:
    """The places that an axis runs over, also where several of its kind were joined."""
    own = {atom.role for atom in axis if atom.extent != 1} & set("DHW")
    return frozenset(own.union(*(_places(part) for atom in axis for part in atom.parts)))


def _picked_boxes(anatomy: Anatomy, answers: Sequence[_Answer]) -> _Found | None:
    """An op that suppresses boxes, or the best places picked among all."""
    for answer in answers:
        picker = detects(anatomy.flow, answer.port)
        if picker is not None:
            return _DETECTOR, f"{picker.get_type_name()} picks boxes", picker.get_friendly_name()
    for answer in answers:
        for node in _ancestors(anatomy, answer.port):
            if has(node, Trait.BEST_OF) and _among_places(anatomy, node):
                seen = f"{answer} is of the best places"
                return _DETECTOR, seen, node.get_friendly_name()
    return None


def _ancestors(anatomy: Anatomy, port: Output) -> Iterator[Node]:
    waiting, met = [port.get_node()], {port.get_node()}
    while waiting:
        node = waiting.pop()
        yield node
        sources = {source.get_node() for source in anatomy.flow.data_inputs(node)} - met
        met |= sources
        waiting += sources


def _among_places(anatomy: Anatomy, node: Node) -> bool:
    meaning = anatomy.axes.get(node.input_value(0))
    return meaning is not None and bool(_places(meaning[node.get_attributes()["axis"] % len(meaning)]))


def _boxes_and_scores(anatomy: Anatomy, answers: Sequence[_Answer]) -> _Found | None:
    """Two outputs on the same candidates, one with four numbers of each, or one with a single one."""
    for first, second in combinations(answers, 2):
        for boxes, scores in ((first, second), (second, first)):
            candidates = next((axis for axis in boxes.long if _same_axis(boxes, scores, axis)), None)
            if candidates is None or len(boxes.long) != 2:
                continue
            numbers = next(boxes.shape[axis] for axis in boxes.long if axis != candidates)
            several = boxes.shape[candidates] is None or (boxes.shape[candidates] or 0) > _MOST_CHOICES
            alone = scores.long == [candidates]
            if numbers == _BOX or (several and alone and numbers is not None and numbers > _BOX):
                seen = f"{boxes}: {numbers} numbers for each of {boxes.length(candidates)} candidates"
                return _DETECTOR, seen, address(boxes.port)
    return None


def _same_axis(boxes: _Answer, scores: _Answer, axis: int) -> bool:
    return axis in scores.long and scores.shape[axis] == boxes.shape[axis] and len(scores.long) <= 2


def _row_of_each_place(anatomy: Anatomy, answers: Sequence[_Answer]) -> _Found | None:
    """Places on one axis, numbers of each on another: boxes with their classes, tokens, or pixels."""
    for answer in answers:
        if len(answer.long) != 2:
            continue
        boxed = [axis for axis in answer.long if _joins_boxes(answer.parts[axis : axis + 1])]
        rows = boxed or [axis for axis in answer.long if axis not in answer.spatial]
        if len(rows) != 1:
            continue
        (row,), (place,) = rows, (axis for axis in answer.long if axis not in rows)
        what = _DETECTOR if boxed else _task_of_places(anatomy, answer, row, place)
        if what is not None:
            seen = f"{answer}: {answer.length(row)} numbers for each of {answer.length(place)} places"
            return what, seen, address(answer.port)
    return None


def _joins_boxes(parts: Sequence[tuple[int | None, ...]]) -> bool:
    """Whether an axis holds boxes or their centres beside something else: parts of several lengths."""
    return any(len(set(lengths)) > 1 and {_BOX, _BOX // 2} & set(lengths) for lengths in parts)


def _task_of_places(anatomy: Anatomy, answer: _Answer, row: int, place: int) -> str | None:
    """What a network is whose output has a row of numbers for each place."""
    if answer.shape[place] is not None and answer.shape[place] == _pixels(anatomy):
        return "a segmentation network"
    if _last_normalised(anatomy, answer.port):
        return "a transformer without its head"
    if len(answer.places[place]) == 1 and not answer.parts[place]:
        return "a reader of text"
    numbers = answer.shape[row]
    return _DETECTOR if numbers is None or numbers > _BOX else None


def _pixels(anatomy: Anatomy) -> int | None:
    """Rows times columns of the image, if both are known."""
    rows, columns = _image_size(anatomy)
    return None if rows is None or columns is None else rows * columns


def _image_size(anatomy: Anatomy) -> tuple[int | None, int | None]:
    if len(anatomy.images) != 1:
        return None, None
    image = anatomy.images[0]
    layout, shape = input_layout(image), extents(image)
    if layout is None or shape is None:
        return None, None
    return shape[layout.index("H")], shape[layout.index("W")]


def _last_normalised(anatomy: Anatomy, port: Output) -> bool:
    """Whether no weights multiply what a normalisation made, as behind a transformer's last block."""
    while anatomy.flow.depends_on_input(port):
        node = port.get_node()
        if has(node, *_ACTIVATIONS):
            return False
        if has(node, Trait.NORMALISATION):
            return True
        sources = anatomy.flow.data_inputs(node)
        if len(sources) != 1 or has(node, Trait.CONVOLUTION, Trait.PRODUCT):
            return False
        port = sources[0]
    return False


def _grids(anatomy: Anatomy, answers: Sequence[_Answer]) -> _Found | None:
    """Rows and columns kept apart: a picture, a class for every place, grids of several sizes."""
    laid_out = [grid for answer in answers if (grid := _grid(anatomy, answer)) is not None]
    if not laid_out:
        return None
    first = laid_out[0]
    sizes = {grid.size for grid in laid_out}
    at = address(first.answer.port)
    if len(sizes) > 1:
        other = next(grid for grid in laid_out if grid.size != first.size)
        seen = f"{first.answer} and {other.answer}: grids of several sizes"
        alike = len({tuple(sorted(_channels(laid_out, size))) for size in sizes}) == 1
        return _DETECTOR if alike else "a network without its head", seen, at
    seen = f"{first.answer}: numbers for every place"
    whole = _times(first.size, _image_size(anatomy))
    if first.chosen or (whole and (first.channels or 0) > _PICTURE):
        return "a segmentation network", seen, at
    if not whole:
        return "a network for segmentation or keypoints, or one without its head", seen, at
    likely = (
        "segmentation, or one that makes pictures" if first.channels == _PICTURE else "segmentation or depth"
    )
    return f"a network for {likely}", seen, at


def _channels(grids: Sequence[_Grid], size: tuple[int | None, ...]) -> list[int]:
    """How many numbers the places of the grids of one size have; -1 where that is open."""
    return [-1 if grid.channels is None else grid.channels for grid in grids if grid.size == size]


@dataclass(frozen=True)
class _Grid:
    """Rows and columns of an output, how many numbers each place has, and whether they choose a class."""

    answer: _Answer
    size: tuple[int | None, ...]
    channels: int | None
    chosen: bool


def _grid(anatomy: Anatomy, answer: _Answer) -> _Grid | None:
    """The grid that an output shows, by itself or ahead of what chooses a class at every place."""
    port, chosen = answer.port, False
    while anatomy.flow.depends_on_input(port):
        shown = _answer(anatomy, answer.name, port)
        node = port.get_node()
        classes = [axis for axis in shown.long if axis not in shown.spatial]
        if len(shown.spatial) > 1:
            channels = shown.shape[classes[0]] if classes else 1
            chosen = chosen or has(node, *_ACTIVATIONS)
            return _Grid(answer, tuple(shown.shape[axis] for axis in shown.spatial), channels, chosen)
        chosen = chosen or has(node, Trait.BEST_OF, *_ACTIVATIONS)
        if not has(node, Trait.MOVE, Trait.COPY, Trait.ROUNDING, Trait.BEST_OF, *_ACTIVATIONS):
            break
        port = node.input_value(0)
    return _as_large_as_the_image(anatomy, answer)


def _as_large_as_the_image(anatomy: Anatomy, answer: _Answer) -> _Grid | None:
    """A grid by its extents alone, where it is as large as the image or a multiple of it."""
    image = _image_size(anatomy)
    for axes in ((2, 3), (1, 2)):
        if len(answer.shape) in (axes[1] + 1, 4) and len(answer.shape) > axes[1]:
            size = tuple(answer.shape[axis] for axis in axes)
            others = [extent for axis, extent in enumerate(answer.shape) if axis and axis not in axes]
            if _times(size, image):
                return _Grid(answer, size, others[0] if others else 1, chosen=False)
    return None


def _times(size: tuple[int | None, ...], image: tuple[int | None, ...]) -> bool:
    """Whether a grid is as large as the image, or larger by a whole factor."""
    pairs = list(zip(size, image, strict=False))
    if len(size) != len(image) or any(not extent or not whole for extent, whole in pairs):
        return False
    factors = {extent / whole for extent, whole in pairs if extent and whole}
    return len(factors) == 1 and min(factors) >= 1 and min(factors).is_integer()


def _sequence(anatomy: Anatomy, answers: Sequence[_Answer]) -> _Found | None:
    """Rows of numbers, as many as the input asks for."""
    for answer in answers:
        if len(answer.shape) == 3 and len(answer.long) == 2 and answer.shape[answer.long[0]] is None:
            seen = f"{answer}: a row of {answer.length(answer.long[1])} numbers at every step"
            return "a network that answers with a sequence, as readers of text do", seen, address(answer.port)
    return None


_SIGNS: Final[tuple[Callable[[Anatomy, Sequence[_Answer]], _Found | None], ...]] = (
    _picked_boxes,
    _boxes_and_scores,
    _row_of_each_place,
    _grids,
    _sequence,
)
"""Ways to see what a network is; the first that sees anything is taken."""
