"""Names in the report of many photographs: addresses of files, and text that stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ovxai_convert.datasets.gallery import write_gallery
from tests.datasets.gallery_cases import (
    WHEN,
    Row,
    animals,
    data_in,
    written,
)
from tests.explain.report_cases import FACTS, HOSTILE, Page


def row_called(name: str) -> Row:
    return Row(f"{name}", name, 0, name, picture=f"{name}.png", correct=False, head=name, target_layer=name)


def test_pictures_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "pages" / "deep" / "report.html"
    out = tmp_path / "out put"
    write_gallery(path, animals(out, 3), FACTS, pictures=out)
    text = path.read_text("utf-8")
    assert data_in(text)["pictures"] == ["../../out%20put/maps/"]
    assert Page(text).values("src")[0] == "../../out%20put/maps/photo0_cat.png"
    assert data_in(text)["folders"][0][1] == "../../out%20put/photographs/cat/"


def test_photographs_that_a_browser_cannot_fetch(tmp_path: Path) -> None:
    text = written(tmp_path, [Row("s3://bucket/folder/a.png"), Row("https://example.org/b.png")])
    assert [url for _, url in data_in(text)["folders"]] == [None, None]


def test_any_text_is_only_text(tmp_path: Path) -> None:
    harmless = written(tmp_path, [row_called("name") for _ in range(2)])
    facts = replace(FACTS, model=HOSTILE, mode=HOSTILE, method=HOSTILE, device=HOSTILE, preprocessing=HOSTILE)
    rows = [row_called(HOSTILE), row_called(HOSTILE)]
    write_gallery(tmp_path / "report.html", rows, facts, when=WHEN)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert [tag for tag, _ in Page(text).elements] == [tag for tag, _ in Page(harmless).elements]
    assert text.count("</script") == harmless.count("</script") == 2
    data = data_in(text)
    assert data["classes"] == [f"{HOSTILE}: {HOSTILE}"]
    assert [values[1] for values in data["photographs"]] == [HOSTILE.rpartition("/")[2]] * 2
    text.encode("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "javascript:alert(1)",
        "//example.org/x.png",
        "http://example.org/x.png",
        "data:text/html,x",
        "/etc/x.png",
        "#a?b%41",
    ],
)
def test_a_picture_is_a_file_below_the_folder(tmp_path: Path, name: str) -> None:
    """Its address names no scheme, no host and no other part of one, whatever it is called."""
    text = written(tmp_path, [Row("a.png", picture=name)])
    (address,) = {value for value in Page(text).values("src", "href") if not value.startswith("data:,")}
    assert re.fullmatch(r"(?:\.\./)*[^/:?#][^:?#]*", address)
    assert "//" not in address


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    text = written(
        tmp_path, [Row("a\\udcff.png", picture="a\\udcff_cat.png"), Row("b\udcfe.png", picture="b\udcfe.png")]
    )
    assert Page(text).values("src")[:2] == ["a%5Cudcff_cat.png", "b%FE.png"]
    assert [values[1] for values in data_in(text)["photographs"]] == ["a\udcff.png", "b\udcfe.png"]


def test_letters_beyond_sixteen_bits(tmp_path: Path) -> None:
    text = written(tmp_path, [Row("🐈🐈.png", picture="🐈🐈_cat.png")])
    values = data_in(text)["photographs"][0]
    assert values[-2:] == [4, "_cat.png"], "units of UTF-16, as a script counts"
