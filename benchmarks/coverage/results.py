"""What is found out about one architecture, as values that go to JSON and back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How far an architecture came; what is left to the black-box methods counts as refused."""

    CONVERTED = "converted"
    REFUSED = "refused"
    WRONG = "wrong"
    UNPROVED = "proof failed"
    STOPPED = "stopped"
    CRASHED = "crashed"
    UNCHECKED = "not checked"
    NOT_EXPORTED = "not exported"

    @property
    def is_defect(self) -> bool:
        """Whether nobody should ever see it."""
        return self in (Outcome.WRONG, Outcome.UNPROVED, Outcome.STOPPED, Outcome.CRASHED, Outcome.UNCHECKED)


@dataclass(frozen=True)
class Check:
    """What was found of a conversion apart from the converter.

    Attributes:
        bit_exact: the original's outputs are the same in both models, bit by bit.
        max_output_diff: the largest difference of an output.
        ratio: time of the converted model / of the original, median.
        cells: cells of the map that were compared.
        max_grey_diff: the largest difference of the map beyond float32's rounding, in grey levels; None where
            the method's definition is not checked here.
        varied_maps: share of the maps looked at that are not constant.
    """

    bit_exact: bool
    max_output_diff: float
    ratio: float
    cells: int
    max_grey_diff: float | None
    varied_maps: float | None


@dataclass(frozen=True)
class Proof:
    """What the converter's own proof says in the sidecar."""

    positions: int
    max_abs_diff: float


@dataclass(frozen=True)
class OnnxCheck:
    """What was found of a conversion to ONNX apart from the converter, in ONNX Runtime.

    Attributes:
        bit_exact: the source's outputs are the same in both files, bit by bit.
        max_output_diff: the largest difference of an output.
        ratio: time of the converted file / of the source, median.
        apart: largest difference of the map from that of the IR in OpenVINO, in grey levels; rounding of two
            runtimes is in it.
        described: bytes of metadata that were added.
    """

    bit_exact: bool
    max_output_diff: float
    ratio: float
    apart: float
    described: int


@dataclass(frozen=True)
class OnnxForm:
    """A network that was to stay ONNX, too.

    Attributes:
        outcome: how far it came.
        reason: why no further.
        opset: the file's operator set.
        nodes: how many were added.
        bytes_added: by how many bytes the file has grown.
        proof: the converter's own, in ONNX Runtime.
        check: the independent one.
    """

    outcome: Outcome
    reason: str = ""
    opset: int = 0
    nodes: int = 0
    bytes_added: int = 0
    proof: Proof | None = None
    check: OnnxCheck | None = None

    @property
    def is_equal(self) -> bool:
        """Whether in ONNX Runtime outputs stay as they are to the bit, and maps as they are defined."""
        return self.outcome is Outcome.CONVERTED and bool(self.proof and self.check and self.check.bit_exact)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> OnnxForm:
        """The inverse of `dataclasses.asdict`."""
        proof, check = values["proof"], values["check"]
        return cls(
            **{
                **values,
                "outcome": Outcome(values["outcome"]),
                "proof": proof and Proof(**proof),
                "check": check and OnnxCheck(**check),
            }
        )


@dataclass(frozen=True)
class Result:
    """One architecture.

    Attributes:
        key: of the catalogue.
        model: digest of the exported file, empty where there is none.
        converter: digest of the code that converted it.
        outcome: how far it came.
        reason: why no further; why a better method was not possible; empty where there is nothing to say.
        method: of the branch that was inserted.
        target: the sidecar's words for the layer that is masked.
        seconds: wall time of the conversion, of an ONNX file to both forms.
        peak_bytes: largest resident set of the conversion.
        proof: the converter's own.
        check: the independent one.
        onnx: of an ONNX file that was converted, what came of its ONNX form.
    """

    key: str
    model: str
    converter: str
    outcome: Outcome
    reason: str = ""
    method: str = ""
    target: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    proof: Proof | None = None
    check: Check | None = None
    onnx: OnnxForm | None = None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Result:
        """The inverse of `dataclasses.asdict`."""
        proof, check, onnx = values["proof"], values["check"], values.get("onnx")
        return cls(
            **{
                **values,
                "outcome": Outcome(values["outcome"]),
                "proof": proof and Proof(**proof),
                "check": check and Check(**check),
                "onnx": onnx and OnnxForm.from_dict(onnx),
            }
        )
