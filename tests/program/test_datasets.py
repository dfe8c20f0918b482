"""``ovxai-explain`` over folders and lists: rows and pictures of all, as if each had been explained alone."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from fixtures import planted_object
from fixtures.broken_files import save_ir
from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch
from fixtures.four_inks import FOUR_INKS
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import Explainer, convert
from ovxai_convert.datasets.rows import Row
from ovxai_convert.datasets.tables import read_table
from ovxai_convert.photographs.image_files import Pixels, encode_image, picture_in, read_image
from ovxai_convert.pictures.rendering import grey_levels
from tests.program.invocation import Convert, Outcome, assert_one_error, snapshot
from tests.special_networks import labelled, two_class_outputs

COUNT: Final = 12
"""Photographs of the folder."""


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted classifier of 10x14 pixels whose three classes have labels."""
    folder = tmp_path_factory.mktemp("converted")
    return convert(save_ir(labelled(), folder / "net.xml"), folder / "artifact").xml


def pictures_of(count: int, seed: int = 3) -> list[bytes]:
    """Photographs of a few coarse shapes, as files of JPEG."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 256, (count, 5, 6, 3), np.uint8)
    return [encode_image(cv2.resize(each, (60, 44)), ".jpg") for each in coarse]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``set/<folder>/<number>.jpg``; two folders are called as classes are, of which the model sees one."""
    root = tmp_path / "set"
    for number, content in enumerate(pictures_of(COUNT)):
        path = root / ("bird", "cat", "misc")[number % 3] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def rows_in(path: Path) -> list[Row]:
    return list(read_table(path))


def but_seconds(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, seconds=None) for row in rows]


def printed(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def assert_as_alone(rows: Sequence[Row], explainer: Explainer, targets: str | None = None) -> None:
    """Each photograph's rows are what the explainer says of it when it is asked for nothing else."""
    by_path: dict[str, list[Row]] = {}
    for row in rows:
        by_path.setdefault(row.path, []).append(row)
    for path, of_photograph in by_path.items():
        alone = explainer(path, targets, overlay=False)
        assert not isinstance(alone, list)
        assert [row.class_index for row in of_photograph] == list(alone.raw)
        for row, (target, saliency) in zip(of_photograph, alone.raw.items(), strict=True):
            assert isinstance(target, int)
            assert row.levels is not None
            np.testing.assert_array_equal(row.levels, saliency)
            assert row.score == pytest.approx(alone.predictions[target].score, abs=1e-6)
            assert row.label == alone.label_of(target)
            assert row.method == alone.method_name
            assert alone.scores is not None
            assert row.rank == 1 + int((alone.scores > alone.scores[target]).sum())


def test_rows_are_those_of_each_photograph_alone(
    artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert
) -> None:
    table = tmp_path / "table.jsonl"
    outcome = run_explain(artifact, folder, "-r", "--no-pictures", "--table", table, "--targets", "top2")
    assert outcome.exit_code == 0, outcome
    rows = rows_in(table)
    paths = sorted(map(str, folder.rglob("*.jpg")))
    assert [row.path for row in rows] == [path for path in paths for _ in range(2)], "in order, two of each"
    assert_as_alone(rows, Explainer(artifact), "top2")
    for row in rows:
        assert row.sha256 == hashlib.sha256(Path(row.path).read_bytes()).hexdigest()
        assert (row.height, row.width, row.target_layer) == (44, 60, "target")
        assert (row.picture, row.error, row.head) == (None, None, None)
        known = Path(row.path).parent.name
        assert row.truth == (known if known != "misc" else None)
        best = next(each for each in rows if each.path == row.path)
        assert best.rank == 1
        assert row.correct == (None if row.truth is None else best.label == row.truth)
    assert {row.correct for row in rows} == {True, False, None}
    assert "8 of 12 photographs lie in folders that are called as classes are" in outcome.stderr
    assert "12 of 12 explained in " in outcome.stderr


def test_rows_of_another_are_noticed(
    artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert
) -> None:
    table = tmp_path / "table.jsonl"
    run_explain(artifact, folder / "cat", "--no-pictures", "--table", table)
    rows = rows_in(table)
    for wrong in (
        replace(rows[0], map=rows[1].map),
        replace(rows[0], score=(rows[0].score or 0) + 2e-6),
        replace(rows[0], rank=2),
    ):
        with pytest.raises(AssertionError):
            assert_as_alone([wrong, *rows[1:]], Explainer(artifact))


def real_photographs(folder: Path) -> Path:
    """Two photographs, turned and cut, so that each differs."""
    folder.mkdir()
    for file in (fetch("chelsea"), fetch("coffee")):
        pixels = read_image(file)
        for number, each in enumerate((pixels, pixels[:, ::-1], pixels[20:, 40:], pixels[:-30, :-60])):
            (folder / f"{file.stem}_{number}.png").write_bytes(encode_image(each))
    return folder


def efficientnet(folder: Path) -> Path:
    path = folder / "net.onnx"
    path.write_bytes(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1).SerializeToString())
    return path


@pytest.mark.parametrize("source", [efficientnet, lambda folder: planted_object.MODEL], ids=["cnn", "vit"])
def test_maps_of_real_models_do_not_depend_on_how_many_are_explained_at_once(
    source: Callable[[Path], Path], tmp_path: Path, run_explain: Convert
) -> None:
    """Bit for bit, also where the device runs several at a time on fewer threads each."""
    xml = convert(source(tmp_path), tmp_path / "artifact", preprocessing="inception").xml
    folder, table = real_photographs(tmp_path / "photos"), tmp_path / "table.jsonl"
    command = [xml, folder, "--no-pictures", "--table", table, "-q", "--jobs", 6, "--targets", "top3"]
    outcome = run_explain(*command)
    assert outcome.exit_code == 0, outcome
    assert len(rows_in(table)) == 24
    assert_as_alone(rows_in(table), Explainer(xml), "top3")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_pictures_and_table(
    suffix: str, artifact: Path, folder: Path, out: Path, tmp_path: Path, run_explain: Convert
) -> None:
    table = tmp_path / f"table{suffix}"
    command = [artifact, folder, "-r", "-o", out, "--table", table, "--image-format", "jpeg", "--raw"]
    outcome = run_explain(*command)
    assert outcome.exit_code == 0, outcome
    rows = rows_in(table)
    found = {path.relative_to(out).as_posix() for path in out.rglob("*.jpg")}
    assert {row.picture for row in rows} == found
    assert len(found) == COUNT
    for row in rows:
        name = Path(row.path).relative_to(folder).with_suffix("").as_posix()
        assert row.picture == f"{name}_{row.label}.jpg"
        saliency = np.load(out / f"{name}_{row.label}.npy")
        assert row.levels is not None
        np.testing.assert_array_equal(saliency, row.levels)
    lines = [line.partition(": ")[0] for line in outcome.stdout.splitlines()]
    assert lines == [str(out / str(row.picture)) for row in rows], "a line for each, in order"


def test_pictures_are_those_of_each_photograph_alone(
    artifact: Path, folder: Path, out: Path, tmp_path: Path, run_explain: Convert
) -> None:
    run_explain(artifact, folder, "-r", "-o", out, "-q")
    together = {Path(name).name: content for name, content in (snapshot(out) or {}).items() if content}
    assert len(together) == COUNT
    for path in folder.rglob("*.jpg"):
        run_explain(artifact, path, "-o", tmp_path / "alone", "-q")
    assert snapshot(tmp_path / "alone") == together


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


def test_rows_as_json(artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert) -> None:
    table = tmp_path / "table.jsonl"
    (folder / "misc" / "empty.jpg").touch()
    outcome = run_explain(artifact, folder, "-r", "--no-pictures", "--json", "--table", table)
    assert outcome.exit_code == 3
    assert outcome.stdout == table.read_text()
    assert [each["error"] is None for each in printed(outcome)].count(False) == 1


def test_a_photograph_as_json(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, "--json")
    (row,) = printed(outcome)
    assert (out / row["picture"]).is_file()
    assert row["truth"] is None


def test_lists_and_globs(
    artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = sorted(map(str, folder.rglob("*.jpg")))
    (tmp_path / "files.txt").write_text("\n".join(paths))
    found = {}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(paths).encode())))
    for source in (f"@{tmp_path}/files.txt", f"{folder}/*/*.jpg"):
        outcome = run_explain(artifact, source, "--json", "--no-pictures", "-q")
        assert outcome.exit_code == 0, outcome
        found[source] = [row["path"] for row in printed(outcome)]
    assert list(found.values()) == [paths, paths]


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


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        ("none", {None}),
        ("folder", {"bird", "cat", None}),
        ("auto", {"bird", "cat", None}),
        ("file", {"dog", None}),
    ],
)
def test_truth(
    truth: str, expected: set[str | None], artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert
) -> None:
    listed = tmp_path / "truth.csv"
    listed.write_text("path,truth\nset/cat/1.jpg,dog\n")
    told = str(listed) if truth == "file" else truth
    outcome = run_explain(artifact, folder, "-r", "--json", "--no-pictures", "--truth", told)
    assert outcome.exit_code == 0
    assert {row["truth"] for row in printed(outcome)} == expected
    said = [line for line in outcome.stderr.splitlines() if "--truth" in line]
    assert len(said) == (0 if truth == "none" else 1)


def test_truth_that_is_nowhere(artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert) -> None:
    (tmp_path / "truth.csv").write_text("other.jpg,cat\n")
    command = [artifact, folder / "misc", "--json", "--no-pictures"]
    outcome = run_explain(*command, "--truth", "folder")
    assert_one_error(outcome, 2, "no photograph lies in a folder that is called as a class is")
    outcome = run_explain(*command, "--truth", tmp_path / "truth.csv")
    assert_one_error(outcome, 2, "it names none of the photographs")
    outcome = run_explain(*command, "--truth", tmp_path / "missing.csv")
    assert_one_error(outcome, 3, "cannot be read")


def test_black_box(artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert) -> None:
    table = tmp_path / "table.jsonl"
    options = ["--mode", "blackbox", "--num-masks", 30]
    outcome = run_explain(artifact, folder / "cat", "--no-pictures", "--table", table, "-q", *options)
    assert outcome.exit_code == 0, outcome
    explainer = Explainer(artifact, explain_mode="blackbox", num_masks=30)
    for row in rows_in(table):
        alone = explainer(row.path)
        assert not isinstance(alone, list)
        assert row.class_index is not None
        assert row.levels is not None
        assert (row.method, row.target_layer, row.levels.shape) == ("rise", None, (10, 14))
        np.testing.assert_array_equal(row.levels, grey_levels(alone.raw[row.class_index]))


def test_one_map_for_all_classes(folder: Path, tmp_path: Path, run_explain: Convert) -> None:
    net = save_ir(labelled(), tmp_path / "net.xml")
    xml = convert(net, tmp_path / "artifact", method="activationmap").xml
    outcome = run_explain(xml, folder / "cat", "--json", "--no-pictures", "-q")
    rows = printed(outcome)
    assert len(rows) == 4
    assert {row["rank"] for row in rows} == {1}
    assert {row["method"] for row in rows} == {"activationmap"}


def test_several_class_outputs(folder: Path, tmp_path: Path, run_explain: Convert) -> None:
    net = save_ir(two_class_outputs(), tmp_path / "two.xml")
    xml = convert(net, tmp_path / "artifact", scores_output="first,second").xml
    outcome = run_explain(xml, folder / "cat", "-o", tmp_path / "out", "--json", "-q", "--preprocess", "raw")
    assert outcome.exit_code == 0, outcome
    rows = printed(outcome)
    assert [row["head"] for row in rows] == ["first", "second"] * 4
    assert len({row["picture"] for row in rows}) == 8
    assert all((tmp_path / "out" / row["picture"]).is_file() for row in rows)


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


def test_resuming(artifact: Path, folder: Path, out: Path, tmp_path: Path, run_explain: Convert) -> None:
    """What is there is not made again; what is not, or is of another model or option, is."""
    table = tmp_path / "table.jsonl"
    (folder / "bird" / "empty.jpg").touch()
    command = [artifact, folder, "-r", "-o", out, "--table", table]
    assert run_explain(*command, "-q").exit_code == 3
    whole = table.read_bytes()
    rows = rows_in(table)

    lines = whole.splitlines(keepends=True)
    table.write_bytes(b"".join(lines[:7]) + lines[7][:40])
    lost = out / str(rows[2].picture)
    lost.unlink()
    outcome = run_explain(*command, "--resume")
    assert outcome.exit_code == 3, "one of those that were done has failed"
    assert "5 were done before, of which 1 failed" in outcome.stderr
    assert lost.is_file()
    again = rows_in(table)
    assert but_seconds(sorted(again, key=lambda row: row.path)) == but_seconds(rows)
    kept = [row for row in rows[:6] if row.path != rows[2].path]
    assert again[:5] == kept, "also their seconds"

    other = run_explain(*command, "--resume", "--targets", "dog")
    assert f"{table}: 13 photographs in it are of another model or other options" in other.stderr
    assert {row.label for row in rows_in(table)} == {"dog", None}


def test_resuming_what_is_whole(artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert) -> None:
    table = tmp_path / "table.csv"
    command = [artifact, folder, "-r", "--no-pictures", "--table", table]
    run_explain(*command)
    before = rows_in(table)
    outcome = run_explain(*command, "--resume")
    assert outcome.exit_code == 0
    assert "1 of 12 explained in" in outcome.stderr
    assert "; 11 were done before" in outcome.stderr
    assert rows_in(table)[:11] == before[:11]
    run_explain(*command)
    assert rows_in(table)[:11] != before[:11], "without --resume it is all done again"


def test_report_of_a_folder(
    artifact: Path, folder: Path, out: Path, tmp_path: Path, run_explain: Convert
) -> None:
    report = tmp_path / "report.html"
    outcome = run_explain(artifact, folder, "-r", "-o", out, "--report", report, "-q")
    assert outcome.exit_code == 0
    assert report.read_text().count("<tr>") == 1 + COUNT
