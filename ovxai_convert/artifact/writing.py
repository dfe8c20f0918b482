"""Writing a converted model that says itself what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import openvino as ov

from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact.description import Notes, describe, describe_black_box
from ovxai_convert.artifact.ir import write_ir
from ovxai_convert.artifact.notes import UserNotes, model_info_for, notes_on, write_model_info
from ovxai_convert.artifact.reading import embed
from ovxai_convert.artifact.sidecar import Description
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.source.reading import SourceModel


@dataclass(frozen=True)
class Writer:
    """Writes models to ``xml`` and the ``.bin`` beside it, with all that is known of them.

    Attributes:
        notes: what is known beside the graph.
        model_info: the same for Model API.
        warnings: what the user should know of that, one line each.
    """

    xml: Path
    notes: Notes
    model_info: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @classmethod
    def for_source(cls, xml: Path, source: SourceModel, scores: Scores, told: UserNotes) -> Writer:
        """A writer of what becomes of a source; a UsageError where what the user tells does not fit it."""
        notes, left_out = notes_on(source, scores, told)
        entries, kept = model_info_for(source, told, notes)
        return cls(xml, notes, entries, (*left_out, *kept))

    def with_branch(self, insertion: Insertion, request: Request) -> Description:
        """Write a model with a branch, and say what it is; a WriteError if it cannot be written."""
        return self._written(insertion.model, describe(insertion, request, self.notes))

    def as_it_was(self, model: ov.Model, scores: Scores, refusals: Sequence[Refusal]) -> Description:
        """Write a model in which no branch is possible, likewise; ``model`` itself is not changed."""
        copy = model.clone()
        return self._written(copy, describe_black_box(copy, scores, refusals, self.notes))

    def _written(self, model: ov.Model, description: Description) -> Description:
        write_model_info(model, self.model_info)
        embed(model, description)
        write_ir(model, self.xml)
        return description
