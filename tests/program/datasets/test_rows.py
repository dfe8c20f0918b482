"""``ovxai-explain`` over folders and lists: rows and pictures of all, as if each had been explained alone."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures import planted_object
from fixtures.broken_files import save_ir
from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import Explainer, convert
from ovxai_convert.datasets.rows import Row
from ovxai_convert.photographs.image_files import encode_image, read_image
from ovxai_convert.pictures.rendering import grey_levels
from tests.program.datasets.cases import COUNT, printed, rows_in
from tests.program.invocation import Convert, snapshot
from tests.special_networks import labelled, two_class_outputs


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
