"""What an answer depends on of a class tensor, without a model."""

from __future__ import annotations

from dataclasses import dataclass

from ovxai_convert.vocabulary import AnswerMeaning, Range


@dataclass(frozen=True)
class Form:
    """See :class:`~ovxai_convert.source.answers.ScoresForm`."""

    activation: str
    class_count: int
    groups: tuple[Range, ...] = ()
    meaning: AnswerMeaning = "classes"
