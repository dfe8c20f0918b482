"""On real photographs every method points at the object, and at what the score hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import Explainer, Explanation, Method
from ovxai_convert.blackbox.metrics import deletion
from ovxai_convert.explain.device import DeviceScores, compile_for
from ovxai_convert.explain.predictions import ScoresOutput
from ovxai_convert.photographs.image_files import Pixels, read_image
from ovxai_convert.photographs.preprocessing import Preprocessing
from ovxai_convert.source.answers import NO_ANSWER_HINTS, answer_of
from tests.answer_forms import Form

METHODS: Final[Mapping[Method, Mapping[str, Any]]] = {
    Method.RECIPROCAM: {},
    Method.RISE: {"num_masks": 1000},
    Method.AISE: {},
}
SUBJECTS: Final = {
    "chelsea": (285, (slice(20, 300), slice(60, 400))),  # Egyptian cat; its head, from ear to ear
    "coffee": (967, (slice(20, 285), slice(175, 410))),  # espresso; the cup, without its saucer
}
"""Class, and rows and columns of the object."""
STEPS: Final = 28
RANDOM_MAPS: Final = 8
MARGIN: Final = 0.04
"""By how much a method's deletion AUC must be below that of random maps."""


@dataclass(frozen=True)
class Network:
    """EfficientNet-Lite0, explained and scored."""

    explainer: Explainer
    preprocessing: Preprocessing
    scores: DeviceScores


@pytest.fixture(scope="module")
def network() -> Network:
    content = build(read_legacy_checkpoint(fetch(WEIGHTS)), 1).SerializeToString()
    model = ov.Core().read_model(content)
    preprocessing = Preprocessing((224, 224), 3, np.dtype(np.float32), (127.0,), (128.0,))
    stream = DeviceScores(
        compile_for(model, "CPU", "THROUGHPUT"),
        ScoresOutput(0, answer_of(Form("none", 3), NO_ANSWER_HINTS)),
        1,
    )
    return Network(Explainer(model, preprocess_fn=preprocessing), preprocessing, stream)


@pytest.fixture(scope="module")
def photographs() -> Mapping[str, Pixels]:
    return {name: read_image(fetch(name)) for name in SUBJECTS}


@pytest.fixture(scope="module", params=METHODS, ids=lambda method: method.value)
def maps(
    request: pytest.FixtureRequest, network: Network, photographs: Mapping[str, Pixels]
) -> Mapping[str, Explanation]:
    """One method's explanation of each photograph."""
    method: Method = request.param
    found = {}
    for name, photograph in photographs.items():
        explanation = network.explainer(
            photograph,
            SUBJECTS[name][0],
            explain_method=method,
            embed_scaling=False,
            colormap=False,
            **METHODS[method],
        )
        assert isinstance(explanation, Explanation)
        assert explanation.method is method
        found[name] = explanation
    return found


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_highest_place_lies_on_the_object(maps: Mapping[str, Explanation], name: str) -> None:
    target, (rows, columns) = SUBJECTS[name]
    saliency = maps[name].saliency_map[target]
    row, column = np.unravel_index(int(saliency.argmax()), saliency.shape)
    assert rows.start <= row < rows.stop
    assert columns.start <= column < columns.stop


def test_deletion_beats_a_random_map(
    maps: Mapping[str, Explanation], network: Network, photographs: Mapping[str, Pixels]
) -> None:
    """Of the cup; the cat fills its photograph, so that covering any large part costs it its score."""
    target = SUBJECTS["coffee"][0]
    sample = network.preprocessing(photographs["coffee"])[0]
    rng = np.random.default_rng(0)
    draws = [rng.random((7, 7)) for _ in range(RANDOM_MAPS)]
    random = np.mean([_deletion_auc(network, sample, draw, target) for draw in draws])
    assert _deletion_auc(network, sample, maps["coffee"].raw[target], target) <= random - MARGIN


def _deletion_auc(network: Network, sample: NDArray[Any], saliency: NDArray[Any], target: int) -> float:
    """Of a smooth map: single pixels strewn over an image destroy it sooner than a part that is cut out."""
    smooth = cv2.resize(saliency.astype(np.float32), (224, 224), interpolation=cv2.INTER_CUBIC)
    return deletion(sample, (1, 2), smooth, network.scores, target, 1, STEPS).auc
