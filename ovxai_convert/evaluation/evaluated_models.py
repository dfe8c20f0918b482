"""A model that is measured: what explains photographs by it, by each of the methods in question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ovxai_convert.artifact.notes import NOTHING_TOLD, UserNotes
from ovxai_convert.errors import Refusal, RefusedError, UsageError
from ovxai_convert.evaluation.measurements import Contender
from ovxai_convert.explain.engines import Engine
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.explain.loading import ScoresPlace, load_model
from ovxai_convert.methods import Method, all_methods_for, method_name, method_of
from ovxai_convert.source.answers import Answer
from ovxai_convert.source.class_names import ClassNames
from ovxai_convert.vocabulary import Task

ALL_METHODS: Final = "all"
DEFAULT_LAYER: Final = "default"
"""Words for every method, and for the layer that is masked where none is named."""


@dataclass(frozen=True)
class EvaluatedModel:
    """One model.

    Attributes:
        name: its path, as it was named.
        explainer: prepares photographs for it.
        answer: how its numbers are read.
        class_count: how many classes there are.
        engines: what explains by each contender.
        refusals: why methods that were asked for are not among them.
    """

    name: str
    explainer: FileExplainer
    answer: Answer
    class_count: int
    engines: Mapping[Contender, Engine]
    refusals: tuple[Refusal, ...]
    _known: dict[str, int | None] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """One per class, or None."""
        return self.explainer.explainer.label_names

    def label_of(self, index: int) -> str:
        """The label of a class; without labels, its index as text."""
        return str(index) if self.labels is None else self.labels[index]

    def class_called(self, name: str) -> int | None:
        """The class of a name that others have given; None where it is none of the model's, or several."""
        if name not in self._known:
            try:
                self._known[name] = ClassNames(self.labels, self.class_count).index(name)
            except UsageError:
                self._known[name] = None
        return self._known[name]


def evaluated_model(
    path: Path,
    methods: Sequence[str],
    layers: Sequence[str] = (),
    told: UserNotes = NOTHING_TOLD,
    scores_output: str | None = None,
    device: str = "CPU",
    **settings: Any,
) -> EvaluatedModel:
    """Read a model and make ready what is to be measured in it.

    Args:
        path: the model, as for ``Explainer``.
        methods: names, ``"auto"`` for what the model is explained by anyway, ``"all"`` for every one.
        layers: friendly names, for each of which white-box methods are measured; ``"default"`` among them is
            the one that is masked where none is named.
        told: what the user says of labels, preprocessing and answer.
        scores_output: the class output, where there are several.
        device: OpenVINO's name of it.
        **settings: of black-box methods, for those that have them.

    Raises:
        ModelReadError, UsageError: as of ``Explainer``; a method that does not exist.
        RefusedError: the model is no classifier, no method of those that are named is possible, or parts of
            its input cannot be covered.
    """
    loaded = load_model(path, told, scores_output)
    explainer = FileExplainer(loaded, preprocessing=told.preprocessing, device_name=device, **settings)
    assert isinstance(loaded.scores, ScoresPlace), "else it was refused"
    if packed := explainer.explainer.why_not(Method.RISE):  # which asks for nothing but parts to cover
        raise RefusedError(packed)
    name = str(path)
    engines: dict[Contender, Engine] = {}
    refusals: list[Refusal] = []
    for method, layer in _asked(methods, layers, loaded.task):
        engine = explainer.explainer.engine(method, layer)
        came_to_another = engine.method is not method and (method is not None or layer is not None)
        if came_to_another and (method is not None or _is_black_box(engine)):
            refusals += [_named(refusal, method) for refusal in engine.refusals]
        else:
            engines.setdefault(Contender(name, method_name(engine.method), layer), engine)
    if not engines:
        raise RefusedError(tuple(dict.fromkeys(refusals)))
    answer = loaded.scores.answer
    count = answer.class_count(loaded.scores.class_count)
    return EvaluatedModel(name, explainer, answer, count, engines, tuple(dict.fromkeys(refusals)))


def _asked(
    methods: Sequence[str], layers: Sequence[str], task: Task
) -> list[tuple[Method | None, str | None]]:
    """Methods and layers, each pair once; a UsageError for a method that does not exist."""
    named: list[Method | None] = []
    for word in methods:
        named += list(all_methods_for(task)) if word.lower() == ALL_METHODS else [method_of(word, "methods")]
    if not named:
        raise UsageError("methods: none is named", "--methods: none is named")
    known = [None if layer == DEFAULT_LAYER else layer for layer in layers] or [None]
    pairs = [
        (method, layer)
        for method in named
        for layer in ([None] if method is not None and method.is_black_box else known)
    ]
    return list(dict.fromkeys(pairs))


def _named(refusal: Refusal, method: Method | None) -> Refusal:
    """A refusal that says of which method it is."""
    return refusal if refusal.method or method is None else replace(refusal, method=method_name(method))


def _is_black_box(engine: Engine) -> bool:
    return engine.method is not None and engine.method.is_black_box
