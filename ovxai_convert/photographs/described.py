"""Preprocessing in numbers, as an artifact's description tells it: all that rebuilding the input takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.packed import PACKINGS
from ovxai_convert.photographs.preprocessing import Preprocessing

ORDER: Final = ("resize", "colour", "clip", "mean", "scale", "layout", "element_type")
"""The steps in their order, by the keys that tell of them; before them come ``levels``, if they are told."""


def described(preprocessing: Preprocessing, assumed: Sequence[str]) -> dict[str, Any]:
    """Preprocessing as plain data; ``assumed`` are the keys that nobody has said anything of.

    The schema of the sidecar says what each key means. ``levels`` is left out where nobody has told of them.
    """
    padded, inside = preprocessing.resize == "letterbox", preprocessing.embedded
    levels = preprocessing.levels if isinstance(preprocessing.levels, tuple) else None
    grey = preprocessing.channels == 1 and preprocessing.colour not in PACKINGS
    first: dict[str, Any] = {} if levels is None else {"levels": list(levels)}
    return first | {
        "size": list(preprocessing.size) if preprocessing.resize != "none" else None,
        "resize": preprocessing.resize,
        "resize_to": _sides(preprocessing.resize_to) if preprocessing.resize == "crop" else None,
        "interpolation": preprocessing.interpolation,
        "rounded": preprocessing.rounded,
        "pad": {"value": preprocessing.pad_value, "where": preprocessing.pad_where} if padded else None,
        "colour": "grey" if grey else preprocessing.colour,
        "channels": preprocessing.channels,
        "clip": None if preprocessing.clip is None else list(preprocessing.clip),
        "mean": list(preprocessing.mean),
        "scale": list(preprocessing.scale),
        "layout": preprocessing.layout,
        "element_type": _element_type(preprocessing.dtype),
        "order": [*first, *ORDER],
        "embedded": None
        if inside is None
        else {"size": list(inside.size), "resize": inside.resize, "pad_where": inside.pad_where},
        "assumed": list(assumed),
    }


def hints_from_description(entries: Mapping[str, Any]) -> PreprocessingHints:
    """What such data say, without what was assumed; they are valid by the sidecar's schema.

    Raises:
        UsageError: numbers that make no sense together.
    """
    said = {key: value for key, value in entries.items() if key not in entries.get("assumed", ())}
    keys = ("size", "pad", "clip", "embedded", "levels")
    size, pad, clip, inside, levels = (said.get(key) for key in keys)
    mean, scale = said.get("mean"), said.get("scale")
    return PreprocessingHints(
        size=None if size is None else (size[0], size[1]),
        mean=None if mean is None else tuple(map(float, mean)),
        scale=None if scale is None else tuple(map(float, scale)),
        colour=said.get("colour"),
        resize=said.get("resize"),
        layout=said.get("layout"),
        pad_value=None if pad is None else pad["value"],
        resize_to=(sides[0], sides[1]) if isinstance(sides := said.get("resize_to"), list) else sides,
        interpolation=said.get("interpolation"),
        pad_where=None if pad is None else pad["where"],
        rounded=said.get("rounded"),
        clip=None if clip is None else (clip[0], clip[1]),
        levels=None if levels is None else (float(levels[0]), float(levels[1])),
        embedded=None
        if inside is None
        else PreprocessingHints(
            size=(inside["size"][0], inside["size"][1]),
            resize=inside["resize"],
            pad_where=inside["pad_where"],
        ),
    )


def _sides(resize_to: int | tuple[int, int] | None) -> int | list[int] | None:
    return list(resize_to) if isinstance(resize_to, tuple) else resize_to


def _element_type(dtype: np.dtype[Any]) -> str:
    """OpenVINO's name of a type of numbers: ``f32``, ``u8``, ``i64``."""
    return f"{dtype.kind}{8 * dtype.itemsize}"
