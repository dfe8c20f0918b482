"""Telling once, at the first photograph, that nobody says how levels become the input, and what may be."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from openvino import Model

from ovxai_convert.explain.recipe_answers import (
    Score,
    answer_to,
    answers_by_recipe,
    in_lines,
)
from ovxai_convert.explain.samples import Sample
from ovxai_convert.explain.warned import PreprocessingWarning
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.model_input import ImageInput
from ovxai_convert.photographs.unsaid import Unsaid, unsaid


@dataclass(frozen=True)
class LevelDoubts:
    """What is not known of an input of which there are hints; ``missing`` None: nothing that matters."""

    image: ImageInput
    hints: PreprocessingHints
    missing: Unsaid | None
    _untold: list[None] = field(default_factory=lambda: [None])

    @classmethod
    def of(cls, model: Model | None, image: ImageInput, hints: PreprocessingHints) -> LevelDoubts:
        """Of a model and its input; without a model there are none."""
        return cls(image, hints, None if model is None else unsaid(model, image, hints))

    def for_a_terminal(
        self, photograph: NDArray[np.uint8], picture: str, score: Score, names: Sequence[str] | None
    ) -> list[str]:
        """Lines for the user of a command; none where nothing is missing, or it was told before.

        Args:
            photograph: ``(H, W, 3)``, blue, green, red, which is prepared as the recipe ``raw`` says.
            picture: what it is called.
            score: runs the model on a sample.
            names: labels of the classes.
        """
        if self.missing is None or not self._first():
            return []
        advice = "say it with --preprocess, or --mean and --scale"
        answers = answers_by_recipe(score, self.image, self.hints, names, photograph)
        return [
            f"{self.missing}, so those of 0 to 255 go in as they are; {advice}",
            *in_lines(answers, picture, "--preprocess {}".format),
        ]

    def warn_once(self, sample: Sample, score: Score, names: Sequence[str] | None) -> None:
        """Tell a caller's caller, by a PreprocessingWarning, of 8-bit levels that became a first sample."""
        if not sample.of_8_bits or self.missing is None or not self._first():
            return
        advice = (
            "say it by preprocessing=, the name of a recipe or PreprocessingHints, or give a preprocess_fn"
        )
        answers = [answer_to(None, score(sample.values), names)]
        answers += answers_by_recipe(score, self.image, self.hints, names, sample.scene.picture)
        lines = in_lines(answers, "it", 'preprocessing="{}"'.format) if len(answers) > 1 else []
        text = "\n".join([f"{self.missing}, so uint8 goes in as it is; {advice}", *lines])
        warnings.warn(text, PreprocessingWarning, stacklevel=3)

    def _first(self) -> bool:
        """Whether nobody has asked before; one of many threads is told so."""
        try:
            self._untold.pop()
        except IndexError:
            return False
        return True
