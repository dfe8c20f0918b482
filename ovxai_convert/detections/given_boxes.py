"""Detections that a user's own function makes of the results of an inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections
from ovxai_convert.detections.forms import ReadDetections
from ovxai_convert.errors import UsageError
from ovxai_convert.vocabulary import value_in_words

_PARTS: Final = ("boxes", "scores", "labels")
_MORE_PARTS: Final = ("class_scores", "objectness")
_TELLS: Final = "postprocess_fn returns boxes, scores and labels"


def read_function(postprocess_fn: Callable[[Any], Any]) -> ReadDetections:
    """A user's function as a way to read detections.

    It gets the results as they are and returns, for one sample, boxes ``(n, 4)``: left, top, right, bottom in
    pixels of the model's input; scores ``(n,)`` of 0 to 1; labels ``(n,)``, whole numbers from 0 on: as a
    tuple, or as a dictionary of these names, which may also have ``class_scores`` ``(n, K)`` and
    ``objectness`` ``(n,)``. For several samples it returns a list of such; for one it may, or give each array
    with an axis of 1 in front. Boxes that are not finite are left out.

    The function that is returned raises a UsageError for all else.
    """

    def read(results: Mapping[Any, NDArray[Any]], size: tuple[int, int], samples: int) -> list[Detections]:
        answer = postprocess_fn(results)
        each = answer if isinstance(answer, list) else [answer]
        if len(each) != samples:
            raise UsageError(
                f"{_TELLS} of one sample, or a list of these: {samples} were asked for, and not {len(each)}"
            )
        return [_detections(one) for one in each]

    return read


def _detections(answer: object) -> Detections:
    given = _by_name(answer)
    boxes = _numbers(given, "boxes", (4,))
    count = len(boxes)
    scores, labels = (_numbers(given, name, (), count) for name in ("scores", "labels"))
    more = {
        name: _numbers(given, name, (None,) * (name == "class_scores"), count).astype(np.float32)
        for name in _MORE_PARTS
        if given.get(name) is not None
    }
    fine = np.isfinite(boxes).all(1) & np.isfinite(scores)
    for part in more.values():
        fine &= np.isfinite(part.reshape(count, -1)).all(1)
    for name, part in {"scores": scores, **more}.items():
        if not ((part[fine] >= 0) & (part[fine] <= 1)).all():
            raise UsageError(f"{_TELLS}: {name} lie in 0 to 1")
    labels = labels[fine]
    if not ((labels >= 0) & (labels < 2**31) & (labels == np.trunc(labels))).all():
        raise UsageError(f"{_TELLS}: labels are whole numbers from 0 on")
    return Detections(
        boxes[fine].astype(np.float32),
        scores[fine].astype(np.float32),
        labels.astype(np.int64),
        **{name: part[fine] for name, part in more.items()},
    )


def _by_name(answer: object) -> Mapping[str, object]:
    if isinstance(answer, Mapping):
        missing = [name for name in _PARTS if name not in answer]
        unknown = [str(name) for name in answer if name not in (*_PARTS, *_MORE_PARTS)]
        if missing or unknown:
            wrong = f"has no '{missing[0]}'" if missing else f"has '{unknown[0]}', which is none"
            raise UsageError(f"{_TELLS}; its dictionary {wrong}")
        return answer
    if isinstance(answer, Sequence) and not isinstance(answer, str) and len(answer) == len(_PARTS):
        return dict(zip(_PARTS, answer, strict=True))
    many = f" of {len(answer)}" if isinstance(answer, Sequence) else ""
    raise UsageError(f"{_TELLS}, and not {value_in_words(answer)}{many}")


def _numbers(
    given: Mapping[str, object], name: str, behind: tuple[int | None, ...], count: int | None = None
) -> NDArray[Any]:
    """A part as numbers, ``(count, *behind)``, without an axis of 1 in front of these."""
    try:
        numbers = np.asarray(given[name])
    except ValueError:  # rows of different lengths
        raise UsageError(f"{_TELLS}; its {name} are no array") from None
    shape = numbers.shape
    if numbers.size == 0 and len(behind) == 1 and numbers.ndim == 1:  # an empty list
        numbers = numbers.reshape(0, behind[0] or 1)
    elif numbers.ndim == len(behind) + 2 and shape[0] == 1:
        numbers = numbers[0]
    wanted = (count, *behind)
    fits = numbers.ndim == len(wanted) and all(
        extent in (None, found) for extent, found in zip(wanted, numbers.shape, strict=True)
    )
    if not fits or numbers.dtype.kind not in "biuf":
        text = ", ".join("n" if extent is None else str(extent) for extent in wanted)
        raise UsageError(f"{_TELLS}; its {name} are {numbers.dtype} of shape {shape}, and not ({text})")
    return numbers if numbers.dtype.kind in "iu" else numbers.astype(np.float64)
