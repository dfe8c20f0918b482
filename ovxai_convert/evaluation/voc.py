"""Boxes out of annotations as Pascal VOC and ImageNet have them: an XML file for each picture."""

from __future__ import annotations

import math
import re
from pathlib import PurePath
from typing import Final
from xml.etree import ElementTree

from ovxai_convert.evaluation.annotations import AnnotatedPicture, ObjectBox
from ovxai_convert.evaluation.coco import NoBoxesError

_TYPE: Final = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
"""Of what may make much out of a small file; annotations have none."""


def voc_picture(text: str, file: str) -> AnnotatedPicture:
    """The picture of such a file, called as the file is, with its boxes, difficult ones, too.

    Corners are pixels, counted from 1, that belong to the box: ``xmin`` 1 and ``xmax`` 10 are ten columns.

    Raises:
        NoBoxesError: the text is no XML, no annotation, or one of its objects has no name or no box.
    """
    if _TYPE.search(text):
        raise NoBoxesError("it declares a document type, which annotations do not")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise NoBoxesError(f"no XML that can be read: {error}") from error
    if root.tag != "annotation":
        raise NoBoxesError("its root is no <annotation>")
    boxes = [_box(each, place) for place, each in enumerate(root.findall("object"), 1)]
    width, height = (_number(root, f"size/{name}") for name in ("width", "height"))
    size = (int(width), int(height)) if width and height else None
    return AnnotatedPicture(PurePath(file).with_suffix("").as_posix(), tuple(boxes), size)


def _box(element: ElementTree.Element, place: int) -> ObjectBox:
    label = (element.findtext("name") or "").strip()
    left, top, right, bottom = (
        _number(element, f"bndbox/{name}") for name in ("xmin", "ymin", "xmax", "ymax")
    )
    if not label:
        raise NoBoxesError(f"object {place} has no name")
    if left is None or top is None or right is None or bottom is None or right < left or bottom < top:
        raise NoBoxesError(f"object {place} ({label}) has no bndbox with xmin <= xmax and ymin <= ymax")
    return ObjectBox(label, left - 1, top - 1, right, bottom)


def _number(element: ElementTree.Element, path: str) -> float | None:
    try:
        number = float(element.findtext(path) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
