"""What a user tells of preprocessing before it is written down: right numbers, and what is doubtful of it."""

from __future__ import annotations

from dataclasses import replace

from ovxai_convert.artifact.notes import UserNotes, own_hints
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.believed import believed
from ovxai_convert.photographs.hints import NO_HINTS
from ovxai_convert.photographs.model_input import takes_image
from ovxai_convert.photographs.unsaid import unsaid
from ovxai_convert.source.reading import SourceModel


def checked_notes(source: SourceModel, told: UserNotes) -> tuple[UserNotes, tuple[str, ...]]:
    """What a user tells, with right numbers, and doubts of how levels become the input, one line each.

    Raises:
        UsageError: numbers that are wrong, and of which more than one thing may be meant.
    """
    if not takes_image(source.model):
        return told, ()
    said = own_hints(source.model, source.metadata, told.preprocessing)
    own = NO_HINTS if isinstance(said, UsageError) else said
    image, right, hints, doubts = believed(source.model, told.preprocessing, own)
    missing = unsaid(source.model, image, hints) if image.takes_photographs else None
    if missing is not None:
        doubts += (
            f"{missing}, nor will the artifact, and whoever shows its maps has to know: give --preprocess, "
            "or --mean and --scale",
        )
    return replace(told, preprocessing=right), doubts
