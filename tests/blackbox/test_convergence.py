from __future__ import annotations

import numpy as np
import pytest

from ovxai_convert.blackbox.convergence import HalfSamples


def drawn(count: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks of independent pixels, and scores linear in them: the map's limit is known up to a factor."""
    rng = np.random.default_rng(seed)
    masks = (rng.random((count, 400)) < 0.5).astype(np.float32)
    slope = rng.standard_normal(400)
    scores = 7 + masks @ slope + noise * rng.standard_normal(count)
    return scores[:, np.newaxis].astype(np.float32), masks, slope


@pytest.mark.parametrize(("count", "noise"), [(400, 0.0), (3000, 0.0), (3000, 20.0), (20000, 0.0)])
def test_noise_share_predicts_the_correlation_with_the_limit(count: int, noise: float) -> None:
    scores, masks, slope = drawn(count, noise)
    halves = HalfSamples()
    halves.add(scores, masks)
    centred = (scores[:, 0] - scores.mean()) @ masks
    actual = np.corrcoef(centred, slope)[0, 1]
    assert np.sqrt(1 - halves.noise_shares()[0]) == pytest.approx(actual, abs=0.05)


def test_it_does_not_matter_how_samples_arrive_nor_in_which_unit() -> None:
    scores, masks, _ = drawn(501, 1.0)
    at_once, in_parts, scaled = HalfSamples(), HalfSamples(), HalfSamples()
    at_once.add(scores, masks)
    for start, stop in ((0, 3), (3, 4), (4, 250), (250, 501)):
        in_parts.add(scores[start:stop], masks[start:stop])
    scaled.add(100 * scores + 1000, masks)
    np.testing.assert_allclose(in_parts.noise_shares(), at_once.noise_shares(), rtol=1e-9)
    np.testing.assert_allclose(scaled.noise_shares(), at_once.noise_shares(), rtol=1e-3)


@pytest.mark.parametrize("constant", [0.0, 0.1, 12345.0])
def test_a_flat_map_has_not_converged(constant: float) -> None:
    _, masks, _ = drawn(400, 0.0)
    halves = HalfSamples()
    halves.add(np.full((400, 1), constant, np.float32), masks)
    assert np.isinf(halves.noise_shares()).all()


def test_pure_noise_has_not_converged() -> None:
    rng = np.random.default_rng(0)
    _, masks, _ = drawn(5000, 0.0)
    halves = HalfSamples()
    halves.add(rng.random((5000, 1), np.float32), masks)
    assert halves.noise_shares()[0] > 0.7
