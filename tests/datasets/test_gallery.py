"""What the report of many photographs says of them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from ovxai_convert.datasets.gallery import write_gallery
from ovxai_convert.datasets.gallery_page import FIRST_PHOTOGRAPHS
from tests.datasets.gallery_cases import (
    ANIMALS,
    WHEN,
    Row,
    animals,
    data_in,
    failed,
    figures,
    items_of,
    judged,
    written,
)
from tests.explain.report_cases import FACTS, Page


def cards(text: str) -> list[str]:
    """What the cards of a page say, each on one line."""
    found = re.findall(r'<li class="card.*?</li>', text, re.DOTALL)
    return [re.sub(r"\s+", " ", Page(each).text).strip() for each in found]


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


@pytest.mark.parametrize(
    ("classes", "kind"), [(1, "matrix"), (6, "matrix"), (7, "matrix wide"), (12, "matrix wide")]
)
def test_a_table_of_more_classes_is_wide(tmp_path: Path, classes: int, kind: str) -> None:
    rows = [judged(f"{each}.png", f"c{each}", f"c{each}", each) for each in range(classes)]
    text = written(tmp_path, [*rows, failed("x.png", "gone")])
    assert text.count("<td") == classes**2
    beside = ["classes", kind, "failures", "scores"]
    below = ["classes", "failures", "scores", kind]
    order = re.findall(r'<section class="panel (.*?)"', text)
    assert order == (below if "wide" in kind else beside)


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
