"""What was measured of an artifact before it was written: outputs, maps, other shapes, other runtimes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OutputCheck:
    """How far an original output moved: 0.0 and ``bit_exact`` as a rule."""

    name: str
    bit_exact: bool
    max_abs_diff: float


@dataclass(frozen=True)
class SaliencyCheck:
    """The map against its slow definition: cells compared, and the largest difference in the map's unit.

    Of the maps that were looked at so many varied from cell to cell, and so many were compared: those whose
    definition varies by more than float32 loses. Where none was, ``unchecked`` says why.
    """

    positions_checked: int
    max_abs_diff: float
    maps_checked: int = 0
    maps_varied: int = 0
    maps_compared: int = 0
    unchecked: str | None = None


@dataclass(frozen=True)
class FrameworkCheck:
    """How far OpenVINO's outputs are from those of the source's framework, ``runtime``.

    The largest difference of an output, and the largest as a part of the output's range.
    """

    runtime: str
    max_abs_diff: float
    max_relative_diff: float


@dataclass(frozen=True)
class Verification:
    """What was measured before the artifact was written; without a branch there is no map to check."""

    device: str
    inputs: int
    outputs: tuple[OutputCheck, ...]
    saliency_map: SaliencyCheck | None
    reference: FrameworkCheck | None = None


@dataclass(frozen=True)
class ReshapeCheck:
    """What came of a change of shape that was tried: one shape per input.

    ``result``: ``"proved"`` (outputs and map were compared), ``"source_does_not"`` (the original does not
    take it) or ``"converted_does_not"`` (the original takes it, the converted model fails). ``bit_exact``:
    whether outputs equal those of the original that gives its target layer out, too.
    """

    shapes: tuple[tuple[int, ...], ...]
    result: str
    bit_exact: bool | None = None
    saliency_map: SaliencyCheck | None = None


@dataclass(frozen=True)
class RuntimeCheck:
    """What came of running an ONNX file and its source in one runtime, ``runtime`` with its version.

    ``inputs`` is how many both were run on; ``outputs`` how far the original ones have moved;
    ``saliency_map`` how far the maps are from their definition, which is computed there, too.
    """

    runtime: str
    inputs: int
    outputs: tuple[OutputCheck, ...]
    saliency_map: SaliencyCheck | None
