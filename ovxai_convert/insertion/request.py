"""What shall be inserted, for which classes, and where; and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from openvino import Model, Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.dense_target import detector_scores
from ovxai_convert.anatomy.scores import Scores, find_scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.methods import Method, WhiteBoxMethod
from ovxai_convert.methods.method import ALL_CLASSES, ClassSelection
from ovxai_convert.mosaic.cost import Cost
from ovxai_convert.mosaic.rewriting import WrittenOut
from ovxai_convert.source.labels import find_classes
from ovxai_convert.vocabulary import FEATURE_VECTOR, SALIENCY_CLASSES, SALIENCY_MAP, Task

DEFAULT_MAX_BRANCH_BYTES: Final = 2 * 2**30


@dataclass(frozen=True)
class Request:
    """What shall be inserted, and where.

    Attributes:
        method: the method; None tries all in their order and takes the first that is possible.
        target_layer: friendly name, tensor name or ``NAME:PORT`` of the feature map; None searches.
        detector: what is told of a detector; None: the model is a classifier.
        scores_output: tensor name or index of the output that holds the classes; None takes the only one.
        embed_scaling: scale each map to grey levels inside the graph.
        selection: the classes that get a map.
        max_branch_bytes: the largest tensor that a branch may build.
        options: of the method, by name; those not given have their defaults.
        output_name: tensor name of the map, and the beginning of the names of all nodes that are added.
        feature_vector: whether the mean of the target over its cells becomes an output, too.
    """

    method: Method | None = None
    target_layer: str | None = None
    scores_output: str | None = None
    embed_scaling: bool = True
    selection: ClassSelection = ALL_CLASSES
    max_branch_bytes: int = DEFAULT_MAX_BRANCH_BYTES
    options: Mapping[str, Any] = field(default_factory=dict)
    output_name: str = SALIENCY_MAP
    feature_vector: bool = False
    detector: Told | None = None

    @property
    def task(self) -> Task:
        """What the model is for."""
        return Task.CLASSIFICATION if self.detector is None else Task.DETECTION

    def scores(self, anatomy: Anatomy) -> Scores | Refusal:
        """What is explained of a model; errors as of the search for it."""
        if self.detector is None:
            return find_scores(anatomy, self.scores_output)
        return detector_scores(anatomy, self.detector)

    @property
    def classes_name(self) -> str:
        """Tensor name of the output that tells the classes of a sample's maps."""
        return SALIENCY_CLASSES if self.output_name == SALIENCY_MAP else f"{self.output_name}_classes"

    @property
    def added_names(self) -> tuple[str, ...]:
        """Tensor names of all outputs that are added, in their order."""
        classes = [self.classes_name] if self.selection.top_k else []
        return self.output_name, *classes, *([FEATURE_VECTOR] if self.feature_vector else [])


def select_classes(
    classes: int | str | Sequence[int | str] | None,
    top_k: int | None,
    labels: Sequence[str] | None,
    count: int,
) -> ClassSelection:
    """The selection that a user means.

    Args:
        classes: indices (also as text) or labels, several in one text between commas; None for all.
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
    indices = tuple(find_classes(classes, labels, count))
    twice = {index for index in indices if indices.count(index) > 1}
    if twice or not indices:
        raise UsageError(f"class {min(twice)} is named twice" if twice else "no class is named")
    return ClassSelection(indices)


@dataclass(frozen=True)
class Place:
    """Where a method's branch stands: its class tensor, and its feature map or the tokens of a block.

    Tensors are those of the model as it was read, unless it was carried to another.
    """

    method: WhiteBoxMethod
    scores: Scores
    target: Target

    def carried(self, port: Callable[[Output], Output]) -> Place:
        """The same place in a copy of its model, given where each tensor is there."""
        return replace(self, scores=self.scores.carried(port), target=self.target.carried(port))


@dataclass(frozen=True)
class Branch:
    """A method's branch: where it stands, and what was asked for."""

    place: Place
    request: Request

    def carried(self, port: Callable[[Output], Output]) -> Branch:
        """The same branch in a copy of its model."""
        return replace(self, place=self.place.carried(port))


@dataclass(frozen=True)
class Insertion(Branch):
    """A copy of a model with the map at ``map_index`` of its outputs, then the others that were added.

    ``refusals`` tell why methods before this one were not possible, ``written_out`` at which ops copies had
    to be written out, which is what makes a branch dear. One model may hold several, each of another head.
    """

    model: Model
    map_index: int
    cost: Cost
    refusals: tuple[Refusal, ...] = ()
    written_out: tuple[WrittenOut, ...] = ()
