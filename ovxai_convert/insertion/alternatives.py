"""What to do where a branch is too big: more memory, or layers at which it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal, TooBig
from ovxai_convert.insertion.request import Insertion, Place, Request
from ovxai_convert.mosaic.cost import readable
from ovxai_convert.tensors.ports import address

_NAMED: Final = 3
_TRIED: Final = 8

BuildBranch = Callable[[Anatomy, Place, Request], Insertion | Refusal]
"""Builds a branch in a copy of the model."""


def with_advice(
    refusal: TooBig, anatomy: Anatomy, place: Place, request: Request, build: BuildBranch
) -> TooBig:
    """A refusal that also says what may do."""
    advice = "a higher --max-branch-memory may do"
    others = _other_targets(anatomy, place)[:_TRIED]
    fitting = list(islice(_fitting(anatomy, place, request, others, build), _NAMED))
    if fitting:
        advice = f"{advice}, or another --target-layer: {', '.join(fitting)}"
    elif others:
        advice = f"{advice}; of {len(others)} other layers tried none fits"
    else:
        advice = f"{advice}; there is no other layer to take"
    return replace(refusal, reason=f"{refusal.reason}; {advice}")


def _fitting(
    anatomy: Anatomy, place: Place, request: Request, targets: Sequence[Target], build: BuildBranch
) -> Iterator[str]:
    """Where the branch is not refused, and what it needs there; each costs a branch built in vain."""
    for target in targets:
        inserted = build(anatomy, replace(place, target=target), request)
        if isinstance(inserted, Insertion):
            where, shape = address(target.port), target.port.get_partial_shape()
            yield f"at '{where}' {shape} it needs {readable(inserted.cost.peak_bytes)}"


def _other_targets(anatomy: Anatomy, place: Place) -> list[Target]:
    """Targets beside the one that is meant: of each shape that which is nearest to the scores.

    Those behind it have no less work between them and the scores.
    """
    there = place.method.candidates(anatomy, place.scores)
    others = [each.target for each in there if each.target and each.port != place.target.port]
    return list({str(each.port.get_partial_shape()): each for each in reversed(others)}.values())[::-1]
