"""The numbers of openvino-xai's measures, by its definitions as they are kept, beside those measured here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer
from ovxai_convert.ancestor.quality import ADCC, InsertionDeletionAUC, PointingGame
from ovxai_convert.evaluation.annotations import ObjectBox
from ovxai_convert.evaluation.inquiry import Inquiry
from ovxai_convert.evaluation.measuring import Measuring
from ovxai_convert.pictures.rendering import enlarged
from tests.evaluation.cases import SIZE, evaluated, picture, prepared, probabilities

STEPS: Final = 10
BOX: Final = (2.6, 1.6, 5.0, 6.0)
"""Of the same pixels, whether their corners or their middles are looked at."""


def prepare(pixels: Any) -> Any:
    return prepared(np.asarray(pixels, np.float32))[np.newaxis]


def read(results: Any) -> Any:
    logits = results["output"].astype(np.float64)
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_same_numbers(seed: int, tmp_path: Path) -> None:
    """Covered with black, of photographs in the model's own size, with its map as shares of 0 to 1."""
    pixels, model = picture(seed), cnn(CnnSpec())
    target = int(probabilities(prepared(pixels)).argmax())
    explainer = Explainer(model, preprocess_fn=prepare, explain_method="reciprocam")
    found: Any = explainer(pixels, target, colormap=False)
    saliency = enlarged(found.raw[target], SIZE).astype(np.float64)
    share = (saliency - saliency.min()) / np.ptp(saliency)
    expected = {
        **InsertionDeletionAUC(model, prepare, read)(share, target, pixels, STEPS),
        **ADCC(model, prepare, read, explainer)(share, target, pixels),
        "pointing": PointingGame()(share, [BOX])["pointing_game"],
    }
    metrics = "deletion", "insertion", "pointing", "adcc"
    asked = Inquiry(metrics, steps=STEPS, cover="black", any_box=True, baselines=())
    box = ObjectBox("cat", BOX[0], BOX[1], BOX[0] + BOX[2], BOX[1] + BOX[3])
    rows = Measuring([evaluated(tmp_path)], asked).measured("p", 0, {3: pixels}, [box]).rows
    assert {row.metric for row in rows} == set(expected)
    for row in rows:
        if row.metric == "pointing":  # of several points that are equally high any one is enough there
            assert (row.value != 0) == bool(expected["pointing"])
            continue
        # the map of what is shown was enlarged to whole levels there
        tolerance = 0.01 if row.metric in ("coherency", "adcc") else 1e-4
        assert row.value == pytest.approx(expected[str(row.metric)], abs=tolerance), row.metric
