"""Boxes out of annotations as COCO has them: one JSON object with images, categories and annotations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from ovxai_convert.errors import quoted
from ovxai_convert.evaluation.annotations import AnnotatedPicture, ObjectBox

_PARTS: Final = ("images", "annotations", "categories")
_FARTHEST: Final = 1e9
"""Pixels from the corner; no picture is as large."""


class NoBoxesError(ValueError):
    """Why a file holds no boxes, as the end of a line that names it."""


def coco_pictures(data: object) -> list[AnnotatedPicture]:
    """The pictures that such an object lists, with the boxes of each; crowds are boxes, too.

    A box is ``[x, y, width, height]`` in pixels from the left upper corner. Annotations without a box, and
    those of images that are not listed, are passed over.

    Raises:
        NoBoxesError: it is no such object, or one of its entries is not as COCO has them.
    """
    if isinstance(data, list) and data and isinstance(data[0], dict) and "image_id" in data[0]:
        raise NoBoxesError(
            "these are results of a detector; give the annotations, with images and categories"
        )
    if not isinstance(data, dict) or not all(isinstance(data.get(part), list) for part in _PARTS):
        raise NoBoxesError(f"COCO has lists {', '.join(_PARTS)} in one object")
    names = {
        _value(entry, "id", (int, str), "categories", place): _value(
            entry, "name", (str,), "categories", place
        )
        for place, entry in enumerate(data["categories"])
    }
    images = {
        _value(entry, "id", (int, str), "images", place): entry for place, entry in enumerate(data["images"])
    }
    files = {
        key: _value(entry, "file_name", (str,), "images", place)
        for place, (key, entry) in enumerate(images.items())
    }
    boxes: dict[Any, list[ObjectBox]] = {key: [] for key in images}
    boxed = False
    for place, entry in enumerate(data["annotations"]):
        image = _value(entry, "image_id", (int, str), "annotations", place)
        if "bbox" not in entry:
            continue
        boxed = True
        category = _value(entry, "category_id", (int, str), "annotations", place)
        if category not in names:
            raise NoBoxesError(f"annotations[{place}] is of category {category}, which is not listed")
        box = _box(entry["bbox"], names[category], place)
        if image in boxes:
            boxes[image].append(box)
    if not boxed:
        raise NoBoxesError("none of its annotations has a 'bbox'")
    return [AnnotatedPicture(files[key], tuple(boxes[key]), _size(images[key])) for key in images]


def _value(entry: object, key: str, kinds: tuple[type, ...], part: str, place: int) -> Any:
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise NoBoxesError(f"{part}[{place}] has no {quoted(key)}")
    return value


def _box(numbers: object, label: str, place: int) -> ObjectBox:
    fits = isinstance(numbers, list) and len(numbers) == 4 and all(map(_is_number, numbers))
    if not fits or min(numbers[2:]) < 0:  # type: ignore[index]  # a list, if it fits
        raise NoBoxesError(f"'bbox' of annotations[{place}] is not x, y, width, height")
    x, y, width, height = map(float, numbers)  # type: ignore[call-overload]
    return ObjectBox(label, x, y, x + width, y + height)


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < _FARTHEST and not math.isnan(value)


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
