"""How a detector's outputs are read as boxes: what is known of it, as the reader of boxes asks for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from openvino import Model, Output

from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.dense_head import DenseHead
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact.sidecar import Description
from ovxai_convert.detections.forms import BoxForm
from ovxai_convert.detections.outputs import BoxHints, OutputShape
from ovxai_convert.detections.recognising import recognise
from ovxai_convert.errors import Refusal
from ovxai_convert.tensors.ports import extents


@dataclass(frozen=True)
class DetectorFacts:
    """A model that is taken for a detector.

    Attributes:
        told: what its user says of it.
        form: how its outputs hold boxes, or why that is not clear.
        class_count: K; None where nothing tells.
        first_label: what its outputs call class 0, where their labels count a background.
        scores_output: name of the output with the highest score of each class, which was added where no boxes
            can be read.
    """

    told: Told
    form: BoxForm | Refusal
    class_count: int | None
    first_label: int = 0
    scores_output: str | None = None

    def boxes_at(self, port: Output) -> Scores | Refusal:
        """Its boxes in place of scores, as what an output that begins with them is explained by."""
        if self.class_count is None:
            return Refusal("nothing tells how many classes it has; name them: --labels")
        return Scores(port, 0, "none", self.class_count, meaning="detections")


def detector_facts(model: Model, added: Collection[int], told: Told, hints: BoxHints) -> DetectorFacts:
    """What is known of a detector whose outputs ``added`` are not its own."""
    outputs = [
        OutputShape(
            tuple(sorted(port.get_names())), extents(port) or (), np.dtype(port.get_element_type().to_dtype())
        )
        for index, port in enumerate(model.outputs)
        if index not in added
    ]
    form = recognise(outputs, hints)
    counts_background = hints.background == 0 and isinstance(form, BoxForm) and form.picked
    return DetectorFacts(told, form, hints.class_count, int(counts_background))


def seen_from_outside(model: Model, told: Told) -> Scores | Refusal:
    """What is explained of a detector without a dense head: its boxes, if its outputs tell them."""
    facts = detector_facts(model, (), told, BoxHints(len(told.labels or ()) or None))
    if isinstance(facts.form, Refusal):
        return facts.form
    return facts.boxes_at(model.outputs[0].get_node().input_value(0))


def hints_of_head(head: DenseHead) -> BoxHints:
    """What a dense head that was found says of the outputs."""
    return _hints(head.class_count, head.objectness, head.background)


def hints_of_description(description: Description) -> BoxHints:
    """What an artifact says of its outputs."""
    head, count = description.detection, description.scores.class_count
    return BoxHints(count) if head is None else _hints(count, head.objectness, head.background)


def _hints(class_count: int, objectness: str, background: int | None) -> BoxHints:
    return BoxHints(
        class_count,
        objectness=objectness == "beside" or None,
        multiplied=objectness == "in_scores",
        background=background,
    )
