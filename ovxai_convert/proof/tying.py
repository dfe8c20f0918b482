"""Tying branches to a model: where the original stays as it is to the bit, else where it moves least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.artifact.sidecar import Description
from ovxai_convert.artifact.writing import Writer
from ovxai_convert.errors import Refusal, RefusedError
from ovxai_convert.insertion.heads import insert_again
from ovxai_convert.insertion.request import Insertion
from ovxai_convert.proof.prover import Proof, Prover
from ovxai_convert.tensors.ports import address

_TAP_DEPTHS: Final = (0, 1, 2, 3)


def proved(
    prover: Prover, anatomy: Anatomy, insertions: Sequence[Insertion], writer: Writer, *, exact: bool
) -> tuple[Description, Proof]:
    """Tie the branches to the model where the original stays bit-exact; else where it moves least and hardly.

    Each stands at one place all the while, and is one method's.
    """
    tried: list[tuple[float, Sequence[Insertion]]] = []
    for depth in _TAP_DEPTHS:
        tied = insertions if depth == 0 else insert_again(anatomy, insertions, depth)
        if isinstance(tied, tuple):
            break
        description = writer.with_branches(tied)
        comparison = prover.compare(writer.xml, insertions)
        if comparison.movement == 0:
            return description, prover.prove(comparison, insertions)
        tried.append((comparison.movement, tied))
    movement, least = min(tried, key=lambda attempt: attempt[0])
    if exact:
        reason = f"no place keeps the outputs bit-exact; they move by at least {movement:.3g} of their range"
        place = insertions[0].place
        raise RefusedError([Refusal(reason, address(place.target.port), place.method.name)])
    description = writer.with_branches(least)
    return description, prover.prove(prover.compare(writer.xml, insertions), insertions)
