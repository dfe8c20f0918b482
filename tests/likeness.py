"""How alike the answers of two models are: outputs of samples, and maps by how they rank their cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from tests.running import CORE, compile_f32

Outputs: TypeAlias = "dict[str, NDArray[Any]]"
ROUNDING: Final = 1e-5
"""Of an output's range: by how much sums in another order differ in float32."""


def outputs_of(model: ov.Model | Path, samples: NDArray[Any]) -> Outputs:
    """All outputs by name for samples ``[S, ...]``, as many at once as the model takes."""
    model = CORE.read_model(model) if isinstance(model, Path) else model
    compiled, batch = compile_f32(model), model.inputs[0].get_partial_shape()[0]
    step = batch.get_length() if batch.is_static else len(samples)
    names = [port.get_any_name() for port in model.outputs]
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    for first in range(0, len(samples), step):
        results = compiled(samples[first : first + step])
        for index, name in enumerate(names):
            parts[name].append(np.array(results[index]))
    return {name: np.concatenate(values) for name, values in parts.items()}


def assert_alike(before: Outputs, after: Outputs, levels: int = 1) -> None:
    """The same outputs, but for what another order of summing does: numbers, and grey levels of maps."""
    assert list(after) == list(before)
    for name, expected in before.items():
        found = after[name]
        assert found.dtype == expected.dtype, name
        assert found.shape == expected.shape, name
        moved = abs(found.astype(np.float64) - expected).max()
        allowed = levels if expected.dtype == np.uint8 else ROUNDING * float(np.ptp(expected))
        assert moved <= allowed, f"{name} moved by {moved:.3g}, more than {allowed:.3g}"


def rank_correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Spearman's, of two maps; cells of equal value share their ranks. 0 where a map is constant."""
    first, second = (_ranks(each.astype(np.float64).ravel()) for each in (one, other))
    if not np.ptp(first) or not np.ptp(second):
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[places], np.float64)


def maps_of_best(outputs: Outputs, classes: Sequence[int] | None = None) -> list[NDArray[Any]]:
    """Each sample's map of its best class, or of the class that is named for it."""
    best = outputs["logits"].argmax(1) if classes is None else classes
    return [maps[index] for maps, index in zip(outputs["saliency_map"], best, strict=True)]
