"""Preprocessing under the names of Model API 0.4, which Geti 3 and Ultralytics write, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from ovxai_convert.errors import UsageError, did_you_mean
from ovxai_convert.photographs.hints import (
    NO_HINTS,
    Colour,
    InputLayout,
    Interpolation,
    PadWhere,
    PreprocessingHints,
    Resize,
)
from ovxai_convert.vocabulary import MODEL_API_TRUE

_RESIZE_TYPES: Final[Mapping[str, tuple[Resize, PadWhere | None]]] = {
    "crop": ("crop", None),
    "standard": ("stretch", None),
    "fit_to_window": ("letterbox", "right_and_below"),
    "fit_to_window_letterbox": ("letterbox", "around"),
}
_INTERPOLATIONS: Final[Mapping[str, Interpolation]] = {
    "LINEAR": "linear",
    "CUBIC": "cubic",
    "NEAREST": "nearest",
}
_HIGHEST: Final = {"u8": 255.0, "u16": 65535.0, "i16": 32767.0, "f32": 1.0}
"""By ``input_dtype`` the level that ``scale_to_unit`` takes for one."""
_ABOUT: Final[Mapping[tuple[str, ...], str]] = {
    ("mean_values",): "mean",
    ("scale_values",): "scale",
    ("resize_type",): "resize",
    ("interpolation_mode",): "interpolation",
    ("orig_height", "orig_width"): "size",
    ("reverse_input_channels",): "colour",
    ("layout",): "layout",
    ("pad_value",): "pad_value",
}
"""Entries that are not looked at where the hint of this name is told otherwise."""
_HIGHEST_PAD: Final = 65535
_MOST: Final = 1_000_000
"""Rows and columns of anything that is a picture."""
_MODEL_API: Final = PreprocessingHints(
    mean=(0.0,), scale=(1.0,), colour="bgr", resize="stretch", interpolation="linear", pad_value=0
)
"""What Model API does where a model that it loads as a classifier says nothing."""
_ULTRALYTICS: Final = PreprocessingHints(
    mean=(0.0,), scale=(255.0,), colour="rgb", resize="crop", interpolation="area"
)
"""What Ultralytics' classifiers are trained on: the middle of the photograph, levels of 0 to 1."""


def hints_from_model_info(
    entries: Mapping[str, Any], told: PreprocessingHints = NO_HINTS
) -> PreprocessingHints:
    """What entries of ``model_info`` say, but for what is ``told`` instead.

    Model API hands a model photographs as OpenCV reads them (blue, green, red), and
    ``reverse_input_channels`` turns that round. Where ``model_type`` says that Model API loads it as a
    classifier, what it leaves open is what Model API does then.

    An entry that is not known, or that Model API itself does not carry out, is a UsageError that names it.
    """
    if _is_true(entries, "embedded_processing"):
        return _embedded(entries)
    kind = str(entries.get("model_type", "")).lower()
    replaced = {key for keys, name in _ABOUT.items() if getattr(told, name) is not None for key in keys}
    if told.mean is not None and told.scale is not None:
        replaced |= {key for key in entries if key.startswith("intensity_")} | {"input_dtype"}
    said = _said({key: value for key, value in entries.items() if key not in replaced})
    if kind == "classification":
        return said.or_else(_MODEL_API)
    return said.or_else(_ULTRALYTICS) if kind == "yolo" else said


def hints_from_ultralytics(metadata: Mapping[str, str]) -> PreprocessingHints:
    """What Ultralytics writes into ONNX files of classifiers: ``imgsz``, and how those are trained."""
    if metadata.get("task") != "classify" or "Ultralytics" not in metadata.get("author", ""):
        return NO_HINTS
    size = _whole(metadata, "imgsz")
    return PreprocessingHints(size=None if size is None else (size[0], size[-1])).or_else(_ULTRALYTICS)


def to_model_info(hints: PreprocessingHints) -> dict[str, str]:
    """Hints as entries of ``model_info``, all of them text; what Model API has no word for is left out."""
    hints = _without_levels(hints)
    resizes = {ours: theirs for theirs, ours in _RESIZE_TYPES.items()}
    padded = hints.resize == "letterbox"
    heeded = hints.resize != "crop" or hints.interpolation == "linear"
    where: PadWhere | None = (hints.pad_where or "around") if padded else None
    interpolations: dict[str, str] = {ours: theirs for theirs, ours in _INTERPOLATIONS.items()}
    reverse = {"rgb": "True", "bgr": "False"}
    entries = {
        "mean_values": hints.mean and " ".join(map(_text, hints.mean)),
        "scale_values": hints.scale and " ".join(map(_text, hints.scale)),
        "reverse_input_channels": hints.colour and reverse.get(hints.colour),
        "resize_type": hints.resize and resizes.get((hints.resize, where)),
        "interpolation_mode": interpolations.get(hints.interpolation or "") if heeded else None,
        "layout": hints.layout,
        "pad_value": str(hints.pad_value) if padded and hints.pad_value is not None else None,
    }
    return {key: value for key, value in entries.items() if value}


def _without_levels(hints: PreprocessingHints) -> PreprocessingHints:
    """The same numbers for the levels of the file: Model API has no word for bringing them to 0 to 255."""
    if not isinstance(hints.levels, tuple):
        return hints
    low, step = hints.levels[0], (hints.levels[1] - hints.levels[0]) / 255
    mean = tuple(low + each * step for each in hints.mean or (0.0,))
    scale = tuple(each * step for each in hints.scale or (1.0,))
    return replace(hints, levels=None, mean=mean, scale=scale)


def _said(entries: Mapping[str, Any]) -> PreprocessingHints:
    resize, where = _one_of(entries, "resize_type", _RESIZE_TYPES) or (None, None)
    interpolation = _one_of(entries, "interpolation_mode", _INTERPOLATIONS)
    if resize == "crop":
        interpolation = "linear"  # Model API asks for no other there
    reverse = entries.get("reverse_input_channels")
    colour: Colour | None = (
        None if reverse is None else "rgb" if _is_true(entries, "reverse_input_channels") else "bgr"
    )
    if _is_true(entries, "intensity_repeat_channels"):
        colour = "grey"
    layout = str(entries.get("layout", "")).rpartition(":")[2].strip("[]").replace(",", "")
    height, width = (_whole(entries, key) for key in ("orig_height", "orig_width"))
    levels = _levels(entries)
    _refuse_crop_of_16_bits(entries)
    mean, scale = _numbers(entries, "mean_values"), _numbers(entries, "scale_values")
    said = PreprocessingHints(mean=mean, scale=scale)
    if levels is not None:
        # (clipped - low) / span, then (that - mean) / scale, all in the unit of pixels
        means, scales = said.mean or (0.0,), said.scale or (1.0,)
        mean = tuple(levels.low + each * levels.span for each in means)
        scale = tuple(each * levels.span for each in scales)
    return PreprocessingHints(
        (height[0], width[0]) if height and width else None,
        mean,
        scale,
        colour,
        resize,
        layout if layout in get_args(InputLayout) else None,  # type: ignore[arg-type]
        _pad_value(entries, resize),
        interpolation=interpolation or ("linear" if resize else None),
        pad_where=where,
        clip=levels.clip if levels is not None else None,
        rounded=None if "input_dtype" not in entries else entries["input_dtype"] == "u8",
    )


def _embedded(entries: Mapping[str, Any]) -> PreprocessingHints:
    """The graph does all of it itself: it takes a photograph as OpenCV reads it."""
    inside = _said(
        {key: entries[key] for key in ("resize_type", "orig_height", "orig_width") if key in entries}
    )
    known = inside.size is not None and inside.resize is not None
    return PreprocessingHints(
        mean=(0.0,), scale=(1.0,), colour="bgr", resize="none", embedded=inside if known else None
    )


@dataclass(frozen=True)
class _Levels:
    """How levels of pixels are brought to 0 to 1: ``(clipped - low) / span``."""

    low: float
    span: float
    clip: tuple[float, float] | None = None


def _levels(entries: Mapping[str, Any]) -> _Levels | None:
    """What ``intensity_mode`` and its relatives say; None where levels stay as they are."""
    mode, kind = str(entries.get("intensity_mode", "none")), str(entries.get("input_dtype", "u8"))
    if kind not in _HIGHEST:
        raise UsageError(f"model_info says '{kind}' of input_dtype{did_you_mean(kind, _HIGHEST)}")
    if mode in ("none", ""):
        return None
    if mode == "scale_to_unit":
        return _Levels(
            0.0, _positive("intensity_max_value", _number(entries, "intensity_max_value", _HIGHEST[kind]))
        )
    if mode == "window":
        centre = _number(entries, "intensity_window_center")
        width = _positive("intensity_window_width", _number(entries, "intensity_window_width"))
        low = centre - width / 2
        return _Levels(low, width, (low, low + width))
    if mode == "range_scale":
        factor = _positive("intensity_scale_factor", _number(entries, "intensity_scale_factor", 1.0))
        lowest, highest = (
            _number(entries, "intensity_min_value", 0.0),
            _number(entries, "intensity_max_value"),
        )
        low, span = lowest / factor, _positive("intensity_max_value", highest - lowest) / factor
        return _Levels(low, span, (low, low + span))
    if mode == "percentile":
        raise UsageError(
            "model_info says 'percentile' of intensity_mode, which Model API passes over when it runs the "
            "model; say what holds with --mean and --scale"
        )
    known = ("none", "scale_to_unit", "window", "range_scale")
    raise UsageError(f"model_info says '{mode}' of intensity_mode; known are {', '.join(known)}")


def _pad_value(entries: Mapping[str, Any], resize: Resize | None) -> int | None:
    """The level of padding; a UsageError for one that Model API or a photograph does not have."""
    word = _word(entries, "pad_value")
    if word is None:
        return None
    highest = {"letterbox": 255, "crop": None}.get(str(resize), _HIGHEST_PAD)
    try:
        level = int(word)
    except ValueError:
        raise UsageError(f"model_info says '{word}' of pad_value, which is no whole number") from None
    if highest is None:
        return None
    if not 0 <= level <= highest:
        raise UsageError(f"model_info says '{word}' of pad_value, which is no level of 0 to {highest}")
    return level if level <= 255 else None


def _refuse_crop_of_16_bits(entries: Mapping[str, Any]) -> None:
    kind = str(entries.get("input_dtype", "u8"))
    if entries.get("resize_type") == "crop" and kind in ("u16", "i16"):
        raise UsageError(
            f"model_info says '{kind}' of input_dtype and 'crop' of resize_type, which Model API cannot run "
            "together; say what holds with --resize"
        )


def _one_of(entries: Mapping[str, Any], key: str, known: Mapping[str, Any]) -> Any:
    """What an entry's word stands for; None without the entry, a UsageError for a word that is not known."""
    word = _word(entries, key)
    if word is None:
        return None
    if word not in known:
        raise UsageError(f"model_info says '{word}' of {key}; known are {', '.join(known)}")
    return known[word]


def _word(entries: Mapping[str, Any], key: str) -> str | None:
    """An entry's text; None without it, also where Python's None was written."""
    text = str(entries.get(key, "")).strip()
    return None if text in ("", "None") else text


def _is_true(entries: Mapping[str, Any], key: str) -> bool:
    return str(entries.get(key, "")) in MODEL_API_TRUE


def _number(entries: Mapping[str, Any], key: str, default: float | None = None) -> float:
    found = _numbers(entries, key)
    if found is None and default is None:
        raise UsageError(f"model_info says '{entries['intensity_mode']}' of intensity_mode without {key}")
    return default if found is None else found[0]  # type: ignore[return-value]


def _positive(key: str, number: float) -> float:
    if not number > 0:
        raise UsageError(f"model_info leaves no range of levels: {number:g} by {key}")
    return number


def _numbers(entries: Mapping[str, Any], key: str) -> tuple[float, ...] | None:
    text = _word(entries, key)
    if text is None:
        return None
    try:
        return tuple(float(word) for word in text.strip("[]()").replace(",", " ").split()) or None
    except ValueError:
        raise UsageError(f"model_info says '{entries[key]}' of {key}, which is no number") from None


def _whole(entries: Mapping[str, Any], key: str) -> tuple[int, ...] | None:
    numbers = _numbers(entries, key)
    if numbers is not None and not all(abs(number) <= _MOST for number in numbers):  # nor what is no number
        raise UsageError(f"model_info says '{entries[key]}' of {key}, which is no whole number")
    return None if numbers is None else tuple(map(int, numbers))


def _text(number: float) -> str:
    """As short as gives the same number back."""
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))
