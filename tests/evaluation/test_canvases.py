"""What covers an image, what a map shows of it, and maps that know nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ovxai_convert.blackbox.metrics import blurred
from ovxai_convert.blackbox.streaming import Subject
from ovxai_convert.evaluation.canvases import COVERS, canvas_of, scaled_to_one, shown_by
from ovxai_convert.evaluation.measurements import Contender
from ovxai_convert.explain.baselines import BASELINES, centre_map, random_maps
from ovxai_convert.photographs.preprocessing import Preprocessing

PREPARED = Preprocessing((6, 9), 3, np.dtype(np.float32), (100.0,), (50.0,))
PICTURE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def test_canvases() -> None:
    subject = Subject(PREPARED(PICTURE)[0], (1, 2))
    found = {cover: canvas_of(cover, subject, PREPARED, PICTURE) for cover in COVERS}
    assert (found["zero"] == 0).all()
    assert (found["black"] == np.float32(-2)).all(), "(0 - 100) / 50"
    assert found["blur"].std() < 0.3 * subject.image.std()
    np.testing.assert_array_equal(found["blur"], blurred(subject.image, (1, 2), 5.0))
    for canvas in found.values():
        assert (canvas.shape, canvas.dtype) == (subject.image.shape, subject.image.dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_what_a_map_shows(dtype: type[np.generic]) -> None:
    prepared = replace(PREPARED, dtype=np.dtype(dtype), mean=(0.0,), scale=(1.0,), layout="NHWC")
    subject = Subject(prepared(PICTURE)[0], (0, 1))
    share = np.random.default_rng(1).random((6, 9))
    canvas = np.full_like(subject.image, 40)
    expected = share[..., np.newaxis] * subject.image + (1 - share[..., np.newaxis]) * 40.0
    found = shown_by(share, subject, canvas)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.rint(expected) if dtype is np.uint8 else expected, rtol=1e-5)
    np.testing.assert_array_equal(shown_by(np.zeros((6, 9)), subject, canvas), canvas)
    np.testing.assert_array_equal(shown_by(np.ones((6, 9)), subject, canvas), subject.image)


def test_scaled_to_one() -> None:
    assert scaled_to_one(np.array([[-2, 0, 2]], np.float32)).tolist() == [[0, 0.5, 1]]
    assert scaled_to_one(np.full((2, 2), 7, np.float32)).tolist() == [[0, 0], [0, 0]]


def test_random_maps_are_smooth_and_drawn_anew() -> None:
    one, other = random_maps((70, 56), 2, (0, 3))
    assert one.shape == (70, 56)
    assert (one != other).any()
    assert abs(np.diff(one, axis=0)).max() < 0.4 * np.ptp(one), "coarse cells, and no strewn pixels"
    np.testing.assert_array_equal(one, random_maps((70, 56), 1, (0, 3))[0])
    assert (one != random_maps((70, 56), 1, (0, 4))[0]).any()
    assert (one != random_maps((70, 56), 1, (1, 3))[0]).any()


def test_centre_map() -> None:
    found = centre_map((5, 9))
    assert found[2, 4] == 1 == found.max()
    for row, column in ((0, 4), (4, 7), (2, 0)):
        y, x = (2 * row + 1) / 5 - 1, (2 * column + 1) / 9 - 1
        assert found[row, column] == pytest.approx(np.exp(-2 * (x * x + y * y)))
    np.testing.assert_allclose(found, found[::-1, ::-1])


def test_baselines_are_told_from_methods() -> None:
    assert [Contender("m", each).is_baseline for each in (*BASELINES, "rise")] == [True, True, False]
