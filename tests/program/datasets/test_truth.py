"""What photographs show, by their folders or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program.datasets.cases import printed
from tests.program.invocation import Convert, assert_one_error


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
