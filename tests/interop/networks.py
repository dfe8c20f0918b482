"""The two networks that peers are asked about, converted, with images: photographs, planted objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import openvino as ov
from numpy.typing import NDArray

from fixtures.efficientnet_lite0 import IMAGE_SIZE, WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.photographs import load_rgb, preprocess
from fixtures.planted_object import HELD_OUT_SEED, MODEL, cells_at_object, planted_objects
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import PreprocessingHints, convert
from tests.likeness import Outputs
from tests.running import CORE

MEAN, SCALE = 127, 128
_SEED = 5


@dataclass(frozen=True)
class Network:
    """A network and its artifact, made with ``--feature-vector``.

    Attributes:
        images: ``[S, C, H, W]``, prepared; none of them is among those to ``calibrate`` with.
        corners: of the objects in the images, where these are known.
    """

    name: str
    source: Path
    artifact: Path
    images: NDArray[np.float32]
    calibration: NDArray[np.float32]
    corners: NDArray[np.int64] | None = None

    def peaks_on_object(self, outputs: Outputs) -> int | None:
        """In how many images the best class's map is highest at a cell of the object."""
        if self.corners is None:
            return None
        best = outputs["logits"].argmax(1)
        found = 0
        for maps, index, corner in zip(outputs["saliency_map"], best, self.corners, strict=True):
            shown = maps[index]
            found += bool(cells_at_object(corner, shown.shape).flat[int(shown.argmax())])
        return found


def networks(folder: Path, names: tuple[str, str] = ("", "logits")) -> tuple[Network, Network]:
    """Both, converted into a folder; ``names``: of the input's and the output's tensor, instead of theirs."""
    return _efficientnet(folder, names), _transformer(folder, names)


def _efficientnet(folder: Path, names: tuple[str, str]) -> Network:
    source = folder / "efficientnet.onnx"
    onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1, fetch_labels(WEIGHTS)), source)
    source = _named(source, names)
    hints = PreprocessingHints(mean=(MEAN,), scale=(SCALE,), colour="rgb", resize="crop")
    labels = fetch_labels(WEIGHTS)
    report = convert(source, folder / "out", preprocessing=hints, feature_vector=True, labels=labels)
    views = [preprocess(view, IMAGE_SIZE, MEAN, SCALE) for view in _views()]
    return Network(
        "EfficientNet-Lite0", source, report.xml, np.concatenate(views[::3]), np.concatenate(views[1::3])
    )


def _transformer(folder: Path, names: tuple[str, str]) -> Network:
    source = folder / "planted_object.onnx"
    source.write_bytes(MODEL.read_bytes())
    source = _named(source, names)
    hints = PreprocessingHints(mean=(0,), scale=(255,), colour="rgb", resize="stretch")
    report = convert(source, folder / "out", preprocessing=hints, feature_vector=True)
    held_out, others = planted_objects(HELD_OUT_SEED, 100), planted_objects(_SEED, 100)
    return Network(
        "planted-object transformer", source, report.xml, held_out.images, others.images, held_out.corners
    )


def _views() -> Sequence[NDArray[np.uint8]]:
    """Two photographs whole and in parts, as they are and in a mirror."""
    views = []
    for photograph in (load_rgb(fetch(key)) for key in ("chelsea", "coffee")):
        rows, columns = photograph.shape[:2]
        for part in (1.0, 0.9, 0.8):
            height, width = int(rows * part), int(columns * part)
            for top, left in (
                (0, 0),
                (rows - height, 0),
                (0, columns - width),
                (rows - height, columns - width),
            ):
                cut = photograph[top : top + height, left : left + width]
                views += [cut, np.ascontiguousarray(cut[:, ::-1])]
    return views


def _named(source: Path, names: tuple[str, str]) -> Path:
    """The source itself, or as IR with an input of another name."""
    if not names[0]:
        return source
    model = CORE.read_model(source)
    model.inputs[0].get_tensor().set_names({names[0]})
    model.outputs[0].get_tensor().set_names({names[1]})
    ov.save_model(model, source.with_suffix(".xml"), compress_to_fp16=False)
    return source.with_suffix(".xml")


def save_photograph(network: Network, path: Path) -> None:
    """An image of the network's own size as a file; of the transformer's, what 8 bits hold."""
    image = network.images[0].transpose(1, 2, 0)
    pixels = image * SCALE + MEAN if network.corners is None else image * 255
    cv2.imwrite(str(path), np.clip(np.rint(pixels[..., ::-1]), 0, 255).astype(np.uint8))
