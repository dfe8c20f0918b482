"""Functions of openvino-xai 1.1.0 around a model: pictures to inputs, results to scores, targets to indices.

Their names, arguments and results are the old ones; where a result differs, its function says how.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from openvino import Model

from ovxai_convert.errors import UsageError
from ovxai_convert.methods import Method
from ovxai_convert.source.labels import find_class
from ovxai_convert.vocabulary import SALIENCY_MAP, index_in

OldTargets: TypeAlias = "NDArray[Any] | Sequence[int | str] | int | str"

logger: Final = logging.getLogger("ovxai_convert")
"""For scripts that log through the old package; nothing here writes to it, and no handler is set."""
SALIENCY_MAP_OUTPUT_NAME: Final = SALIENCY_MAP
WhiteBoxXAIMethods: Final = frozenset(method for method in Method if not method.is_black_box)
BlackBoxXAIMethods: Final = frozenset(method for method in Method if method.is_black_box)
ClassificationXAIMethods: Final = frozenset(Method)


class ActivationType(Enum):
    """What turns numbers of a model into probabilities."""

    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"
    NONE = "none"


class IdentityPreprocessFN:
    """A ``preprocess_fn`` for data that are prepared already."""

    def __call__(self, x: Any) -> Any:
        """The data as they are."""
        return x


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    """``1 / (1 + exp(-x))``, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(x))))


def softmax(x: NDArray[Any], axis: int = -1) -> NDArray[Any]:
    """Probabilities that add up to 1 along an axis; batches of several rows are taken, too."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _activated(x: NDArray[Any], activation: ActivationType) -> NDArray[Any]:
    if activation is ActivationType.SOFTMAX:
        return softmax(x)
    return sigmoid(x) if activation is ActivationType.SIGMOID else x


def preprocess_fn(
    x: NDArray[Any],
    change_channel_order: bool = False,
    input_size: tuple[int, int] | None = None,
    mean: ArrayLike = (0.0, 0.0, 0.0),
    std: ArrayLike = (1.0, 1.0, 1.0),
    hwc_to_chw: bool = False,
    expand_zero_dim: bool = True,
) -> NDArray[Any]:
    """A picture ``(H, W, C)`` as a model's input, float64.

    Args:
        x: the picture.
        change_channel_order: turn blue, green, red into red, green, blue, or back.
        input_size: width and height to stretch to, in OpenCV's order; None keeps the size.
        mean: subtracted from every channel, in the order after ``change_channel_order``.
        std: what the difference is divided by.
        hwc_to_chw: put channels first.
        expand_zero_dim: put an axis of the batch in front.
    """
    picture = x[:, :, ::-1] if change_channel_order else x
    if input_size:
        picture = cv2.resize(np.ascontiguousarray(picture), tuple(input_size))
    numbers = (picture - np.asarray(mean)) / np.asarray(std)
    if hwc_to_chw:
        numbers = numbers.transpose(2, 0, 1)
    return np.asarray(numbers[np.newaxis] if expand_zero_dim else numbers)


def get_preprocess_fn(
    change_channel_order: bool = False,
    input_size: tuple[int, int] | None = None,
    mean: ArrayLike = (0.0, 0.0, 0.0),
    std: ArrayLike = (1.0, 1.0, 1.0),
    hwc_to_chw: bool = False,
    expand_zero_dim: bool = True,
) -> Callable[[Any], NDArray[Any]]:
    """:func:`preprocess_fn` with these settings, to be given to ``Explainer``."""
    return partial(
        preprocess_fn,
        change_channel_order=change_channel_order,
        input_size=input_size,
        mean=mean,
        std=std,
        hwc_to_chw=hwc_to_chw,
        expand_zero_dim=expand_zero_dim,
    )


def postprocess_fn(
    x: Mapping[Any, Any], logit_name: str = "logits", activation: ActivationType = ActivationType.NONE
) -> NDArray[Any]:
    """Scores of a model's results: of the output of this name, else of the first."""
    return _activated(x.get(logit_name, x[0]), activation)


def get_postprocess_fn(
    logit_name: str = "logits", activation: ActivationType = ActivationType.NONE
) -> Callable[[Mapping[Any, Any]], NDArray[Any]]:
    """:func:`postprocess_fn` with these settings, to be given to ``Explainer``."""
    return partial(postprocess_fn, logit_name=logit_name, activation=activation)


def get_score(x: NDArray[Any], index: int, activation: ActivationType = ActivationType.NONE) -> float:
    """The score of a class, of scores ``(K,)`` or ``(1, K)``; others are a UsageError."""
    scores = _activated(np.asarray(x), activation)
    if scores.ndim == 2 and len(scores) == 1:
        scores = scores[0]
    if scores.ndim != 1:
        raise UsageError(f"scores of one image have the shape (K,) or (1, K), and not {scores.shape}")
    return float(scores[index])


def convert_targets_to_numpy(targets: OldTargets) -> NDArray[Any]:
    """Targets as an array of one axis; a UsageError for more."""
    array = np.asarray(targets)
    if array.ndim > 1:
        raise UsageError(f"targets are one class or a list of them, and not an array of shape {array.shape}")
    return np.atleast_1d(array)


def explains_all(targets: OldTargets) -> bool:
    """Whether targets stand for all classes: -1, alone or in a list, or ``"-1"``."""
    if isinstance(targets, str):
        return targets == "-1"
    array = np.asarray(targets)
    return array.size == 1 and array.dtype.kind == "i" and int(array.ravel()[0]) == -1


def get_target_indices(targets: OldTargets, label_names: Sequence[str] | None = None) -> list[int]:
    """Indices of classes that are named by index or by label, in the order of the names.

    Raises:
        UsageError: a label that is not among the ``label_names``, or these are missing.
    """
    return [_class_index(name, label_names) for name in convert_targets_to_numpy(targets).tolist()]


def _class_index(name: object, label_names: Sequence[str] | None) -> int:
    if isinstance(name, str):
        alone = label_names is None or name not in label_names
        index = index_in(name) if alone else None
        return find_class(name, label_names, len(label_names or ())) if index is None else index
    if isinstance(name, int) and not isinstance(name, bool):
        return name
    raise UsageError(f"a class is named by its index or its label, and not by {name!r}")


def has_xai(model: Model) -> bool:
    """Whether a model in memory has an output ``saliency_map``; a UsageError for what is no such model."""
    if not isinstance(model, Model):
        raise UsageError(f"an openvino.Model has outputs to look at, and not {type(model).__name__}")
    return any(SALIENCY_MAP in port.get_names() for port in model.outputs)


def get_min_max(saliency_map: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lowest and highest number of each flattened map, along the last axis."""
    return saliency_map.min(axis=-1), saliency_map.max(axis=-1)


def scaling(saliency_map: NDArray[Any], cast_to_uint8: bool = True, max_value: int = 255) -> NDArray[Any]:
    """Maps ``(h, w)`` or ``(n, h, w)``, each scaled to 0 to ``max_value``; a constant one is all 0.

    Whole levels are the nearest ones, where the old function took those below.
    """
    values = np.asarray(saliency_map, np.float32)
    low, high = values.min(axis=(-2, -1), keepdims=True), values.max(axis=(-2, -1), keepdims=True)
    spread = np.where(high > low, high - low, np.float32(1))
    levels = (values - low) / spread * np.float32(max_value)
    return np.asarray(np.rint(levels).astype(np.uint8) if cast_to_uint8 else levels)


def is_bhwc_layout(image: NDArray[Any]) -> bool:
    """Whether the channels of ``(N, H, W, C)`` or ``(N, C, H, W)`` come last: both other axes are longer."""
    _, first, second, third = image.shape
    return bool(first > third and second > third)


def format_to_bhwc(image: NDArray[Any]) -> NDArray[Any]:
    """A picture or a batch of either layout as ``(N, H, W, C)``."""
    batch = image[np.newaxis] if image.ndim == 3 else image
    return batch if is_bhwc_layout(batch) else batch.transpose(0, 2, 3, 1)


def infer_size_from_image(image: NDArray[Any]) -> tuple[int, int]:
    """Rows and columns of ``(H, W)``, or of a picture or a batch of either layout; others: a UsageError."""
    if image.ndim not in (2, 3, 4):
        raise UsageError(f"a picture has two, three or four axes, and not {image.ndim}")
    rows, columns = image.shape if image.ndim == 2 else format_to_bhwc(image).shape[1:3]
    return int(rows), int(columns)
