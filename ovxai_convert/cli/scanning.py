"""Looking through photographs before they are explained: what is done, of which the truth is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from ovxai_convert.cli.child import Start
from ovxai_convert.datasets.resuming import Earlier
from ovxai_convert.datasets.sources import Photographs
from ovxai_convert.datasets.truths import FolderTruths, Truths, listed_truths, no_truth
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.source.reading import sha256_of_file

_WORDS: Final = ("auto", "folder", "none")


@dataclass
class Scan:
    """How many photographs are done, why some of those failed, and of how many the truth is known."""

    done: int = 0
    with_truth: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls, photographs: Photographs, truths: Sequence[Truths], earlier: Earlier | None, start: Start
    ) -> Self:
        """Look through them; the one at which another process was broken off is done again."""
        scan = cls()
        if earlier is None and not start.first and not truths:
            return scan
        for number, item in enumerate(photographs):
            if earlier is not None:
                if number == start.first > 0:
                    earlier.forget(item)
                scan.done += earlier.is_done(item)
                if (reason := earlier.failure_of(item)) is not None:
                    scan.failures[reason] += 1
            else:
                scan.done += number < start.first
            scan.with_truth += any(truth(item) is not None for truth in truths)
        return scan

    def check_truths(self, told: str, total: int) -> None:
        """Raise a UsageError where somebody says what photographs show, and of none it is known."""
        if self.with_truth or told in ("auto", "none") or not total:
            return
        if told == "folder":
            raise UsageError("--truth folder: no photograph lies in a folder that is called as a class is")
        raise UsageError(f"--truth {told}: it names none of the photographs")

    def on_truths(self, told: str, total: int) -> str | None:
        """What was taken for the truth, if nobody has said it; of how many photographs there is none."""
        if not self.with_truth:
            return None
        if told == "auto":
            return (
                f"{self.with_truth} of {total} photographs lie in folders that are called as classes are; "
                "that is taken for what they show (--truth none)"
            )
        missing = total - self.with_truth
        return f"--truth {told}: of {missing} of {total} photographs nothing is known" if missing else None


def truths_of(told: str, explainers: Sequence[FileExplainer]) -> list[Truths]:
    """What is known of photographs for each class output; ``told`` is a word, or names a file.

    Errors as of :func:`~ovxai_convert.datasets.truths.listed_truths`, if the file fits no class output.
    """
    if told == "none":
        return []
    found: list[Truths] = []
    errors: list[UsageError] = []
    for explainer in explainers:
        names, count = explainer.explainer.label_names, explainer.class_count
        if told in _WORDS:
            found.append(FolderTruths(names, count, by_index=told == "folder"))
            continue
        try:
            found.append(listed_truths(Path(told), names, count))
        except UsageError as error:
            errors.append(error)
            found.append(no_truth)
    if len(errors) == len(explainers):
        raise errors[0]
    return found


def what_truth(told: str) -> str:
    """What truths depend on, besides the model: the word, or the content of the file."""
    return told if told in _WORDS else sha256_of_file(Path(told))
