"""A black-box method as one object: its name, what it does, and what makes it of a user's settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from inspect import signature
from numbers import Integral, Real
from typing import Any

from numpy.typing import NDArray

from ovxai_convert.blackbox.streaming import BlackboxMaps, Progress, ScoreStream, Trial, silent
from ovxai_convert.errors import UsageError, did_you_mean, flag
from ovxai_convert.vocabulary import Task, value_in_words


class Preset(Enum):
    """What parameters are that are not given one by one, from a coarse map soon to a fine map late."""

    SPEED = "speed"
    BALANCE = "balance"
    QUALITY = "quality"


def check_kinds(
    settings: object, whole: Sequence[str] = (), numbers: Sequence[str] = (), flags: Sequence[str] = ()
) -> None:
    """Refuse settings, attributes by their names, that are no whole number, no number, or not True or False.

    None is one where it is the default; True and False are no numbers.
    """
    kinds = (whole, Integral, "a whole number"), (numbers, Real, "a number"), (flags, bool, "True or False")
    for names, kind, called in kinds:
        for name in names:
            value = getattr(settings, name)
            left_open = value is None and getattr(type(settings), name) is None
            fits = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
            if not fits and not left_open:
                raise UsageError(f"{name} is {called}, and not {value_in_words(value)}")


class Perturbation(ABC):
    """A method with its settings: what scores of altered images say of the image."""

    def explain(
        self,
        image: NDArray[Any],
        spatial_axes: tuple[int, int],
        score_stream: ScoreStream,
        targets: Sequence[int] | None,
        batch_size: int,
        on_progress: Progress = silent,
    ) -> BlackboxMaps:
        """Maps of the targets (class indices; None: all) for one model input without its batch axis.

        ``spatial_axes`` of it are rows and columns. The stream gets batches of at most ``batch_size``, and
        progress is told after each. A UsageError: a target out of range, an image without these axes, scores
        that do not fit.
        """
        return self._explained(Trial(image, spatial_axes, score_stream, batch_size), targets, on_progress)

    @abstractmethod
    def _explained(self, trial: Trial, targets: Sequence[int] | None, progress: Progress) -> BlackboxMaps:
        """The same, of an image and a batch size that are in order."""


@dataclass(frozen=True)
class BlackBoxMethod:
    """One method that alters the input: its name, and what makes it of settings, given by keyword.

    ``task`` is the one that it is for; None: any.
    """

    name: str
    make: Callable[..., Perturbation]
    task: Task | None = None

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """Names of its settings."""
        return tuple(signature(self.make).parameters)

    def with_settings(self, settings: Mapping[str, Any]) -> Perturbation:
        """The method with a user's settings; a UsageError for one that it does not have, or out of range."""
        for name in settings:
            if name not in self.settings:
                listed = f"; it has {', '.join(self.settings)}"
                raise UsageError(
                    f"{self.name} has no setting '{name}'{did_you_mean(name, self.settings, listed)}",
                    f"{flag(name)}: {self.name} has no such option",
                )
        return self.make(**settings)
