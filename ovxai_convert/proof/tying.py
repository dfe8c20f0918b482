"""Tying branches to a model: where the original stays as it is to the bit, else where it moves least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.artifact.sidecar import Description
from ovxai_convert.artifact.writing import Writer
from ovxai_convert.errors import Refusal, RefusedError
from ovxai_convert.insertion.heads import insert_again
from ovxai_convert.insertion.request import Insertion
from ovxai_convert.proof.comparison import Comparison, accept
from ovxai_convert.proof.onnx_runtime import OnnxRuntimeProver, RuntimeComparison
from ovxai_convert.proof.prover import Proof, Prover
from ovxai_convert.tensors.ports import address

_TAP_DEPTHS: Final = (0, 1, 2, 3)


def proved(
    prover: Prover,
    anatomy: Anatomy,
    insertions: Sequence[Insertion],
    writer: Writer,
    *,
    exact: bool,
    beside: OnnxRuntimeProver | None = None,
) -> tuple[Description, Proof]:
    """Tie the branches to the model where the original stays bit-exact; else where it moves least and hardly.

    Each stands at one place all the while, and is one method's. ``beside``: another runtime in which the
    original must stay, too, and in which maps are held to their definition.
    """
    tried: list[tuple[float, Sequence[Insertion]]] = []
    for depth in _TAP_DEPTHS:
        tied = insertions if depth == 0 else insert_again(anatomy, insertions, depth)
        if isinstance(tied, tuple):
            break
        attempt = _Attempt.of(prover, insertions, tied, writer, beside)
        if attempt.movement == 0:
            return attempt.proved(prover, insertions, writer, beside)
        tried.append((attempt.movement, tied))
    movement, least = min(tried, key=lambda attempt: attempt[0])
    if exact:
        reason = f"no place keeps the outputs bit-exact; they move by at least {movement:.3g} of their range"
        place = insertions[0].place
        raise RefusedError([Refusal(reason, address(place.target.port), place.method.name)])
    moved = _Attempt.of(prover, insertions, least, writer, beside)
    return moved.proved(prover, insertions, writer, beside)


@dataclass(frozen=True)
class _Attempt:
    """A model with branches that were tied to it in one way, written and run in every runtime."""

    description: Description
    comparison: Comparison
    there: RuntimeComparison | None

    @classmethod
    def of(
        cls,
        prover: Prover,
        insertions: Sequence[Insertion],
        tied: Sequence[Insertion],
        writer: Writer,
        beside: OnnxRuntimeProver | None,
    ) -> _Attempt:
        description = writer.with_branches(tied)
        if isinstance(description, Refusal):
            raise RefusedError([replace(description, method=insertions[0].place.method.name)])
        comparison = prover.compare(writer.path, insertions)
        return cls(description, comparison, None if beside is None else beside.compare(writer.path))

    @property
    def movement(self) -> float:
        """The largest of any output in any runtime, as a part of the output's range."""
        return max(self.comparison.movement, 0.0 if self.there is None else self.there.movement)

    def proved(
        self,
        prover: Prover,
        insertions: Sequence[Insertion],
        writer: Writer,
        beside: OnnxRuntimeProver | None,
    ) -> tuple[Description, Proof]:
        proof = prover.prove(self.comparison, insertions, reshapes=writer.reshapes)
        if beside is None or self.there is None:
            return self.description, proof
        accept(self.there.outputs, self.there.movement)
        check = beside.prove(self.there, insertions, prover.definition)
        return self.description, replace(proof, runtimes=(check,))
