"""Combinations of ``model_info`` entries for EfficientNet-Lite0: every pair of values, and more drawn."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import Final

CASES: Final = 170
SEED: Final = 1
_CANDIDATES: Final = 60
"""Drawn for each case; that with the most pairs that were not there is taken."""
Factors = Mapping[str, Sequence[str]]

FACTORS: Final[Factors] = {
    "format": ("xml", "onnx"),
    "resize_type": ("", "crop", "standard", "fit_to_window", "fit_to_window_letterbox"),
    "interpolation_mode": ("", "LINEAR", "CUBIC", "NEAREST"),
    "pad_value": ("", "0", "114", "255"),
    "reverse_input_channels": ("", "True", "YES", "False", "true", "1"),
    "mean": ("", "one", "three"),
    "scale": ("", "one", "three"),
    "input_dtype": ("", "u8", "f32", "u16", "i16"),
    "intensity": ("", "none", "unit", "unit of 200", "window", "range", "range of 0.5"),
    "answer": ("", "one", "several", "several from 0.995", "groups", "groups and several"),
    "labels": ("", "labels", "label_info", "both"),
}
_INTENSITIES: Final[Mapping[str, Mapping[str, str]]] = {
    "": {},
    "none": {"intensity_mode": "none"},
    "unit": {"intensity_mode": "scale_to_unit"},
    "unit of 200": {"intensity_mode": "scale_to_unit", "intensity_max_value": "200"},
    "window": {
        "intensity_mode": "window",
        "intensity_window_center": "120",
        "intensity_window_width": "200.5",
    },
    "range": {"intensity_mode": "range_scale", "intensity_min_value": "5", "intensity_max_value": "250"},
    "range of 0.5": {
        "intensity_mode": "range_scale",
        "intensity_scale_factor": "0.5",
        "intensity_max_value": "120",
    },
}
_NUMBERS: Final[Mapping[tuple[str, str, bool], str]] = {
    ("mean", "one", False): "127",
    ("mean", "three", False): "123.675 116.28 103.53",
    ("mean", "one", True): "0.498",
    ("mean", "three", True): "0.485 0.456 0.406",
    ("scale", "one", False): "128",
    ("scale", "three", False): "120.5 118.25 131",
    ("scale", "one", True): "0.502",
    ("scale", "three", True): "0.47 0.46 0.51",
}
"""By what they are, how many, and whether levels have been brought to 0 to 1 before."""


@dataclass(frozen=True)
class Case:
    """Entries of ``model_info``, and in which format they are written."""

    name: str
    format: str
    entries: Mapping[str, str]


def combined(labels: Sequence[str]) -> list[Case]:
    """All pairs of values, and more that are drawn."""
    return [_case(values, labels) for values in _drawn()]


def uncovered(chosen: Sequence[Mapping[str, str]]) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    """Pairs of values that no case has."""
    wanted = {
        ((one, a), (other, b))
        for one, other in combinations(FACTORS, 2)
        for a, b in product(FACTORS[one], FACTORS[other])
    }
    return wanted - {pair for values in chosen for pair in combinations(values.items(), 2)}


def _drawn() -> list[dict[str, str]]:
    rng = random.Random(SEED)
    chosen: list[dict[str, str]] = []
    missing = uncovered([])
    while len(chosen) < CASES or missing:
        candidates = [_candidate(rng, missing) for _ in range(_CANDIDATES)]
        best = max(candidates, key=lambda values: len(missing.intersection(combinations(values.items(), 2))))
        missing.difference_update(combinations(best.items(), 2))
        chosen.append(best)
    return chosen


def _candidate(rng: random.Random, missing: set[tuple[tuple[str, str], tuple[str, str]]]) -> dict[str, str]:
    fixed = dict(min(missing)) if missing else {}
    return {name: fixed.get(name, rng.choice(values)) for name, values in FACTORS.items()}


def _case(values: Mapping[str, str], labels: Sequence[str]) -> Case:
    unit = values["intensity"] not in ("", "none")
    entries = {"model_type": "Classification", **_INTENSITIES[values["intensity"]]}
    plain = ("resize_type", "interpolation_mode", "pad_value", "reverse_input_channels", "input_dtype")
    entries.update((key, values[key]) for key in plain if values[key])
    for key in ("mean", "scale"):
        if values[key]:
            entries[f"{key}_values"] = _NUMBERS[key, values[key], unit]
    entries.update(_answers(values["answer"], labels))
    entries.update(_labels(values["labels"], labels))
    name = ", ".join(f"{key} {value}" for key, value in values.items() if value)
    return Case(name, values["format"], entries)


def _answers(kind: str, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    if kind == "one":
        yield "multilabel", "False"
    if kind.startswith("several") or kind == "groups and several":
        yield "multilabel", "True"
        yield "confidence_threshold", kind.rpartition(" ")[2] if "from" in kind else "0.999"
    if kind.startswith("groups"):
        yield "hierarchical", "True"
        yield "hierarchical_config", hierarchy(labels)


def _labels(kind: str, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    if kind in ("labels", "both"):
        yield "labels", " ".join("_".join(label.split()) for label in labels)
    if kind in ("label_info", "both"):
        yield "label_info", json.dumps({"label_names": list(labels), "label_groups": [list(labels)]})


def hierarchy(labels: Sequence[str], bounds: Sequence[int] = (0, 400, 990)) -> str:
    """Classes up to the last bound in groups that exclude each other; those behind it stand alone."""
    names = unique(labels)
    ranges = list(pairwise(bounds))
    groups = [names[first:behind] for first, behind in ranges] + [[name] for name in names[bounds[-1] :]]
    heads = {
        "num_multiclass_heads": len(ranges),
        "num_multilabel_classes": len(names) - bounds[-1],
        "num_single_label_classes": bounds[-1],
        "head_idx_to_logits_range": {str(index): list(each) for index, each in enumerate(ranges)},
        "all_groups": groups,
        "label_to_idx": {name: index for index, name in enumerate(names)},
        "class_to_group_idx": {
            name: [index, place] for index, group in enumerate(groups) for place, name in enumerate(group)
        },
    }
    return json.dumps({"cls_heads_info": heads, "label_tree_edges": []})


def unique(labels: Sequence[str]) -> list[str]:
    """Labels that tell their classes apart, which ImageNet's do not: two are called maillot."""
    return [
        label if labels.index(label) == index else f"{label} {index}" for index, label in enumerate(labels)
    ]


REFUSED: Final[Mapping[str, Mapping[str, str]]] = {
    "resize_type": {"resize_type": "zoom"},
    "interpolation_mode": {"interpolation_mode": "AREA"},
    "input_dtype": {"input_dtype": "f16"},
    "mean_values": {"mean_values": "dark"},
    "mean": {"mean_values": "1 2"},
    "scale_values": {"scale_values": "127,127,127,x"},
    "pad_value": {"resize_type": "fit_to_window", "pad_value": "-1"},
    "pad_value of 70000": {"resize_type": "fit_to_window", "pad_value": "70000"},
    "intensity_mode": {"intensity_mode": "log"},
    "percentile": {"intensity_mode": "percentile"},
    "intensity_window_center": {"intensity_mode": "window", "intensity_window_width": "10"},
    "intensity_window_width": {"intensity_mode": "window", "intensity_window_center": "10"},
    "intensity_max_value": {"intensity_mode": "range_scale"},
    "confidence_threshold": {"multilabel": "True", "confidence_threshold": "high"},
    "hierarchical_config": {"hierarchical": "True"},
    "hierarchical_config that is no JSON": {"hierarchical": "True", "hierarchical_config": "{"},
}
"""What Model API does not take or passes over, by the word with which it has to be refused here."""
