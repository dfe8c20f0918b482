"""Explanations: what they say of themselves, the files they are kept in, and plotting without matplotlib."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import cv2
import numpy as np
import pytest

from ovxai_convert.errors import UsageError, WriteError
from ovxai_convert.explain.explanation import Explanation, Layout
from ovxai_convert.explain.predictions import Prediction
from ovxai_convert.methods import Method
from ovxai_convert.pictures.captions import Caption, framed
from ovxai_convert.pictures.rendering import grey_levels

GREY: Final = np.arange(24, dtype=np.uint8).reshape(4, 6)
COLOUR: Final = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
RAW: Final = np.linspace(-2, 5, 24, dtype=np.float32).reshape(4, 6)


def explained(
    targets: Sequence[int | str], labels: Sequence[str] | None = None, saliency: Any = GREY
) -> Explanation:
    predictions = {each: Prediction(each, 0.5) for each in targets if isinstance(each, int)}
    names = None if labels is None else tuple(labels)
    return Explanation(dict.fromkeys(targets, saliency), Method.RISE, predictions, names)


def test_what_it_says_of_itself() -> None:
    found = explained([2, 0], ["cat", "dog", "bird"])
    assert found.targets == [2, 0]
    assert found.shape == (4, 6)
    assert [found.label_of(each) for each in found.targets] == ["bird", "cat"]
    assert explained([2]).label_of(2) == "2"
    assert explained(["per_image_map"], ["cat"]).label_of("per_image_map") == "per_image_map"


@pytest.mark.parametrize(
    ("targets", "saliency", "layout"),
    [
        ([0, 1], GREY, Layout.MULTIPLE_MAPS_PER_IMAGE_GRAY),
        ([0], COLOUR, Layout.MULTIPLE_MAPS_PER_IMAGE_COLOR),
        (["per_image_map"], RAW, Layout.ONE_MAP_PER_IMAGE_GRAY),
        (["per_image_map"], COLOUR, Layout.ONE_MAP_PER_IMAGE_COLOR),
    ],
    ids=lambda value: value.value if isinstance(value, Layout) else "",
)
def test_layout(targets: list[int | str], saliency: Any, layout: Layout) -> None:
    assert explained(targets, None, saliency).layout is layout


@pytest.mark.parametrize(
    ("saliency", "pixels"),
    [(GREY, GREY), (COLOUR, COLOUR), (RAW, grey_levels(RAW))],
    ids=["grey", "colour", "raw"],
)
def test_save(saliency: Any, pixels: Any, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    paths = explained([1, 0], ["cat", "dog"], saliency).save(folder, "photo")
    assert paths == [folder / "photo_dog.png", folder / "photo_cat.png"]
    assert sorted(folder.iterdir()) == sorted(paths)
    for path in paths:
        np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), pixels)


@pytest.mark.parametrize(
    ("image_format", "suffix", "beginning"),
    [("png", ".png", b"\x89PNG"), ("jpeg", ".jpg", b"\xff\xd8\xff"), ("webp", ".webp", b"RIFF")],
)
def test_save_in_other_formats(image_format: str, suffix: str, beginning: bytes, tmp_path: Path) -> None:
    (path,) = explained([0], ["cat"]).save(tmp_path, "x", image_format=image_format)
    assert path.name == f"x_cat{suffix}"
    assert path.read_bytes().startswith(beginning)


def test_save_in_a_format_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no image format 'jpg'; did you mean 'jpeg'"):
        explained([0]).save(tmp_path / "made", image_format="jpg")
    assert not (tmp_path / "made").exists()


def test_too_large_for_its_format_writes_nothing(tmp_path: Path) -> None:
    maps: dict[int | str, Any] = {0: GREY, 1: np.zeros((1, 20_000), np.uint8)}
    with pytest.raises(UsageError, match="at most 16383 pixels"):
        Explanation(maps, Method.RISE, {}).save(tmp_path / "made", image_format="webp")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("saliency", [GREY, COLOUR, RAW], ids=["grey", "colour", "raw"])
@pytest.mark.parametrize("told", [True, False])
def test_save_with_a_strip(saliency: Any, told: bool, tmp_path: Path) -> None:
    caption = Caption("cat", "class 0", "0.50", 0.5, "jet")
    found = replace(explained([0], ["cat"], saliency), captions={0: caption} if told else {})
    (path,) = found.save(tmp_path, strip=True)
    bare = saliency if saliency.dtype == np.uint8 else grey_levels(saliency)
    expected = framed(bare, caption if told else Caption("cat"))
    np.testing.assert_array_equal(cv2.imread(str(path)), expected)


def test_save_takes_text_and_no_name(tmp_path: Path) -> None:
    assert explained([3]).save(str(tmp_path)) == [tmp_path / "3.png"]
    assert explained(["per_image_map"]).save(tmp_path, "x") == [tmp_path / "x_per_image_map.png"]


def test_save_as_openvino_xai_names_files(tmp_path: Path) -> None:
    found = explained([1, 0], ["cat", "dog"])

    def names(**given: Any) -> list[str]:
        return [path.name for path in found.save(tmp_path, **given)]

    assert names(prefix="photo-") == ["photo-dog.png", "photo-cat.png"]
    assert names(postfix="_map") == ["dog_map.png", "cat_map.png"]
    scores: dict[str, Any] = {"confidence_scores": {0: 0.4567, 1: 1, 7: 0.5}}
    assert names(prefix="a_", postfix="_conf_", **scores) == ["a_dog_conf_1.00.png", "a_cat_conf_0.46.png"]
    assert names(confidence_scores={0: np.float32(0.25)}) == ["dog.png", "cat0.25.png"]
    assert names(postfix=" ", confidence_scores=found.predictions) == ["dog 0.50.png", "cat 0.50.png"]
    assert names(name="photo", postfix="!") == ["photo_dog!.png", "photo_cat!.png"]
    of_all = explained(["per_image_map"]).save(tmp_path, prefix="p_", **scores)
    assert [path.name for path in of_all] == ["p_per_image_map.png"]


def test_each_class_is_kept_in_its_own_file(tmp_path: Path) -> None:
    maps: dict[int | str, Any] = {0: GREY, 1: GREY[::-1]}
    paths = Explanation(maps, Method.RISE, {}, ("same", "same")).save(tmp_path, "x")
    for path, expected in zip(paths, maps.values(), strict=True):
        np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), expected)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cat", "x_cat.png"),
        ("a/b", "x_a_b.png"),
        ("a\\b:c*?", "x_a_b_c_.png"),
        ("..", "x_...png"),
        ("../../etc/passwd", "x_.._.._etc_passwd.png"),
        ("tench, Tinca tinca", "x_tench_Tinca_tinca.png"),
        ("C++ 1.5-2", "x_C++_1.5-2.png"),
        ("Bär 猫", "x_Bär_猫.png"),
        ("\n\0", "x__.png"),
        ("", "x_0.png"),
        ("हिन्दी", "x_हिन्दी.png"),
        ("ไม้ \u0e01\u0e33", "x_ไม้_\u0e01\u0e33.png"),
        ("Cafe\u0301", "x_Caf\u00e9.png"),
        ("a\u202eb\u200d", "x_ab.png"),
        ("\ud800", "x__.png"),
    ],
    ids=ascii,
)
def test_labels_as_file_names(label: str, name: str, tmp_path: Path) -> None:
    found = explained([0], [label])
    assert found.file_names("x") == [name]
    (path,) = found.save(tmp_path, "x")
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert path.parent == tmp_path


@pytest.mark.parametrize("label", ["..", ".", "/", "../up", ""])
def test_no_label_leads_out_of_the_folder(label: str, tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    (path,) = explained([0], [label]).save(folder)
    assert list(tmp_path.iterdir()) == [folder]
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["a", "b", "c"], ["a", "b", "c"]),
        (["crane", "b", "crane"], ["crane_0", "b", "crane_2"]),
        (["a/b", "a b", "c"], ["a_b_0", "a_b_1", "c"]),
        (["", "1", ""], ["0", "1", "2"]),
        (["1", "", "c"], ["1_0", "1_1", "c"]),
        (["a", "a", "a_0"], ["a_0", "a_1", "a_0_2"]),
    ],
    ids=str,
)
def test_no_two_classes_share_a_file(labels: list[str], names: list[str]) -> None:
    found = explained([0, 1, 2], labels).file_names("x", ".npy")
    assert len(set(found)) == 3
    if labels != ["a", "a", "a_0"]:
        assert found == [f"x_{name}.npy" for name in names]
    else:  # a label that ends like another's index
        assert found == ["x_a_0.npy", "x_a_1.npy", "x_a_0_2.npy"]


def test_files_of_these_names_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "x_0.png").write_text("old")
    explained([0]).save(tmp_path, "x")
    assert (tmp_path / "x_0.png").read_bytes().startswith(b"\x89PNG")


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WriteError, match="cannot be written"):
        explained([0]).save(tmp_path / "file", "x")
    assert (tmp_path / "file").read_text() == "mine"


class Axis:
    """A cell of a fake grid, which notes what was shown in it."""

    def __init__(self) -> None:
        self.image: Any = None
        self.title = ""

    def axis(self, how: str) -> None:
        assert how == "off"

    def imshow(self, image: Any, cmap: str) -> None:
        self.image = image

    def set_title(self, title: str) -> None:
        self.title = title


@pytest.fixture
def grids(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grids of a matplotlib that only notes; each is one when it has been shown."""
    made: list[Any] = []
    drawn: list[Any] = []

    def subplots(rows: int, columns: int, figsize: tuple[float, float], squeeze: bool) -> tuple[None, Any]:
        assert not squeeze
        grid = np.array([[Axis() for _ in range(columns)] for _ in range(rows)], object)
        drawn.append(grid)
        return None, grid

    pyplot: Any = ModuleType("matplotlib.pyplot")
    vars(pyplot).update(subplots=subplots, tight_layout=lambda: None, show=lambda: made.append(drawn.pop()))
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace(pyplot=pyplot))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    return made


def titles(grid: Any) -> list[list[str]]:
    return [[axis.title for axis in row] for row in grid]


def test_plot(grids: list[Any]) -> None:
    explained(range(6), list("abcdef")).plot()
    assert titles(grids[0]) == [["a", "b", "c", "d"], ["e", "f", "", ""]]
    np.testing.assert_array_equal(grids[0][1, 1].image, GREY)
    assert grids[0][1, 2].image is None


def test_plot_of_colours_is_in_the_order_of_matplotlib(grids: list[Any]) -> None:
    explained([0], None, COLOUR).plot()
    np.testing.assert_array_equal(grids[0][0, 0].image, COLOUR[..., ::-1])
    replace(explained([0], None, COLOUR), colour="rgb").plot()
    np.testing.assert_array_equal(grids[1][0, 0].image, COLOUR)


def test_plot_of_some(grids: list[Any]) -> None:
    found = explained(range(6), list("abcdef"))
    found.plot(["c", 0, "4"])
    assert titles(grids[0]) == [["c", "a", "e"]]
    found.plot(max_num_plots=3, num_columns=2)
    assert titles(grids[1]) == [["a", "b"], ["c", ""]]
    found.plot("f")
    found.plot(np.array([2, 3]))  # type: ignore[arg-type]
    assert titles(grids[2]) + titles(grids[3]) == [["f"], ["c", "d"]]
    found.plot(-1, num_columns=6)
    assert titles(grids[4]) == [list("abcdef")]
    del grids[2:]
    explained(["per_image_map"]).plot(["per_image_map"])
    assert titles(grids[2]) == [["per_image_map"]]


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        ([1], "class '1' was not explained"),
        (["b"], "class 'b' was not explained"),
        ([], "no class is named"),
        (["z"], "no class labelled 'z'"),
        ([9], "no class 9: the model has 3"),
    ],
    ids=str,
)
def test_plot_of_what_was_not_explained(targets: list[int | str], text: str, grids: list[Any]) -> None:
    with pytest.raises(UsageError, match=text):
        explained([0, 2], ["a", "b", "c"]).plot(targets)
    assert grids == []


def test_plot_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with pytest.raises(UsageError, match="needs matplotlib: pip install matplotlib"):
        explained([0]).plot()


def test_plot_with_another_backend(grids: list[Any]) -> None:
    with pytest.raises(UsageError, match="no backend 'cv'; there is matplotlib"):
        explained([0]).plot(backend="cv")
    assert grids == []
