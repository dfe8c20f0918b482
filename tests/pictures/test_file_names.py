"""Names of files: kept within what file systems take, and distinct where these compare names loosely."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from ovxai_convert.pictures.file_names import map_file_names
from tests.explain.test_explanation import explained

LONG: dict[str, str] = {
    "ascii": "a" * 1000,
    "two bytes": "é" * 500,
    "three bytes": "猫" * 400,
    "four bytes": "𐌰" * 300,
    "mixed": "x猫éz" * 200,
}


@pytest.mark.parametrize("stem", ["", "photo", *LONG.values()], ids=["none", "short", *LONG])
@pytest.mark.parametrize("label", ["猫", *LONG.values()], ids=["short", *LONG])
@pytest.mark.parametrize("suffix", [".png", ".npy", ".jpeg"])
def test_a_name_fits_into_255_bytes(stem: str, label: str, suffix: str) -> None:
    (name,) = map_file_names(stem, {7: label}, suffix)
    assert len(name.encode()) <= 255
    assert "\ufffd" not in name
    assert name.endswith(suffix)
    assert name.startswith(stem[:20])
    assert label[:20] in name
    if len(f"{stem}_{label}".encode()) < 240:
        assert name == (f"{stem}_{label}{suffix}" if stem else f"{label}{suffix}")
    else:
        assert len(name.encode()) > 200  # no more is cut away than must be


def test_long_names_can_be_written(tmp_path: Path) -> None:
    found = explained([0, 1], ["猫" * 300 + "a", "猫" * 300 + "b"])
    paths = found.save(tmp_path, "é" * 100)
    assert sorted(paths) == sorted(tmp_path.iterdir())
    assert len(paths) == 2


def test_what_is_cut_stays_distinct() -> None:
    labels: dict[int | str, str] = {index: "x" * 400 + str(index) for index in range(200)}
    names = map_file_names("p", labels, ".png")
    assert len(set(names)) == 200
    stems = {map_file_names("s" * 300 + str(index), {0: "cat"}, ".png")[0] for index in range(200)}
    assert len(stems) == 200


def test_a_short_half_is_not_cut_for_a_long_one() -> None:
    (name,) = map_file_names("photo", {0: "x" * 999}, ".png")
    assert name.startswith("photo_xxx")
    (name,) = map_file_names("p" * 999, {0: "tench"}, ".png")
    assert name.endswith("_tench.png")


def test_pictures_and_arrays_are_cut_alike() -> None:
    labels: dict[int | str, str] = {0: "x" * 999, 1: "y"}
    stem = "s" * 999
    pictures, arrays = (map_file_names(stem, labels, suffix) for suffix in (".png", ".npy"))
    assert [name[:-4] for name in pictures] == [name[:-4] for name in arrays]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["Cat", "cat", "dog"], ["Cat_0", "cat_1", "dog"]),
        (["straße", "STRASSE", "x"], ["straße_0", "STRASSE_1", "x"]),
        (["caf\u00e9", "cafe\u0301", "x"], ["caf\u00e9_0", "caf\u00e9_1", "x"]),
        (["CAFE\u0301", "caf\u00e9", "x"], ["CAF\u00c9_0", "caf\u00e9_1", "x"]),
        (["a\u200bb", "ab", "x"], ["ab_0", "ab_1", "x"]),
        (["x" * 300, "X" * 300, "y"], None),
    ],
    ids=ascii,
)
def test_names_that_a_file_system_may_take_for_one(labels: list[str], names: list[str] | None) -> None:
    found = map_file_names("", dict(enumerate(labels)), "")
    assert len({unicodedata.normalize("NFD", name).casefold() for name in found}) == 3
    if names is not None:
        assert found == names


def test_a_name_does_not_depend_on_which_others_are_written(tmp_path: Path) -> None:
    labels = ["crane", "tench", "crane", "Tench"]
    alone = [explained([index], labels).file_names("x") for index in range(4)]
    assert alone == [["x_crane_0.png"], ["x_tench_1.png"], ["x_crane_2.png"], ["x_Tench_3.png"]]
    assert [name for names in alone for name in names] == explained(range(4), labels).file_names("x")
    explained([0], labels).save(tmp_path)
    explained([2], labels).save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "label", ["CON", "con", "Nul", "AUX", "prn", "COM1", "lpt9", "COM¹", "con.x", "CONIN$"]
)
def test_no_name_is_a_device_on_windows(label: str) -> None:
    (name,) = map_file_names("", {0: label}, ".png")
    assert name.split(".")[0].rstrip().upper() not in {
        *("CON", "NUL", "AUX", "PRN", "COM1", "LPT9", "COM¹", "CONIN$"),
    }
    assert label.removesuffix("$") in name
    assert map_file_names("x", {0: label}, ".png") == [f"x_{label.replace('$', '_')}.png"]


@pytest.mark.parametrize("label", ["console", "connect", "COM", "COM10", "nullify"])
def test_other_names_stay(label: str) -> None:
    assert map_file_names("", {0: label}, ".png") == [f"{label}.png"]


def test_a_stem_that_is_a_device() -> None:
    assert map_file_names("con.v2", {0: "cat"}, ".png") == ["_con.v2_cat.png"]
    assert len(map_file_names("con." + "x" * 400, {0: "y" * 400}, ".png")[0]) <= 255


def test_a_folder_before_the_name_stays() -> None:
    folder = "f" * 200
    (name,) = map_file_names(f"{folder}/{'s' * 250}", {0: "cat"}, ".png")
    assert name.startswith(f"{folder}/sss")
    assert len(Path(name).name) <= 255


def test_names_are_the_same_each_time() -> None:
    first = map_file_names("é" * 200, {0: "猫" * 100, 1: "cat"}, ".png", ["猫" * 100, "cat", "CAT"])
    assert first == map_file_names("é" * 200, {0: "猫" * 100, 1: "cat"}, ".png", ["猫" * 100, "cat", "CAT"])
    assert first[1].endswith("_cat_1.png")
