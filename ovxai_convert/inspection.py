"""What a conversion would do with a model, and why: outputs, candidates, methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from openvino import Model, Output

from ovxai_convert.anatomy.blocks import find_block
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.inputs import image_flow
from ovxai_convert.anatomy.scores import Scores, find_scores, output_name
from ovxai_convert.anatomy.target import Candidate, candidates, find_target
from ovxai_convert.artifact.description import shape_of
from ovxai_convert.errors import Refusal, RefusedError
from ovxai_convert.insertion.insert import Insertion, Request, insert_branch
from ovxai_convert.insertion.outputs import has_output
from ovxai_convert.methods import BRANCHES
from ovxai_convert.source.reading import read_source
from ovxai_convert.tensors.ports import address
from ovxai_convert.vocabulary import SALIENCY_MAP, Method, TokenMasking

_PRICED_BLOCKS: Final = 2
"""Further back than the first few, pricing a block means rebuilding all that follows it."""


@dataclass(frozen=True)
class CandidateRow:
    """A place where a target may stand: what it is, what speaks for or against it, what a branch costs there.

    The cost is that of the first method that is possible there: multiply-accumulates, their share of the
    model's, and the most bytes that one op of the branch touches. None where none is, or the place was not
    priced. ``written_out``: ops at which the branch has to write out every copy, and why; what makes it dear.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    layout: str | None
    chosen: bool
    note: str
    macs: int | None
    macs_share: float | None
    peak_bytes: int | None
    written_out: tuple[str, ...]


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
        candidates: places for a target, the nearest to the scores first.
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
    model = source.model
    scores = find_scores(model, DataFlow(model), scores_output)
    flow = image_flow(model)
    converted = has_output(model, SALIENCY_MAP)
    methods = () if converted else tuple(_try_methods(model, scores_output))
    if isinstance(scores, Refusal):
        return Inspection(str(path), source.format, converted, None, (), methods, _text(scores))
    target = find_target(model, flow, scores)
    chosen = None if isinstance(target, Refusal) else target.port
    possible = [row.method for row in methods if row.possible]
    blocks = _block_rows(model, flow, scores, scores_output, possible)
    places = candidates(model, flow, scores)
    priced = len(places) if priced is None else priced
    rows = blocks + tuple(
        _candidate_row(model, place, scores_output, chosen=place.port == chosen, priced=index < priced)
        for index, place in enumerate(places)
    )
    refusal = _text(target) if isinstance(target, Refusal) and not possible else None
    found = _scores_row(output_name(model, scores.output_index), scores)
    return Inspection(str(path), source.format, converted, found, rows, methods, refusal)


def _block_rows(
    model: Model, flow: DataFlow, scores: Scores, scores_output: str | None, possible: Sequence[str]
) -> tuple[CandidateRow, ...]:
    """Transformer blocks, the last first, where tokens can be masked."""
    rows: list[CandidateRow] = []
    if Method.VITRECIPROCAM.value not in possible:
        return ()
    for number in count(1):
        block = find_block(model, flow, scores, number=number)
        if isinstance(block, Refusal):
            break
        masking = TokenMasking(block=number)
        request = Request(
            Method.VITRECIPROCAM, scores_output=scores_output, masking=masking, name_alternatives=False
        )
        branch = _inserted(model, request) if number <= _PRICED_BLOCKS else None
        chosen = number == 1 and possible[0] == Method.VITRECIPROCAM.value
        note = f"transformer block {number} from the end (--block {number})"
        rows.append(_row(block.port, block.layout, note, branch, chosen=chosen))
    return tuple(rows)


def _candidate_row(
    model: Model, place: Candidate, scores_output: str | None, *, chosen: bool, priced: bool
) -> CandidateRow:
    request = Request(target_layer=address(place.port), scores_output=scores_output, name_alternatives=False)
    branch = _inserted(model, request) if priced and place.layout else None
    note = "the last feature map before the scores" if chosen else place.note
    return _row(place.port, place.layout, note, branch, chosen=chosen)


def _row(
    port: Output, layout: str | None, note: str, branch: Insertion | None, *, chosen: bool
) -> CandidateRow:
    return CandidateRow(
        address(port),
        port.get_node().get_type_name(),
        shape_of(port),
        layout,
        chosen,
        note,
        branch.cost.macs if branch else None,
        branch.cost.share if branch else None,
        branch.cost.peak_bytes if branch else None,
        tuple(map(str, branch.written_out)) if branch else (),
    )


def _inserted(model: Model, request: Request) -> Insertion | None:
    try:
        return insert_branch(model, request)
    except RefusedError:
        return None


def _scores_row(output: str, scores: Scores) -> ScoresRow:
    return ScoresRow(
        output, address(scores.port), shape_of(scores.port), scores.class_count, scores.activation
    )


def _try_methods(model: Model, scores_output: str | None) -> list[MethodRow]:
    rows = []
    for branch in BRANCHES:
        try:
            inserted = insert_branch(model, Request(branch.method, scores_output=scores_output))
        except RefusedError as error:
            refusal = error.refusals[0]
            rows.append(MethodRow(branch.method.value, False, refusal.reason, refusal.node))
        else:
            written_out = tuple(map(str, inserted.written_out))
            rows.append(MethodRow(branch.method.value, True, "", None, written_out))
    return rows


def _text(refusal: Refusal) -> str:
    return refusal.reason + (f" (at '{refusal.node}')" if refusal.node else "")
