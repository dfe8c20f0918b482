"""The Explainer: a model in, explanations of images out, by a branch where one is possible."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.artifact.ir import IrInMemory
from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.blackbox.streaming import Progress, Trial, silent
from ovxai_convert.errors import Refusal, RefusedError, UsageError
from ovxai_convert.explain.device import Hint
from ovxai_convert.explain.engines import Engine, Engines
from ovxai_convert.explain.explained import chosen_by, explained
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.level_doubts import LevelDoubts
from ovxai_convert.explain.loading import LoadedModel, ScoresPlace, load_model
from ovxai_convert.explain.observation import BoxesWanted
from ovxai_convert.explain.plan import ExplainMode, Plan, check_kinds_of, without_effect
from ovxai_convert.explain.samples import Preparation
from ovxai_convert.explain.score_readers import scores_reader
from ovxai_convert.explain.warned import (
    AnswerWarning,
    PictureWarning,
    PreprocessingWarning,
    ProofWarning,
    SettingWarning,
    in_python,
)
from ovxai_convert.insertion.task import layers_named, task_of
from ovxai_convert.methods import Method
from ovxai_convert.photographs.believed import believed
from ovxai_convert.photographs.given import Order, Photograph, checked_order, is_list
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.recipes import as_hints
from ovxai_convert.pictures.rendering import Rendering
from ovxai_convert.source.answers import AnswerHints, ToldActivation
from ovxai_convert.source.given import model_or_path
from ovxai_convert.source.label_files import Labels, given_labels
from ovxai_convert.source.labels import Targets
from ovxai_convert.vocabulary import Task, member_of


class Explainer:
    """Explains what a classifier saw in images.

    An image is the path of a file, a picture of Pillow's (red, green, blue), or an array as OpenCV reads it:
    uint8 or uint16, ``(H, W, 3)``, blue, green, red (or ``colour="rgb"``), ``(H, W)`` grey, ``(H, W, C)`` of
    as many bands as the model takes. Or it is prepared data of the model's own size, ``(H, W, C)``,
    ``(N, H, W, C)`` or ``(N, C, H, W)``, of any number type. A list of images gives a list of explanations.

    Many threads may call an explainer at once, each with options of its own, and tasks of asyncio by
    ``asyncio.to_thread``; ``preprocess_fn`` and ``postprocess_fn`` are then called by many threads, too.
    Which method a call came to stands in its explanation.

    An explainer can be pickled and copied, if those functions can. The copy loads the model anew: from where
    it was found, or, if it was handed over in memory, from what it is when the pickle is made.

    In a process that was forked (``os.fork``, multiprocessing's ``"fork"``) an explainer made before refuses
    every call with a UsageError, since OpenVINO's threads are not there; one that is made, copied or
    unpickled there works. A process of multiprocessing's ``"spawn"`` is handed it as any argument.

    Args:
        model: a model in memory, the path of one (IR, ONNX, or any format that OpenVINO reads), or of an
            artifact of ``ovxai-convert``, whose sidecar is then obeyed.
        task: what the model is for, ``"classification"`` or ``"detection"``; None and ``"auto"``: what an
            artifact says, or what a model looks like; a classifier where a ``postprocess_fn`` is given.
        preprocess_fn: from one image to the model's input, with or without a batch axis. None: photographs
            are prepared as ``preprocessing``, the sidecar or the model's ``model_info`` says; where they say
            nothing, or an array is neither uint8 nor uint16, it is taken as prepared, and only its axes are
            moved. Files and pictures of Pillow's are prepared in any case; what nobody says of that is
            assumed, and a :class:`PictureWarning` tells it.
        postprocess_fn: from the results of an inference (arrays by tensor name, index or output) to scores
            ``(N, K)``; of a detector to boxes, scores and labels
            (:func:`~ovxai_convert.detections.given_boxes.read_function`). None: probabilities of the classes,
            boxes as the outputs hold them.
        explain_mode: see :class:`ExplainMode`; here and below, a member or its value as text.
        explain_method: the method; None and ``"auto"`` choose.
        target_layer: friendly name of the node whose output is masked; None takes the last feature map. Of a
            detector also several: its class heads.
        embed_scaling: white-box maps as grey levels 0 to 255 made in the model; else raw scores.
        device_name: OpenVINO's name of the device.
        scores_output: tensor name or index of the class output; None takes the only one, or the first of
            those that an artifact has maps of.
        activation: what the class output's numbers lack to be probabilities, ``"softmax"`` or ``"sigmoid"``;
            ``"none"``: they are shown as they are; None: as the graph or the sidecar tells.
        multilabel: whether several classes may be the answer; None: likewise.
        confidence_threshold: the probability above which a class then belongs to it, 0 to 1.
        colour: order of the channels of arrays, ``"bgr"`` or ``"rgb"``; coloured maps come back in it, so
            that those of an array for matplotlib can be shown by it. ``preprocess_fn`` gets pictures in it.
        preprocessing: how photographs are prepared, before what the model says: hints, or a recipe's name
            (:data:`~ovxai_convert.photographs.recipes.RECIPES`).
        throughput: many threads will ask at once, and what counts is how much is done, not how soon.
        threads: so many at most compute, on a CPU; None: as many as it has.
        **kwargs: settings of the black-box method (``num_masks``, ``seed``, ...), for every call whose method
            has them. A :class:`SettingWarning` tells of what has no effect: such settings where a branch
            gives the map, a layer where a black box was asked for.

    Attributes:
        label_names: labels that the model or its sidecar has, or None.
        method: what the last call, or before any the explainer's own options, came to; where threads share
            the explainer, read :attr:`Explanation.method` and :attr:`Explanation.refusals` instead.
        doubts: what of an artifact is not as it was proved; a :class:`ProofWarning` says the same.
        unused: what to know of options that have no effect, or None; a :class:`SettingWarning` says it.
        refusals: why the branches that were tried before it are not possible; empty where none was tried.

    Raises:
        ModelReadError: the model cannot be read.
        RefusedError: no branch is possible, and ``explain_mode`` is ``WHITEBOX``.
        UsageError: a layer, device or option that does not exist or fit; what is no model; numbers of
            preprocessing that are wrong.

    Warns:
        PreprocessingWarning: such numbers look wrong; or uint8 meets an input of floats, and nobody says how.
    """

    def __init__(
        self,
        model: ov.Model | str | PathLike[str] | LoadedModel,
        task: Task | str | None = None,
        preprocess_fn: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
        postprocess_fn: Callable[[Any], Any] | None = None,
        explain_mode: ExplainMode | str = ExplainMode.AUTO,
        explain_method: Method | str | None = None,
        target_layer: str | Sequence[str] | None = None,
        embed_scaling: bool = True,
        device_name: str = "CPU",
        *,
        scores_output: str | None = None,
        activation: ToldActivation | None = None,
        multilabel: bool | None = None,
        confidence_threshold: float | None = None,
        colour: Order = "bgr",
        preprocessing: PreprocessingHints | str | None = None,
        throughput: bool = False,
        threads: int | None = None,
        **kwargs: Any,
    ) -> None:
        mode = member_of(ExplainMode, explain_mode, "explain_mode")
        layers = layers_named(target_layer)
        self._plan = Plan().changed(mode, explain_method, layers[0] if layers else None, embed_scaling)
        check_kinds_of(device_name, preprocess_fn=preprocess_fn, postprocess_fn=postprocess_fn)
        if not isinstance(model, LoadedModel):
            model = model_or_path(model)
        self._process, self._colour = os.getpid(), checked_order(colour)
        self._model = os.path.abspath(model) if isinstance(model, Path) else model
        self._options = {
            "task": task,
            "preprocess_fn": preprocess_fn,
            "postprocess_fn": postprocess_fn,
            "explain_mode": mode,
            "explain_method": self._plan.method,
            "target_layer": target_layer,
            "embed_scaling": embed_scaling,
            "device_name": device_name,
            "scores_output": scores_output,
            "activation": activation,
            "multilabel": multilabel,
            "confidence_threshold": confidence_threshold,
            "colour": colour,
            "preprocessing": preprocessing,
            "throughput": throughput,
            "threads": threads,
            **kwargs,
        }
        told = as_hints(preprocessing)
        if preprocess_fn is not None and told != NO_HINTS:
            raise UsageError("preprocessing and preprocess_fn are two ways to say the same; give one")
        if isinstance(model, LoadedModel):
            loaded = model
        else:
            named = task_of(task, self._plan.method)
            if named is None and postprocess_fn is not None:
                named = Task.CLASSIFICATION
            said = AnswerHints(multilabel, threshold=confidence_threshold, activation=activation)
            loaded = load_model(model, UserNotes(None, told, said), scores_output, named, layers)
            _warn_of(loaded)
        hints = loaded.hints
        if isinstance(hints, UsageError):
            if preprocess_fn is None:
                raise hints
            hints = NO_HINTS
        image, _, hints, doubts = believed(loaded.model, told, hints)
        for doubt in () if preprocess_fn or isinstance(model, LoadedModel) else doubts:
            warnings.warn(doubt, PreprocessingWarning, stacklevel=2)
        self._prepared = Preparation(image, hints, preprocess_fn)
        self._level_doubts = LevelDoubts.of(None if preprocess_fn else loaded.model, image, hints)
        read_scores = scores_reader(loaded, postprocess_fn)
        self._settings = kwargs
        hint: Hint = "THROUGHPUT" if throughput else "LATENCY"
        self._engines = Engines(loaded, image, read_scores, device_name, hint, threads)
        self._answer = loaded.scores.answer if isinstance(loaded.scores, ScoresPlace) else None
        answer = self._answer if postprocess_fn is None else None
        self._shares = answer is None or (answer.meaning != "quantity" and answer.probabilities != "rank")
        self.label_names, self.doubts = loaded.labels, loaded.doubts
        engine = self._engines.choose(self._plan, kwargs)
        self.method, self.refusals = engine.method, engine.refusals
        self.unused = without_effect(self._plan, engine.method, kwargs, target_layer)
        if self.unused and not isinstance(model, LoadedModel):
            warnings.warn(str(self.unused), SettingWarning, stacklevel=2)

    def __call__(
        self,
        data: Any,
        targets: Targets = None,
        original_input_image: Any = None,
        label_names: Labels = None,
        output_size: tuple[int, int] | None = None,
        scaling: bool = False,
        resize: bool = True,
        colormap: bool | str = True,
        overlay: bool = False,
        overlay_weight: float = 0.5,
        overlay_prediction: bool = True,
        *,
        target_explain_labels: Targets = None,
        explain_mode: ExplainMode | str | None = None,
        explain_method: Method | str | None = None,
        target_layer: str | None = None,
        embed_scaling: bool | None = None,
        colour: Order | None = None,
        bands: Sequence[int] | None = None,
        boxes: BoxesWanted = None,
        on_progress: Progress = silent,
        **kwargs: Any,
    ) -> Explanation | list[Explanation]:
        """Explain one image, or each of a batch or of a list.

        Args:
            data: see the class.
            targets: classes by index or label; -1 or ``"all"``: every one; ``"top5"``: the five best; None:
                the best one.
            original_input_image: lay the maps over this one instead, of whatever size and bands.
            label_names: one label per class, or by index, or the path of a file of them; None: those of the
                model or its sidecar.
            output_size: rows and columns of the maps, in place of the image's.
            scaling: scale each map to grey levels 0 to 255.
            resize: enlarge the maps to the size of the image.
            colormap: colour the maps, blue (low) to red (high); by name in other colours: ``"jet"`` (these),
                ``"turbo"``, ``"viridis"``, ``"plasma"``, ``"inferno"``, ``"magma"``, ``"cividis"``.
            overlay: lay the maps over the image.
            overlay_weight: of the map on an overlay, 0 to 1.
            overlay_prediction: write the class and its score on an overlay, in its upper left corner.
            target_explain_labels: an older name of ``targets``.
            explain_mode: in place of the explainer's own, for this call; the next three likewise.
            explain_method: see the class.
            target_layer: see the class.
            embed_scaling: see the class.
            colour: see the class; None: the explainer's own.
            bands: which bands of the picture are shown as red, green, blue, counted from 1 (one: as grey).
            boxes: which boxes of a detector get a map each, by their numbers from 1 on, the best first, also
                ``"topN"`` or ``"all"``; a black-box method is taken then. None: those of the classes.
            on_progress: told how many altered images a black-box method has scored, and of how many.
            **kwargs: settings of the black-box method.

        Returns:
            One explanation; a list of them for a list, and for a batch of more than one image.

        Raises:
            ModelReadError: a path that is no image.
            RefusedError: no branch is possible, and the mode is ``WHITEBOX``; or the model answers with NaN.
            UsageError: an image, a class or an option that does not fit; an explainer from before a fork.
        """
        if os.getpid() != self._process:
            raise UsageError(
                "this explainer was made before the process was forked, and OpenVINO's threads are not here; "
                "make it in this process, or copy it here with copy.deepcopy()"
            )
        rendering = Rendering(
            overlay, scaling, resize, colormap, overlay_weight, overlay_prediction, output_size
        )
        if targets is not None and target_explain_labels is not None:
            raise UsageError("targets and target_explain_labels mean the same; give one")
        wanted = target_explain_labels if targets is None else targets
        plan = self._plan.changed(explain_mode, explain_method, target_layer, embed_scaling)
        if boxes is not None:
            plan = self._box_by_box(plan)
        engine = self._engines.choose(plan, kwargs, on_progress, self._settings)
        self.method, self.refusals = engine.method, engine.refusals
        if (unused := without_effect(plan, engine.method, kwargs, target_layer)) is not None:
            warnings.warn(str(unused), SettingWarning, stacklevel=2)
        order = self._colour if colour is None else checked_order(colour)
        several = list(data) if is_list(data) else [data]
        samples = [sample for each in several for sample in self._prepared(each, order, bands)]
        labels = self._names(label_names)
        self._level_doubts.warn_once(samples[0], engine.scores, labels)
        if original_input_image is not None:
            samples = [
                replace(sample, scene=self._prepared.scene(original_input_image, order, bands, sample.scene))
                for sample in samples
            ]
        explanations = [
            explained(
                sample,
                engine,
                chosen_by(wanted, labels, self._answer, boxes),
                labels,
                rendering,
                shares=self._shares,
                spatial_axes=self._engines.image.spatial_axes,
            )
            for sample in samples
        ]
        if not isinstance(data, Photograph):
            for note in dict.fromkeys(note for sample in samples for note in sample.notes):
                warnings.warn(in_python(note), PictureWarning, stacklevel=2)
        return explanations if is_list(data) or len(explanations) != 1 else explanations[0]

    def _box_by_box(self, plan: Plan) -> Plan:
        """The same for boxes, which a black-box method alone explains; a UsageError where they cannot be."""
        if self._engines.loaded.detector is None:
            raise UsageError("boxes are a detector's; this model is taken for a classifier")
        if plan.mode is ExplainMode.WHITEBOX or (plan.method is not None and not plan.method.is_black_box):
            one_way = "boxes are explained as a black box"
            raise UsageError(f"{one_way}: explain_mode 'blackbox'", f"{one_way}: --mode blackbox")
        return plan.changed(ExplainMode.BLACKBOX, None, None, None)

    @property
    def task(self) -> Task:
        """What the model is for."""
        return self._engines.loaded.task

    def scores_of(self, sample: NDArray[Any]) -> NDArray[np.float32]:
        """The scores ``(K,)`` of one prepared sample ``(1, ...)``, without maps; errors as of a call."""
        return self._engines.choose(self._plan, {}, kept=self._settings).scores(sample)

    def why_not(self, method: Method | str) -> tuple[Refusal, ...]:
        """Why a method is not possible for this model, without explaining anything; empty where it is."""
        plan = self._plan.changed(ExplainMode.AUTO, method, None, None)
        if plan.skips_branches and (packed := self._engines.packed(plan.method)) is not None:
            return (packed,)
        engine = self.engine(method)
        return () if engine.method is plan.method else engine.refusals

    def engine(self, method: Method | str | None = None, target_layer: str | None = None) -> Engine:
        """What explains prepared samples by a method, masking a layer; None: as the explainer's own are.

        Where no branch is possible by a method that is named, the engine is of another one, which it names,
        and tells why. Errors as of a call.
        """
        mode = None if method is None else ExplainMode.AUTO
        plan = self._plan.changed(mode, method, target_layer, None)
        return self._engines.choose(plan, {}, kept=self._settings)

    def trials(self, data: Any) -> list[Trial]:
        """Every image as the model takes it, and the stream of its scores, which measure what a map says."""
        if (packed := self._engines.packed()) is not None:
            raise RefusedError([packed])
        box = self._engines.from_outside()
        axes, batch = box.image.spatial_axes, box.image.batch or 1
        return [
            Trial(sample.values[0], axes, box.stream, batch) for sample in self._prepared(data, self._colour)
        ]

    explain = __call__

    def __reduce__(self) -> tuple[Callable[..., Explainer], tuple[Any, ...]]:
        """Pickled and copied as what it was made of."""
        model = IrInMemory.of(self._model) if isinstance(self._model, ov.Model) else self._model
        return _made_again, (type(self), model, self._options)

    def _names(self, label_names: Labels) -> tuple[str, ...] | None:
        """The labels of the classes; of a yes or no one label may be given."""
        names = given_labels(label_names)
        if names is None:
            return self.label_names
        if len(names) == 1 and self._answer is not None and self._answer.meaning == "binary":
            return self._answer.class_names(names, 1)
        return names


def _warn_of(loaded: LoadedModel) -> None:
    """What the user of a model should know of it."""
    for doubt in loaded.doubts:
        warnings.warn(doubt, ProofWarning, stacklevel=3)
    for remark in loaded.remarks:
        warnings.warn(in_python(remark), AnswerWarning, stacklevel=3)


def _made_again(
    kind: type[Explainer], model: str | LoadedModel | IrInMemory, options: dict[str, Any]
) -> Explainer:
    return kind(model.read() if isinstance(model, IrInMemory) else model, **options)
