"""A black-box method as one object: its name, and what makes it of a user's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol

from numpy.typing import NDArray

from ovxai_convert.blackbox.streaming import BlackboxMaps, Progress, ScoreStream
from ovxai_convert.errors import UsageError
from ovxai_convert.suggestions import did_you_mean


class Perturbation(Protocol):
    """A method with its settings: what scores of altered images say of the image."""

    def explain(
        self,
        image: NDArray[Any],
        spatial_axes: tuple[int, int],
        score_stream: ScoreStream,
        targets: Sequence[int] | None,
        batch_size: int,
        on_progress: Progress = ...,
    ) -> BlackboxMaps:
        """Maps of the targets, or of all classes for None."""


@dataclass(frozen=True)
class BlackBoxMethod:
    """One method that alters the input and reads the scores.

    Attributes:
        name: on the command line and in the sidecar.
        make: from settings, by keyword, to the method.
    """

    name: str
    make: Callable[..., Perturbation]

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of its settings."""
        return tuple(signature(self.make).parameters)

    def with_settings(self, settings: Mapping[str, Any]) -> Perturbation:
        """The method with a user's settings.

        Raises:
            UsageError: a setting that the method does not have, or one out of its range.
        """
        for name in settings:
            if name not in self.settings:
                listed = f"; it has {', '.join(self.settings)}"
                raise UsageError(
                    f"{self.name} has no setting '{name}'{did_you_mean(name, self.settings, listed)}"
                )
        return self.make(**settings)
