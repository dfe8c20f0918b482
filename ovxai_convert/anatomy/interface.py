"""What a model's inputs and outputs are called; layouts of inputs, and which of them take an image."""

from __future__ import annotations

from collections.abc import Iterator

from openvino import Model, Node, Output

from ovxai_convert.ops import Trait, has
from ovxai_convert.ops.slicing import slice_bounds
from ovxai_convert.tensors.permuting import order_of
from ovxai_convert.tensors.ports import extents, rank


def input_name(model: Model, index: int) -> str:
    """First tensor name of an input in alphabetical order, or its friendly name where it has none."""
    port = model.inputs[index]
    return str(min(port.get_names(), default=port.get_node().get_friendly_name()))


def has_output(model: Model, name: str) -> bool:
    """Whether an output carries this tensor name."""
    return any(name in output.get_names() for output in model.outputs)


def tensor_names(model: Model) -> set[str]:
    """All names of a model's tensors."""
    return {name for node in model.get_ops() for port in node.outputs() for name in port.get_names()}


def free_name(model: Model, wanted: str) -> str:
    """A name that no tensor of a model has: the one that is wanted, or that with ``xai_`` before it."""
    taken = tensor_names(model)
    while wanted in taken:
        wanted = f"xai_{wanted}"
    return wanted


def output_name(model: Model, index: int) -> str:
    """First tensor name of an output in alphabetical order, or its index where it has none."""
    return str(min(model.outputs[index].get_names(), default=index))


def describe_inputs(model: Model) -> str:
    """All inputs with shape and element type, as in ``'ids' [1,7] i64``."""
    return ", ".join(
        f"'{input_name(model, index)}' {port.get_partial_shape()} {port.get_element_type().get_type_name()}"
        for index, port in enumerate(model.inputs)
    )


def image_ports(model: Model) -> list[Output]:
    """Inputs that may take an image: those of the most axes, if these are at least three.

    An image may come with metadata, which have fewer; rows of a table and tokens of a text have two at most.
    """
    most = max((rank(port) or 0 for port in model.inputs), default=0)
    return [port for port in model.inputs if rank(port) in (most, None)] if most >= 3 else []


def input_layout(port: Output) -> str | None:
    """``"NCHW"`` or ``"NHWC"`` of a four-dimensional input, None where nothing tells.

    A layout that the model states wins. Else the input is followed through ops that keep or permute axes
    until a convolution or pooling, whose input is N, C, H, W by definition. Where it meets none (patches that
    are cut out by a Reshape), an axis of three entries beside larger ones is that of the colours.
    """
    stated = port.get_node().get_layout()
    if not stated.empty:
        return _known(str(stated).strip("[]").replace(",", ""))
    if rank(port) != 4:
        return None
    # tensors, and which axis of the input has arrived as each of theirs
    waiting: list[tuple[Output, tuple[int, ...]]] = [(port, (0, 1, 2, 3))]
    while waiting:
        tensor, axes = waiting.pop(0)
        for user in tensor.get_target_inputs():
            node = user.get_node()
            if has(node, Trait.CONVOLUTION, Trait.POOLING) and user.get_index() == 0:
                return _known("".join("NCHW"[axes.index(axis)] for axis in range(4)))
            if order := order_of(node):
                waiting.append((node.output(0), tuple(axes[axis] for axis in order)))
            elif has(node, Trait.KEEPS_AXES) and rank(node.output(0)) == 4:
                waiting.append((node.output(0), axes))
    return _by_colours(port)


def camera_format(port: Output) -> str | None:
    """``"nv12"`` or ``"i420"`` of an input that the graph takes for that; None of others."""
    for node in _first_users(port):
        for trait, name in ((Trait.NV12, "nv12"), (Trait.I420, "i420")):
            if has(node, trait):
                return name
    return None


def cuts_last_channel(port: Output, axis: int) -> bool:
    """Whether an input has four channels on an axis, and all that reads it takes the first three only."""
    shape, users = extents(port) or (), list(_first_users(port))
    if len(shape) <= axis or shape[axis] != 4 or not users:
        return False
    return all(has(node, Trait.SLICE) and slice_bounds(node).get(axis) in ((0, 3), (0, -1)) for node in users)


def _first_users(port: Output) -> Iterator[Node]:
    """What reads a tensor, or a copy of it in another element type; its shape is not its numbers."""
    for user in port.get_target_inputs():
        node = user.get_node()
        if has(node, Trait.COPY):
            yield from _first_users(node.output(0))
        elif not has(node, Trait.SHAPE):
            yield node


def _by_colours(port: Output) -> str | None:
    shape = extents(port) or ()
    places = [axis for axis in (1, 3) if shape[axis] == 3]
    sizes = [shape[axis] for axis in (1, 2, 3) if axis not in places]
    alone = len(places) == 1 and all(size is None or size > 3 for size in sizes)
    return {1: "NCHW", 3: "NHWC"}[places[0]] if alone else None


def _known(letters: str) -> str | None:
    return letters if letters in ("NCHW", "NHWC") else None
