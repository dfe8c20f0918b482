"""Choosing how a model is explained: by a branch where one is possible, else as a black box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from numpy.typing import NDArray

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.artifact.description import describe_map
from ovxai_convert.artifact.sidecar import Sidecar
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.errors import Refusal, RefusedError, UsageError
from ovxai_convert.explain.black_box import BlackBox, check_settings
from ovxai_convert.explain.device import compile_for
from ovxai_convert.explain.loading import LoadedModel
from ovxai_convert.explain.observation import Choose, Observation
from ovxai_convert.explain.predictions import ReadScores
from ovxai_convert.explain.white_box import WhiteBox
from ovxai_convert.insertion.insert import insert_branch
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import DEFAULT_BLACK_BOX, Method
from ovxai_convert.photographs.model_input import ImageInput


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
    """How an explanation is to be made.

    Attributes:
        mode: white-box, black-box or whatever is possible.
        method: the method; None: the first white-box one that is possible, RISE as a black box.
        target_layer: see :class:`~ovxai_convert.insertion.insert.Request`.
        embed_scaling: likewise.
    """

    mode: ExplainMode = ExplainMode.AUTO
    method: Method | None = None
    target_layer: str | None = None
    embed_scaling: bool = True

    def __post_init__(self) -> None:
        """Check that mode and method agree.

        Raises:
            UsageError: they do not.
        """
        if self.method is not None:
            other = ExplainMode.WHITEBOX if self.method.is_black_box else ExplainMode.BLACKBOX
            if self.mode is other:
                raise UsageError(f"{self.method.value} is no {self.mode.value} method")

    @property
    def skips_branches(self) -> bool:
        """Whether no branch is to be tried."""
        return self.mode is ExplainMode.BLACKBOX or (self.method is not None and self.method.is_black_box)

    def changed(
        self,
        mode: ExplainMode | None,
        method: Method | None,
        target_layer: str | None,
        embed_scaling: bool | None,
    ) -> Plan:
        """This plan with what is not None; another mode drops a method that is not one of its own."""
        kept = self.method
        if mode is not None and kept is not None and kept.is_black_box != (mode is ExplainMode.BLACKBOX):
            kept = None
        return Plan(
            mode or self.mode,
            method or kept,
            target_layer or self.target_layer,
            self.embed_scaling if embed_scaling is None else embed_scaling,
        )


@dataclass(frozen=True)
class Engine:
    """Something that looks at samples.

    Attributes:
        method: what it does.
        observe: from a sample ``(1, ...)`` and a choice of classes to scores and maps.
        refusals: why no branch was possible, if one was tried.
    """

    method: Method
    observe: Callable[[NDArray[Any], Choose], Observation]
    refusals: tuple[Refusal, ...] = ()


class Engines:
    """The engines of one model, each compiled once.

    Args:
        loaded: the model.
        image: its input.
        read_scores: from its results to scores.
        device: OpenVINO's name of the device.
    """

    def __init__(self, loaded: LoadedModel, image: ImageInput, read_scores: ReadScores, device: str) -> None:
        self._loaded = loaded
        self._image = image
        self._read_scores = read_scores
        self._device = device
        self._white_boxes: dict[Plan, Engine | tuple[Refusal, ...]] = {}
        self._black_box: BlackBox | None = None

    def choose(self, plan: Plan, settings: Mapping[str, Any], on_progress: Progress = silent) -> Engine:
        """The engine that a plan comes to; a refused branch leads to a black box only in the mode AUTO.

        Raises:
            RefusedError: no branch is possible, and the mode is ``WHITEBOX``.
            UsageError: a layer or a setting that does not exist.
        """
        if plan.skips_branches:
            return self._outside(plan.method or DEFAULT_BLACK_BOX, settings, on_progress, ())
        check_settings(settings)
        sidecar = self._loaded.sidecar
        if (
            sidecar is not None
            and sidecar.mode == "blackbox"
            and plan == Plan(embed_scaling=plan.embed_scaling)
        ):
            return self._outside(Method(sidecar.method), settings, on_progress, sidecar.refusals)
        found = self._white_boxes.get(plan) or self._inside(plan)
        self._white_boxes[plan] = found
        if isinstance(found, Engine):
            return found
        if plan.mode is ExplainMode.WHITEBOX:
            raise RefusedError(found)
        return self._outside(DEFAULT_BLACK_BOX, settings, on_progress, found)

    def _inside(self, plan: Plan) -> Engine | tuple[Refusal, ...]:
        """By a branch: the artifact's own if it is what is wanted, else one that is inserted now."""
        sidecar = self._loaded.sidecar
        if sidecar is not None and sidecar.saliency_map is not None and _gives(sidecar, plan):
            model, saliency, method = self._loaded.model, sidecar.saliency_map, Method(sidecar.method)
            refusals: tuple[Refusal, ...] = ()
        else:
            output = None if sidecar is None else sidecar.scores.output
            request = Request(plan.method, plan.target_layer, output, plan.embed_scaling)
            insertion = insert_branch(Anatomy(self._loaded.original()), request)
            if not isinstance(insertion, Insertion):
                return insertion
            model, saliency = insertion.model, describe_map(insertion, request)
            method, refusals = Method(insertion.place.method.name), insertion.refusals
        compiled = compile_for(model, self._device, "LATENCY")
        return Engine(method, WhiteBox(compiled, self._image, self._read_scores, saliency).observe, refusals)

    def _outside(
        self,
        method: Method,
        settings: Mapping[str, Any],
        on_progress: Progress,
        refusals: tuple[Refusal, ...],
    ) -> Engine:
        """As a black box."""
        assert method.black_box is not None, "a plan without branches names no other"
        chosen = method.black_box.with_settings(settings)
        if self._black_box is None:
            compiled = compile_for(self._loaded.original(), self._device, "THROUGHPUT")
            self._black_box = BlackBox(compiled, self._image, self._read_scores)
        observe = partial(self._black_box.observe, method=chosen, on_progress=on_progress)
        return Engine(method, observe, refusals)


def _gives(sidecar: Sidecar, plan: Plan) -> bool:
    """Whether an artifact's own map is what a plan wants."""
    raw = sidecar.saliency_map is not None and sidecar.saliency_map.scaling == "none"
    return (
        plan.target_layer is None
        and plan.method in (None, Method(sidecar.method))
        and (plan.embed_scaling or raw)
    )
