"""Explaining one class of an image by several methods, and measuring how well each names what it hangs on."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from inspect import signature
from os import PathLike
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.blackbox.metrics import ScoreCurve, deletion, insertion
from ovxai_convert.blackbox.streaming import Trial
from ovxai_convert.errors import RefusedError, UsageError
from ovxai_convert.explain.baselines import RANDOM_MAPS, random_maps
from ovxai_convert.explain.comparison import ComparedMethod, Curves, MethodComparison
from ovxai_convert.explain.explainer import Explainer
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.plan import ExplainMode, check_settings
from ovxai_convert.explain.warned import SettingWarning
from ovxai_convert.methods import Method, all_methods_for, method_of
from ovxai_convert.pictures.rendering import enlarged
from ovxai_convert.source.labels import resolve_targets


def compare(
    model: Explainer | ov.Model | str | PathLike[str],
    image: NDArray[Any],
    methods: Sequence[Method | str] | None = None,
    target: int | str | None = None,
    *,
    steps: int = 32,
    **options: Any,
) -> MethodComparison:
    """Explain one class of an image by several methods, and measure how well each map names what it hangs on.

    The pixels that the model sees are covered with zeros in the order of each map, the highest first, and
    shown on zeros in the same order (see :mod:`ovxai_convert.blackbox.metrics`). A good map makes the score
    fall at once and rise at once. This takes ``2 * (steps + 1)`` inferences for each method, and as many for
    each of four random maps, beside those of black-box methods.

    Args:
        model: a model or an explainer of one.
        image: one image, as for the explainer.
        methods: members or their names; None: all that there are. What is not possible is left out, and told
            by ``refusals``.
        target: the class, by index or label; None: the best one.
        steps: points of a curve, beside its start.
        **options: of the explainer (``preprocess_fn``, ``device_name``, ...) where a model is given, and
            settings of black-box methods (``preset``, ``num_masks``, ...), which go to those that have them.

    Raises:
        RefusedError: none of the methods is possible.
        UsageError: what does not exist or fit, as for the explainer.
    """
    own, settings = _divided(model, options)
    explainer = model if isinstance(model, Explainer) else Explainer(model, **own)
    asked = (
        list(all_methods_for(explainer.task)) if methods is None else [_named(method) for method in methods]
    )
    if not asked:
        raise UsageError("no method is named")
    trial, index, score = _watched(explainer, image, target)
    refusals = {method: explainer.why_not(method) for method in asked}
    possible = [method for method in asked if not refusals[method]]
    reasons = tuple(refusal for method in asked for refusal in refusals[method])
    if not possible:
        raise RefusedError(reasons)
    _warn_of_unused(settings, possible)
    compared = tuple(
        _compared(explainer, image, method, index, trial, steps, _for_method(settings, method))
        for method in possible
    )
    label = explainer.label_names[index] if explainer.label_names else f"class {index}"
    return MethodComparison(index, label, score, compared, _of_random_maps(trial, index, steps), reasons)


def _named(method: Method | str) -> Method:
    named = method_of(method, "methods")
    if named is None:
        raise UsageError("methods: each is named, and 'auto' names none")
    return named


def _divided(model: object, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the explainer, and settings of black-box methods."""
    known = [each.name for each in signature(Explainer.__init__).parameters.values()][2:-1]
    chosen_here = {"explain_mode", "explain_method"}
    own = {name: value for name, value in options.items() if name in known}
    settings = {name: value for name, value in options.items() if name not in known}
    check_settings(settings)
    if chosen_here & own.keys():
        raise UsageError(f"{min(chosen_here & own.keys())}: name the methods instead")
    if own and isinstance(model, Explainer):
        raise UsageError(f"{', '.join(own)}: options of the explainer, which is made already")
    return own, settings


def _for_method(settings: Mapping[str, Any], method: Method) -> dict[str, Any]:
    has = method.black_box.settings if method.black_box else ()
    return {name: value for name, value in settings.items() if name in has}


def _warn_of_unused(settings: Mapping[str, Any], methods: Sequence[Method]) -> None:
    used = {name for method in methods for name in _for_method(settings, method)}
    if unused := [name for name in settings if name not in used]:
        said = f"{', '.join(unused)}: without effect, since no method that is compared has it"
        warnings.warn(said, SettingWarning, stacklevel=3)


def _watched(explainer: Explainer, image: NDArray[Any], target: int | str | None) -> tuple[Trial, int, float]:
    """The image as the model sees it, the class that is meant, and its score."""
    trials = explainer.trials(image)
    if len(trials) != 1:
        raise UsageError(f"methods are compared on one image, and not on {len(trials)}")
    (trial,) = trials

    def unaltered(_: int, out: NDArray[Any]) -> None:
        out[...] = trial.image

    with closing(trial.scores(1, unaltered)) as stream:
        scores = next(stream)[0]
    if target is None:
        index = int(scores.argmax())
    else:
        wanted = resolve_targets([target], explainer.label_names, scores) or []
        if len(wanted) != 1:
            raise UsageError(f"methods are compared for one class, and not for {target}")
        index = wanted[0]
    return trial, index, float(scores[index])


def _compared(
    explainer: Explainer,
    image: NDArray[Any],
    method: Method,
    target: int,
    trial: Trial,
    steps: int,
    settings: Mapping[str, Any],
) -> ComparedMethod:
    def explained() -> Explanation:
        found = explainer(
            image,
            target,
            overlay=True,
            overlay_prediction=False,
            explain_mode=ExplainMode.AUTO,
            explain_method=method,
            **settings,
        )
        assert isinstance(found, Explanation), "one image has one explanation"
        return found

    if not method.is_black_box:
        explained()  # not timed: what is done once
    started = time.perf_counter()
    explanation = explained()
    seconds = time.perf_counter() - started
    (raw,) = explanation.raw.values()
    return ComparedMethod(explanation, _curves(raw, trial, target, steps), seconds)


def _curves(saliency: NDArray[Any], trial: Trial, target: int, steps: int) -> Curves:
    smooth = enlarged(saliency, trial.size)
    asked = trial.image, trial.spatial_axes, smooth, trial.score_stream, target, trial.batch_size, steps
    return Curves(deletion(*asked), insertion(*asked))


def _of_random_maps(trial: Trial, target: int, steps: int) -> Curves:
    """The mean of some."""
    found = [_curves(each, trial, target, steps) for each in random_maps(trial.size, RANDOM_MAPS, (0,))]
    return Curves(_mean([each.deletion for each in found]), _mean([each.insertion for each in found]))


def _mean(curves: Sequence[ScoreCurve]) -> ScoreCurve:
    scores = np.mean([curve.scores for curve in curves], axis=0, dtype=np.float64)
    return ScoreCurve(curves[0].fractions, np.asarray(scores, np.float32))
