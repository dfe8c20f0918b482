"""What a conversion tells: what was written and measured, and what the user should know of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ovxai_convert.artifact.sidecar import Sidecar
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.insertion.request import Insertion

_EXPENSIVE_MACS: Final = 100_000_000
"""From so many on, some milliseconds, a branch that costs more than its model is worth a word."""


@dataclass(frozen=True)
class ConversionReport:
    """What a conversion wrote and measured.

    Attributes:
        models: the converted model in each form that was asked for, IR before ONNX; an IR's weights lie
            beside it as ``.bin``.
        sidecar_path: its description, which ``sidecar`` holds as an object.
        warnings: what the user should know, one line each.
    """

    models: tuple[Path, ...]
    sidecar_path: Path
    sidecar: Sidecar = field(repr=False)  # it holds every label
    warnings: tuple[str, ...]

    @property
    def xml(self) -> Path:
        """The model as IR; a UsageError where it was written as ONNX alone."""
        return self._of(".xml", "IR")

    @property
    def onnx(self) -> Path:
        """The model as ONNX; a UsageError where it was written as IR alone."""
        return self._of(".onnx", "ONNX")

    def _of(self, suffix: str, form: str) -> Path:
        found = next((path for path in self.models if path.suffix == suffix), None)
        if found is None:
            raise UsageError(f"the model was not written as {form}")
        return found


def warnings_on(
    sidecar: Sidecar, insertions: Sequence[Insertion] | tuple[Refusal, ...], path: Path
) -> Iterator[str]:
    """What the user should know of what was written; a dear branch is no matter while it is small."""
    if isinstance(insertions, tuple):
        reasons = "; ".join(map(str, sidecar.refusals))
        how = f"it is to be explained as a black box ({sidecar.method}): {reasons}"
        yield f"no branch is possible, so {how}; 'ovxai-inspect {path}' shows what was found"
        return
    yield from _moved(sidecar)
    for reshape in sidecar.reshapes:
        if reshape.result == "converted_does_not":
            where = f"at {' '.join(str(list(shape)) for shape in reshape.shapes)}"
            why = "its head is explained at one size of the map only"
            yield f"{where} the original runs and the converted model does not: {why}"
    for insertion in insertions:
        yield from _of_branch(insertion, path)


def _moved(sidecar: Sidecar) -> Iterator[str]:
    """Outputs that are not bit-exact, in each form of the model."""
    for output in sidecar.verification.outputs:
        if not output.bit_exact:
            yield f"output '{output.name}' is not bit-exact: it moved by up to {output.max_abs_diff:.3g}"
    for run in () if sidecar.onnx is None else sidecar.onnx.runtimes:
        for output in run.outputs:
            if not output.bit_exact:
                moved = f"it moved by up to {output.max_abs_diff:.3g}"
                yield f"as ONNX output '{output.name}' is not bit-exact in {run.runtime}: {moved}"


def _of_branch(insertion: Insertion, path: Path) -> Iterator[str]:
    for refusal in insertion.refusals:
        if refusal.method:
            yield f"{refusal.method} was not possible: {refusal.reason}"
    cost, ops = insertion.cost, insertion.written_out
    if cost.macs >= max(_EXPENSIVE_MACS, cost.model_macs):
        price = f"{cost.macs / 1e9:.2f} G multiply-accumulates, {cost.share:.1f} times the model's"
        why = f", as all copies are written out at {ops[0]}" if ops else ""
        others = "other layers (--target-layer) and other methods (--method)"
        yield f"the branch is dear: {price}{why}; 'ovxai-inspect {path}' shows what {others} cost"
