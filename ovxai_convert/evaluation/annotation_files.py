"""Files of boxes, read by what they hold: COCO's JSON, an XML file of Pascal VOC's, or a folder of these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from ovxai_convert.errors import ModelReadError
from ovxai_convert.evaluation.annotations import AnnotatedPicture, Annotations
from ovxai_convert.evaluation.coco import NoBoxesError, coco_pictures
from ovxai_convert.evaluation.voc import voc_picture
from ovxai_convert.files import is_folder, read_text

_WHAT: Final = "file of boxes"
_MOST_JSON, _MOST_XML = 2**31, 2**24
"""Bytes that a file of boxes may hold: those of COCO's training set are 450 MB."""


def read_annotations(path: Path) -> Annotations:
    """The boxes of a JSON file, of an XML file, or of all XML files in a folder and in those below it.

    Raises:
        ModelReadError: what is there cannot be read, or is no such file; the line says which and why.
    """
    if is_folder(path):
        files = sorted(path.rglob("*.xml"))
        if not files:
            raise ModelReadError(f"{path}: no annotations of Pascal VOC's (.xml) are in this folder")
        return Annotations(_picture(file, read_text(file, _WHAT, _MOST_XML), path) for file in files)
    text = read_text(path, _WHAT, _MOST_JSON)
    if text.lstrip()[:1] == "<":
        return Annotations([_picture(path, text, path.parent)])
    try:
        return Annotations(coco_pictures(json.loads(text)))
    except NoBoxesError as error:
        raise ModelReadError(f"{path}: not a {_WHAT}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelReadError(
            f"{path}: not a {_WHAT}: neither COCO's JSON nor an XML file of Pascal VOC's"
        ) from error


def _picture(file: Path, text: str, root: Path) -> AnnotatedPicture:
    try:
        return voc_picture(text, file.relative_to(root).as_posix())
    except NoBoxesError as error:
        raise ModelReadError(f"{file}: not a {_WHAT}: {error}") from error
