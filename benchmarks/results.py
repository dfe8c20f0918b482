"""What is measured, as values that every interpreter of the benchmark can read and write as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import Any


@dataclass(frozen=True)
class Quartiles:
    """A distribution in three numbers."""

    lower: float
    median: float
    upper: float

    @classmethod
    def of(cls, values: list[float]) -> Quartiles:
        """The quartiles of at least two values."""
        return cls(*quantiles(values, n=4, method="inclusive"))


@dataclass(frozen=True)
class Latency:
    """Two models run in turn.

    Attributes:
        ratio: time of the converted model divided by the time of the original, of each pair of neighbours.
        original_ms: milliseconds of the original.
        converted_ms: milliseconds of the converted model.
        pairs: how many pairs of runs there were.
        bit_exact: the original's outputs are the same in both, bit by bit.
        max_abs_diff: the largest difference of an output.
        runtime: the version that ran them, of OpenVINO if nothing else is said.
    """

    ratio: Quartiles
    original_ms: Quartiles
    converted_ms: Quartiles
    pairs: int
    bit_exact: bool
    max_abs_diff: float
    runtime: str

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Latency:
        """The inverse of `dataclasses.asdict`."""
        spread = {key: Quartiles(**values[key]) for key in ("ratio", "original_ms", "converted_ms")}
        return cls(**{**values, **spread})


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulate operations of one inference at batch 1."""

    original: int
    branch: int

    @property
    def limit(self) -> float:
        """The largest latency ratio that the branch's share of the work excuses."""
        return 1 + 1.5 * self.branch / self.original + 0.03


@dataclass(frozen=True)
class Conversion:
    """A conversion in a process of its own.

    Attributes:
        seconds: wall time of the whole process.
        peak_bytes: the largest resident set it had.
        bin_growth: bytes that the weights' file has grown by.
        ratio: `seconds` by the time of a process that reads, compiles twice and saves the model; of the
            ancestor, which has no command to compare, None.
    """

    seconds: float
    peak_bytes: int
    bin_growth: int
    ratio: float | None = None


@dataclass(frozen=True)
class Side:
    """All that was measured of one converter on one network.

    Attributes:
        conversion: the conversion.
        latency: the converted model beside its original.
        macs: of ours only.
        more_bytes: how much larger a process that runs the converted model once becomes than one that runs
            the original; of ours only.
    """

    conversion: Conversion
    latency: Latency
    macs: Macs | None = None
    more_bytes: int | None = None


@dataclass(frozen=True)
class Failure:
    """A refusal or a failure: at which step, and why."""

    step: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One network; `ancestor` is None where it was left out.

    Later columns become further fields here, a step in `measuring`, a column in `report` and an entry in
    `goals`.

    Attributes:
        key: its name on the command line.
        title: its name in the report.
        kind: the form of its head.
        has_linear_head: its scores are one linear layer on the mean of the last feature map.
        ours: this project's converter, maps of all classes.
        ancestor: the ancestor's.
        best_classes: ours with maps of the best classes of each input only; None where the network has no
            more classes than that, or could not be converted with maps of all.
    """

    key: str
    title: str
    kind: str
    has_linear_head: bool
    ours: Side | Failure
    ancestor: Side | Failure | None
    best_classes: Latency | Failure | None
