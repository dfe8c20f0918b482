"""Several class outputs in one model: what is asked for of each, and their branches in one copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openvino import Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.interface import has_output, output_name
from ovxai_convert.anatomy.scores import output_index
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.insertion.insert import build_branches, insert_branch
from ovxai_convert.insertion.request import Branch, Insertion, Request


def requests_for(model: Model, request: Request, wanted: str | Sequence[str] | None) -> list[Request]:
    """What is asked for, for each of the outputs that are wanted.

    Args:
        model: the model.
        request: what is asked for of all.
        wanted: an output's name or index, or several of them, in a list or with commas between; None: the
            only class output.

    Returns:
        A request for each, in their order. Of several each has a map named after its output, and the feature
        vector, if one is asked for, is the first one's.

    Raises:
        UsageError: an output that does not exist or is named twice.
    """
    names = named_outputs(model, wanted)
    if len(names) < 2:
        return [replace(request, scores_output=name) for name in (*names, *([] if names else [None]))]
    indices = [output_index(model, name) for name in names]
    if len(set(indices)) < len(indices):
        twice = next(name for name, index in zip(names, indices, strict=True) if indices.count(index) > 1)
        raise UsageError(f"the output '{twice}' is named twice")
    return [
        replace(
            request,
            scores_output=name,
            output_name=f"{request.output_name}_{output_name(model, index)}",
            feature_vector=request.feature_vector and name == names[0],
        )
        for name, index in zip(names, indices, strict=True)
    ]


def named_outputs(model: Model, wanted: str | Sequence[str] | None) -> list[str]:
    """The names or indices in what a user wants; a whole text that is an output's name is one."""
    if wanted is None:
        return []
    if not isinstance(wanted, str):
        return list(wanted)
    return [wanted] if has_output(model, wanted) else [name.strip() for name in wanted.split(",")]


def insert_branches(anatomy: Anatomy, requests: Sequence[Request]) -> list[Insertion] | tuple[Refusal, ...]:
    """A branch for every request in one copy of the model, or why one is not possible.

    Raises:
        UsageError: as :func:`~ovxai_convert.insertion.insert.insert_branch`.
    """
    alone: list[Insertion] = []
    for request in requests:
        inserted = insert_branch(anatomy, request)
        if not isinstance(inserted, Insertion):
            return inserted if len(requests) == 1 else tuple(_of_head(request, each) for each in inserted)
        alone.append(inserted)
    if len(alone) == 1:
        return alone
    return insert_again(anatomy, alone, 0)


def insert_again(
    anatomy: Anatomy, insertions: Sequence[Insertion], tap_depth: int
) -> list[Insertion] | tuple[Refusal, ...]:
    """The same branches in one new copy, tied to the model in another way."""
    branches = [Branch(insertion.place, insertion.request) for insertion in insertions]
    together = build_branches(anatomy, branches, tap_depth)
    if isinstance(together, Refusal):
        return (together,)
    pairs = zip(together, insertions, strict=True)
    return [replace(built, refusals=insertion.refusals) for built, insertion in pairs]


def _of_head(request: Request, refusal: Refusal) -> Refusal:
    return replace(refusal, reason=f"for the output '{request.scores_output}': {refusal.reason}")
