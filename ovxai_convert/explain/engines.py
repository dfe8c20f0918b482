"""Choosing how a model is explained: by a branch where one is possible, else as a black box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.interface import free_name, output_name
from ovxai_convert.artifact.description import describe_map
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.errors import Refusal, RefusedError, UsageError, did_you_mean
from ovxai_convert.explain.device import DeviceScores, compile_for
from ovxai_convert.explain.loading import LoadedModel, ScoresPlace
from ovxai_convert.explain.observation import BlackBox, Choose, Observation, WhiteBox
from ovxai_convert.explain.predictions import ReadScores
from ovxai_convert.explain.requests import Requests
from ovxai_convert.insertion.insert import insert_branch
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import DEFAULT_BLACK_BOX, Method
from ovxai_convert.photographs.model_input import ImageInput
from ovxai_convert.vocabulary import SALIENCY_MAP


class ExplainMode(Enum):
    """How a model is explained.

    WHITEBOX: by a branch inside the model.
    BLACKBOX: by what it makes of altered images.
    AUTO: by a branch; where none is possible, as a black box.
    """

    WHITEBOX = "whitebox"
    BLACKBOX = "blackbox"
    AUTO = "auto"


@dataclass(frozen=True)
class Plan:
    """How an explanation is to be made; a UsageError where mode and method do not agree.

    No method: the first white-box one that is possible, RISE as a black box. ``target_layer`` and
    ``embed_scaling`` are those of :class:`~ovxai_convert.insertion.request.Request`.
    """

    mode: ExplainMode = ExplainMode.AUTO
    method: Method | None = None
    target_layer: str | None = None
    embed_scaling: bool = True

    def __post_init__(self) -> None:
        if self.method is not None:
            other = ExplainMode.WHITEBOX if self.method.is_black_box else ExplainMode.BLACKBOX
            if self.mode is other:
                raise UsageError(f"{self.method.value} is no {self.mode.value} method")

    @property
    def skips_branches(self) -> bool:
        """Whether no branch is to be tried."""
        return self.mode is ExplainMode.BLACKBOX or (self.method is not None and self.method.is_black_box)

    def changed(
        self, mode: ExplainMode | None, method: Method | None, layer: str | None, scaling: bool | None
    ) -> Plan:
        """This plan with what is not None; another mode drops a method that is not one of its own."""
        kept = self.method
        if mode is not None and kept is not None and kept.is_black_box != (mode is ExplainMode.BLACKBOX):
            kept = None
        return Plan(
            mode or self.mode,
            method or kept,
            layer or self.target_layer,
            self.embed_scaling if scaling is None else scaling,
        )


@dataclass(frozen=True)
class Engine:
    """A method, what it makes of a sample ``(1, ...)``, and why no branch was possible, if one was tried.

    The method is None for a map that the model gives and of which nobody says how it is made. ``scores`` are
    those of a sample, without its maps.
    """

    method: Method | None
    observe: Callable[[NDArray[Any], Choose], Observation]
    scores: Callable[[NDArray[Any]], NDArray[np.float32]]
    refusals: tuple[Refusal, ...] = ()


@dataclass
class Engines:
    """The engines of one model and its input, each compiled once for a device, whoever asks meanwhile."""

    loaded: LoadedModel
    image: ImageInput
    read_scores: ReadScores
    device: str
    _white_boxes: dict[Plan, Engine | tuple[Refusal, ...]] = field(default_factory=dict)
    _black_box: BlackBox | None = None
    _making: Lock = field(default_factory=Lock)

    def choose(self, plan: Plan, settings: Mapping[str, Any], on_progress: Progress = silent) -> Engine:
        """The engine that a plan comes to; a refused branch leads to a black box only in the mode AUTO.

        In the mode WHITEBOX it is a RefusedError. A layer or setting that does not exist is a UsageError.
        """
        if plan.skips_branches:
            return self._outside(plan.method or DEFAULT_BLACK_BOX, settings, on_progress, ())
        _check_settings(settings)
        told = self.loaded.description
        asks_for_nothing = plan == Plan(embed_scaling=plan.embed_scaling)
        if told is not None and told.mode == "blackbox" and asks_for_nothing:
            return self._outside(Method(told.method), settings, on_progress, told.refusals)
        if plan not in self._white_boxes:
            with self._making:
                if plan not in self._white_boxes:
                    self._white_boxes[plan] = self._inside(plan)
        engine = self._white_boxes[plan]
        if isinstance(engine, Engine):
            return engine
        if plan.mode is ExplainMode.WHITEBOX:
            raise RefusedError(engine)
        return self._outside(DEFAULT_BLACK_BOX, settings, on_progress, engine)

    def _inside(self, plan: Plan) -> Engine | tuple[Refusal, ...]:
        """By a branch: the artifact's own if it is what is wanted, else one that is inserted now."""
        own = self.loaded.own_map
        if (
            own is not None
            and plan.target_layer is None
            and plan.method in (None, own.method)
            and (plan.embed_scaling or own.saliency.scaling == "none")
        ):
            model, saliency, method = self.loaded.model, own.saliency, own.method
            refusals: tuple[Refusal, ...] = ()
        else:
            original, scores = self.loaded.original(), self.loaded.scores
            output = output_name(original, scores.output_index) if isinstance(scores, ScoresPlace) else None
            name = free_name(original, SALIENCY_MAP)
            wanted = Request(plan.method, plan.target_layer, output, plan.embed_scaling, output_name=name)
            insertion = insert_branch(Anatomy(original), wanted)
            if not isinstance(insertion, Insertion):
                return insertion
            model, saliency = insertion.model, describe_map(insertion)
            method, refusals = Method(insertion.place.method.name), insertion.refusals
        requests = Requests(compile_for(model, self.device, "LATENCY"))
        scores = self.loaded.scores
        binary = isinstance(scores, ScoresPlace) and scores.meaning == "binary"
        white_box = WhiteBox(requests, self.image, self.read_scores, saliency, binary)
        return Engine(method, white_box.observe, white_box.scores, refusals)

    def _outside(
        self,
        method: Method,
        settings: Mapping[str, Any],
        on_progress: Progress,
        refusals: tuple[Refusal, ...],
    ) -> Engine:
        assert method.black_box is not None, "a plan without branches names no other"
        if self.image.packing is not None:
            packed = (
                f"the input takes {self.image.packing.upper()}, whose rows are not the picture's to be masked"
            )
            raise RefusedError([*refusals, Refusal(packed, None, method.value)])
        chosen = method.black_box.with_settings(settings)
        outside = self._from_outside()
        observe = partial(outside.observe, method=chosen, on_progress=on_progress)
        return Engine(method, observe, outside.scores, refusals)

    def _from_outside(self) -> BlackBox:
        with self._making:
            if self._black_box is None:
                compiled = compile_for(self.loaded.original(), self.device, "THROUGHPUT")
                stream = DeviceScores(compiled, self.read_scores, self.image.batch)
                self._black_box = BlackBox(stream, self.image)
            return self._black_box


def _check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings that no black-box method has; those of any are let pass where none is needed."""
    known = {name for method in Method if method.black_box for name in method.black_box.settings}
    for name in settings:
        if name not in known:
            raise UsageError(f"there is no setting '{name}'{did_you_mean(name, known)}")
