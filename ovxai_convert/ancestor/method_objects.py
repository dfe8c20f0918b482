"""The methods of openvino-xai 1.1.0 as the objects that it has: a model in, arrays of maps out.

They do what ``insert_xai`` and ``Explainer`` do, with the old arguments. What these classes have beside it
(base classes, ``generate_xai_branch``) is not here.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from openvino import CompiledModel, Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.ancestor.processing import IdentityPreprocessFN, has_xai
from ovxai_convert.blackbox.method import Preset
from ovxai_convert.errors import RefusedError, UsageError
from ovxai_convert.explain.device import compile_for
from ovxai_convert.explain.explainer import Explainer, ExplainMode
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.insertion.insert import insert_branch
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import Method
from ovxai_convert.vocabulary import SALIENCY_MAP

PreprocessFn = Callable[[NDArray[Any]], NDArray[Any]]
PostprocessFn = Callable[[Any], NDArray[Any]]
_NOTHING_DONE = IdentityPreprocessFN()


class _Compiled(ABC):  # noqa: B024 (its methods are those that differ)
    """A model, compiled when it is first asked for, and what prepares its input."""

    def __init__(self, model: Model, preprocess_fn: PreprocessFn, device_name: str) -> None:
        self.preprocess_fn, self.device_name = preprocess_fn, device_name
        self.model_compiled: CompiledModel | None = None
        self._model = model

    def prepare_model(self, load_model: bool = True) -> Model:
        """The model that is run; compiled for the device unless ``load_model`` is false."""
        if load_model and self.model_compiled is None:
            self.model_compiled = compile_for(self._model, self.device_name, "LATENCY")
        return self._model

    def model_forward(self, x: NDArray[Any], preprocess: bool = True) -> Mapping[Any, NDArray[Any]]:
        """The model's results for one image, or for prepared data; a UsageError if it is not compiled."""
        if self.model_compiled is None:
            raise UsageError("the model is not compiled: prepare_model() comes first")
        results: Mapping[Any, NDArray[Any]] = self.model_compiled(
            [self.preprocess_fn(x) if preprocess else x]
        )
        return results


class _WhiteBox(_Compiled):
    """A branch in a copy of a model; a model that has a map already is taken as it is."""

    method: ClassVar[Method]

    def __init__(
        self,
        model: Model,
        preprocess_fn: PreprocessFn = _NOTHING_DONE,
        target_layer: str | None = None,
        embed_scaling: bool = True,
        device_name: str = "CPU",
        prepare_model: bool = True,
        **options: Any,
    ) -> None:
        self.model_ori, self.embed_scaling = model, embed_scaling
        if not has_xai(model):
            request = Request(self.method, target_layer, embed_scaling=embed_scaling, options=options)
            inserted = insert_branch(Anatomy(model), request)
            if not isinstance(inserted, Insertion):
                raise RefusedError(inserted)
            model = inserted.model
        super().__init__(model, preprocess_fn, device_name)
        self.prepare_model(prepare_model)

    def generate_saliency_map(self, data: NDArray[Any]) -> NDArray[Any]:
        """The output ``saliency_map`` for one image: ``(1, K, h, w)``, or ``(1, h, w)`` of ActivationMap."""
        return np.asarray(self.model_forward(data)[SALIENCY_MAP])


class ReciproCAM(_WhiteBox):
    """Recipro-CAM, arXiv 2209.14074: a map per class, grey levels unless ``embed_scaling`` is false."""

    method = Method.RECIPROCAM


class ActivationMap(_WhiteBox):
    """The mean of the feature map over its channels: one map."""

    method = Method.ACTIVATIONMAP


class ViTReciproCAM(_WhiteBox):
    """ViT-ReciproCAM, arXiv 2310.02588: a map per class of a transformer with a class token."""

    method = Method.VITRECIPROCAM

    def __init__(
        self,
        model: Model,
        preprocess_fn: PreprocessFn = _NOTHING_DONE,
        target_layer: str | None = None,
        embed_scaling: bool = True,
        device_name: str = "CPU",
        use_gaussian: bool = True,
        cls_token: bool = True,
        final_norm: bool = True,
        k: int = 1,
        prepare_model: bool = True,
    ) -> None:
        """See the class.

        Args:
            model: a model in memory.
            preprocess_fn: from one image to the model's input.
            target_layer: name of the layer to mask; None finds it.
            embed_scaling: maps as grey levels.
            device_name: OpenVINO's name of the device.
            use_gaussian: keep the patches around one, weighted by a gaussian; else that patch alone.
            cls_token: keep the class token.
            final_norm: True alone: the head is run as it is, with its normalisation if it has one.
            k: block to mask, counted from the end.
            prepare_model: compile the model at once.
        """
        if not final_norm:
            raise UsageError("final_norm=False is not possible: the head is run as the model has it")
        options: dict[str, Any] = {
            "kernel": "gaussian" if use_gaussian else "single",
            "class_token": "keep" if cls_token else "drop",
            "block": k,
        }
        super().__init__(
            model, preprocess_fn, target_layer, embed_scaling, device_name, prepare_model, **options
        )


class _BlackBox(_Compiled):
    """A method that alters the input of a model, through an Explainer of its own."""

    method: ClassVar[Method]

    def __init__(
        self,
        model: Model,
        postprocess_fn: PostprocessFn,
        preprocess_fn: PreprocessFn = _NOTHING_DONE,
        device_name: str = "CPU",
        prepare_model: bool = True,
    ) -> None:
        super().__init__(model, preprocess_fn, device_name)
        self.postprocess_fn = postprocess_fn
        self._explainer = Explainer(
            model,
            preprocess_fn=preprocess_fn,
            postprocess_fn=postprocess_fn,
            explain_mode=ExplainMode.BLACKBOX,
            explain_method=self.method,
            device_name=device_name,
        )
        self.prepare_model(prepare_model)

    def _maps(
        self, data: NDArray[Any], targets: Sequence[int] | None, scaled: bool, **settings: Any
    ) -> NDArray[Any] | dict[int, NDArray[Any]]:
        """Maps of the targets by class; of all classes as ``(1, K, H, W)``."""
        given = {name: value for name, value in settings.items() if value is not None}
        found = self._explainer(
            data,
            -1 if targets is None else targets,
            resize=False,
            colormap=False,
            scaling=scaled,
            **given,
        )
        if not isinstance(found, Explanation):
            raise UsageError(f"a method explains one image at a time, and not {len(found)}")
        maps = {int(index): saliency for index, saliency in found.saliency_map.items()}
        return np.stack(list(maps.values()))[np.newaxis] if targets is None else maps


class RISE(_BlackBox):
    """RISE, arXiv 1806.07421: images covered by random masks."""

    method = Method.RISE

    def generate_saliency_map(
        self,
        data: NDArray[Any],
        target_indices: Sequence[int] | None = None,
        preset: Preset = Preset.BALANCE,
        num_masks: int | None = None,
        num_cells: int | None = None,
        prob: float = 0.5,
        seed: int = 0,
        scale_output: bool = True,
    ) -> NDArray[Any] | dict[int, NDArray[Any]]:
        """Maps ``(H, W)`` by class; of all classes, ``target_indices`` None, as ``(1, K, H, W)``.

        Without ``num_masks`` it ends when the maps have converged, at the latest where the old one ends. The
        other arguments are those of :class:`~ovxai_convert.blackbox.rise.Rise`. ``scale_output``: maps as
        grey levels; else as they are.
        """
        settings = {"num_masks": num_masks, "num_cells": num_cells, "prob": prob, "seed": seed}
        return self._maps(data, target_indices, scale_output, preset=preset, **settings)


class AISEClassification(_BlackBox):
    """AISE: gaussian windows placed by optimisation."""

    method = Method.AISE

    def generate_saliency_map(
        self,
        data: NDArray[Any],
        target_indices: Sequence[int] | None = None,
        preset: Preset = Preset.BALANCE,
        num_iterations_per_kernel: int | None = None,
        kernel_widths: Sequence[float] | NDArray[Any] | None = None,
        solver_epsilon: float = 0.1,
        locally_biased: bool = False,
        scale_output: bool = True,
    ) -> NDArray[Any] | dict[int, NDArray[Any]]:
        """Maps by class as of :class:`RISE`; arguments of :class:`~ovxai_convert.blackbox.aise.Aise`."""
        return self._maps(
            data,
            target_indices,
            scale_output,
            preset=preset,
            num_iterations_per_kernel=num_iterations_per_kernel,
            kernel_widths=None if kernel_widths is None else tuple(map(float, kernel_widths)),
            solver_epsilon=solver_epsilon,
            locally_biased=locally_biased,
        )
