from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.blackbox import aise, drise, rise
from ovxai_convert.blackbox.drise import DRise
from ovxai_convert.blackbox.method import Perturbation, Preset
from ovxai_convert.blackbox.streaming import Batches, ScoreStream
from ovxai_convert.detections.boxes import Detections, nms
from ovxai_convert.detections.forms import BoxForm
from ovxai_convert.detections.outputs import BoxHints, OutputShape
from ovxai_convert.detections.recognising import recognise
from ovxai_convert.detections.similarity import SimilarityScores
from ovxai_convert.errors import UsageError
from tests.blackbox.definitions import rise as rise_by_definition
from tests.blackbox.definitions import rise_centred, rise_masks
from tests.detections.answers import given
from tests.detections.definitions import found_again

SIZE = (32, 40)
WINDOW, STEP, CLASSES = 8, 4, 3
RED, BLUE = (slice(4, 12), slice(8, 16)), (slice(20, 28), slice(28, 36))
"""Rows and columns of the two objects, which are of class 0 and class 2."""
CORNERS = [
    (top, left)
    for top in range(0, SIZE[0] - WINDOW + 1, STEP)
    for left in range(0, SIZE[1] - WINDOW + 1, STEP)
]


def picture() -> NDArray[np.float32]:
    """Two bright squares, each in the channel of its class, on a dim ground; another class overlaps one."""
    pixels = np.random.default_rng(0).random((CLASSES, *SIZE), np.float32) * np.float32(0.3)
    pixels[0][RED] = 0.95
    pixels[1, 4:12, 12:20] = 1
    pixels[2][BLUE] = 0.85
    return pixels


def detections(image: NDArray[Any], objectness: bool) -> Detections:
    """A detector with a box at every place: how bright each channel is there.

    The box shrinks where not much is seen, towards its left upper corner.
    """
    boxes, classes = [], []
    for top, left in CORNERS:
        means = [float(channel[top : top + WINDOW, left : left + WINDOW].mean()) for channel in image]
        extent = WINDOW * min(1, 0.3 + max(means))
        boxes.append([left, top, left + extent, top + extent])
        classes.append([mean**2 for mean in means])
    scores = np.array(classes, np.float32)
    certain = np.sqrt(scores.max(1))
    best = scores.max(1) * certain if objectness else scores.max(1)
    return Detections(
        np.array(boxes, np.float32), best, scores.argmax(1), scores, certain if objectness else None
    )


def answer(image: NDArray[Any], objectness: bool) -> NDArray[np.float32]:
    """The same at once, as a network would have it: ``[1, A, 5 + K]`` or ``[1, 4 + K, A]``."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (WINDOW, WINDOW), (1, 2))[:, ::STEP, ::STEP]
    means = windows.mean((3, 4)).reshape(CLASSES, -1).T
    extents = WINDOW * np.minimum(1, 0.3 + means.max(1, keepdims=True))
    centres = np.array(CORNERS)[:, ::-1] + extents / 2
    parts = [centres, extents, extents, means.max(1, keepdims=True), means**2]
    if objectness:
        return np.hstack(parts).astype(np.float32)[np.newaxis]
    return np.hstack([*parts[:3], parts[4]]).astype(np.float32).T[np.newaxis]


def form(objectness: bool) -> BoxForm:
    plain = answer(picture(), objectness)
    found = recognise([OutputShape(("output0",), plain.shape, plain.dtype)], BoxHints(CLASSES))
    assert isinstance(found, BoxForm)
    fixed = found.settled({0: plain}, SIZE, 1)
    assert isinstance(fixed, BoxForm)
    return fixed


def targets(objectness: bool) -> Detections:
    """The two objects, as they are found in the picture."""
    (found,) = form(objectness).read({0: answer(picture(), objectness)}, SIZE, 1)
    best = nms(found, score_threshold=0.4)
    best = best.taken(best.labels != 1)
    assert best.boxes.astype(int).tolist() == [[8, 4, 16, 12], [28, 20, 36, 28]]
    assert best.labels.tolist() == [0, 2]
    return best


def stream_of(objectness: bool) -> ScoreStream:
    """The detector as a stream of how well its targets are found again."""
    scores = SimilarityScores(targets(objectness), form(objectness).read, SIZE)

    def stream(batches: Batches) -> Iterator[NDArray[np.float32]]:
        for batch in batches:
            answers = [answer(each, objectness) for each in batch]
            yield scores({0: np.concatenate(answers)}, len(batch))

    return stream


def slowly(objectness: bool, change: Callable[[Detections], Detections] = lambda found: found) -> Any:
    """The same by the definition, one picture and one pair at a time."""
    wanted = detections(picture(), objectness)
    places = [CORNERS.index((box[0].start, box[1].start)) for box in (RED, BLUE)]
    wanted = change(wanted.taken(np.array(places)))

    def predict(batch: NDArray[Any]) -> NDArray[np.float32]:
        return np.array([found_again(wanted, change(detections(batch[0], objectness)))], np.float32)

    return predict


@pytest.mark.parametrize("objectness", [True, False])
@pytest.mark.parametrize("centred", [True, False])
def test_map_is_that_of_the_definition(objectness: bool, centred: bool) -> None:
    method = DRise(num_masks=40, num_cells=6, prob=0.4, seed=3, centred=centred)
    result = method.explain(picture(), (1, 2), stream_of(objectness), None, 8)
    definition = rise_centred if centred else rise_by_definition
    expected = definition(picture(), slowly(objectness), rise_masks(SIZE, 40, 6, 0.4, 3), 0.4)
    assert result.maps.shape == (2, *SIZE)
    np.testing.assert_allclose(result.maps, expected, rtol=1e-4, atol=1e-5)


def same_box(found: Detections) -> Detections:
    return replace(found, boxes=np.tile(np.array([[0, 0, 9, 9]], np.float32), (len(found), 1)))


def same_class(found: Detections) -> Detections:
    return replace(found, class_scores=np.ones_like(given(found.class_scores)))


def same_certainty(found: Detections) -> Detections:
    return replace(found, scores=np.ones_like(found.scores), objectness=None)


@pytest.mark.parametrize("objectness", [True, False])
@pytest.mark.parametrize("without", [same_box, same_class, same_certainty])
def test_a_factor_that_is_left_out_is_noticed(
    objectness: bool, without: Callable[[Detections], Detections]
) -> None:
    result = DRise(num_masks=40, num_cells=6, seed=3).explain(
        picture(), (1, 2), stream_of(objectness), None, 8
    )
    masks = rise_masks(SIZE, 40, 6, 0.5, 3)
    right = rise_centred(picture(), slowly(objectness), masks, 0.5)
    wrong = rise_centred(picture(), slowly(objectness, without), masks, 0.5)
    assert abs(result.maps - right).max() < 1e-4
    assert abs(result.maps - wrong).max() > 0.005


@pytest.mark.parametrize("objectness", [True, False])
@pytest.mark.parametrize(
    "method",
    [DRise(num_masks=800, num_cells=8), aise.Aise(), rise.Rise(num_masks=800)],
    ids=["drise", "aise", "rise"],
)
def test_each_box_hangs_on_its_own_pixels(method: Perturbation, objectness: bool) -> None:
    maps = method.explain(picture(), (1, 2), stream_of(objectness), None, 16).maps
    for saliency, (rows, columns) in zip(maps, (RED, BLUE), strict=True):
        row, column = np.unravel_index(saliency.argmax(), SIZE)
        assert row in range(*rows.indices(SIZE[0]))
        assert column in range(*columns.indices(SIZE[1]))
    for own, other, place in ((0, 1, RED), (1, 0, BLUE)):
        spread = maps.max((1, 2)) - maps.min((1, 2))
        above = [(maps[at][place].mean() - np.median(maps[at])) / spread[at] for at in (own, other)]
        assert above[0] > above[1] + 0.3


def test_targets_are_columns_of_the_stream() -> None:
    method = DRise(num_masks=30, num_cells=4)
    both = method.explain(picture(), (1, 2), stream_of(True), None, 8).maps
    second = method.explain(picture(), (1, 2), stream_of(True), [1], 5).maps
    np.testing.assert_array_equal(second, both[[1]])
    with pytest.raises(UsageError, match="class 2 is out of range"):
        method.explain(picture(), (1, 2), stream_of(True), [2], 8)


def test_a_box_that_is_found_stops_early() -> None:
    result = DRise(num_cells=4).explain(picture(), (1, 2), stream_of(True), [0], 50)
    assert result.converged
    assert result.evaluations < 5000


def test_a_box_that_is_never_found_again_has_a_flat_map() -> None:
    def nothing(batches: Batches) -> Iterator[NDArray[np.float32]]:
        for batch in batches:
            yield np.zeros((len(batch), 1), np.float32)

    result = DRise("speed").explain(picture(), (1, 2), nothing, None, 100)  # type: ignore[arg-type]
    assert (result.evaluations, result.converged) == (1000, False)
    np.testing.assert_array_equal(result.maps, 0)


@pytest.mark.parametrize(("preset", "cells"), [("speed", 8), ("balance", 16), ("quality", 24)])
def test_presets_have_cells_of_their_own(preset: str, cells: int) -> None:
    masks = 6

    def blank(batches: Batches) -> Iterator[NDArray[np.float32]]:
        for batch in batches:
            seen.extend(batch)
            yield np.zeros((len(batch), 1), np.float32)

    seen: list[NDArray[Any]] = []
    large = np.ones((1, 96, 120), np.float32)
    method = drise.METHOD.with_settings({"preset": preset, "num_masks": masks})
    method.explain(large, (1, 2), blank, None, 4)
    expected = rise_masks((96, 120), masks, cells, 0.5, 0)
    np.testing.assert_allclose(np.stack(seen)[:, 0], expected, atol=1e-5)
    assert rise.Rise(Preset(preset)).preset_cells[Preset(preset)] != cells


def test_settings_are_those_of_rise() -> None:
    assert drise.METHOD.name == "drise"
    assert drise.METHOD.settings == rise.METHOD.settings
    assert DRise() == DRise(Preset.BALANCE, None, None, 0.5)
    assert DRise() != rise.Rise()
    with pytest.raises(UsageError, match="drise has no setting 'masks'; did you mean 'num_masks'"):
        drise.METHOD.with_settings({"masks": 5})
