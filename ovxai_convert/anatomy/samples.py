"""Whether a target has one row per image, or several: crops and views that a model puts into its batch."""

from __future__ import annotations

from openvino import Model, Output

from ovxai_convert.anatomy.inputs import image_ports
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import LOCATE, Refusal
from ovxai_convert.tensors.ports import address, extents
from ovxai_convert.tensors.settled import at_batches


def merged_samples(model: Model, target: Target) -> Refusal | None:
    """Why the axis of a target's samples does not hold one row per image, None if it does.

    Crops, flips and windows that become samples of one batch, and scores that are averaged over them, leave
    no place of an image for a cell of the map to be.
    """
    images = image_ports(model)
    if any(target.places.get("N") == (port, 0) for port in images):
        return None
    for image, rows in _pairs(model, images, target):
        if image and rows is not None and rows != image:
            what = f"{rows // image} rows for every image" if rows % image == 0 else "other rows than images"
            reason = f"axis {target.sample_axis} of the target holds {what}: views or crops of it, or windows"
            return Refusal(LOCATE, reason, address(target.port))
    return None


def _pairs(model: Model, images: list[Output], target: Target) -> list[tuple[int | None, int | None]]:
    """Images and rows of the target, as the model stands and at other batches that it takes."""
    image, port, axis = images[0], target.port, target.sample_axis
    found = [(_extent(image, 0), _extent(port, axis))]
    nodes = {node: index for index, node in enumerate(model.get_ordered_ops())}
    for trial in at_batches(model):
        twins = trial.get_ordered_ops()
        one, other = (twins[nodes[each.get_node()]].output(each.get_index()) for each in (image, port))
        found.append((_extent(one, 0), _extent(other, axis)))
    return found


def _extent(port: Output, axis: int) -> int | None:
    return (extents(port) or (None,) * (axis + 1))[axis]
