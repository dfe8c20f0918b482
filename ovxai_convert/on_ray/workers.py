"""A worker of Ray's: a process with the model in it, which explains batches of photographs.

What it needs is loaded when it is made, and not when this file is read, so that it can be told before what
libraries may do.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ovxai_convert.on_ray.ledger import MOST_DEATHS

if TYPE_CHECKING:
    from ovxai_convert.datasets.explaining import Asked, Outcome, PhotographExplainer
    from ovxai_convert.datasets.sources import Item
    from ovxai_convert.datasets.truths import Truths

BATCH: str = "batch"
"""The column that holds photographs on their way to a worker."""
OUTCOMES: str = "outcomes"
"""The column that holds what came of them, on its way back."""


@dataclass(frozen=True)
class Setup:
    """What a worker is made of, as it is sent to it.

    Attributes:
        explainers: what makes each explainer again, see ``FileExplainer.made_of``.
        asked: what is to come of a photograph.
        truths: what photographs show, for each class output.
        folder: the one that relative paths are relative to.
        threads: that a worker computes with.
        is_quiet: whether OpenVINO is kept from telling others of its use.
    """

    explainers: tuple[dict[str, Any], ...]
    asked: Asked
    truths: tuple[Truths, ...]
    folder: str
    threads: int
    is_quiet: bool


def sent(explain: PhotographExplainer, threads: int, *, is_quiet: bool = False) -> bytes:
    """A :class:`Setup` that explains as ``explain`` does, with no more than so many threads."""
    made_of = tuple(each.made_of for each in explain.explainers)
    setup = Setup(made_of, explain.asked, tuple(explain.truths), os.getcwd(), threads, is_quiet)
    return pickle.dumps((is_quiet, pickle.dumps(setup)))


def batch_of(items: Sequence[Item]) -> dict[str, bytes]:
    """A row of a data set of Ray's: some photographs."""
    return {BATCH: pickle.dumps(tuple(items))}


class Worker:
    """Explains the photographs of each batch that it is given, with all the threads that are its own.

    A batch that ended a worker before is taken photograph by photograph. One at which two workers have died
    so gets a row that says that.

    Args:
        setup: as :func:`sent`.
        ledger: handle of the actor that knows what workers have died of.
        returned: from the outcomes of a batch to what Ray is given.
    """

    def __init__(
        self, setup: bytes, ledger: Any, returned: Callable[[Sequence[Outcome]], Any] | None = None
    ) -> None:
        is_quiet, inner = pickle.loads(setup)
        if is_quiet:  # it looks for this package before it sends anything
            sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # as Python has it
        self._explain, self._threads = _made(pickle.loads(inner))
        self._ledger, self._returned = ledger, returned

    def __call__(self, batch: Any) -> Any:
        """What came of the photographs of one batch."""
        (content,) = batch[BATCH].to_pylist()
        outcomes = list(self._outcomes(content))
        if self._returned is not None:
            return self._returned(outcomes)
        import pyarrow  # there wherever Ray Data is, and needed nowhere else

        return pyarrow.table({OUTCOMES: [pickle.dumps(outcomes)]})

    def _outcomes(self, content: bytes) -> Iterator[Outcome]:
        from ovxai_convert.datasets.stream import InOrder

        items: tuple[Item, ...] = pickle.loads(content)
        name = hashlib.sha256(content).hexdigest()
        deaths = self._told("begin", name)
        if deaths is None:
            yield from map(_without_doubts, InOrder(self._explain, self._threads)(items))
        else:
            for place, item in enumerate(items):
                yield self._one(name, place, item, deaths.get(place, 0))
        self._told("end", name)

    def _one(self, name: str, place: int, item: Item, deaths: int) -> Outcome:
        """What came of a photograph, beside which the worker does nothing."""
        from ovxai_convert.datasets.explaining import Failure, Outcome
        from ovxai_convert.errors import ModelReadError

        if deaths >= MOST_DEATHS:
            reason = f"{deaths} workers died while they were at it"
            return Outcome(item, (Failure(ModelReadError(reason), self._explain.failure(item, reason)),))
        self._told("come_to", name, place)
        return _without_doubts(self._explain(item))

    def _told(self, what: str, *arguments: Any) -> Any:
        """Tell the ledger, and wait until it knows."""
        import ray

        return ray.get(getattr(self._ledger, what).remote(*arguments))


def _made(setup: Setup) -> tuple[PhotographExplainer, int]:
    """What explains a photograph, and how many are explained at once."""
    import cv2

    from ovxai_convert.datasets.explaining import PhotographExplainer
    from ovxai_convert.datasets.stream import threads_for
    from ovxai_convert.explain.files import FileExplainer

    cv2.setNumThreads(setup.threads)  # the process is the worker's own
    with suppress(OSError):  # then relative paths lead nowhere, and each photograph says so
        os.chdir(setup.folder)  # that of a worker is where Ray was started
    explainers = [FileExplainer(**{**each, "threads": setup.threads}) for each in setup.explainers]
    explain = PhotographExplainer(explainers, setup.asked, setup.truths)
    return explain, 1 if explain.is_black_box else threads_for(setup.threads)


def _without_doubts(outcome: Outcome) -> Outcome:
    """What nobody says of the model is told where the first photograph is explained, and that is not here."""
    from ovxai_convert.datasets.explaining import HeadAnswer

    results = (replace(each, unsaid=()) if isinstance(each, HeadAnswer) else each for each in outcome.results)
    return replace(outcome, results=tuple(results))
