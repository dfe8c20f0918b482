"""A white-box method as one object: where it looks, what it builds, how it is defined, what it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from numpy.typing import NDArray
from openvino import Output

from ovxai_convert.anatomy.anatomy import Anatomy, ModelCopy
from ovxai_convert.anatomy.feature_maps import Candidate, feature_maps, find_feature_map
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal, UsageError, did_you_mean
from ovxai_convert.mosaic.rewriting import WrittenOut
from ovxai_convert.vocabulary import Task

Settings: TypeAlias = Mapping[str, str | int]
"""A value for every option of a method, by its name."""


@dataclass(frozen=True)
class Option:
    """Something that a method lets the user choose.

    Attributes:
        name: as a keyword; the command line writes ``_`` as ``-``.
        default: where nothing is said.
        help: one sentence without its end.
        choices: what may be said; empty for a whole number from 1 on.
    """

    name: str
    default: str | int
    help: str
    choices: tuple[str, ...] = ()

    def checked(self, value: str | int) -> str | int:
        """The value; a UsageError if it is none."""
        if self.choices and value not in self.choices:
            raise UsageError(f"{self.name}: '{value}' is none of {', '.join(self.choices)}")
        if not self.choices and (not isinstance(value, int) or value < 1):
            raise UsageError(f"{self.name}: {value} is no whole number from 1 on")
        return value


@dataclass(frozen=True)
class ClassSelection:
    """Which classes get a map: all when neither is given; at most one is.

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


@dataclass(frozen=True)
class Site:
    """Where a branch is built; tensors are those of the copy.

    Attributes:
        copy: the copy of the model that takes the branch.
        flow: its data edges.
        target: the feature map, or the tokens of a block.
        taps: for every masked tensor the one that the branch reads instead (equal to it, computed again from
            a neighbour so that the runtime's fusions stay); the tensor itself as a rule.
        scores: the class tensor.
        selection: the classes that get a map.
        max_bytes: the largest tensor that the branch may build.
        settings: of the method.
    """

    copy: ModelCopy
    flow: DataFlow
    target: Target
    taps: Mapping[Output, Output]
    scores: Scores
    selection: ClassSelection
    max_bytes: int
    settings: Settings

    @property
    def tap(self) -> Output:
        """What the branch reads instead of the target."""
        return self.taps[self.target.port]


@dataclass(frozen=True)
class RawMaps:
    """What a branch computes.

    Attributes:
        maps: the unscaled maps; their last two axes are rows and columns.
        classes: ``[N, K']`` i64, the class of each map, where that depends on the input.
        written_out: ops at which copies had to be written out, which is what makes a branch dear.
    """

    maps: Output
    classes: Output | None = None
    written_out: tuple[WrittenOut, ...] = ()


class Head(Protocol):
    """The original model from its target on, in the runtime, as slow definitions use it."""

    @property
    def target(self) -> Target:
        """The feature map, or the tokens, that are masked."""

    @property
    def entering(self) -> Sequence[Output | None]:
        """Tensors that enter the head, the target first; None for one that no method masks."""

    def scores(self, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Scores ``[N, K]`` for values of the tensors that enter."""


Define: TypeAlias = Callable[[Head, Sequence[NDArray[Any]], Sequence[int], Settings], NDArray[Any]]
"""A slow definition: raw values ``[N, K, cells]`` at some cells, from the head and what enters it."""
PER_CLASS: Final = ("batch", "class", "height", "width")
PER_IMAGE: Final = ("batch", "height", "width")
"""What the axes of maps mean that stand for one class each, or for all."""


@dataclass(frozen=True)
class WhiteBoxMethod:
    """One method whose map a branch of the model gives. Nobody needs to ask which one it is.

    Attributes:
        name: on the command line and in the sidecar.
        axes: what the axes of its map mean, of ``batch``, ``class``, ``height``, ``width``; the last two are
            rows and columns.
        candidates: where it may stand in a model, the nearest to the scores first.
        locate: where it stands, by the name of a layer or by itself, given its settings.
        build: makes the maps in the site's copy.
        define: the slow definition, written independently of ``build``; K is 1 where one map stands for all
            classes.
        options: what the user may choose.
        parameters: what the sidecar says of them; None where it has none.
        candidates_priced: of how many candidates an inspection works out the cost; None: of all.
        raw_like: the tensor whose element type raw maps have.
        cells_checked: at how many cells, beside the lowest and the highest, the proof compares a map with its
            definition; None: at all of them, where that costs nothing.
        task: what the models are for that it explains.
    """

    name: str
    axes: tuple[str, ...]
    candidates: Callable[[Anatomy, Scores], list[Candidate]]
    locate: Callable[[Anatomy, Scores, str | None, Settings], Target | Refusal]
    build: Callable[[Site], RawMaps | Refusal]
    define: Define
    options: tuple[Option, ...] = ()
    parameters: Callable[[Target, Settings], dict[str, Any]] | None = None
    cells_checked: int | None = 6
    task: Task = Task.CLASSIFICATION
    candidates_priced: int | None = None
    raw_like: Callable[[Scores, Target], Output] = lambda scores, _: scores.port

    def settings(self, given: Mapping[str, Any]) -> Settings:
        """A value for every option: what is given, else its default.

        Raises:
            UsageError: the method has no such option, or the option no such value.
        """
        known = {option.name: option for option in self.options}
        for name in given:
            if name not in known:
                listed = f"; it has {', '.join(known)}" if known else ""
                raise UsageError(f"{self.name} has no option '{name}'{did_you_mean(name, known, listed)}")
        return {name: option.checked(given.get(name, option.default)) for name, option in known.items()}


def on_feature_maps(
    name: str,
    axes: tuple[str, ...],
    build: Callable[[Site], RawMaps | Refusal],
    define: Define,
    **others: Any,
) -> WhiteBoxMethod:
    """A method that stands at the last feature map, or at the one that is named; see its class."""

    def locate(anatomy: Anatomy, scores: Scores, wanted: str | None, _: Settings) -> Target | Refusal:
        return find_feature_map(anatomy, scores, wanted)

    return WhiteBoxMethod(name, axes, feature_maps, locate, build, define, **others)
