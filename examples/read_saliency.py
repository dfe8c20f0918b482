"""What an application does with a converted model: it needs OpenVINO, NumPy and OpenCV, and not this package.

python examples/read_saliency.py out/model_xai.xml photo.jpg overlay.png --class "tabby cat"

Prepares the photograph, runs the model, takes the map of one class and lays it over the photograph. All of it
is done as the model's description says (schemas/sidecar-v1.schema.json): the JSON file beside the model, else
the same text in the IR.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

Array = NDArray[Any]
Json = Mapping[str, Any]


class Box(NamedTuple):
    """A part of a picture, in its pixels; it may reach beyond the picture."""

    left: float
    top: float
    width: float
    height: float


def main() -> None:
    """Read the arguments, run the model once, write the overlay."""
    parser = argparse.ArgumentParser(description="Show which part of a photograph speaks for a class.")
    parser.add_argument("model", type=Path, help="the converted model's .xml")
    parser.add_argument("photo", type=Path, help="the photograph")
    parser.add_argument("overlay", type=Path, help="the picture to write")
    parser.add_argument("--map", type=Path, help="save the map as it is, [h, w], as .npy")
    parser.add_argument("--input", type=Path, help="save what the model was given as .npy")
    parser.add_argument("--class", dest="wanted", help="label or index of the class (default: the best)")
    arguments = parser.parse_args()

    core = ov.Core()
    model = core.read_model(arguments.model)
    description = read_description(arguments.model, model)
    if description["saliency_map"] is None:
        sys.exit(f"{arguments.model} has no map: it is to be explained as a black box")
    if description["preprocessing"] is None:
        sys.exit(f"{arguments.model} does not say how a photograph becomes its input")
    photo = cv2.imread(
        str(arguments.photo), cv2.IMREAD_COLOR
    )  # upright, 8 bits, blue, green, red: to look at
    exact = cv2.imread(str(arguments.photo), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)  # with all its bits
    if photo is None or exact is None:
        sys.exit(f"{arguments.photo} cannot be read as an image")
    if description["preprocessing"]["colour"] == "bands":
        sys.exit(f"{arguments.model} takes pictures of other bands than a photograph has")

    sample = prepare(exact, description["preprocessing"])
    wants = model.inputs[0].get_partial_shape()
    count = wants[0].get_length() if wants[0].is_static else 1
    inputs = np.repeat(sample[None], count, axis=0)  # a model of a fixed batch takes no less
    told = description["preprocessing"]["element_type"]
    if (
        not wants.compatible(ov.PartialShape(list(inputs.shape)))
        or model.inputs[0].get_element_type().get_type_name() != told
    ):
        sys.exit(f"{arguments.model} has been given another input than its description tells of")
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled([inputs])

    probability = read_probabilities(description, results, count)
    chosen, grid = choose(description, results, probability, arguments.wanted)
    if arguments.input is not None:
        np.save(arguments.input, inputs)
    if arguments.map is not None:
        np.save(arguments.map, grid)
    picture = lay_over(photo, grid, seen(description["preprocessing"], *photo.shape[:2]), description)
    if not cv2.imwrite(str(arguments.overlay), picture):
        sys.exit(f"{arguments.overlay} cannot be written")
    ranked = description["scores"]["probabilities"] == "rank"
    said = "" if ranked else f" {probability[chosen]:.3f}"
    row, column = np.unravel_index(int(grid.argmax()), grid.shape)
    print(
        f"{description['labels'][chosen] if description['labels'] else f'class {chosen}'}{said}:"
        f" highest at row {row} of {grid.shape[0]}, column {column} of {grid.shape[1]}"
    )


def read_description(xml: Path, model: ov.Model) -> Json:
    """The JSON file if it is of these very files, else what stands in the IR itself."""
    beside = xml.with_suffix(".json")
    description: Json | None = None
    if beside.is_file():
        found = json.loads(beside.read_text(encoding="utf-8"))
        description = found if describes(found, xml) else None
    if description is None and model.has_rt_info(["ovxai"]):
        description = json.loads(model.get_rt_info(["ovxai"]).astype(str))
    if description is None:
        sys.exit(f"{xml} is no converted model, or its .json is of another")
    major, minor = description["schema_version"].split(".")
    if major != "1" or int(minor) < 1:
        sys.exit(f"{xml} is described in version {description['schema_version']}; this reads 1.1 and later")
    return description


def describes(found: Any, xml: Path) -> bool:
    """Whether JSON tells of these files, by their hashes."""
    files = {"xml_sha256": xml, "bin_sha256": xml.with_suffix(".bin")}
    told = found.get("model") if isinstance(found, dict) else None
    return isinstance(told, dict) and all(
        told.get(key) == hashlib.sha256(path.read_bytes()).hexdigest() for key, path in files.items()
    )


# From the photograph to the input: `preprocessing`, in the order of its `order`.


def prepare(photo: Array, how: Json) -> Array:
    """One sample without its batch axis, from a photograph as OpenCV reads it, with all its bits."""
    photo = photo[..., None] if photo.ndim == 2 else photo
    if (levels := levels_of(photo, how)) is not None:
        lowest, highest = levels
        kept = photo.astype(np.float64).clip(lowest, highest)
        photo = ((kept - lowest) * 255 / (highest - lowest)).astype(np.float32)
    if photo.dtype != np.uint8 or not how["rounded"]:
        photo = photo.astype(np.float32)
    if photo.shape[2] == 1 and how["colour"] != "grey":
        photo = np.repeat(photo, 3, axis=2)
    dtype = getattr(ov.Type, how["element_type"]).to_dtype()
    if how["colour"] in ("nv12", "i420"):
        return pack(resize(photo, how), how["colour"]).astype(dtype)
    pixels = coloured(resize(photo, how), how)
    values: Array = pixels.astype(np.float32)
    if how["clip"] is not None:
        values = values.clip(*np.array(how["clip"], np.float32))
    values -= np.array(how["mean"], np.float32)
    values /= np.array(how["scale"], np.float32)
    if values.shape[2] < how["channels"]:
        values = np.dstack([values, np.zeros_like(values[..., :1])])  # which the graph cuts off
    if how["layout"] == "NCHW":
        values = values.transpose(2, 0, 1)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.rint(values).clip(limits.min, limits.max)
    return np.ascontiguousarray(values.astype(dtype))


def coloured(pixels: Array, how: Json) -> Array:
    """The channels in their order."""
    if how["colour"] != "grey":
        return pixels[..., ::-1] if how["colour"] == "rgb" else pixels
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2GRAY)[..., None]
    return np.repeat(pixels, how["channels"], axis=2)


def levels_of(photo: Array, how: Json) -> tuple[float, float] | None:
    """Which levels become 0 and 255; of more than 8 bits those of the type, where nobody has told."""
    if "levels" in how:
        return how["levels"][0], how["levels"][1]
    whole = np.dtype(getattr(ov.Type, how["element_type"]).to_dtype())
    if not {"mean", "scale"} <= set(how["assumed"]) or (whole.kind in "iu" and whole.itemsize > 1):
        return None
    if photo.dtype == np.float32:
        return (0, 1) if photo.min() >= 0 and photo.max() <= 1 else None
    return (0, 65535) if photo.dtype == np.uint16 else None


def pack(pixels: Array, format_: str) -> Array:
    """As the bytes of a camera: brightness, then the colour differences, in pairs for NV12."""
    rows, columns = pixels.shape[:2]
    levels = np.ascontiguousarray(np.rint(pixels).clip(0, 255).astype(np.uint8))
    planes = cv2.cvtColor(levels, cv2.COLOR_BGR2YUV_I420)
    if format_ == "nv12":
        planes[rows:] = planes[rows:].reshape(2, -1).T.reshape(-1, columns)
    return planes[..., None]


def resize(photo: Array, how: Json) -> Array:
    """The photograph in the size of the input."""
    if how["resize"] == "none":
        return photo
    rows, columns = how["size"]
    height, width = photo.shape[:2]
    if how["resize"] == "stretch":
        return scale(photo, rows, columns, how)
    if how["resize"] == "letterbox":
        left, top, width, height = letterbox(height, width, rows, columns, how["pad"]["where"])
        inner = scale(photo, height, width, how)
        outer = np.full((rows, columns, photo.shape[2]), how["pad"]["value"], photo.dtype)
        outer[top : top + height, left : left + width] = inner
        return outer
    if how["resize_to"] is not None:
        photo = scale(photo, *scaled_size(height, width, how["resize_to"]), how)
        width, height = columns, rows
    else:
        width, height = crop_size(height, width, rows, columns)
    top, left = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
    if top < 0 or left < 0:
        sys.exit("the box to cut out is larger than the scaled photograph")
    return scale(photo[top : top + height, left : left + width], rows, columns, how)


def scale(pixels: Array, rows: int, columns: int, how: Json) -> Array:
    """Pixels in another size."""
    height, width = pixels.shape[:2]
    if (height, width) == (rows, columns):
        return pixels
    interpolation = how["interpolation"]
    if interpolation == "nearest":
        return pixels[nearest(rows, height)][:, nearest(columns, width)]
    if interpolation == "area" and rows * columns < height * width:
        scaled = cv2.resize(np.ascontiguousarray(pixels), (columns, rows), interpolation=cv2.INTER_AREA)
        return scaled.reshape(rows, columns, -1)
    if interpolation == "cubic":
        levels = cv2.resize(pixels.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
        levels = levels.reshape(rows, columns, -1)
    else:
        levels = linear(linear(pixels, rows).swapaxes(0, 1), columns).swapaxes(0, 1) / (4 * rows * columns)
    return (
        np.rint(levels).clip(0, 255).astype(np.uint8)
        if pixels.dtype == np.uint8
        else levels.astype(np.float32)
    )


def linear(lines: Array, count: int) -> Array:
    """As many lines between those along the first axis, in parts of 2 * count: exact, for whole levels."""
    given = len(lines)
    place = ((2 * np.arange(count) + 1) * given - count).clip(0, 2 * count * (given - 1))
    first, far = place // (2 * count), (place % (2 * count)).astype(np.float64)[:, None, None]
    return np.asarray(lines[first] * (2 * count - far) + lines[np.minimum(first + 1, given - 1)] * far)


def nearest(count: int, available: int) -> Array:
    """Which of the available pixels each of ``count`` takes: ceil((2 i + 1) m / (2 n)) - 1."""
    return ((2 * np.arange(count) + 1) * available + 2 * count - 1) // (2 * count) - 1


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number to the fraction, of two the even one; at least 1."""
    return max(1, round(Fraction(numerator, denominator)))


def crop_size(height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """Width and height of the largest box of the input's ratio."""
    if width * rows > height * columns:
        return rounded(height * columns, rows), height
    return width, rounded(width * rows, columns)


def scaled_size(height: int, width: int, sides: Any) -> tuple[int, int]:
    """Rows and columns once the shorter side has been scaled; or both, where both are told."""
    if isinstance(sides, list):
        return sides[0], sides[1]
    shorter = int(sides)
    return shorter * height // min(height, width), shorter * width // min(height, width)


def letterbox(height: int, width: int, rows: int, columns: int, where: str) -> tuple[int, int, int, int]:
    """Left, top, width and height of the photograph within the input."""
    if width * rows > height * columns:
        inner_width, inner_height = columns, rounded(height * columns, width)
    else:
        inner_width, inner_height = rounded(width * rows, height), rows
    if where == "right_and_below":
        return 0, 0, inner_width, inner_height
    return (columns - inner_width) // 2, (rows - inner_height) // 2, inner_width, inner_height


# From the outputs to one map: `scores` and `saliency_map`.


def read_probabilities(description: Json, results: Any, count: int) -> dict[int, float]:
    """Probability by class, of the first sample; where the model names only the best, 1 / place."""
    scores = description["scores"]
    index = next(each["index"] for each in description["outputs"] if each["name"] == scores["output"])
    values = np.asarray(results[index]).reshape(count, -1)[0]
    if scores["probabilities"] == "rank":
        return {int(each): 1.0 / (1 + place) for place, each in enumerate(values)}
    values = values.astype(np.float64)
    if scores["probabilities"] == "exp":
        values = np.exp(values)
    elif scores["probabilities"] == "sigmoid":
        values = sigmoid(values)
    elif scores["probabilities"] == "softmax":
        values = values if is_distribution(values) else softmax(values)
    elif scores["probabilities"] == "groups":
        values = by_groups(values, scores["groups"])
    if scores.get("meaning") == "binary":
        values = np.array([1 - values[0], values[0]])
    return dict(enumerate(values.tolist()))


def sigmoid(values: Array) -> Array:
    """1 / (1 + e^-x) of each."""
    return np.exp(-np.logaddexp(0, -values))


def softmax(values: Array) -> Array:
    """e^x over the sum of all."""
    powers: Array = np.exp(values - values.max())
    powers /= powers.sum()
    return powers


def is_distribution(values: Array) -> bool:
    """Whether numbers are not negative and add up to 1."""
    return bool(values.min() >= 0 and abs(values.sum() - 1) <= 1e-3)


def by_groups(values: Array, groups: Sequence[tuple[int, int]]) -> Array:
    """The softmax of each group and the sigmoid of the others; all stay where they are that already."""
    alone = np.ones(len(values), bool)
    for first, behind in groups:
        alone[first:behind] = False
    shares = bool(((values[alone] >= 0) & (values[alone] <= 1)).all())
    if shares and all(is_distribution(values[first:behind]) for first, behind in groups):
        return values
    found = sigmoid(values)
    for first, behind in groups:
        found[first:behind] = softmax(values[first:behind])
    return found


def choose(
    description: Json, results: Any, probability: Mapping[int, float], wanted: str | None
) -> tuple[int, Array]:
    """The class that is wanted, or else the most probable that has a map; and its map, [h, w]."""
    saliency = description["saliency_map"]
    maps = np.asarray(results[saliency["index"]])[0]
    if "class" not in saliency["axes"]:
        classes = None  # one map for all
    elif description["scores"].get("meaning") == "binary":
        classes, maps = [0, 1], np.stack([turned_round(maps[0]), maps[0]])
    elif saliency["classes"] == "all":
        classes = list(range(description["scores"]["class_count"]))
    elif "top_k" in saliency["classes"]:
        classes = results[description["saliency_classes"]["index"]][0].tolist()
    else:
        classes = saliency["classes"]["indices"]
    if wanted is not None:
        chosen = named(description, wanted)
    else:
        chosen = max(classes or probability, key=lambda each: probability.get(each, 0.0))
    if classes is None:
        return chosen, maps
    if chosen not in classes:
        sys.exit(f"there is no map of class {chosen}, only of {', '.join(map(str, classes))}")
    return chosen, maps[classes.index(chosen)]


def turned_round(grid: Array) -> Array:
    """The map of no, of that of yes; one that is the same everywhere stays."""
    if grid.dtype != np.uint8:
        return -grid
    return 255 - grid if np.ptp(grid) else grid


def named(description: Json, wanted: str) -> int:
    """A class by its label or its index."""
    labels = description["labels"] or []
    if wanted in labels:
        return int(labels.index(wanted))
    count = 2 if description["scores"].get("meaning") == "binary" else description["scores"]["class_count"]
    if wanted.isdecimal() and int(wanted) < count:
        return int(wanted)
    sys.exit(f"there is no class {wanted}")


# From the map to the overlay: `saliency_map.upsampling`.


def seen(how: Json, height: int, width: int) -> Box:
    """The box of the photograph that the input shows, in pixels of the photograph."""
    whole = Box(0, 0, width, height)
    box = whole if how["resize"] == "none" else shown(how, height, width, (how["pad"] or {}).get("where"))
    if how["embedded"] is None:
        return box
    rows, columns = (height, width) if how["resize"] == "none" else how["size"]
    inner = shown(how["embedded"], rows, columns, how["embedded"]["pad_where"])  # in pixels of the input
    across, down = box.width / columns, box.height / rows
    left, top = box.left + inner.left * across, box.top + inner.top * down
    return Box(left, top, inner.width * across, inner.height * down)


def shown(how: Json, height: int, width: int, where: str | None) -> Box:
    """The box of a picture that is there after resizing."""
    rows, columns = how["size"]
    if how["resize"] == "stretch":
        return Box(0, 0, width, height)
    if how["resize"] == "letterbox":
        left, top, inner_width, inner_height = letterbox(height, width, rows, columns, str(where))
        across, down = width / inner_width, height / inner_height  # photograph's pixels to one of the input's
        return Box(-left * across, -top * down, columns * across, rows * down)
    if how.get("resize_to") is not None:
        scaled_rows, scaled_columns = scaled_size(height, width, how["resize_to"])
        across, down = width / scaled_columns, height / scaled_rows
        left, top = (scaled_columns - columns) // 2, (scaled_rows - rows) // 2
        return Box(left * across, top * down, columns * across, rows * down)
    box_width, box_height = crop_size(height, width, rows, columns)
    return Box((width - box_width) // 2, (height - box_height) // 2, box_width, box_height)


def lay_over(photo: Array, grid: Array, box: Box, description: Json) -> Array:
    """Half the photograph, half the map in colours; what the model did not see in grey."""
    height, width = photo.shape[:2]
    cubic = description["saliency_map"]["upsampling"]["interpolation"] == "cubic"
    values = grid.astype(np.float64)
    lowest, highest = values.min(), values.max()
    if description["saliency_map"]["scaling"] == "none" and highest > lowest:  # raw scores to grey levels
        values, lowest, highest = (values - lowest) * (255 / (highest - lowest)), 0.0, 255.0
    down = weights(height, box.top, box.height, grid.shape[0], cubic)
    across = weights(width, box.left, box.width, grid.shape[1], cubic)
    levels = np.rint((down @ values @ across.T).clip(lowest, highest).clip(0, 255)).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_JET)
    grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    mixed = cv2.addWeighted(photo, 0.5, colours, 0.5, 0)
    y, x = np.arange(height)[:, None] + 0.5 - box.top, np.arange(width) + 0.5 - box.left
    inside = (y >= 0) & (y <= box.height) & (x >= 0) & (x <= box.width)
    return np.where(inside[..., None], mixed, grey)


def weights(pixels: int, start: float, length: float, cells: int, cubic: bool) -> Array:
    """How much each cell counts in each pixel, [pixels, cells]; the cells fill the length from start on.

    Cells behind the edge are as the edge's own.
    """
    places = (np.arange(pixels) + 0.5 - start) * cells / length - 0.5  # in cells, 0 at the first one's centre
    found = np.zeros((pixels, cells))
    for offset in (-1, 0, 1, 2):
        neighbour = np.floor(places).astype(int) + offset
        weight = kernel(np.abs(places - neighbour), cubic)
        np.add.at(found, (np.arange(pixels), neighbour.clip(0, cells - 1)), weight)
    return found


def kernel(distance: Array, cubic: bool) -> Array:
    """Weight of a cell by its distance: as INTER_LINEAR, or as INTER_CUBIC, whose parameter is -3/4."""
    if not cubic:
        return (1 - distance).clip(0)
    a = -0.75
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


if __name__ == "__main__":
    main()
