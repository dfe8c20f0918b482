"""What others do to a converted model's files, each from an artifact's path to that of the changed one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import openvino as ov
from openvino.preprocess import PrePostProcessor

from tests.running import CORE

Change: TypeAlias = Callable[[Path, Path], Path]
"""From the XML file of an artifact and a folder to the XML file of what has become of it, in that folder."""


def renamed(artifact: Path, folder: Path, suffixes: Sequence[str] = (".xml", ".bin", ".json")) -> Path:
    """The files under another name; those of other suffixes stay behind."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in suffixes:
        shutil.copy(artifact.with_suffix(suffix), folder / f"renamed{suffix}")
    return folder / "renamed.xml"


def saved_again(artifact: Path, folder: Path, compress_to_fp16: bool = False) -> Path:
    """Read and written by OpenVINO."""
    return _saved(CORE.read_model(artifact), folder, compress_to_fp16)


def with_batch(artifact: Path, folder: Path, batch: int = 4) -> Path:
    """Another batch by OpenVINO's ``set_batch``, which needs to be told the layout."""
    model = CORE.read_model(artifact)
    model.get_parameters()[0].set_layout(ov.Layout("NCHW"))
    ov.set_batch(model, batch)
    return _saved(model, folder)


def reshaped(
    artifact: Path, folder: Path, batch: int | None = None, size: tuple[int, int] | None = None
) -> Path:
    """Another batch, other rows and columns."""
    model = CORE.read_model(artifact)
    shape = [axis.get_length() if axis.is_static else -1 for axis in model.inputs[0].get_partial_shape()]
    shape = [shape[0] if batch is None else batch, shape[1], *(shape[2:] if size is None else size)]
    model.reshape(ov.PartialShape(shape))
    return _saved(model, folder)


def wrapped(artifact: Path, folder: Path, mean: float = 127, scale: float = 128) -> Path:
    """Preprocessing put into the graph: the input takes photographs, u8 NHWC."""
    steps = PrePostProcessor(CORE.read_model(artifact))
    image = steps.input()
    image.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    image.model().set_layout(ov.Layout("NCHW"))
    image.preprocess().convert_element_type(ov.Type.f32).mean(mean).scale(scale)
    return _saved(steps.build(), folder)


def _saved(model: ov.Model, folder: Path, compress_to_fp16: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "changed.xml"
    ov.save_model(model, path, compress_to_fp16=compress_to_fp16)
    return path


CHANGES: Final[Mapping[str, Change]] = {
    "all three files renamed": renamed,
    "renamed without the sidecar": partial(renamed, suffixes=(".xml", ".bin")),
    "saved again": saved_again,
    "saved again in FP16": partial(saved_again, compress_to_fp16=True),
    "reshaped to a batch of 4": partial(reshaped, batch=4),
    "set_batch 4": with_batch,
    "wrapped by PrePostProcessor": wrapped,
}
"""By what a reader would call them; other rows and columns depend on the network."""
