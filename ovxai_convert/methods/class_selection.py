"""Which classes get a map: all, some that are chosen at conversion, or the best of each input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.tensors.extents import ints
from ovxai_convert.tensors.ports import rank


@dataclass(frozen=True)
class ClassSelection:
    """All classes when neither is given; at most one is.

    Attributes:
        indices: classes chosen at conversion, in the order of their maps.
        top_k: how many of the best classes of each sample get a map.
    """

    indices: tuple[int, ...] | None = None
    top_k: int | None = None

    @property
    def everything(self) -> bool:
        """Whether every class gets a map."""
        return self.indices is None and self.top_k is None

    def count(self, class_count: int) -> int:
        """K', the number of maps of a sample."""
        return class_count if self.everything else self.top_k or len(self.indices or ())


ALL_CLASSES: Final = ClassSelection()


def selected_indices(selection: ClassSelection, scores: Output, class_count: int) -> Output:
    """Indices of the classes that get a map: ``[K']`` as chosen, or ``[N, K']`` by the scores."""
    if selection.indices is not None:
        return ints(list(selection.indices))
    single = list(range(2, rank(scores) or 2))
    flat = ops.squeeze(scores, ints(single)).output(0) if single else scores
    best = ops.topk(flat, ints(selection.top_k or class_count), 1, "max", "value", "i64")
    return best.output(1)


def pick_classes(per_class: Output, indices: Output) -> Output:
    """``[N, K, P] -> [N, K', P]``."""
    batch_dims = 0 if rank(indices) == 1 else 1
    return ops.gather(per_class, indices, ints(1), batch_dims).output(0)
