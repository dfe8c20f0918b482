"""Which photographs folders, globs and lists mean, in which order, and what their pictures are called by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovxai_convert.datasets.sources import IMAGE_SUFFIXES, Item, Photographs
from ovxai_convert.errors import ModelReadError, OvxaiError, UsageError


def made(folder: Path, *names: str) -> Path:
    """A folder of files that are empty: only their names matter here."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def found(*arguments: object, recursive: bool = False, output: Path | None = None) -> list[Item]:
    return list(Photographs([str(each) for each in arguments], recursive, output))


def names(items: list[Item]) -> list[str]:
    return [item.name for item in items]


def test_folder_holds_its_own_photographs_in_order(tmp_path: Path) -> None:
    folder = made(
        tmp_path / "photos", "b.jpg", "a.PNG", "c.tiff", "notes.txt", "below/d.jpg", ".hidden.jpg", "x"
    )
    photographs = Photographs([str(folder)])
    items = list(photographs)
    assert [item.path.name for item in items] == ["a.PNG", "b.jpg", "c.tiff"]
    assert names(items) == ["a", "b", "c"]
    assert {item.truth for item in items} == {"photos"}
    assert photographs.passed_over() == "2 other files passed over: 1 .txt, 1 without a suffix"
    assert photographs.count() == 3
    assert photographs.passed_over() == "2 other files passed over: 1 .txt, 1 without a suffix", (
        "of each pass"
    )


def test_tree_is_mirrored(tmp_path: Path) -> None:
    made(tmp_path, "cat/1.jpg", "dog/1.jpg", "dog/young/1.jpg", "0.jpg", ".git/2.jpg")
    items = found(tmp_path, recursive=True)
    assert names(items) == ["0", "cat/1", "dog/1", "dog/young/1"]
    assert [item.truth for item in items] == [tmp_path.name, "cat", "dog", "young"]
    assert [item.shown for item in items] == [str(tmp_path / f"{name}.jpg") for name in names(items)]


def test_photographs_of_one_stem_keep_their_suffix(tmp_path: Path) -> None:
    made(tmp_path, "a.jpg", "a.png", "A.webp", "b.jpg", "b.txt")
    assert names(found(tmp_path)) == ["A.webp", "a.jpg", "a.png", "b"], "also where case tells nothing apart"


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_what_ends_as_a_photograph(suffix: str, tmp_path: Path) -> None:
    made(tmp_path, f"a{suffix.upper()}")
    assert names(found(tmp_path)) == ["a"]


def test_several_folders_are_told_apart_by_their_names(tmp_path: Path) -> None:
    made(tmp_path, "train/cat/1.jpg", "val/cat/1.jpg")
    items = found(tmp_path / "train", f"{tmp_path}/val/", recursive=True)
    assert names(items) == ["train/cat/1", "val/cat/1"]


def test_folders_of_one_name(tmp_path: Path) -> None:
    made(tmp_path, "a/val/1.jpg", "b/val/1.jpg", "c/val/1.jpg")
    arguments = [tmp_path / "a" / "val", tmp_path / "b" / "val"]
    assert names(found(*arguments, output=tmp_path / "out")) == ["val/1", "val/1.jpg"]
    with pytest.raises(UsageError, match=r"2 images would be written as val/1_\*"):
        found(*arguments, tmp_path / "c" / "val", output=tmp_path / "out")
    assert len(found(*arguments, tmp_path / "c" / "val")) == 3, "without pictures it does not matter"


def test_glob(tmp_path: Path) -> None:
    made(
        tmp_path,
        "set/cat/1.jpg",
        "set/cat/2.png",
        "set/dog/1.jpg",
        "set/dog/notes.txt",
        "set/dog/3.jpg/x.txt",
    )
    items = found(f"{tmp_path}/set/*/*.jpg")
    assert names(items) == ["cat/1", "dog/1"], "and no folder of such a name"
    assert [item.truth for item in items] == ["cat", "dog"]
    assert names(found(f"{tmp_path}/set/**/*.png")) == ["cat/2"]
    assert names(found(f"{tmp_path}/set/dog/*")) == ["1"]


def test_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    made(tmp_path, "photo[1].jpg", "photo1.jpg")
    assert names(found(tmp_path / "photo[1].jpg")) == ["photo[1]"]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\0"], ids=["lines", "windows", "zeros"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_list(ends: str, mark: bytes, tmp_path: Path) -> None:
    paths = ["/data/x/1.jpg", "cat/1.jpg", "../other/1.jpg", "a b.jpg", ""]
    (tmp_path / "files.txt").write_bytes(mark + ends.join(paths).encode())
    items = found(f"@{tmp_path}/files.txt")
    assert [str(item.path) for item in items] == paths[:4]
    assert names(items) == ["data/x/1", "cat/1", "other/1", "a b"]
    given = Photographs(["-"], listed=mark + ends.join(paths).encode())
    assert list(given) == items


def test_paths_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "files.txt").write_bytes(b"caf\xe9.jpg\n")
    (item,) = found(f"@{tmp_path}/files.txt")
    assert os.fsencode(item.path) == b"caf\xe9.jpg"


def test_photograph_that_is_meant_twice_counts_once(tmp_path: Path) -> None:
    made(tmp_path, "a.jpg", "b.jpg")
    items = found(tmp_path / "a.jpg", tmp_path, output=tmp_path / "out")
    assert [item.path.name for item in items] == ["a.jpg", "b.jpg"]
    listed = Photographs(["-"], listed=b"a.jpg\nb.jpg\na.jpg\n")
    assert names(list(listed)) == ["a", "b"]


def test_listed_photographs_of_one_stem(tmp_path: Path) -> None:
    photographs = Photographs(["-"], output=tmp_path / "out", listed=b"x/a.jpg\nx/A.JPG\nx/A.jpg\n")
    with pytest.raises(UsageError, match="would be written as x/A_"):
        list(photographs)
    photographs.listed = b"x/a.jpg\nx/a.png\n"
    assert names(list(photographs)) == ["x/a", "x/a.png"]


def test_named_photographs_of_one_stem_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"2 images would be written as a_\*; explain them into folders"):
        found("x/a.jpg", "y/a.png", output=tmp_path)


@pytest.mark.parametrize(
    ("argument", "kind", "text"),
    [
        ("empty", UsageError, r"there is no photograph in this folder$"),
        ("texts", UsageError, r"no photograph in this folder \(1 other file passed over: 1 \.txt\)$"),
        ("above", UsageError, r"no photograph in this folder; --recursive looks into the 2 below$"),
        ("*.jpg", UsageError, r"\*\.jpg: there is no photograph of such a name$"),
        ("@missing.txt", ModelReadError, r"missing\.txt: cannot be read: No such file"),
        ("@empty.txt", UsageError, r"there is no path in this list$"),
    ],
)
def test_nothing_that_could_be_explained(
    argument: str, kind: type[OvxaiError], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "texts/a.txt", "above/x/a.jpg", "above/y/a.jpg", "empty.txt")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=text):
        found(argument)


def test_file_that_is_not_there_is_meant_all_the_same() -> None:
    assert [str(item.path) for item in found("missing.jpg")] == ["missing.jpg"]


def test_folder_of_the_pictures_is_passed_over(tmp_path: Path) -> None:
    made(tmp_path, "a.jpg", "out/a_cat.png", "out/below/b.jpg")
    assert names(found(tmp_path, recursive=True, output=tmp_path / "out")) == ["a"]
    assert names(found(tmp_path, recursive=True)) == ["a", "out/a_cat", "out/below/b"]


@pytest.mark.parametrize(
    ("root", "output", "refused"),
    [
        ("set", "set", True),
        ("set", ".", False),
        (".", ".", True),
        ("set", "out", False),
        ("set/below", ".", False),
        ("set", "set/out", False),
    ],
)
def test_pictures_among_the_photographs(
    root: str, output: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "set/a.jpg", "set/below/b.jpg")
    monkeypatch.chdir(tmp_path)
    if refused:
        with pytest.raises(UsageError, match="pictures would come among its photographs; choose another"):
            found(root, recursive=True, output=Path(output))
    else:
        assert found(root, recursive=True, output=Path(output))


def test_mirrored_tree_that_would_lie_in_the_tree_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "set/1.jpg", "set/set/2.jpg")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="among its photographs"):
        found("set", recursive=True, output=Path())


def test_links_that_lead_back(tmp_path: Path) -> None:
    made(tmp_path, "set/a.jpg", "elsewhere/b.jpg")
    (tmp_path / "set" / "loop").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "other").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "c.jpg").symlink_to(tmp_path / "elsewhere" / "b.jpg")
    assert names(found(tmp_path / "set", recursive=True)) == ["a", "c", "other/b"]


def test_order_is_the_same_every_time(tmp_path: Path) -> None:
    made(tmp_path, *(f"{folder}/{number}.jpg" for folder in "zya" for number in range(9, 0, -1)))
    photographs = Photographs([str(tmp_path)], recursive=True)
    assert list(photographs) == list(photographs)
    assert names(list(photographs)) == sorted(names(list(photographs)))


@pytest.mark.parametrize(
    ("argument", "looked_for"),
    [("a.jpg", False), ("folder", True), ("*.jpg", True), ("@list", True), ("-", True), ("s3://x/y", True)],
)
def test_whether_photographs_are_looked_for(
    argument: str, looked_for: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Photographs([argument]).are_looked_for is looked_for
