"""The input that takes the image: how photographs are prepared for it, and whether prepared data fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from openvino import Model

from ovxai_convert.anatomy.interface import camera_format, cuts_last_channel, input_layout
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import LONGEST_AXIS, Colour, InputLayout, PreprocessingHints, sides_of
from ovxai_convert.photographs.packed import PACKINGS, Packing
from ovxai_convert.photographs.preprocessing import Preprocessing, as_type
from ovxai_convert.tensors.ports import extents

_FROM_THE_OTHER: Final[dict[InputLayout, tuple[int, ...]]] = {"NCHW": (0, 3, 1, 2), "NHWC": (0, 2, 3, 1)}
"""Order of axes that turns the other layout into this one."""
_ANY_SIZE: Final = 224
"""Rows and columns where the model takes any."""


@dataclass(frozen=True)
class ImageInput:
    """A model's only input; extents are None where dynamic, the layout where nothing tells.

    Attributes:
        packing: the camera's format that it takes, ``(N, H * 3 / 2, W, 1)``; None of pictures as they are.
        padded: whether the graph cuts off the last of four channels, as that of RGBX.
    """

    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]
    layout: InputLayout | None
    packing: Packing | None = None
    padded: bool = False

    @property
    def batch(self) -> int | None:
        """How many samples it takes at once; None: any number."""
        return self.shape[0]

    @property
    def takes_photographs(self) -> bool:
        """Whether its channels may be those of a photograph: three, one, or any number."""
        return (
            any(self.shape[axis] in (None, 1, 3) for axis in (1, 3))
            if self.layout is None
            else (self.shape[self.layout.index("C")] in (None, 1, 3))
        )

    @property
    def spatial_axes(self) -> tuple[int, int]:
        """Indices of rows and columns in one sample (without the batch axis); as for ``known_layout``."""
        layout = self.known_layout()
        return layout.index("H") - 1, layout.index("W") - 1

    @property
    def channels(self) -> int:
        """How many channels a picture for it has; three where they are open, as of a photograph."""
        if self.packing is not None or self.padded or self.layout is None:
            return 3
        return self.shape[self.layout.index("C")] or 3

    @property
    def picture_size(self) -> tuple[int | None, int | None]:
        """Rows and columns of a picture for it; a UsageError where they are not known."""
        layout = self.known_layout()
        rows, columns = (self.shape[layout.index(axis)] for axis in "HW")
        return (rows if rows is None or self.packing is None else rows * 2 // 3), columns

    def known_layout(self) -> InputLayout:
        """The layout; a UsageError where it is not known."""
        if self.layout is None:
            what = f"nothing tells which axes of the input {self} are rows and columns"
            raise UsageError(f"{what}; name its layout", f"{what}; name them with --layout")
        return self.layout

    def __str__(self) -> str:
        return "[" + ",".join("?" if extent is None else str(extent) for extent in self.shape) + "]"


def image_input(model: Model, layout: InputLayout | None = None) -> ImageInput:
    """The input of a model that takes one image, else a UsageError; ``layout`` if user or sidecar name it."""
    if len(model.inputs) != 1:
        formats = {camera_format(port) for port in model.inputs} - {None}
        if formats:
            name = min(map(str, formats)).upper()
            raise UsageError(
                f"the model takes {name} in {len(model.inputs)} inputs; only {name} in one is explained "
                f"(PrePostProcessor's {name}_SINGLE_PLANE)"
            )
        raise UsageError(f"the model has {len(model.inputs)} inputs; one that takes the image is explained")
    port = model.inputs[0]
    if not takes_image(model):
        raise UsageError(f"the model's input {port.get_partial_shape()} does not take an image")
    dtype, shape = np.dtype(port.get_element_type().to_dtype()), extents(port) or ()
    if (packing := cast("Packing | None", camera_format(port))) is not None:
        if layout == "NCHW":
            raise UsageError(f"the input takes {packing.upper()}, whose axes are NHWC")
        return ImageInput(shape, dtype, "NHWC", packing)
    known = layout or cast("InputLayout | None", input_layout(port))
    return ImageInput(
        shape, dtype, known, padded=known is not None and cuts_last_channel(port, known.index("C"))
    )


def takes_image(model: Model) -> bool:
    """Whether a model's only input has the rank of a batch of images."""
    return len(model.inputs) == 1 and len(extents(model.inputs[0]) or ()) == 4


def preprocessing_for(image: ImageInput, hints: PreprocessingHints) -> tuple[Preprocessing, tuple[str, ...]]:
    """Preprocessing that fits an input, and the keys of it that had to be assumed because nothing says them.

    Assumed are photographs in red, green, blue, cut to the middle, with pixels of 0 to 255 as they are (less
    128 where the input is i8); where nobody says numbers, levels of more bits are brought to 0 to 255, unless
    the input's own integers hold them. Hints that contradict the input are a UsageError.
    """
    layout = image.known_layout()
    rows, columns = image.picture_size
    wanted = hints.size or (rows or _ANY_SIZE, columns or _ANY_SIZE)
    if rows not in (None, wanted[0]) or columns not in (None, wanted[1]):
        raise UsageError(f"the input {image} takes no image of {wanted[0]}x{wanted[1]}")
    if max(wanted) > LONGEST_AXIS:
        raise UsageError(f"the input {image} has more than {LONGEST_AXIS} rows or columns")
    offset = 128.0 if image.dtype == np.int8 else 0.0
    mean, scale = hints.mean or (offset,), hints.scale or (1.0,)
    colour = _colour(image, hints)
    channels = 1 if image.packing else 4 if image.padded else image.channels
    _check_numbers(image, colour, mean, scale)
    levels = hints.levels
    if levels is None and hints.mean is None and hints.scale is None and colour != "bands":
        levels = "depth"
    if levels == "depth" and image.dtype.kind in "iu" and image.dtype.itemsize > 1:
        levels = None
    resize = hints.resize or "crop"
    if resize == "none" and (rows or columns):
        resize = "stretch"  # one size alone fits
    sides = sides_of(hints.resize_to)
    least = wanted if len(sides) == 2 else (max(wanted),) * len(sides)
    if sides and (resize != "crop" or any(side < each for side, each in zip(sides, least, strict=True))):
        what = f"{sides[0]}x{sides[1]}" if len(sides) == 2 else f"a shorter side of {sides[0]} pixels"
        raise UsageError(f"{what} is for cutting {wanted[0]}x{wanted[1]} out")
    inside = hints.embedded
    taken = Preprocessing(
        wanted,
        channels,
        image.dtype,
        mean,
        scale,
        colour,
        resize,
        layout,
        hints.pad_value or 0,
        hints.resize_to,
        hints.interpolation or "area",
        hints.pad_where or "around",
        hints.clip,
        None if inside is None else _inside_the_graph(inside, image.dtype),
        hints.rounded is not False,
        levels,
    )
    return taken, tuple(_assumptions(image, hints, taken))


def _colour(image: ImageInput, hints: PreprocessingHints) -> Colour:
    """The order of the channels: the graph's to say where they are no photograph's, else by the hints."""
    own: Colour | None = image.packing
    if own is None and image.channels not in (1, 3):
        own = "bands"
    if hints.colour in ("bands", *PACKINGS) and hints.colour != own:
        raise UsageError(f"the input {image} does not take {hints.colour}")
    if own is not None and hints.colour == "grey":
        raise UsageError(f"the input {image} takes {own}, which is not grey")
    return own or ("grey" if image.channels == 1 else hints.colour or "rgb")


def _check_numbers(
    image: ImageInput, colour: Colour, mean: tuple[float, ...], scale: tuple[float, ...]
) -> None:
    """A UsageError for a mean or a scale that the channels do not have."""
    if image.packing is not None:
        neutral = set(mean) == {0.0} and set(scale) == {1.0}
        if not neutral:
            raise UsageError(f"the input takes {image.packing.upper()} bytes as they are: no mean, no scale")
    elif image.channels == 1 and max(len(mean), len(scale)) > 1:
        raise UsageError("the input is grey: its mean and its scale are one number each")
    for name, numbers in (("mean", mean), ("scale", scale)):
        if len(numbers) not in (1, image.channels):
            raise UsageError(
                f"the {name} is one number, or one per channel: {len(numbers)} are told of {image.channels}"
            )


def _inside_the_graph(hints: PreprocessingHints, dtype: np.dtype[Any]) -> Preprocessing:
    assert hints.size is not None, "what is known of it has a size"
    where = hints.pad_where or "around"
    return Preprocessing(hints.size, 3, dtype, resize=hints.resize or "stretch", pad_where=where)


def _assumptions(image: ImageInput, hints: PreprocessingHints, taken: Preprocessing) -> Iterator[str]:
    """Keys of a description that nobody has said anything of."""
    open_size = None in image.picture_size
    if hints.size is None and open_size and taken.resize != "none":
        yield "size"
    if hints.colour is None and taken.channels in (3, 4) and taken.colour != "bands":
        yield "colour"
    if hints.resize is None:
        yield "resize"
    if image.packing is not None:
        return
    if hints.mean is None:
        yield "mean"
    if hints.scale is None:
        yield "scale"


def in_words(taken: Preprocessing, assumed: Sequence[str]) -> tuple[str, ...]:
    """What was assumed, as a user reads it."""
    words = {
        "size": f"size {taken.size[0]}x{taken.size[1]}",
        "colour": f"colours {taken.colour}",
        "resize": f"resize {taken.resize}",
        "mean": f"mean {taken.mean[0]:g}",
        "scale": f"scale {taken.scale[0]:g}",
    }
    return tuple(words[key] for key in assumed)


def as_samples(data: NDArray[Any], image: ImageInput) -> NDArray[Any]:
    """Prepared data as samples of an input: ``(N, ...)`` in its layout and element type.

    The data are ``(H, W)``, ``(H, W, C)``, ``(C, H, W)``, or a batch of one of the latter two; others are a
    UsageError with both shapes.
    """
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise UsageError(f"the image holds {array.dtype}, not numbers")
    array = array[..., np.newaxis] if array.ndim == 2 else array
    array = array[np.newaxis] if array.ndim == 3 else array
    if array.ndim != 4 or array.size == 0:
        raise UsageError(f"an image has the shape (H, W, C), a batch (N, H, W, C), and not {np.shape(data)}")
    turned = [] if image.layout is None else [array.transpose(_FROM_THE_OTHER[image.layout])]
    for choice in (array, *turned):
        if _fits(choice.shape, image):
            return as_type(choice, image.dtype)
    raise _misfit(array.shape, image)


def _fits(shape: Sequence[int], image: ImageInput) -> bool:
    for name, wanted, extent in zip(image.layout or "N???", image.shape, shape, strict=True):
        takes = (1, 3) if name == "C" else (extent,)
        if name != "N" and extent not in (takes if wanted is None else (wanted,)):
            return False
    return True


def _misfit(shape: tuple[int, ...], image: ImageInput) -> UsageError:
    if image.layout is not None:
        channels = image.shape[image.layout.index("C")] or 3
        if channels not in (shape[1], shape[3]):
            wanted = f"has no {channels} channels, which the input {image} takes"
            return UsageError(f"an image of shape {shape} {wanted}")
    what = f"an image of shape {shape} does not fit the input {image}; resize it"
    return UsageError(f"{what}, or give a preprocess_fn", what)
