"""From classes as a user names them, by index or label, to a selection."""

from __future__ import annotations

from collections.abc import Sequence

from ovxai_convert.errors import UsageError
from ovxai_convert.methods.class_selection import ALL_CLASSES, ClassSelection
from ovxai_convert.source.labels import find_class


def select_classes(
    classes: Sequence[int | str] | None, top_k: int | None, labels: Sequence[str] | None, count: int
) -> ClassSelection:
    """The selection that a user means.

    Args:
        classes: indices (also as text) or labels; None for all.
        top_k: how many of the best classes of each input; None for all.
        labels: names of the classes, if they have any.
        count: how many classes there are.

    Raises:
        UsageError: a class that does not exist, is named twice, or a label where the model has none; both
            arguments at once.
    """
    if classes is not None and top_k is not None:
        raise UsageError("choose classes or the best ones, not both")
    if top_k is not None:
        if not 1 <= top_k <= count:
            raise UsageError(f"there are no {top_k} best classes: the model has {count}")
        return ClassSelection(top_k=top_k)
    if classes is None:
        return ALL_CLASSES
    indices = tuple(find_class(each, labels, count) for each in classes)
    twice = {index for index in indices if indices.count(index) > 1}
    if twice or not indices:
        raise UsageError(f"class {min(twice)} is named twice" if twice else "no class is named")
    return ClassSelection(indices)
