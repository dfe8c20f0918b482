"""What is believed of a model's preprocessing: what its user tells, looked at, before what it says itself."""

from __future__ import annotations

from typing import NamedTuple

from openvino import Model

from ovxai_convert.photographs.guard import checked
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.model_input import ImageInput, image_input
from ovxai_convert.photographs.unsaid import doubt_by_graph


class Believed(NamedTuple):
    """An input, what the user tells of it with right numbers, that before what the model says, and doubts."""

    image: ImageInput
    told: PreprocessingHints
    hints: PreprocessingHints
    doubts: tuple[str, ...]


def believed(model: Model, told: PreprocessingHints, own: PreprocessingHints) -> Believed:
    """What is believed of a model's only input, and what the user should know of that, one line each.

    Raises:
        UsageError: the model takes no image; numbers that are wrong, and may mean several things.
    """
    image = image_input(model, told.or_else(own).layout)
    told, doubts = checked(told, own, image.dtype)
    hints = told.or_else(own)
    doubt = doubt_by_graph(model, image, hints)
    return Believed(image, told, hints, doubts if doubt is None else (*doubts, doubt))
