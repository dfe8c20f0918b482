"""The ancestor's own measures of maps, run by its own Python: `... MODEL ORDER.json`; it prints JSON.

Models are compiled in float32, as maps are here; the package itself leaves the precision to the device. The
order holds, for each photograph, its file, the file of its map (an array of 0 to 1) and boxes.
"""

# The project's own environment lacks the package.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
from openvino_xai import Method, Task
from openvino_xai.explainer.explainer import Explainer, ExplainMode
from openvino_xai.metrics import ADCC, InsertionDeletionAUC, PointingGame

_COMPILE = ov.Core.compile_model


def _in_float32(core: Any, model: Any, device_name: str | None = None, config: Any = None) -> Any:
    return _COMPILE(core, model, device_name or "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def _prepare(pixels: Any) -> Any:
    return ((np.asarray(pixels, np.float32)[..., ::-1] - 127) / 128).transpose(2, 0, 1)[np.newaxis]


def _read(results: Any) -> Any:
    powers = np.exp(results["logits"] - results["logits"].max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def main() -> None:
    """Measure the maps that are given, and those that the package makes itself, as levels and as shares."""
    ov.Core.compile_model = _in_float32
    source, order = sys.argv[1:3]
    model = ov.Core().read_model(source)
    explainer = Explainer(
        model=model,
        task=Task.CLASSIFICATION,
        preprocess_fn=_prepare,
        postprocess_fn=_read,
        explain_mode=ExplainMode.WHITEBOX,
        explain_method=Method.RECIPROCAM,
    )
    areas = InsertionDeletionAUC(model, _prepare, _read)
    parts = ADCC(model, _prepare, _read, explainer)
    found = []
    for each in json.loads(Path(order).read_text(encoding="utf-8")):
        pixels = cv2.imread(each["photograph"])
        target = int(areas.model_predict(pixels).argmax())
        own = explainer(pixels, targets=[target], colormap=False, scaling=False).saliency_map[target]
        maps = {"given": np.load(each["map"]), "own levels": own, "own shares": own.astype(np.float64) / 255}
        measured: dict[str, float] = {"target": target}
        for name, saliency in maps.items():
            numbers = {
                **areas(saliency, target, pixels, steps=each["steps"]),
                **parts(saliency, target, pixels),
                "pointing": PointingGame()(saliency, each["boxes"])["pointing_game"],
            }
            measured |= {f"{name}: {measure}": float(value) for measure, value in numbers.items()}
        found.append(measured)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
