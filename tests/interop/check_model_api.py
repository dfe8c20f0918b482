"""Let Model API run models on photographs, and say what it made of them.

Run by a Python that has ``openvino-model-api`` and need not have this project:
``python check_model_api.py REQUESTS.json ANSWERS.json``. A request is a model, photographs, and perhaps a
file for the arrays that its results carry. An answer tells for each photograph the scores of all classes, and
those that Model API answers with; or why it does not take the model.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from model_api.adapters import OpenvinoAdapter, create_core  # type: ignore[import-not-found]
from model_api.models import Model  # type: ignore[import-not-found]

CORE = create_core()
PRECISE = {"INFERENCE_PRECISION_HINT": "f32"}  # some CPUs compute in bfloat16 by default


def main(requests: str, answers: str) -> None:
    """Answer all requests in one process."""
    asked = json.loads(Path(requests).read_text(encoding="utf-8"))
    Path(answers).write_text(json.dumps([_answer(**request) for request in asked]), encoding="utf-8")
    print(json.dumps({"version": importlib.metadata.version("openvino-model-api")}))


def _answer(model: str, photographs: list[str], arrays: str | None = None) -> dict[str, Any]:
    try:
        adapter = OpenvinoAdapter(CORE, model, device="CPU", plugin_config=PRECISE)
        classifier = Model.create_model(adapter, configuration={"output_raw_scores": True})
        results = [classifier(cv2.imread(photograph)) for photograph in photographs]
    except Exception as error:  # whatever it says is a refusal
        return {"refused": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
    if arrays is not None:
        (result,) = results
        np.savez(
            arrays,
            saliency_map=result.saliency_map,
            feature_vector=result.feature_vector,
            raw_scores=result.raw_scores,
        )
    return {"kind": type(classifier).__name__, "seen": [_seen(result) for result in results]}


def _seen(result: Any) -> dict[str, Any]:
    labels = [(int(label.id), label.name, float(label.confidence)) for label in result.top_labels]
    return {"scores": [float(score) for score in result.raw_scores], "labels": labels}


if __name__ == "__main__":
    main(*sys.argv[1:])
