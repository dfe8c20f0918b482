"""What a conversion would do with a model, and why: outputs, candidates, methods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.feature_maps import Candidate, Standing
from ovxai_convert.anatomy.interface import free_name, output_name
from ovxai_convert.anatomy.scores import Scores, possible_scores
from ovxai_convert.artifact.description import describe_head
from ovxai_convert.artifact.fitting import shape_of
from ovxai_convert.artifact.notes import answer_with_remarks
from ovxai_convert.artifact.reading import find_artifact
from ovxai_convert.artifact.recovery import recover_around
from ovxai_convert.artifact.sidecar import DetectionInfo
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.insert import BuildAt, build_branch, checked_place, try_method
from ovxai_convert.insertion.request import Insertion, Place, Request
from ovxai_convert.insertion.task import taken_for, task_of
from ovxai_convert.methods import WhiteBoxMethod, methods_for
from ovxai_convert.source.metadata import any_labels_of
from ovxai_convert.source.reading import SourceModel, read_source
from ovxai_convert.tensors.ports import address
from ovxai_convert.vocabulary import SALIENCY_MAP, Task

_CHOSEN: Final = "the last feature map before the scores"


@dataclass(frozen=True)
class CandidateRow:
    """A place where a target may stand: what it is, what speaks for or against it, what a branch costs there.

    The cost is that of ``method``, the first that is possible there: multiply-accumulates, their share of the
    model's, and the most bytes that one op of the branch touches. All are None where no method is, or the
    place was not priced. ``written_out``: ops at which the branch has to write out every copy, and why.
    ``scores_output``: the output whose scores it leads to.
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
    """A method: possible, ``written_out`` as in :class:`CandidateRow`, or refused: reason and node."""

    method: str
    possible: bool
    reason: str
    node: str | None
    written_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScoresRow:
    """The class tensor that was found, and how it is read; ``remarks`` are what of that was assumed."""

    output: str
    name: str
    shape: tuple[int, ...]
    class_count: int
    activation: str
    meaning: str
    probabilities: str
    multilabel: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """All that was found in a model.

    Attributes:
        format: as the sidecar records it.
        task: what the model is taken for.
        artifact: the description of a converted model, else None.
        doubts: what of it is not as it was proved, one line each.
        scores: the class tensor, or None.
        candidates: places for a target, of each class tensor where it is not clear which is meant; first
            those of the method that ``auto`` takes, and of each method the nearest to the scores first.
        methods: every white-box method, in the order in which ``auto`` tries them.
        refusal: why no scores or no target were found, or None.
        detection: of a detector the grids of places, activation, objectness and background, as the sidecar
            tells of them; else None.
    """

    file: str
    format: str
    task: str
    artifact: dict[str, Any] | None
    doubts: tuple[str, ...]
    scores: ScoresRow | None
    candidates: tuple[CandidateRow, ...]
    methods: tuple[MethodRow, ...]
    refusal: str | None
    detection: DetectionInfo | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, ready for JSON."""
        return asdict(self)


def inspect_model(
    path: str | Path,
    scores_output: str | None = None,
    priced: int | None = None,
    *,
    task: Task | str | None = None,
) -> Inspection:
    """Look for scores and target as a conversion would, and try every method on a copy.

    Args:
        path: a model in any format that OpenVINO reads.
        scores_output: tensor name or index of the class output; None takes the only one.
        task: what the model is for; None or ``"auto"``: as it looks.
        priced: for how many candidates, from the scores on, the cost of a branch is worked out; None: all.

    Raises:
        ModelReadError: the file is no model.
        UsageError: ``scores_output`` names no output.
    """
    recover_around(Path(path))
    source = read_source(Path(path))
    anatomy = Anatomy(source.model)
    artifact = find_artifact(source.model, source.path, source.files)
    told = Told(scores_output, labels=any_labels_of(source.model, source.metadata))
    detector = taken_for(anatomy, task_of(task, None), told)
    name = free_name(anatomy.model, SALIENCY_MAP)
    request = Request(scores_output=scores_output, output_name=name, detector=detector)
    scores = request.scores(anatomy)

    @cache
    def build(place: Place) -> Insertion | Refusal:
        return build_branch(anatomy, place, request)

    methods = () if artifact is not None else methods_for(request.task)
    tried = {method.name: try_method(anatomy, method, request, build) for method in methods}
    taken = next((branch.place for branch in tried.values() if isinstance(branch, Insertion)), None)
    heads = [scores] if isinstance(scores, Scores) else []
    if isinstance(scores, Refusal) and request.task is Task.CLASSIFICATION:
        heads = possible_scores(anatomy)
    return Inspection(
        str(path),
        source.format,
        request.task.value,
        None if artifact is None else artifact.description.to_data(),
        () if artifact is None else artifact.doubts,
        None if isinstance(scores, Refusal) else _scores_row(source, anatomy, scores),
        tuple(row for head in heads for row in _Candidates(anatomy, head, taken, build).rows(priced)),
        tuple(_method_row(name, branch) for name, branch in tried.items()),
        _why_none(scores, list(tried.values())),
        None if isinstance(scores, Refusal) or scores.dense is None else describe_head(scores.dense),
    )


@dataclass(frozen=True)
class _Candidates:
    """Places before one class tensor, one of which ``taken`` may be."""

    anatomy: Anatomy
    scores: Scores
    taken: Place | None
    build: BuildAt

    def rows(self, priced: int | None) -> Iterator[CandidateRow]:
        """Places of the method that is taken first, then those of the others; methods may share theirs."""
        taken = self.taken
        known = methods_for(Task.CLASSIFICATION if self.scores.dense is None else Task.DETECTION)
        ordered = sorted(known, key=lambda method: taken is None or method is not taken.method)
        sharing = {method.candidates: method for method in reversed(ordered)}
        for first in reversed(sharing.values()):
            methods = [method for method in known if method.candidates is first.candidates]
            limits = [limit for limit in (priced, first.candidates_priced) if limit is not None]
            for index, candidate in enumerate(first.candidates(self.anatomy, self.scores)):
                chosen = taken is not None and taken.method in methods and candidate.port == taken.target.port
                row = self._row(candidate, chosen=chosen)
                unpriced = any(index >= limit for limit in limits)
                yield row if unpriced else self._priced(row, candidate, methods)

    def _row(self, candidate: Candidate, *, chosen: bool) -> CandidateRow:
        plain = candidate.standing is Standing.MOVED or not candidate.note
        return CandidateRow(
            address(candidate.port),
            candidate.port.get_node().get_type_name(),
            shape_of(candidate.port),
            candidate.target.layout if candidate.target else None,
            chosen,
            _CHOSEN if chosen and plain else candidate.note,
            output_name(self.anatomy.model, self.scores.output_index),
        )

    def _priced(self, row: CandidateRow, candidate: Candidate, methods: list[WhiteBoxMethod]) -> CandidateRow:
        """A row with the cost of the first method that is possible there."""
        if candidate.target is None:
            return row
        for method in methods:
            place = checked_place(self.anatomy, Place(method, self.scores, candidate.target))
            branch = place if isinstance(place, Refusal) else self.build(place)
            if isinstance(branch, Insertion):
                cost = branch.cost
                return replace(
                    row,
                    method=method.name,
                    macs=cost.macs,
                    macs_share=cost.share,
                    peak_bytes=cost.peak_bytes,
                    written_out=tuple(map(str, branch.written_out)),
                )
        return row


def _scores_row(source: SourceModel, anatomy: Anatomy, scores: Scores) -> ScoresRow:
    output, name = output_name(anatomy.model, scores.output_index), address(scores.port)
    answer, remarks = answer_with_remarks(source, scores)
    return ScoresRow(
        output,
        name,
        shape_of(scores.port),
        scores.class_count,
        scores.activation,
        answer.meaning,
        answer.probabilities,
        answer.multilabel,
        tuple(remarks),
    )


def _method_row(name: str, branch: Insertion | Refusal) -> MethodRow:
    if isinstance(branch, Refusal):
        return MethodRow(name, False, branch.reason, branch.node)
    return MethodRow(name, True, "", None, tuple(map(str, branch.written_out)))


def _why_none(scores: Scores | Refusal, tried: list[Insertion | Refusal]) -> str | None:
    """Why no scores were found, or no method is possible."""
    refusals = [reason for reason in (scores, *tried) if isinstance(reason, Refusal)]
    if not refusals or any(isinstance(branch, Insertion) for branch in tried):
        return None
    return str(replace(refusals[0], method=None))
