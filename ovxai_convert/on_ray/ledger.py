"""What workers were at when they died, so that a photograph that ends its workers does not end them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MOST_DEATHS: Final = 2
"""So many workers may die at a photograph while they are at nothing else; it is then given up."""


@dataclass
class _Batch:
    """How often a batch was begun, at which of its photographs a worker is, and how many died at each."""

    begun: int = 0
    at: int | None = None
    deaths: dict[int, int] = field(default_factory=dict)


class Ledger:
    """The batches that are under way, by names that are the same at every attempt.

    A batch that is begun again was not ended, so that its worker has died, at any of its photographs, or by
    something else. From then on its photographs are taken one by one, and the ledger is told which.
    """

    def __init__(self) -> None:
        self._batches: dict[str, _Batch] = {}

    def begin(self, batch: str) -> dict[int, int] | None:
        """None at the first attempt; later how many workers died at each photograph, by its place."""
        known = self._batches.setdefault(batch, _Batch())
        known.begun += 1
        if known.at is not None:
            known.deaths[known.at] = known.deaths.get(known.at, 0) + 1
            known.at = None
        return None if known.begun == 1 else dict(known.deaths)

    def come_to(self, batch: str, place: int) -> None:
        """A worker takes a photograph of the batch, and no other meanwhile."""
        self._batches.setdefault(batch, _Batch(1)).at = place

    def end(self, batch: str) -> None:
        """All of the batch is done."""
        self._batches.pop(batch, None)
