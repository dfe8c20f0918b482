"""Pages of the report of many photographs: how large, how many, how they are written."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovxai_convert.datasets import gallery
from ovxai_convert.datasets.gallery import write_gallery
from ovxai_convert.errors import WriteError
from tests.datasets.gallery_cases import (
    Row,
    animals,
    data_in,
    figures,
    written,
)
from tests.explain.report_cases import FACTS, Page


def many(count: int, classes: int = 1) -> Iterator[Row]:
    """Photographs with names as long as those of a large data set."""
    for number in range(count):
        synset = f"n{number % 1000:08d}"
        path = f"/data/validation/{synset}/ILSVRC2012_val_{number:08d}.JPEG"
        for rank in range(1, classes + 1):
            index = (number + 37 * rank) % 1000
            label = f"a class of animals {index}"
            picture = f"{synset}/ILSVRC2012_val_{number:08d}_{label.replace(' ', '_')}.jpg"
            yield Row(
                path,
                "a class of animals",
                index,
                label,
                0.9123456 / rank,
                rank,
                correct=False,
                picture=picture,
            )


def peak(folder: Path, count: int) -> int:
    """Bytes that are needed at most to write a report."""
    tracemalloc.start()
    try:
        write_gallery(folder / "report.html", many(count), FACTS)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_thousand_photographs(tmp_path: Path) -> None:
    text = written(tmp_path, many(10_000, classes=5))
    assert len(data_in(text)["photographs"]) == 10_000
    assert len(text.encode()) < 5_000_000


def test_memory_does_not_grow_with_photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 500)
    peak(tmp_path, 100)  # what is loaded once
    small, large = peak(tmp_path, 1000), peak(tmp_path, 5000)
    assert large < 2 * small
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 5000)
    assert peak(tmp_path, 5000) > 2 * small, "it would be seen"


def test_further_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 8)
    path = tmp_path / "a report.html"
    files = write_gallery(path, animals(tmp_path), FACTS)
    assert [each.name for each in files] == ["a report.html", *(f"a report-{n}.html" for n in range(2, 14))]
    texts = [each.read_text("utf-8") for each in files]
    packed = [values for text in texts for values in data_in(text)["photographs"]]
    assert [name for _, name, *_ in packed] == [f"photo{number}.png" for number in range(100)]
    assert {figures(text) for text in texts} == {figures(texts[0])}, "of all photographs"
    assert "page 5 of 13" in texts[4]
    assert "33 to 40 of 100 photographs" in texts[4]
    links = [each for each in Page(texts[4]).values("href") if "report" in each]
    assert links[: len(links) // 2] == [
        "a%20report.html",
        *(f"a%20report-{n}.html" for n in (2, 3, 4, 6, 7, 8, 13)),
    ]


def test_a_page_ends_where_its_bytes_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "MOST_BYTES", 1500)
    assert 2 < len(write_gallery(tmp_path / "report.html", animals(tmp_path), FACTS)) < 20


def test_pages_of_an_older_report_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    other = tmp_path / "report-5.html"
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 25)
    write_gallery(path, animals(tmp_path), FACTS)
    other.write_text("somebody's own")
    assert len(list(tmp_path.glob("report*.html"))) == 5
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 50)
    write_gallery(path, animals(tmp_path), FACTS)
    assert sorted(each.name for each in tmp_path.glob("report*.html")) == [
        "report-2.html",
        "report-5.html",
        "report.html",
    ]
    assert other.read_text() == "somebody's own"


def test_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(WriteError, match=r"report\.html: cannot be written: it is a folder"):
        written(tmp_path, [Row("a.png")])


def test_nowhere_to_keep_what_is_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(WriteError, match="none: cannot be written: No such file"):
        written(tmp_path, [Row("a.png")])
    assert not (tmp_path / "report.html").exists()


def test_an_older_report_stays_if_rows_break_off(tmp_path: Path) -> None:
    def breaking() -> Iterator[Row]:
        yield Row("b.png")
        raise FileNotFoundError("table.jsonl")

    older = written(tmp_path, [Row("a.png")])
    with pytest.raises(FileNotFoundError):
        written(tmp_path, breaking())
    assert (tmp_path / "report.html").read_text("utf-8") == older
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
