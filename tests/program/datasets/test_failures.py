"""What is said of photographs that cannot be explained, and what is refused at once."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from fixtures.four_inks import FOUR_INKS
from ovxai_convert.photographs.image_files import Pixels, encode_image, picture_in
from tests.program.datasets.cases import pictures_of, printed, rows_in
from tests.program.invocation import Convert, assert_one_error, snapshot


def spoiled(folder: Path) -> dict[str, str | None]:
    """Photographs of a data set as they come, and why each cannot be explained, None if it can."""
    good: Pixels = np.asarray(picture_in(pictures_of(1)[0], "good.jpg"), np.uint8)
    jpeg, png = encode_image(good, ".jpg"), encode_image(good, ".png")
    grey, alpha = encode_image(good[..., 0], ".png"), cv2.cvtColor(good, cv2.COLOR_BGR2BGRA)
    deep = cv2.imencode(".png", good.astype(np.uint16) * 257)[1].tobytes()
    array = io.BytesIO()
    np.save(array, good)
    cut = "not an image that can be read: it begins as {}, and is cut off or spoiled"
    files: dict[str, tuple[bytes, str | None]] = {
        "good.jpg": (jpeg, None),
        "cut.jpg": (jpeg[:-100], cut.format("JPEG")),
        "head.png": (png[:30], cut.format("PNG")),
        "empty.jpg": (b"", "not an image that can be read: it is empty"),
        "text.jpg": (b"hello\n" * 50, "not an image that can be read"),
        "other.jpg": (png, None),
        "grey.png": (grey, None),
        "alpha.png": (cv2.imencode(".png", alpha)[1].tobytes(), None),
        "sixteen.png": (deep, None),
        "cmyk.jpg": (FOUR_INKS, None),
        "array.npy": (array.getvalue(), None),
        "array_cut.npy": (array.getvalue()[:-9], "not an array that can be read"),
    }
    folder.mkdir()
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    (folder / "link.jpg").symlink_to(folder / "nowhere.jpg")
    return {**{name: reason for name, (_, reason) in files.items()}, "link.jpg": "no such image"}


def test_broken_photographs_are_rows(artifact: Path, out: Path, tmp_path: Path, run_explain: Convert) -> None:
    folder, table = tmp_path / "set", tmp_path / "table.jsonl"
    reasons = spoiled(folder)
    outcome = run_explain(artifact, folder, "-o", out, "--table", table)
    assert outcome.exit_code == 3
    rows = {Path(row.path).name: row for row in rows_in(table)}
    assert {name: row.error for name, row in rows.items()} == reasons
    for name, row in rows.items():
        if reasons[name] is None:
            assert row.levels is not None
            assert (out / str(row.picture)).is_file()
        else:
            told = (row.width, row.truth, row.class_index, row.score, row.correct, row.picture, row.map)
            assert told == (None,) * 7
            assert (row.sha256 is None) == (name in ("link.jpg", "array_cut.npy"))
    failed = [name for name, reason in reasons.items() if reason is not None]
    assert sorted(outcome.errors) == sorted(f"Error: {folder / name}: {reasons[name]}" for name in failed)
    summary, *lines = outcome.stderr.splitlines()[-7:]
    assert summary.startswith(f"{len(rows) - 6} of {len(rows)} explained in ")
    assert summary.endswith(", 6 failed")
    assert sorted(lines) == sorted(f"  1 failed: {reasons[name]}" for name in failed)


def test_failures_of_many_are_told_a_few_times(artifact: Path, tmp_path: Path, run_explain: Convert) -> None:
    folder, table = tmp_path / "set", tmp_path / "table.csv"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03}.jpg").write_bytes(b"" if number % 2 else pictures_of(1, number)[0])
    outcome = run_explain(artifact, folder, "--no-pictures", "--table", table)
    assert outcome.exit_code == 3
    assert outcome.stdout == "", "no line for each of so many"
    assert len(outcome.errors) == 20
    assert "further failures are told at the end, and in the table" in outcome.stderr
    summary, reason = outcome.stderr.splitlines()[-2:]
    assert summary.startswith("75 of 150 explained in ")
    assert reason == "  75 failed: not an image that can be read: it is empty"
    assert [row.error is None for row in rows_in(table)] == [number % 2 == 0 for number in range(150)]
    listed = run_explain(artifact, folder, "-o", tmp_path / "out", "-q")
    assert len(listed.errors) == 75, "where there is no table, each"


def test_remarks_on_many_are_told_once(artifact: Path, tmp_path: Path, run_explain: Convert) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    deep = np.random.default_rng(1).integers(0, 60_000, (120, 9, 9, 3), np.uint16)
    for number, pixels in enumerate(deep):
        assert cv2.imwrite(str(folder / f"{number:03}.png"), pixels)
    outcome = run_explain(artifact, folder, "--json", "--no-pictures")
    assert outcome.exit_code == 0
    told = [line for line in outcome.stderr.splitlines() if line.startswith("Warning:")]
    assert len(told) == 1
    assert "its levels are 0 to " in told[0] or "its levels are" in told[0]
    assert told[0].endswith("(told of the first one only)")
    assert len(printed(outcome)) == 120


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--resume"], "--resume: name the table to go on with"),
        (["--no-pictures"], "--no-pictures leaves nothing to be made"),
        (["--no-pictures", "--json", "--report", "x.html"], "--report shows the pictures"),
        (["--table", "x.txt"], "a table's name ends in"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_options_that_make_no_sense(
    arguments: list[str], text: str, artifact: Path, folder: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, folder / "cat", "-o", out, *arguments)
    assert outcome.exit_code == 2
    assert text in outcome.errors[0]
    assert not out.exists()


def test_folder_without_photographs(artifact: Path, folder: Path, out: Path, run_explain: Convert) -> None:
    outcome = run_explain(artifact, folder, "-o", out)
    assert_one_error(outcome, 2, f"{folder}: there is no photograph in this folder; --recursive looks into")
    assert not out.exists()


def test_wrong_class_is_one_error_for_many(artifact: Path, tmp_path: Path, run_explain: Convert) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(120):
        (folder / f"{number}.jpg").write_bytes(pictures_of(1, number)[0])
    outcome = run_explain(artifact, folder, "-o", tmp_path / "out", "-q", "--targets", "cta")
    assert_one_error(outcome, 2, "no class labelled 'cta'; did you mean 'cat'")


def test_pictures_that_would_replace_one_another(
    artifact: Path, tmp_path: Path, run_explain: Convert
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    labels = tmp_path / "labels.txt"
    labels.write_text("dog\n1_dog\n2_dog\n")
    for name, content in zip(("cat.jpg", "cat_1.jpg"), pictures_of(2), strict=True):
        (folder / name).write_bytes(content)
    options = ["--targets", "all", "--labels", labels, "--json"]
    outcome = run_explain(artifact, folder, "-o", tmp_path / "out", *options)
    assert outcome.exit_code == 6
    rows = printed(outcome)
    assert [row["error"] is None for row in rows] == [True, True, True, False]
    assert "a picture would replace it" in rows[-1]["error"]


def test_table_that_cannot_be_written(
    artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert
) -> None:
    (tmp_path / "notes.csv").write_text("mine\n")
    before = snapshot(tmp_path)
    outcome = run_explain(artifact, folder / "cat", "--no-pictures", "--table", tmp_path / "notes.csv", "-q")
    assert_one_error(outcome, 6, "cannot be written: it is a file that is no such table")
    assert snapshot(tmp_path) == before
