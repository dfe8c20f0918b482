"""Writing a converted model as the ONNX file that it was read from, with its branch and what it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar

import openvino as ov

from ovxai_convert.artifact.reading import EMBEDDED
from ovxai_convert.artifact.sidecar import Description, OnnxFile, SourceFile
from ovxai_convert.artifact.writing import Writer
from ovxai_convert.emission.appending import write_appended
from ovxai_convert.emission.branch import Addition, branch_in_onnx
from ovxai_convert.emission.source_graph import SourceGraph
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.source.metadata import MODEL_INFO
from ovxai_convert.source.reading import SourceModel, sha256_of_file


@dataclass(frozen=True, kw_only=True)
class OnnxWriter(Writer):
    """Writes what becomes of an ONNX file as ONNX: that file, and behind what it holds what is added.

    Attributes:
        source: the file, as it was read.
        graph: what it has.
        added: what was added to it the last time, alone in a list.
    """

    reshapes: ClassVar[bool] = False  # fixed extents are fixed in ONNX; those that are open stay so
    source: SourceModel
    graph: SourceGraph
    added: list[Addition] = field(default_factory=list)

    @classmethod
    def beside(cls, writer: Writer, path: Path, source: SourceModel) -> OnnxWriter:
        """One that says of a model what another one says.

        Raises:
            UsageError: the source is no ONNX file.
        """
        told = {each.name: getattr(writer, each.name) for each in fields(Writer)}
        return cls(**{**told, "path": path}, source=source, graph=graph_of(source))

    def write(self, model: ov.Model, description: Description) -> Refusal | None:
        """Write the source with all outputs of a model that it does not have itself.

        A refusal where the branch has no form in the source's operator set.

        Raises:
            WriteError: the file cannot be written, or would be too large.
        """
        first = len(description.outputs)
        added = branch_in_onnx(model, first, self.graph)
        if isinstance(added, Refusal):
            return added
        write_appended(self.source.path, self.path, added.graph, self._metadata(description))
        self.added[:] = [added]
        return None

    def file(self) -> OnnxFile:
        """What is told of the file that was written; its runtimes are not known here."""
        (added,) = self.added
        return OnnxFile(
            self.path.name,
            sha256_of_file(self.path),
            added.opset,
            added.nodes,
            self.path.stat().st_size - self.source.path.stat().st_size,
            tuple(SourceFile(name, self.source.files[name]) for name in external_files(self.source)),
            (),
        )

    def _metadata(self, description: Description) -> Mapping[str, str]:
        """Entries that the file does not have: for Model API, and the description."""
        entries = {f"{MODEL_INFO} {key}": value for key, value in self.model_info.items()}
        own = self.source.metadata
        new = {key: value for key, value in entries.items() if key not in own}
        return {**new, EMBEDDED: description.to_line()}


def graph_of(source: SourceModel) -> SourceGraph:
    """What a source's file has; a UsageError where it is no ONNX file."""
    if source.format != "onnx":
        raise UsageError(
            f"{source.path}: only an ONNX file can be written as ONNX, and this is of the format "
            f"{source.format}; convert the ONNX file that it was made from, or write IR (--format ir)",
        )
    return SourceGraph(source.path)


def external_files(source: SourceModel) -> list[str]:
    """Paths from its folder of the files that hold the weights of an ONNX file, as that names them."""
    return sorted(name for name in source.files if name != source.path.name)


def bring_external(source: SourceModel, names: Sequence[str], folder: Path, *, lasting: bool) -> None:
    """Put files of weights where a model in a folder looks for them.

    ``lasting``: as copies of their own; else they are linked where that can be done.
    """
    for name in names:
        there, here = source.path.parent / name, folder / name
        here.parent.mkdir(parents=True, exist_ok=True)
        if not lasting:
            with suppress(OSError):
                os.link(there, here)
                continue
        shutil.copyfile(there, here)
