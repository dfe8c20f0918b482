"""``ovxai-explain --report``: one page of all photographs that could be explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.broken_files import save_ir
from ovxai_convert import convert
from tests.program.invocation import Convert, assert_one_error
from tests.special_networks import labelled, perceptron


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return convert(save_ir(labelled(), tmp_path / "net.xml"), tmp_path / "artifact").xml


def rows(page: Path) -> int:
    """How many maps the page says it shows."""
    found = re.search(r"(\d+) maps? of", page.read_text(encoding="utf-8"))
    assert found is not None
    return int(found.group(1))


def test_page_of_all_maps(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    page = out / "pages" / "all.html"
    outcome = run_explain(artifact, photograph, "-o", out, "--targets", "all", "--report", page)
    assert outcome.exit_code == 0
    assert rows(page) == 3
    text = page.read_text(encoding="utf-8")
    assert all(word in text for word in ("photo.png", "cat", "dog", "bird", "reciprocam", "net_xai.xml"))


def test_what_could_not_be_read_is_not_on_it(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    page = out / "all.html"
    outcome = run_explain(artifact, photograph, photograph.with_name("none.png"), "-o", out, "--report", page)
    assert outcome.exit_code == 3
    assert len(outcome.errors) == 1
    assert rows(page) == 1


def test_why_it_is_a_black_box(tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    path = save_ir(perceptron(), tmp_path / "perceptron.xml")
    page = out / "all.html"
    outcome = run_explain(
        path, photograph, "-o", out, "--layout", "NCHW", "--num-masks", 10, "--report", page
    )
    assert outcome.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "blackbox" in text
    assert "no feature map" in text


def test_page_that_cannot_be_written(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, "--report", photograph / "all.html", "-q")
    assert_one_error(outcome, 6, "cannot be written")


def test_a_photograph_of_the_same_call_is_not_replaced(
    artifact: Path, photograph: Path, run_explain: Convert
) -> None:
    other = photograph.with_name("photo_cat.png")
    other.write_bytes(photograph.read_bytes())
    outcome = run_explain(artifact, photograph, other, "-o", photograph.parent, "--targets", "cat", "-q")
    assert_one_error(outcome, 6, "a picture would replace it")
    assert other.read_bytes() == photograph.read_bytes()
