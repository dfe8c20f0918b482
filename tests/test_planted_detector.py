"""The planted scenes are what they claim to be, and the committed detector finds what is in them."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from fixtures.planted_scenes import (
    GRIDS,
    HELD_OUT_SEED,
    LARGE,
    MODEL,
    MOST_OBJECTS,
    OBJECTS,
    SCENE_SIZE,
    SMALL,
    Scene,
    as_input,
    found,
    overlaps,
    probabilities,
    recall_and_precision,
    scene,
    scenes,
)

COUNT: Final = 60
LEAST_FOUND: Final = 0.95
LEAST_RIGHT: Final = 0.94
LEAST_POINTED: Final = 0.97
CORE: Final = ov.Core()


@cache
def held_out() -> tuple[list[Scene], NDArray[np.float32]]:
    """Scenes that training has not seen, and what the detector says of them."""
    drawn = scenes(HELD_OUT_SEED, COUNT)
    compiled = CORE.compile_model(MODEL, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return drawn, np.asarray(compiled(as_input(drawn))["output0"])


def pointed(drawn: list[Scene], outputs: NDArray[np.float32]) -> float:
    """Share of the kinds of each scene whose most probable cell has its centre in a box of that kind."""
    hits = []
    for each, output in zip(drawn, outputs, strict=True):
        for kind in np.unique(each.kinds):
            chances = probabilities(output)[kind]
            row, column = np.unravel_index(chances.argmax(), chances.shape)
            centre = (np.array([column, row]) + 0.5) * SCENE_SIZE / GRIDS[0]
            boxes = each.boxes[each.kinds == kind]
            hits.append(((boxes[:, :2] <= centre) & (centre <= boxes[:, 2:])).all(1).any())
    return float(np.mean(hits))


def test_same_seed_same_scenes() -> None:
    first, second, other = (scene(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.picture.tobytes() == second.picture.tobytes()
    assert first.boxes.tolist() == second.boxes.tolist()
    assert first.kinds.tolist() == second.kinds.tolist()
    assert first.picture.tobytes() != other.picture.tobytes()


@pytest.mark.parametrize("size", [SCENE_SIZE, 160])
def test_scenes_are_as_described(size: int) -> None:
    rng = np.random.default_rng(0)
    drawn = [scene(rng, size) for _ in range(COUNT)]
    assert {each.picture.shape for each in drawn} == {(size, size, 3)}
    assert {each.picture.dtype for each in drawn} == {np.dtype(np.uint8)}
    assert {len(each.kinds) for each in drawn} == set(range(1, MOST_OBJECTS + 1))
    assert {len(each.boxes) - len(each.kinds) for each in drawn} == {0}
    assert {int(kind) for each in drawn for kind in each.kinds} == set(range(len(OBJECTS)))
    boxes = np.concatenate([each.boxes for each in drawn])
    assert boxes.min() >= 0
    assert boxes.max() <= size
    longer = (boxes[:, 2:] - boxes[:, :2]).max(1).round(6)
    small = (longer >= SMALL[0]) & (longer <= SMALL[1])
    large = (longer >= LARGE[0]) & (longer <= LARGE[1])
    assert (small ^ large).all()
    assert min(small.mean(), large.mean()) > 0.4
    apart = [overlaps(each.boxes, each.boxes) - np.eye(len(each.boxes)) for each in drawn]
    assert max(each.max() for each in apart) < 0.1


def test_overlaps() -> None:
    boxes = np.array([(0.0, 0, 2, 2), (1, 0, 3, 2), (5, 5, 6, 6)])
    assert overlaps(boxes[:1], boxes).tolist() == [[1, 1 / 3, 0]]


def test_found_keeps_the_most_probable_of_a_kind() -> None:
    """Of two like boxes one stays, unless they are of two kinds; one that is hardly probable goes."""
    candidates = np.zeros((7, 4), np.float32)
    candidates[:4] = np.array([(10, 10, 8, 6), (11, 10, 8, 6), (10, 10, 8, 6), (40, 40, 8, 6)]).T
    candidates[[4, 4, 6, 5], range(4)] = (0.6, 0.9, 0.7, 0.2)
    boxes, kinds, chances = found(candidates)
    assert boxes.tolist() == [[7, 7, 15, 13], [6, 7, 14, 13]]
    assert kinds.tolist() == [0, 2]
    assert chances.round(6).tolist() == [0.9, 0.7]


def test_probabilities_join_the_grids() -> None:
    candidates = np.zeros((7, GRIDS[0] ** 2 + GRIDS[1] ** 2), np.float32)
    candidates[4, 1] = 0.5
    candidates[5, GRIDS[0] ** 2 + GRIDS[1]] = 0.25
    expected = np.zeros((len(OBJECTS), GRIDS[0], GRIDS[0]))
    expected[0, 0, 1] = 0.5
    expected[1, 2:4, :2] = 0.25
    assert probabilities(candidates).tolist() == expected.tolist()


def test_committed_detector_finds_them() -> None:
    drawn, outputs = held_out()
    assert outputs.shape == (COUNT, 4 + len(OBJECTS), sum(grid**2 for grid in GRIDS))
    recall, precision = recall_and_precision(drawn, outputs)
    assert recall >= LEAST_FOUND
    assert precision >= LEAST_RIGHT


def test_most_probable_cell_lies_in_the_object() -> None:
    assert pointed(*held_out()) >= LEAST_POINTED


def test_other_scenes_answers_are_wrong() -> None:
    """The measures above notice what does not belong to the scene."""
    drawn, outputs = held_out()
    assert max(recall_and_precision(drawn, np.roll(outputs, 1, 0))) <= 0.2
    assert pointed(drawn, np.roll(outputs, 1, 0)) <= 0.5


def test_kinds_are_exchanged_with_the_classes() -> None:
    """A box at the right place is not enough."""
    drawn, outputs = held_out()
    exchanged = outputs.copy()
    exchanged[:, 4:] = np.roll(outputs[:, 4:], 1, 1)
    assert max(recall_and_precision(drawn, exchanged)) <= 0.05


def test_it_has_the_form_of_ultralytics_exports() -> None:
    model = CORE.read_model(MODEL)
    (images,), (output,) = model.inputs, model.outputs
    assert (images.get_names(), str(images.get_partial_shape())) == ({"images"}, "[?,3,128,128]")
    assert (output.get_names(), str(output.get_partial_shape())) == ({"output0"}, "[?,7,320]")
    told = {"task": "detect", "names": str(dict(enumerate(OBJECTS))), "stride": "16", "imgsz": "[128, 128]"}
    assert {key: model.get_rt_info(["framework", key]).astype(str) for key in told} == told
    assert not [node for node in model.get_ops() if node.get_type_name() == "BatchNormInference"]


def test_it_is_small() -> None:
    assert MODEL.stat().st_size <= 300 * 1024
