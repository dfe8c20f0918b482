"""What a model would answer for a photograph by each recipe, where nobody says which one holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.photographs.model_input import ImageInput, preprocessing_for
from ovxai_convert.photographs.recipes import RECIPES, recipe_hints
from ovxai_convert.pictures.captions import score_words, within_0_and_1

Score: TypeAlias = Callable[[NDArray[Any]], NDArray[np.float32]]
"""From a sample ``(1, ...)`` to its scores ``(K,)``."""


@dataclass(frozen=True)
class RecipeAnswer:
    """The best class by a recipe, its label and score; ``recipe`` None: taken as it is."""

    recipe: str | None
    index: int
    label: str
    score: float
    is_share: bool = True

    @property
    def score_in_words(self) -> str:
        """As pictures and lines have it."""
        return score_words(self.score, is_share=self.is_share)[0]

    def __str__(self) -> str:
        return f"{self.label}, score {self.score_in_words}"


def answers_by_recipe(
    score: Score,
    image: ImageInput,
    hints: PreprocessingHints,
    names: Sequence[str] | None,
    photograph: Pixels,
) -> list[RecipeAnswer]:
    """The answers to a photograph ``(H, W, 3)`` by all recipes that fit to an input; none where none does.

    Args:
        score: runs the model.
        image: its input.
        hints: what is known of all but levels.
        names: labels of the classes.
        photograph: blue, green, red.
    """
    open_hints = replace(hints, mean=None, scale=None)
    answers = []
    for name in RECIPES:
        try:
            preprocessing, _ = preprocessing_for(image, recipe_hints(name, open_hints))
            sample = preprocessing(photograph)
        except UsageError:  # three numbers for one channel, or no photograph at all
            continue
        answers.append(answer_to(name, score(sample), names))
    return answers


def answer_to(recipe: str | None, scores: NDArray[np.float32], names: Sequence[str] | None) -> RecipeAnswer:
    """The best of scores ``(K,)``; of numbers that are none the first."""
    best = int(scores.argmax())
    named = names is not None and len(names) == len(scores)
    label = names[best] if names is not None and named else f"class {best}"
    return RecipeAnswer(recipe, best, " ".join(label.split()), float(scores[best]), within_0_and_1(scores))


def in_lines(answers: Sequence[RecipeAnswer], picture: str, as_said: Callable[[str], str]) -> list[str]:
    """The answers as a user reads them: one line where all agree, else one for each.

    Args:
        answers: of which the first shows what is done as nothing is said.
        picture: what the photograph is called.
        as_said: how a user says a recipe.
    """
    if not answers:
        return []
    lowest, highest = (each(answers, key=lambda answer: answer.score) for each in (min, max))
    if len({answer.index for answer in answers}) == 1:
        reach = f"score {lowest.score_in_words} to {highest.score_in_words}"
        return [f"every recipe ({as_said('NAME')}) answers {answers[0].label} for {picture}, {reach}"]
    lines = []
    for number, answer in enumerate(answers):
        how = "as it is" if answer.recipe is None else as_said(answer.recipe)
        lines.append(f"{picture} by {how}: {answer}" + (" (as is done now)" if number == 0 else ""))
    return lines
