"""A converted model in every form that it is written in, IR or ONNX: each proved, all described alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import openvino as ov

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact.checks import RuntimeCheck
from ovxai_convert.artifact.onnx_writing import OnnxWriter, bring_external, external_files
from ovxai_convert.artifact.repository import ArtifactFiles
from ovxai_convert.artifact.sidecar import Description, OnnxFile
from ovxai_convert.artifact.staging import Staging
from ovxai_convert.artifact.writing import Writer
from ovxai_convert.errors import Refusal, UsageError, VerificationError
from ovxai_convert.files import exists
from ovxai_convert.insertion.request import Insertion
from ovxai_convert.proof.execution import quantises
from ovxai_convert.proof.onnx_rules import check_rules
from ovxai_convert.proof.onnx_runtime import OnnxRuntimeProver, Runtime
from ovxai_convert.proof.prover import Proof, Prover
from ovxai_convert.proof.tying import proved
from ovxai_convert.source.reading import SourceModel

_NOT_THERE: Final = "the ONNX file was run in OpenVINO and not in ONNX Runtime"


@dataclass(frozen=True)
class Written:
    """What was written and proved.

    Attributes:
        description: of the model, which stands in each of its files.
        proof: in OpenVINO, of the IR if there is one.
        onnx: the file as ONNX, if there is one, and the runtimes that it was run in.
    """

    description: Description
    proof: Proof
    onnx: OnnxFile | None = None


class Forms:
    """Writes one model in some forms into a temporary folder, and proves each.

    Args:
        writer: of the IR, whether that is wanted or not; it knows what is said of the model.
        files: names of what is written.
        staging: the folder; it gets the source's external data where a file needs them.
        source: the model that was read.

    Raises:
        UsageError: ONNX is wanted of a source that is no ONNX file.
        WriteError: files of external data are there already.
    """

    def __init__(self, writer: Writer, files: ArtifactFiles, staging: Staging, source: SourceModel) -> None:
        self._ir = writer if files.output_format.ir else None
        self._onnx: OnnxWriter | None = None
        self._folder = staging.folder
        if files.output_format.onnx:
            self._onnx = OnnxWriter.beside(writer, staging.folder / files.onnx, source)
            external = external_files(source)
            there = staging.target.resolve() == source.path.parent.resolve()
            if not there:
                staging.add(external)
            bring_external(source, external, staging.folder, lasting=not there)

    @property
    def xml(self) -> Path | None:
        """The IR, if it is written."""
        return None if self._ir is None else self._ir.path

    def proved(
        self, prover: Prover, anatomy: Anatomy, insertions: Sequence[Insertion], *, exact: bool
    ) -> Written:
        """With branches; errors are those of :func:`~ovxai_convert.proof.tying.proved`."""
        ir = None
        if self._ir is not None:
            ir = Written(*proved(prover, anatomy, insertions, self._ir, exact=exact))
        if self._onnx is None:
            return _one(ir)
        beside, doubts = self._runtime(prover, self._onnx)
        in_onnx = Written(*proved(prover, anatomy, insertions, self._onnx, exact=exact, beside=beside))
        return _told(self._onnx, in_onnx, ir, doubts)

    def as_it_was(
        self, prover: Prover, model: ov.Model, scores: Scores, refusals: Sequence[Refusal]
    ) -> Written:
        """Without a branch; a VerificationError where what was written is not the original."""

        def unchanged(writer: Writer) -> Written:
            description = writer.as_it_was(model, scores, refusals)
            return Written(description, prover.prove_unchanged(writer.path))

        ir = None if self._ir is None else unchanged(self._ir)
        return _one(ir) if self._onnx is None else _told(self._onnx, unchanged(self._onnx), ir)

    def _runtime(
        self, prover: Prover, writer: OnnxWriter
    ) -> tuple[OnnxRuntimeProver | None, tuple[str, ...]]:
        """ONNX Runtime with the source, or why it is not there, for the user."""
        if not Runtime.installed():
            advice = "pip install 'ovxai-convert[onnxruntime]'"
            return None, (f"{_NOT_THERE}, which is not installed: {advice}",)
        model, trials = prover.reference.model, prover.reference.trials
        inputs, quantised = [frozenset(port.get_names()) for port in model.inputs], quantises(model)
        try:
            return OnnxRuntimeProver(writer.graph, inputs, trials, self._folder, quantised=quantised), ()
        except VerificationError as error:
            return None, (f"{_NOT_THERE}: {error}",)


def _one(ir: Written | None) -> Written:
    assert ir is not None, "a model is written in one form at least"
    return ir


def _told(writer: OnnxWriter, there: Written, ir: Written | None, doubts: tuple[str, ...] = ()) -> Written:
    """What is told of an ONNX file, which keeps the rules of ONNX, beside what is of the IR."""
    check_rules(writer.source.path, writer.path)
    proof, version = there.proof, ov.get_version().split("-")[0]
    told = proof.verification
    own = RuntimeCheck(f"OpenVINO {version}", told.inputs, told.outputs, told.saliency_map)
    first = there if ir is None else ir
    warnings = tuple(dict.fromkeys((*first.proof.warnings, *proof.warnings, *doubts)))
    file = replace(writer.file(), runtimes=(own, *proof.runtimes))
    return Written(first.description, replace(first.proof, warnings=warnings), file)


def check_target(path: Path, out_dir: Path, files: ArtifactFiles) -> None:
    """A UsageError where a model would be written over the one that it is made from."""
    for name in files.models:
        target = out_dir / name
        if exists(target) and exists(path) and target.samefile(path):
            raise UsageError(f"{path}: would be written over itself; give another name or folder")
