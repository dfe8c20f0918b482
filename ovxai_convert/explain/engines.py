"""Choosing how a model is explained: by a branch where one is possible, else as a black box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.interface import free_name, output_name
from ovxai_convert.artifact.description import describe_map
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.errors import Refusal, RefusedError
from ovxai_convert.explain.detecting import DetectionScores
from ovxai_convert.explain.device import DeviceScores, Hint, compile_for
from ovxai_convert.explain.loading import LoadedModel, ScoresPlace
from ovxai_convert.explain.observation import BlackBox, Choose, Observation, WhiteBox
from ovxai_convert.explain.plan import ExplainMode, Plan, check_settings
from ovxai_convert.explain.predictions import ReadScores
from ovxai_convert.explain.requests import Requests
from ovxai_convert.insertion.class_scores import scores_beside
from ovxai_convert.insertion.insert import insert_branch
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import BlackBoxMethod, Method, default_black_box
from ovxai_convert.photographs.model_input import ImageInput
from ovxai_convert.vocabulary import SALIENCY_MAP

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True)
class Engine:
    """A method, what it makes of a sample ``(1, ...)``, and why no branch was possible, if one was tried.

    The method is None for a map that the model gives and of which nobody says how it is made. ``scores`` are
    those of a sample, without its maps. ``target_layer`` is the one that is masked, where that is known.
    """

    method: Method | None
    observe: Callable[[NDArray[Any], Choose], Observation]
    scores: Callable[[NDArray[Any]], NDArray[np.float32]]
    refusals: tuple[Refusal, ...] = ()
    target_layer: str | None = None


@dataclass(frozen=True)
class _Settings:
    """Settings for a black box: those of a call, and those that are kept for calls whose method has them."""

    given: Mapping[str, Any]
    kept: Mapping[str, Any]

    def of(self, method: BlackBoxMethod) -> Mapping[str, Any]:
        """What goes to a method."""
        return {name: self.kept[name] for name in self.kept if name in method.settings} | dict(self.given)


@dataclass
class Engines:
    """The engines of one model and its input, each compiled once for a device, whoever asks meanwhile.

    ``hint`` says what branches are compiled for: one answer soon, or many; ``threads`` how many may compute.
    """

    loaded: LoadedModel
    image: ImageInput
    read_scores: ReadScores
    device: str
    hint: Hint = "LATENCY"
    threads: int | None = None
    _white_boxes: dict[Plan, Engine | tuple[Refusal, ...]] = field(default_factory=dict)
    _black_box: BlackBox | None = None
    _making: Lock = field(default_factory=Lock)

    def choose(
        self,
        plan: Plan,
        settings: Mapping[str, Any],
        on_progress: Progress = silent,
        kept: Mapping[str, Any] = _NONE,
    ) -> Engine:
        """The engine that a plan comes to; a refused branch leads to a black box only in the mode AUTO.

        In the mode WHITEBOX it is a RefusedError. A layer or setting that does not exist is a UsageError; of
        settings that are ``kept`` from before a method takes those that it has.
        """
        check_settings(settings)
        wanted = _Settings(settings, kept)
        if plan.skips_branches:
            return self._outside(plan.method or self._black_box_method, wanted, on_progress, ())
        told = self.loaded.description
        asks_for_nothing = plan == Plan(embed_scaling=plan.embed_scaling)
        if told is not None and told.mode == "blackbox" and asks_for_nothing:
            return self._outside(Method(told.method), wanted, on_progress, told.refusals)
        if plan not in self._white_boxes:
            with self._making:
                if plan not in self._white_boxes:
                    self._white_boxes[plan] = self._inside(plan)
        engine = self._white_boxes[plan]
        if isinstance(engine, Engine):
            return engine
        if plan.mode is ExplainMode.WHITEBOX:
            raise RefusedError(engine)
        return self._outside(self._black_box_method, wanted, on_progress, engine)

    @property
    def _black_box_method(self) -> Method:
        """The one that is taken where none is named."""
        return default_black_box(self.loaded.task)

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
            told = None if self.loaded.description is None else self.loaded.description.target_layer
            layer = None if told is None else _layer(told.name, told.port)
        else:
            original, scores = self.loaded.original(), self.loaded.scores
            output = output_name(original, scores.output_index) if isinstance(scores, ScoresPlace) else None
            name = free_name(original, SALIENCY_MAP)
            detector = self.loaded.detector
            wanted = Request(
                plan.method,
                plan.target_layer,
                output,
                plan.embed_scaling,
                output_name=name,
                detector=None if detector is None else detector.told,
            )
            anatomy = Anatomy(original)
            insertion = insert_branch(anatomy, wanted)
            if not isinstance(insertion, Insertion):
                return insertion
            model, saliency = insertion.model, describe_map(insertion)
            if detector is not None and detector.scores_output is not None:
                both = scores_beside(anatomy, insertion, detector.scores_output)
                if isinstance(both, Refusal):
                    return (both,)
                model = both
            method, refusals = Method(insertion.place.method.name), insertion.refusals
            port = insertion.place.target.port
            layer = _layer(port.get_node().get_friendly_name(), port.get_index())
        requests = Requests(compile_for(model, self.device, self.hint, self.threads))
        scores = self.loaded.scores
        binary = isinstance(scores, ScoresPlace) and scores.meaning == "binary"
        white_box = WhiteBox(requests, self.image, self.read_scores, saliency, binary)
        return Engine(method, white_box.observe, white_box.scores, refusals, layer)

    def _outside(
        self,
        method: Method,
        settings: _Settings,
        on_progress: Progress,
        refusals: tuple[Refusal, ...],
    ) -> Engine:
        assert method.black_box is not None, "a plan without branches names no other"
        facts = self.loaded.detector
        boxes_are_read = isinstance(self.read_scores, DetectionScores)
        if facts is not None and not boxes_are_read and isinstance(facts.form, Refusal):
            raise RefusedError([*refusals, replace(facts.form, method=str(method.value))])
        if (packed := self.packed(method)) is not None:
            raise RefusedError([*refusals, packed])
        chosen = method.black_box.with_settings(settings.of(method.black_box))
        outside = self.from_outside()
        observe = partial(outside.observe, method=chosen, on_progress=on_progress)
        return Engine(method, observe, outside.scores, refusals)

    def packed(self, method: Method | None = None) -> Refusal | None:
        """Why parts of an image cannot be covered: the input's rows are not the picture's; else None."""
        if self.image.packing is None:
            return None
        name = self.image.packing.upper()
        reason = f"the input takes {name}, whose rows are not the picture's to be masked"
        return Refusal(reason, None, None if method is None else str(method.value))

    def from_outside(self) -> BlackBox:
        """The model seen from outside, without a branch."""
        with self._making:
            if self._black_box is None:
                compiled = compile_for(self.loaded.original(), self.device, "THROUGHPUT", self.threads)
                stream = DeviceScores(compiled, self.read_scores, self.image.batch)
                self._black_box = BlackBox(stream, self.image)
            return self._black_box


def _layer(name: str, port: int) -> str:
    """A tensor as ``--target-layer`` takes it."""
    return f"{name}:{port}" if port else name
