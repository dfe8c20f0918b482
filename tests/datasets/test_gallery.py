"""The report of many photographs, as it is written."""

from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from ovxai_convert.datasets import gallery
from ovxai_convert.datasets.gallery import write_gallery
from ovxai_convert.datasets.gallery_page import FIRST_PHOTOGRAPHS
from ovxai_convert.errors import WriteError
from tests.datasets.gallery_cases import ANIMALS, WHEN, Row, animals, data_in, failed, items_of, judged
from tests.explain.report_cases import FACTS, HOSTILE, Page


def written(folder: Path, rows: Iterable[Row]) -> str:
    """The first page of a report."""
    path = folder / "report.html"
    files = write_gallery(path, rows, FACTS, when=WHEN)
    assert files[0] == path
    return path.read_text(encoding="utf-8")


def cards(text: str) -> list[str]:
    """What the cards of a page say, each on one line."""
    found = re.findall(r'<li class="card.*?</li>', text, re.DOTALL)
    return [re.sub(r"\s+", " ", Page(each).text).strip() for each in found]


def figures(text: str) -> str:
    """The numbers at the head."""
    found = re.search(r'<dl class="figures">.*?</dl>', text, re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", Page(found.group().replace("</d", " </d")).text).strip()


@pytest.fixture
def page(tmp_path: Path) -> str:
    return written(tmp_path, animals(tmp_path))


def test_figures(page: str) -> None:
    assert figures(page) == "Photographs 100 Right answers 85.6 % 77 of 90 Not explained 10"


def test_facts_and_the_time_are_shown(page: str) -> None:
    text = Page(page).text
    for expected in (FACTS.model, FACTS.preprocessing, "whitebox", "CPU", "1.2.3", "2026.0", "features"):
        assert expected in text
    assert "2026-03-04 05:06 UTC" in text


def test_the_time_is_that_of_greenwich(tmp_path: Path) -> None:
    elsewhere = WHEN.astimezone(timezone(timedelta(hours=9)))
    write_gallery(tmp_path / "a.html", animals(tmp_path), FACTS, when=elsewhere)
    assert "2026-03-04 05:06 UTC" in (tmp_path / "a.html").read_text("utf-8")


def test_same_rows_same_page(tmp_path: Path, page: str) -> None:
    assert written(tmp_path, animals(tmp_path)) == page
    assert written(tmp_path, animals(tmp_path, 99)) != page


def test_every_photograph_is_packed(tmp_path: Path, page: str) -> None:
    data = data_in(page)
    assert len(data["photographs"]) == 100
    for row, values in zip(animals(tmp_path), data["photographs"], strict=True):
        folder, name, truth, *others = values
        assert f"{data['folders'][folder][0]}/{name}" == row.path
        assert data["truths"][truth] == row.truth
        if row.error is not None:
            assert [data["reasons"][each] for each in others] == [row.error.removeprefix(f"{row.path}: ")]
            continue
        correct, seconds, width, height, number, score, rank, place, units, rest = others
        assert (bool(correct), seconds, width, height) == (row.correct, row.seconds, row.width, row.height)
        assert (data["classes"][number], data["indices"][number]) == (row.label, row.class_index)
        assert (score, rank) == (row.score, row.rank)
        assert data["pictures"][place] + name[:units] + rest == row.picture


def test_classes_are_counted(page: str) -> None:
    assert items_of(page, "classes") == ["lynx 31, 5 wrong", "cat 30, 4 wrong", "dog 29, 4 wrong"]


def test_truth_and_answer_of_few_classes(tmp_path: Path, page: str) -> None:
    found = re.search(r'<section class="panel matrix".*?</section>', page, re.DOTALL)
    assert found is not None
    cells = re.findall(r"<td.*?>([\d,]+)</td>", found.group())
    times = Counter((row.truth, row.label) for row in animals(tmp_path))
    assert list(map(int, cells)) == [times[truth, label] for truth in ANIMALS for label in ANIMALS]
    kinds = re.findall(r'<td class="(\w+)', found.group())
    assert kinds == ["right", "wrong", "never", "never", "right", "wrong", "wrong", "never", "right"]
    assert items_of(page, "mistakes") == []


def test_mistakes_of_many_classes(tmp_path: Path) -> None:
    rows = [
        judged(f"{each}.png", f"class {each % 20}", f"class {each % 20}", each % 20) for each in range(60)
    ]
    rows += [judged(f"w{each}.png", "class 3", "class 4", 4) for each in range(5)]
    rows += [judged("v.png", "class 5", "class 3", 3)]
    text = written(tmp_path, rows)
    assert items_of(text, "mistakes") == ["class 3 taken for class 4 5", "class 5 taken for class 3 1"]
    assert 'class="panel matrix"' not in text


def test_no_mistakes_of_many_classes(tmp_path: Path) -> None:
    text = written(tmp_path, [judged(f"{each}.png", f"c{each}", f"c{each}", each) for each in range(60)])
    assert '<p class="none">None.</p>' in text
    assert figures(text) == "Photographs 60 Right answers 100.0 % 60 of 60 Not explained 0"


def test_nothing_of_truth_where_none_is_known(tmp_path: Path) -> None:
    text = written(tmp_path, [Row("a.png"), Row("b.png", label="dog", class_index=1)])
    assert figures(text) == "Photographs 2 Not explained 0"
    for word in ("Mistakes", "Truth and answer", 'class="verdict'):
        assert word not in Page(text).text + text.partition("<script")[0]
    assert data_in(text)["judged"] is False


def test_failures_are_counted_and_named(page: str) -> None:
    assert items_of(page, "failures") == ["not an image 5", "no such file 5"]
    (told,) = re.findall(r"<noscript>.*?</noscript>", page, re.DOTALL)
    assert told.count("<li>") == 10
    assert "photo9.png" in told
    assert "The first" not in told
    assert "These are the first 48" in told


def test_one_failure_alone(tmp_path: Path) -> None:
    text = written(tmp_path, [failed("a.png", "a.png: gone")])
    assert figures(text) == "Photographs 1 Not explained 1"
    assert cards(text) == ["not explained gone a.png"]
    assert "saliency report of 1 photograph<" in text


def test_reasons_without_number(tmp_path: Path) -> None:
    text = written(tmp_path, (failed(f"{each}.png", f"byte {each} is wrong") for each in range(1200)))
    lines = items_of(text, "failures")
    assert lines[0] == "other reasons 700"
    assert len(lines) == 100
    assert "100 commonest of 501 reasons" in text
    assert "data-reason" not in text[text.index("other reasons") - 60 : text.index("other reasons")]
    assert len(data_in(text)["reasons"]) == 1200, "each photograph tells its own"
    assert "the first 100 of 1,200" in text


def test_more_classes_than_a_panel_shows(tmp_path: Path) -> None:
    rows = (Row(f"{each}.png", class_index=each % 150, label=f"c{each % 150}") for each in range(200))
    text = written(tmp_path, rows)
    assert len(items_of(text, "classes")) == 100
    assert "50 more classes with 50 photographs" in text
    assert "150 classes" in text


def test_classes_that_are_called_alike(tmp_path: Path) -> None:
    rows = [
        Row("a.png", class_index=134, label="crane"),
        Row("b.png", class_index=517, label="crane"),
        Row("c.png"),
    ]
    text = written(tmp_path, rows)
    assert items_of(text, "classes") == ["crane (134) 1", "crane (517) 1", "cat 1"]
    assert [each.split(" 0.9")[0] for each in cards(text)] == [
        f"no picture {name}" for name in ("crane (134)", "crane (517)", "cat")
    ]


def test_several_maps_of_a_photograph(tmp_path: Path) -> None:
    rows = [
        Row("a.png", class_index=2, label="lynx", score=0.05, rank=2),
        Row("a.png", score=0.9),
        Row("b.png", score=0.7),
        Row("b.png", class_index=2, label="lynx", score=0.1, rank=2),
    ]
    text = written(tmp_path, rows)
    assert figures(text) == "Photographs 2 Maps 4 Not explained 0"
    assert cards(text) == [
        "no picture cat 0.900also lynx 0.050 a.png",
        "no picture cat 0.700also lynx 0.100 b.png",
    ]
    assert items_of(text, "classes") == ["cat 2"], "by the first rank alone"


def test_a_photograph_that_is_named_twice(tmp_path: Path) -> None:
    assert figures(written(tmp_path, [Row("a.png"), Row("a.png")])) == "Photographs 2 Not explained 0"


def test_several_answers_of_a_model(tmp_path: Path) -> None:
    rows = [Row(f"{name}.png", head=head, label=head) for name in "ab" for head in ("age", "mood")]
    text = written(tmp_path, [*rows, replace(failed("c.png", "gone"), head="age")])
    assert figures(text) == "Photographs 3 Not explained 1"
    assert "5 answers" in text
    assert items_of(text, "classes") == ["age: age 2", "mood: mood 2"]
    assert items_of(text, "failures") == ["age: gone 1"]


def test_a_map_that_is_not_of_the_answer(tmp_path: Path) -> None:
    rows = [
        Row("a.png", "cat", 5, "emu", 0.01, 17, correct=True),
        Row("b.png", "cat", 5, "emu", 0.2, 2, correct=False),
    ]
    text = written(tmp_path, rows)
    assert cards(text) == [
        "no picture rank 17 answer right emu 0.010 a.png",
        "no picture rank 2 answer wrong emu 0.200is cat b.png",
    ]
    assert "Right answers 50.0 %" in figures(text)
    assert 'id="classes-title">Classes' in text
    assert items_of(text, "classes") == ["emu 2"], "neither right nor wrong: it is no answer"
    assert 'class="panel matrix"' not in text


def test_scores_that_are_no_shares(tmp_path: Path) -> None:
    text = written(
        tmp_path, [Row("a.png", score=1234.56), Row("b.png", score=-3.0), Row("c.png", score=0.00001234)]
    )
    assert [each.split()[3] for each in cards(text)] == ["1235", "-3", "1.234e-05"]
    assert 'class="bar"' not in text
    assert data_in(text)["shares"] is False


@pytest.mark.parametrize("score", [float("nan"), float("inf"), None])
def test_scores_that_are_no_numbers(tmp_path: Path, score: float | None) -> None:
    text = written(tmp_path, [Row("a.png", score=score), Row("b.png", score=0.5)])
    assert [each.split()[3] for each in cards(text)] == [
        str(float("nan") if score is None else score),
        "0.500",
    ]
    assert text.count('class="bar"') == 1


def test_no_photographs(tmp_path: Path) -> None:
    text = written(tmp_path, [])
    assert "No photograph was explained." in text
    assert FACTS.model in text
    assert "<script></script>" in text


def test_the_first_photographs_stand_there_without_a_script(page: str) -> None:
    assert len(cards(page)) == FIRST_PHOTOGRAPHS
    assert cards(page)[6].startswith("wrong dog 0.120is cat photo6.png")


def test_asks_for_pictures_only(page: str) -> None:
    read = Page(page)
    (policy,) = [str(each["content"]) for _, each in read.elements if "http-equiv" in each]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.pop("img-src") == "'self' file: data:"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives.pop("style-src"))
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives.pop("script-src"))
    assert set(directives.values()) == {"'none'"}
    assert {value.partition("/")[0] for value in read.values("src")} == {"maps"}
    assert not re.findall(r"https?:|@import|url\(", page.replace("http://www.w3.org/2000/svg", ""))
    assert all(
        each.get("loading") == "lazy" for tag, each in read.elements if tag == "img" and each.get("src")
    )


def test_ten_thousand_photographs(tmp_path: Path) -> None:
    text = written(tmp_path, many(10_000, classes=5))
    assert len(data_in(text)["photographs"]) == 10_000
    assert len(text.encode()) < 5_000_000


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


def test_memory_does_not_grow_with_photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 500)
    peak(tmp_path, 100)  # what is loaded once
    small, large = peak(tmp_path, 1000), peak(tmp_path, 5000)
    assert large < 2 * small
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 5000)
    assert peak(tmp_path, 5000) > 3 * small, "it would be seen"


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


def row_called(name: str) -> Row:
    return Row(f"{name}", name, 0, name, picture=f"{name}.png", correct=False, head=name, target_layer=name)


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
    assert Page(text).values("src")[:2] == ["a%FF_cat.png", "b%FE.png"]
    assert [values[1] for values in data_in(text)["photographs"]] == ["a\udcff.png", "b\udcfe.png"]


def test_letters_beyond_sixteen_bits(tmp_path: Path) -> None:
    text = written(tmp_path, [Row("🐈🐈.png", picture="🐈🐈_cat.png")])
    values = data_in(text)["photographs"][0]
    assert values[-2:] == [4, "_cat.png"], "units of UTF-16, as a script counts"


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
