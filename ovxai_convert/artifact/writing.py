"""Writing a converted model that says itself what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import openvino as ov

from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact.checked_notes import checked_notes
from ovxai_convert.artifact.description import Notes, describe, describe_black_box
from ovxai_convert.artifact.ir import write_ir
from ovxai_convert.artifact.notes import UserNotes, model_info_for, notes_on, write_model_info
from ovxai_convert.artifact.reading import embed
from ovxai_convert.artifact.sidecar import Description
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.request import Insertion
from ovxai_convert.source.reading import SourceModel


@dataclass(frozen=True)
class Writer:
    """Writes models as IR to ``path`` and the ``.bin`` beside it, with all that is known of them.

    Attributes:
        notes: what is known beside the graph, of the first head; ``more_notes`` likewise of the others.
        model_info: the same for Model API.
        warnings: what the user should know of that, one line each.
        reshapes: whether what is written takes other shapes as its source does in OpenVINO.
    """

    reshapes: ClassVar[bool] = True

    path: Path
    notes: Notes
    model_info: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    more_notes: tuple[Notes, ...] = ()

    @classmethod
    def for_source(cls, path: Path, source: SourceModel, heads: Sequence[Scores], told: UserNotes) -> Writer:
        """A writer of what becomes of a source; a UsageError where what the user tells does not fit it.

        The labels that are told are those of each of its heads that has so many classes.
        """
        told, doubts = checked_notes(source, told)
        pairs = zip(heads, told.of_each(heads), strict=True)
        (notes, left_out), *others = [notes_on(source, scores, one) for scores, one in pairs]
        entries, kept = model_info_for(source, told, notes)
        said = [*doubts, *left_out, *(line for _, lines in others for line in lines), *kept]
        return cls(path, notes, entries, tuple(dict.fromkeys(said)), tuple(notes for notes, _ in others))

    def with_branches(self, insertions: Sequence[Insertion]) -> Description | Refusal:
        """Write a model with branches, and say what it is; a WriteError if it cannot be written.

        A refusal where they have no form in what is written.
        """
        description = describe(insertions, self.notes, self.more_notes)
        return self.write(insertions[0].model, description) or description

    def as_it_was(self, model: ov.Model, scores: Scores, refusals: Sequence[Refusal]) -> Description:
        """Write a model in which no branch is possible, likewise; ``model`` itself is not changed."""
        copy = model.clone()
        description = describe_black_box(copy, scores, refusals, self.notes)
        self.write(copy, description)
        return description

    def write(self, model: ov.Model, description: Description) -> Refusal | None:
        """Write a model that says itself what it is, which it is made to say; None: it can be written so."""
        write_model_info(model, self.model_info)
        embed(model, description)
        write_ir(model, self.path)
        return None
