"""Whether a target has one row per image, or several: crops and views that a model puts into its batch."""

from __future__ import annotations

from openvino import Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal
from ovxai_convert.tensors.ports import address, extents


def merged_samples(anatomy: Anatomy, target: Target) -> Refusal | None:
    """Why the axis of a target's samples does not hold one row per image, None if it does.

    Crops, flips and windows that become samples of one batch, and scores that are averaged over them, leave
    no place of an image for a cell of the map to be.
    """
    if any(target.places.get("N") == (port, 0) for port in anatomy.images):
        return None
    for image, rows in _pairs(anatomy, target):
        if image and rows is not None and rows != image:
            what = f"{rows // image} rows for every image" if rows % image == 0 else "other rows than images"
            reason = f"axis {target.sample_axis} of the target holds {what}: views or crops of it, or windows"
            return Refusal(reason, address(target.port))
    return None


def _pairs(anatomy: Anatomy, target: Target) -> list[tuple[int | None, int | None]]:
    """Images and rows of the target, as the model stands and at other batches that it takes."""
    image, port, axis = anatomy.images[0], target.port, target.sample_axis
    found = [(_extent(image, 0), _extent(port, axis))]
    for trial in anatomy.trials:
        nodes = trial.get_ordered_ops()
        found.append((_extent(anatomy.twin(image, nodes), 0), _extent(anatomy.twin(port, nodes), axis)))
    return found


def _extent(port: Output, axis: int) -> int | None:
    return (extents(port) or (None,) * (axis + 1))[axis]
