"""Boxes of COCO and Pascal VOC: where they lie, which photograph they are of, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ovxai_convert import ModelReadError, UsageError
from ovxai_convert.evaluation.annotation_files import read_annotations
from ovxai_convert.evaluation.annotations import AnnotatedPicture, Annotations, ObjectBox


def coco(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "images": [
            {"id": 7, "file_name": "train/a.jpg", "width": 40, "height": 30},
            {"id": 8, "file_name": "b.jpg"},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 90, "name": "dog"}],
        "annotations": [
            {"image_id": 7, "category_id": 90, "bbox": [1, 2.5, 10, 20], "iscrowd": 1},
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 4, 4]},
            {"image_id": 99, "category_id": 1, "bbox": [0, 0, 4, 4]},
            {"image_id": 8, "category_id": 1, "keypoints": []},
        ],
    }
    return {**whole, **changes}


def voc(objects: str, root: str = "annotation") -> str:
    return f"<?xml version='1.0'?><{root}><size><width>40</width><height>30</height></size>{objects}</{root}>"


def voc_object(name: str = "cat", xmin: object = 3, xmax: object = 12, ymin: object = 1) -> str:
    edges = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>5</ymax>"
    return f"<object><name>{name}</name><difficult>1</difficult><bndbox>{edges}</bndbox></object>"


def written(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_coco(tmp_path: Path) -> None:
    found = read_annotations(written(tmp_path / "boxes.json", coco()))
    assert (len(found), found.labels) == (2, ["cat", "dog"])
    picture = found.of(Path("photos/a.jpg"))
    assert picture is not None
    assert picture.boxes == (ObjectBox("dog", 1, 2.5, 11, 22.5), ObjectBox("cat", 0, 0, 4, 4))
    assert picture.checked((40, 30)) == picture.boxes
    with pytest.raises(UsageError, match="of a picture of 40x30 pixels; the photograph has 30x40"):
        picture.checked((30, 40))
    other = found.of(Path("b.png"))
    assert other is not None
    assert other.checked((5, 5)) == (), "nobody says how large it is, and it has none"
    assert found.of(Path("c.jpg")) is None


def test_voc_counts_pixels_from_one(tmp_path: Path) -> None:
    text = voc(voc_object() + voc_object("dog", 1, 1))
    for place in (written(tmp_path / "xml" / "deep" / "a.xml", text), tmp_path / "xml"):
        found = read_annotations(place)
        picture = found.of(tmp_path / "a.jpg")
        assert picture is not None
        assert picture.boxes == (ObjectBox("cat", 2, 0, 12, 5), ObjectBox("dog", 0, 0, 1, 5))
        assert picture.size == (40, 30)
    empty = read_annotations(written(tmp_path / "none.xml", voc("").replace("40", "")))
    assert empty.of(Path("none.png")) == AnnotatedPicture("none", ())


def test_pictures_of_one_name_are_told_apart_by_their_folders() -> None:
    one, other = AnnotatedPicture("cats/1.jpg", ()), AnnotatedPicture("dogs\\1.jpg", ())
    found = Annotations([one, other])
    assert found.of(Path("/photos/cats/1.png")) is one
    assert found.of(Path("photos/dogs/1.jpg")) is other
    with pytest.raises(UsageError, match=r"any of the annotated pictures 'cats/1.jpg', 'dogs"):
        found.of(Path("1.jpg"))
    suffixes = Annotations([AnnotatedPicture("1.jpg", ()), AnnotatedPicture("1.png", ())])
    picture = suffixes.of(Path("1.PNG"))
    assert picture is not None
    assert picture.file == "1.png"


HOLE = {"image_id": 7, "category_id": 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "neither COCO's JSON nor an XML file"),
        ("[" * 100_000, "neither COCO's JSON"),
        ([], "lists images, annotations, categories in one object"),
        ({"images": []}, "lists images, annotations, categories"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}], "results of a detector"),
        (coco(annotations=[{**HOLE}]), "none of its annotations has a 'bbox'"),
        (coco(annotations=[{**HOLE, "bbox": [1, 2, 3]}]), "'bbox' of annotations[0] is not x, y, width"),
        (coco(annotations=[{**HOLE, "bbox": [1, 2, -3, 4]}]), "'bbox' of annotations[0]"),
        (coco(annotations=[{**HOLE, "bbox": [1, 2, float("nan"), 4]}]), "'bbox' of annotations[0]"),
        (coco(annotations=[{**HOLE, "bbox": [1, 2, 10**400, 4]}]), "'bbox' of annotations[0]"),
        (coco(annotations=[{**HOLE, "bbox": [1, 2, True, 4]}]), "'bbox' of annotations[0]"),
        (coco(annotations=[{"image_id": 7, "category_id": 2, "bbox": [1, 1, 1, 1]}]), "of category 2, which"),
        (coco(annotations=[{"bbox": [1, 1, 1, 1]}]), "annotations[0] has no 'image_id'"),
        (coco(annotations=[3]), "annotations[0] has no 'image_id'"),
        (coco(images=[{"id": 1}]), "images[0] has no 'file_name'"),
        (coco(categories=[{"id": 1, "name": 5}]), "categories[0] has no 'name'"),
        ("<annotation>", "no XML that can be read"),
        (voc("", "boxes"), "its root is no <annotation>"),
        (voc("<object/>"), "object 1 has no name"),
        (voc(voc_object() + voc_object(xmin=20)), r"object 2 \(cat\) has no bndbox"),
        (voc(voc_object(xmax="x")), r"object 1 \(cat\) has no bndbox"),
        (voc(voc_object(ymin="nan")), r"object 1 \(cat\) has no bndbox"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><annotation>&b;</annotation>", "declares a document type"),
    ],
)
def test_what_is_no_file_of_boxes(content: object, says: str, tmp_path: Path) -> None:
    path = written(tmp_path / "boxes.any", content)
    with pytest.raises(ModelReadError, match=says.replace("[0]", r"\[0\]")) as raised:
        read_annotations(path)
    assert str(raised.value).startswith(f"{path}: not a file of boxes: ")
    assert "\n" not in str(raised.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelReadError, match="no annotations of Pascal VOC's"):
        read_annotations(tmp_path)
    with pytest.raises(ModelReadError, match="cannot be read"):
        read_annotations(tmp_path / "none.json")
    broken = written(tmp_path / "xml" / "b.xml", "<x")
    with pytest.raises(ModelReadError, match=r"b\.xml: not a file of boxes: no XML"):
        read_annotations(broken.parent)
