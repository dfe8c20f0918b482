"""NNCF: an artifact quantised as a whole, or without its branch, and a network quantised before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from ovxai_convert import VerificationError, convert
from tests.interop.environments import NNCF
from tests.interop.networks import Network, networks
from tests.interop.readers import unread
from tests.interop.rows import Row
from tests.likeness import Outputs, maps_of_best, outputs_of, rank_correlation

BRANCH: Final = "^saliency_map.*"
"""Names of all nodes that a conversion adds begin so."""
HEAD: Final[dict[str, str]] = {
    "EfficientNet-Lite0": "^/(head|conv_head|bn2|act2|classifier|global_pool).*",
    "planted-object transformer": "^/(blocks.2|norm|head).*",
}
"""What follows the target, beside the branch."""


def rows() -> Iterator[Row]:
    """Each network, quantised in three ways."""
    with tempfile.TemporaryDirectory(prefix="ovxai-nncf-") as name:
        for network in networks(Path(name)):
            yield from _quantised(network, Path(name))


def _quantised(network: Network, folder: Path) -> Iterator[Row]:
    np.save(folder / "images.npy", network.calibration)
    kind = [] if network.corners is None else ["--transformer"]
    before = outputs_of(network.artifact, network.images)
    ways = {
        "quantised whole": (network.artifact, kind),
        "quantised without the branch": (network.artifact, [*kind, BRANCH]),
        "quantised without branch and head": (network.artifact, [*kind, BRANCH, HEAD[network.name]]),
        "quantised, then converted": (network.source, kind),
    }
    for index, (way, (path, patterns)) in enumerate(ways.items()):
        quantised = folder / f"{network.source.stem}{index}.xml"
        said = NNCF.run("quantise.py", folder, path, "images.npy", quantised, *patterns)
        if path == network.source:
            try:
                quantised = convert(quantised, folder / "converted", feature_vector=True).xml
            except VerificationError as error:
                yield Row("NNCF", network.name, way, "not converted", known=f"the proof refuses it: {error}")
                continue
        yield _row(network, way, quantised, before, said)


def _row(network: Network, way: str, quantised: Path, before: Outputs, said: dict[str, Any]) -> Row:
    after = outputs_of(quantised, network.images)
    classes = before["logits"].argmax(1)
    kept = after["logits"].argmax(1) == classes
    pairs = zip(maps_of_best(before, classes), maps_of_best(after, classes), strict=True)
    likeness = [rank_correlation(one, other) for one, other in pairs]
    peaks = network.peaks_on_object(after)
    found = [
        f"{said['quantised']} FakeQuantize, {said['in the branch']} of them in the branch",
        f"class kept in {kept.sum()} of {len(classes)}",
        f"maps: rank correlation {np.mean(likeness):.3f} on average, {min(likeness):.3f} at worst",
    ]
    if peaks is not None:
        found.append(f"peak on the object in {peaks} (before: {network.peaks_on_object(before)})")
    wrong = unread(network, quantised, same_class=bool(kept[0]))
    if way != "quantised whole" and said["in the branch"]:
        wrong.append(f"{said['in the branch']} steps of quantisation in the branch")
    return Row("NNCF", network.name, way, "; ".join(found), "; ".join(wrong))
