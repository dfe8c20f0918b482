"""What a conversion would do with a model, and why: outputs, candidates, methods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.feature_maps import Candidate, Standing
from ovxai_convert.anatomy.outputs import has_output, output_name
from ovxai_convert.anatomy.scores import Scores, find_scores, possible_scores
from ovxai_convert.artifact.description import shape_of
from ovxai_convert.errors import Refusal, TooBig
from ovxai_convert.insertion.alternatives import with_advice
from ovxai_convert.insertion.insert import build_branch, checked_place, find_place
from ovxai_convert.insertion.request import Insertion, Place, Request
from ovxai_convert.methods import WHITE_BOX_METHODS, WhiteBoxMethod
from ovxai_convert.source.reading import read_source
from ovxai_convert.tensors.ports import address
from ovxai_convert.vocabulary import SALIENCY_MAP

_CHOSEN: Final = "the last feature map before the scores"


@dataclass(frozen=True)
class CandidateRow:
    """A place where a target may stand: what it is, what speaks for or against it, what a branch costs there.

    The cost is that of ``method``, the first that is possible there: multiply-accumulates, their share of the
    model's, and the most bytes that one op of the branch touches. All are None where no method is, or the
    place was not priced. ``written_out``: ops at which the branch has to write out every copy, and why; what
    makes it dear. ``scores_output``: the output whose scores it leads to.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    layout: str | None
    chosen: bool
    note: str
    scores_output: str
    method: str | None = None
    macs: int | None = None
    macs_share: float | None = None
    peak_bytes: int | None = None
    written_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class MethodRow:
    """A method: possible, or refused with a reason and a node.

    ``written_out``: ops at which its branch has to write out every copy, and why; what makes it dear.
    """

    method: str
    possible: bool
    reason: str
    node: str | None
    written_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScoresRow:
    """The class tensor that was found."""

    output: str
    name: str
    shape: tuple[int, ...]
    class_count: int
    activation: str


@dataclass(frozen=True)
class Inspection:
    """All that was found in a model.

    Attributes:
        file: the model.
        format: its format.
        converted: it has a saliency map already.
        scores: the class tensor, or None.
        candidates: places for a target, of each class tensor where it is not clear which is meant; first
            those of the method that ``auto`` takes, and of each method the nearest to the scores first.
        methods: every white-box method, in the order in which ``auto`` tries them.
        refusal: why no scores or no target were found, or None.
    """

    file: str
    format: str
    converted: bool
    scores: ScoresRow | None
    candidates: tuple[CandidateRow, ...]
    methods: tuple[MethodRow, ...]
    refusal: str | None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, ready for JSON."""
        return asdict(self)


def inspect_model(
    path: str | Path, scores_output: str | None = None, priced: int | None = None
) -> Inspection:
    """Look for scores and target as a conversion would, and try every method on a copy.

    Args:
        path: a model in any format that OpenVINO reads.
        scores_output: tensor name or index of the class output; None takes the only one.
        priced: for how many candidates, from the scores on, the cost of a branch is worked out; None: all.

    Raises:
        ModelReadError: the file is no model.
        UsageError: ``scores_output`` names no output.
    """
    source = read_source(Path(path))
    anatomy = Anatomy(source.model)
    converted = has_output(anatomy.model, SALIENCY_MAP)
    scores = find_scores(anatomy, scores_output)
    trial = _Trial(anatomy, scores_output)
    tried = {} if converted else {method.name: trial.method(method) for method in WHITE_BOX_METHODS}
    taken = next((each.place for each in tried.values() if isinstance(each, Insertion)), None)
    heads = possible_scores(anatomy) if isinstance(scores, Refusal) else [scores]
    return Inspection(
        str(path),
        source.format,
        converted,
        None
        if isinstance(scores, Refusal)
        else _scores_row(output_name(anatomy.model, scores.output_index), scores),
        tuple(row for head in heads for row in trial.rows(head, taken, priced)),
        tuple(_method_row(name, inserted) for name, inserted in tried.items()),
        _why_none(scores, list(tried.values())),
    )


class _Trial:
    """Branches of one model, each built once.

    Args:
        anatomy: the model's.
        scores_output: the class output that is asked for, if one is.
    """

    def __init__(self, anatomy: Anatomy, scores_output: str | None) -> None:
        self._anatomy = anatomy
        self._request = Request(scores_output=scores_output)
        self._built: dict[Place, Insertion | Refusal] = {}

    def method(self, method: WhiteBoxMethod) -> Insertion | Refusal:
        """What comes of a method where it would stand by itself."""
        place = find_place(self._anatomy, method, self._request)
        inserted = place if isinstance(place, Refusal) else self._build(self._anatomy, place, self._request)
        if isinstance(inserted, TooBig) and isinstance(place, Place):
            return with_advice(inserted, self._anatomy, place, self._request, self._build)
        return inserted

    def _build(self, anatomy: Anatomy, place: Place, request: Request) -> Insertion | Refusal:
        if place not in self._built:
            self._built[place] = build_branch(anatomy, place, request)
        return self._built[place]

    def rows(self, scores: Scores, taken: Place | None, priced: int | None) -> Iterator[CandidateRow]:
        """Places of the method that is taken first, then those of the others; methods may share theirs."""
        ordered = sorted(WHITE_BOX_METHODS, key=lambda method: taken is None or method is not taken.method)
        sharing = {method.candidates: method for method in reversed(ordered)}
        for first in reversed(sharing.values()):
            methods = [method for method in WHITE_BOX_METHODS if method.candidates is first.candidates]
            limits = [each for each in (priced, first.candidates_priced) if each is not None]
            for index, candidate in enumerate(first.candidates(self._anatomy, scores)):
                chosen = taken is not None and taken.method in methods and candidate.port == taken.target.port
                row = self._row(candidate, scores, chosen=chosen)
                yield (
                    self._priced(row, candidate, scores, methods)
                    if all(index < each for each in limits)
                    else row
                )

    def _row(self, candidate: Candidate, scores: Scores, *, chosen: bool) -> CandidateRow:
        plain = candidate.standing is Standing.MOVED or not candidate.note
        return CandidateRow(
            address(candidate.port),
            candidate.port.get_node().get_type_name(),
            shape_of(candidate.port),
            candidate.target.layout if candidate.target else None,
            chosen,
            _CHOSEN if chosen and plain else candidate.note,
            output_name(self._anatomy.model, scores.output_index),
        )

    def _priced(
        self, row: CandidateRow, candidate: Candidate, scores: Scores, methods: list[WhiteBoxMethod]
    ) -> CandidateRow:
        """A row with the cost of the first method that is possible there."""
        if candidate.target is None:
            return row
        for method in methods:
            place = checked_place(self._anatomy, Place(method, scores, candidate.target))
            branch = place if isinstance(place, Refusal) else self._build(self._anatomy, place, self._request)
            if isinstance(branch, Insertion):
                return replace(
                    row,
                    method=method.name,
                    macs=branch.cost.macs,
                    macs_share=branch.cost.share,
                    peak_bytes=branch.cost.peak_bytes,
                    written_out=tuple(map(str, branch.written_out)),
                )
        return row


def _scores_row(output: str, scores: Scores) -> ScoresRow:
    return ScoresRow(
        output, address(scores.port), shape_of(scores.port), scores.class_count, scores.activation
    )


def _method_row(name: str, inserted: Insertion | Refusal) -> MethodRow:
    if isinstance(inserted, Refusal):
        return MethodRow(name, False, inserted.reason, inserted.node)
    return MethodRow(name, True, "", None, tuple(map(str, inserted.written_out)))


def _why_none(scores: Scores | Refusal, tried: list[Insertion | Refusal]) -> str | None:
    """Why no scores were found, or no method is possible."""
    refusals = [scores, *tried] if isinstance(scores, Refusal) else tried
    first = next((each for each in refusals if isinstance(each, Refusal)), None)
    if first is None or any(isinstance(each, Insertion) for each in tried):
        return None
    return first.reason + (f" (at '{first.node}')" if first.node else "")
