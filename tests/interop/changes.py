"""What becomes of an artifact without any other package: renamed, saved again, reshaped, wrapped."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.changed import CHANGES, Change, reshaped, wrapped
from tests.interop.networks import MEAN, SCALE, Network, networks
from tests.interop.readers import unread
from tests.interop.rows import Row
from tests.likeness import Outputs, maps_of_best, outputs_of, rank_correlation


def rows() -> Iterator[Row]:
    """One row per network and change."""
    with tempfile.TemporaryDirectory(prefix="ovxai-changes-") as name:
        both = networks(Path(name))
        for network in both:
            mean, scale = (MEAN, SCALE) if network.corners is None else (0, 255)
            changes: dict[str, Change] = {
                **CHANGES,
                "wrapped by PrePostProcessor": partial(wrapped, mean=mean, scale=scale),
            }
            images = network.images[: len(network.images) // 4 * 4]
            pixels = np.clip(np.rint(images * scale + mean), 0, 255).astype(np.uint8)
            prepared = (pixels.astype(np.float32) - np.float32(mean)) / np.float32(scale)
            before = outputs_of(network.artifact, prepared)
            for change, do in changes.items():
                folder = Path(name) / network.source.stem / change.replace(" ", "_")
                changed = do(network.artifact, folder)
                samples: NDArray[Any] = (
                    pixels.transpose(0, 2, 3, 1) if change.startswith("wrapped") else prepared
                )
                yield _row(network, change, changed, before, outputs_of(changed, samples))
        yield _at_another_size(both[0], Path(name))


def _row(network: Network, change: str, changed: Path, before: Outputs, after: Outputs) -> Row:
    classes = before["logits"].argmax(1)
    kept = int((after["logits"].argmax(1) == classes).sum())
    moved = float(abs(after["logits"] - before["logits"]).max() / np.ptp(before["logits"]))
    levels = int(abs(after["saliency_map"].astype(np.int64) - before["saliency_map"]).max())
    pairs = zip(maps_of_best(before, classes), maps_of_best(after, classes), strict=True)
    lowest = min(rank_correlation(one, other) for one, other in pairs)
    wrong = unread(network, changed)
    if kept != len(classes):
        wrong.append("a class is another")
    if "FP16" not in change and (levels > 1 or moved > 1e-5):
        wrong.append("outputs moved")
    found = (
        f"class kept in {kept} of {len(classes)}; logits within {moved:.1e} of their range; "
        f"maps within {levels} levels, rank correlation {lowest:.4f} at worst"
    )
    return Row("OpenVINO", network.name, change, found, "; ".join(wrong))


def _at_another_size(network: Network, folder: Path) -> Row:
    """What stands there is told by a test; here, that it is read."""
    changed = reshaped(network.artifact, folder / "size", size=(256, 192))
    grid = outputs_of(changed, np.zeros((1, 3, 256, 192), np.float32))["saliency_map"].shape[2:]
    wrong = unread(network, changed)
    return Row(
        "OpenVINO", network.name, "reshaped to 256x192", f"maps of {grid[0]}x{grid[1]}", "; ".join(wrong)
    )
