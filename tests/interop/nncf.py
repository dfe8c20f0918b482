"""NNCF: an artifact quantised as a whole, without its branch, and a network quantised before it is converted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from ovxai_convert import convert
from tests.interop.environments import NNCF
from tests.interop.networks import Network, networks
from tests.interop.readers import unread
from tests.interop.rows import Row
from tests.likeness import Outputs, maps_of_best, outputs_of, rank_correlation

BRANCH: Final = "^saliency_map.*"
"""Names of all nodes that a conversion adds begin so."""
LIKE: Final = 0.9
"""Mean rank correlation that maps keep where the branch is left alone, or a quantised network is converted."""


def rows() -> Iterator[Row]:
    """Each network, quantised in three ways."""
    with tempfile.TemporaryDirectory(prefix="ovxai-nncf-") as name:
        for network in networks(Path(name)):
            yield from _quantised(network, Path(name))


def _quantised(network: Network, folder: Path) -> Iterator[Row]:
    np.save(folder / "images.npy", network.calibration)
    kind = [] if network.corners is None else ["--transformer"]
    before = outputs_of(network.artifact, network.images)
    stem = network.source.stem
    ways = {
        "quantised whole": (network.artifact, kind),
        "quantised without the branch": (network.artifact, [*kind, BRANCH]),
        "quantised, then converted": (network.source, kind),
    }
    for index, (way, (path, patterns)) in enumerate(ways.items()):
        quantised = folder / f"{stem}{index}.xml"
        source = path if path.suffix == ".xml" else path
        said = NNCF.run("quantise.py", folder, source, "images.npy", quantised, *patterns)
        if path == network.source:
            quantised = convert(quantised, folder / "converted", feature_vector=True).xml
        after = outputs_of(quantised, network.images)
        yield _row(network, way, quantised, before, after, said)


def _row(
    network: Network, way: str, quantised: Path, before: Outputs, after: Outputs, said: dict[str, Any]
) -> Row:
    classes = before["logits"].argmax(1)
    same = int((after["logits"].argmax(1) == classes).sum())
    pairs = zip(maps_of_best(before, classes), maps_of_best(after, classes), strict=True)
    likeness = [rank_correlation(one, other) for one, other in pairs]
    peaks = network.peaks_on_object(after)
    count = len(classes)
    found = [
        f"{said['quantised']} FakeQuantize, {said['in the branch']} of them in the branch",
        f"class the same in {same} of {count}",
        f"maps: rank correlation mean {np.mean(likeness):.3f}, lowest {min(likeness):.3f}",
    ]
    if peaks is not None:
        found.append(f"peak on the object in {peaks} (before: {network.peaks_on_object(before)})")
    wrong = unread(network, quantised)
    if way != "quantised whole":
        wrong += [f"maps rank cells otherwise: {np.mean(likeness):.3f}"] * (np.mean(likeness) < LIKE)
        wrong += [f"steps in the branch: {said['in the branch']}"] * bool(said["in the branch"])
    wrong += [f"the class is another in {count - same} of {count}"] * (same < 0.9 * count)
    return Row("NNCF", network.name, way, "; ".join(found), "; ".join(wrong))
