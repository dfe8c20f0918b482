"""What is measured of the black-box methods, as values that both interpreters write and read as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.results import Failure, Quartiles


@dataclass(frozen=True)
class Speed:
    """An explanation and the device alone, run in turn.

    Attributes:
        ratio: time of an explanation divided by the time in which the device alone, asked without a pause,
            makes as many evaluations; the device's is the mean of before and after.
        processor_ratio: the same of the processor time of all threads. Where it is below `ratio`, the device
            has waited.
        seconds: of an explanation.
        device_rate: evaluations that the device alone makes in a second.
        evaluations: altered images that the explanation is made of.
        openvino: the version that ran them.
    """

    ratio: Quartiles
    processor_ratio: Quartiles
    seconds: Quartiles
    device_rate: Quartiles
    evaluations: int
    openvino: str

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Speed:
        """The inverse of `dataclasses.asdict`."""
        spreads = ("ratio", "processor_ratio", "seconds", "device_rate")
        return cls(**{**values, **{key: Quartiles(**values[key]) for key in spreads}})


@dataclass(frozen=True)
class Areas:
    """How good maps are: areas under the curves of `blackbox.metrics`, means over the photographs.

    Attributes:
        deletion: smaller is better.
        insertion: larger is better.
    """

    deletion: float
    insertion: float


@dataclass(frozen=True)
class Judgement:
    """Maps of one method by either side; `ancestor` is None where there are none."""

    ours: Areas
    ancestor: Areas | None
    random: Areas


@dataclass(frozen=True)
class MethodRow:
    """One case; `ancestor` is None where it was left out, `judgement` where maps are not judged.

    Attributes:
        key: the case's.
        title: the case's.
        limit: the case's.
        ours: this project's explanation.
        ancestor: the ancestor's.
        judgement: how good the maps are.
    """

    key: str
    title: str
    limit: float
    ours: Speed | Failure
    ancestor: Speed | Failure | None
    judgement: Judgement | Failure | None
