"""From classes as a user names them, by index or label, to a selection."""

from __future__ import annotations

from collections.abc import Sequence

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import find_scores
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.insertion.insert import Request
from ovxai_convert.methods.class_selection import ALL_CLASSES, ClassSelection
from ovxai_convert.source.labels import find_class
from ovxai_convert.source.metadata import labels_of
from ovxai_convert.source.reading import SourceModel


def select_classes(
    source: SourceModel,
    request: Request,
    classes: Sequence[int | str] | None,
    top_k: int | None,
    labels: tuple[str, ...] | None,
) -> ClassSelection:
    """The selection that a user means.

    Args:
        source: the model.
        request: what else was asked; it decides which output holds the classes.
        classes: indices (also as text) or labels; None for all.
        top_k: how many of the best classes of each input; None for all.
        labels: names of the classes; None for the model's own.

    Raises:
        UsageError: a class that does not exist, is named twice, or a label where the model has none; both
            arguments at once.
    """
    if classes is None and top_k is None:
        return ALL_CLASSES
    if classes is not None and top_k is not None:
        raise UsageError("choose classes or the best ones, not both")
    scores = find_scores(source.model, DataFlow(source.model), request.scores_output)
    if isinstance(scores, Refusal):
        return ALL_CLASSES  # the insertion refuses for the same reason, and says so
    count = scores.class_count
    if top_k is not None:
        if not 1 <= top_k <= count:
            raise UsageError(f"there are no {top_k} best classes: the model has {count}")
        return ClassSelection(top_k=top_k)
    labels = labels or labels_of(source.model, source.metadata, count)
    indices = tuple(find_class(each, labels, count) for each in classes or ())
    twice = {index for index in indices if indices.count(index) > 1}
    if twice or not indices:
        raise UsageError(f"class {min(twice)} is named twice" if twice else "no class is named")
    return ClassSelection(indices)
