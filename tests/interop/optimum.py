"""optimum-intel: it loads an artifact as the model that it was, and gives its logits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from tests.interop.environments import OPTIMUM
from tests.interop.networks import Network, networks
from tests.interop.readers import unread
from tests.interop.rows import Row
from tests.likeness import assert_alike, outputs_of

KINDS: Final = ("efficientnet", "vit")
"""Which of its configurations stands for each network; it asks for one, and reads the number of labels."""
NAMES: Final = ("pixel_values", "logits")
"""Of tensors, as its own exports have them."""


def rows() -> Iterator[Row]:
    """One row per network."""
    with tempfile.TemporaryDirectory(prefix="ovxai-optimum-") as name:
        for network, kind in zip(networks(Path(name), NAMES), KINDS, strict=True):
            yield _row(network, kind, Path(name) / kind)


def _row(network: Network, kind: str, folder: Path) -> Row:
    folder.mkdir()
    for suffix in (".xml", ".bin"):
        shutil.copy(network.artifact.with_suffix(suffix), folder / f"openvino_model{suffix}")
    images = network.images[:8]
    np.save(folder / "images.npy", images)
    before = outputs_of(network.artifact, images)
    count = before["logits"].shape[1]
    said = OPTIMUM.run("check_optimum.py", folder, folder, "images.npy", "logits.npy", kind, count)
    wrong = unread(network, folder / "openvino_model.xml")
    expected = {"logits": before["logits"], "saliency_map": before["saliency_map"][:1]}
    found = {"logits": np.load(folder / "logits.npy"), "saliency_map": np.load(folder / "maps.npy")}
    try:
        assert_alike(expected, found)
    except AssertionError as error:
        wrong.append(str(error))
    told = f"outputs {', '.join(said['outputs'])}; hands out {', '.join(said['handed out'])}"
    return Row("optimum-intel", network.name, "loaded as openvino_model.xml", told, "; ".join(wrong))
