"""The planted-object images are what they claim to be, and the committed classifier reads them."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.planted_object import (
    HELD_OUT_SEED,
    IMAGE_SIZE,
    MODEL,
    OBJECT_SIZE,
    OBJECTS,
    cells_at_object,
    planted_objects,
)
from tests.running import CORE, compile_f32


def test_same_seed_same_images() -> None:
    first, second, other = planted_objects(3, 4), planted_objects(3, 4), planted_objects(4, 4)
    assert first.images.tobytes() == second.images.tobytes()
    assert first.labels.tolist() == second.labels.tolist()
    assert first.corners.tolist() == second.corners.tolist()
    assert first.images.tobytes() != other.images.tobytes()


def test_images_are_as_described() -> None:
    drawn = planted_objects(0, 400)
    assert drawn.images.shape == (400, 3, IMAGE_SIZE, IMAGE_SIZE)
    assert drawn.images.dtype == np.float32
    assert set(drawn.labels) == set(range(len(OBJECTS)))
    assert (drawn.corners.min(), drawn.corners.max()) == (0, IMAGE_SIZE - OBJECT_SIZE)


def test_objects_differ() -> None:
    patterns = {shape.tobytes() for shape in OBJECTS.values()}
    assert len(patterns) == len(OBJECTS)
    assert all(shape.shape == (OBJECT_SIZE, OBJECT_SIZE) for shape in OBJECTS.values())


@pytest.mark.parametrize(
    ("corner", "margin", "rows", "columns"),
    [((0, 0), 0, (0, 1), (0, 1)), ((12, 37), 0, (2, 3), (6, 7)), ((14, 30), 1, (1, 5), (4, 7))],
)
def test_cells_at_object(
    corner: tuple[int, int], margin: int, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    """On 8 x 8 cells of 6 pixels an object of 11 covers two or three cells each way."""
    cells = cells_at_object(np.array(corner), (8, 8), margin)
    found = np.argwhere(cells)
    assert found.min(0).tolist() == [rows[0], columns[0]]
    assert found.max(0).tolist() == [rows[1], columns[1]]
    assert len(found) == (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1)


def test_committed_classifier_reads_them() -> None:
    drawn = planted_objects(HELD_OUT_SEED, 100)
    logits = compile_f32(CORE.read_model(MODEL))(drawn.images)["logits"]
    assert logits.shape == (100, len(OBJECTS))
    assert (logits.argmax(1) == drawn.labels).sum() >= 98


def test_the_class_is_read_at_the_object_only() -> None:
    """With the object painted over by the background's mean, what was right by sight is right by chance."""
    drawn = planted_objects(HELD_OUT_SEED, 100)
    images = drawn.images.copy()
    for image, (row, column) in zip(images, drawn.corners, strict=True):
        image[:, row : row + OBJECT_SIZE, column : column + OBJECT_SIZE] = 0.5
    logits = compile_f32(CORE.read_model(MODEL))(images)["logits"]
    assert (logits.argmax(1) == drawn.labels).sum() <= 30


def test_it_is_small() -> None:
    assert MODEL.stat().st_size <= 300 * 1024
