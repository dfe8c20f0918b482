"""Load a converted model with Model API and show the saliency map that its result carries.

Run by a Python that has ``openvino-model-api`` and need not have this project:
``python check_model_api.py ARTIFACT.xml IMAGE MAP.npy`` prints a JSON object and saves the map.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys

import cv2
import numpy as np
from model_api.adapters import OpenvinoAdapter, create_core  # type: ignore[import-not-found]
from model_api.models import ClassificationModel  # type: ignore[import-not-found]


def main(artifact: str, image: str, saved_map: str) -> None:
    """Predict, print, save."""
    precise = {"INFERENCE_PRECISION_HINT": "f32"}  # some CPUs compute in bfloat16 by default
    adapter = OpenvinoAdapter(create_core(), artifact, device="CPU", plugin_config=precise)
    model = ClassificationModel.create_model(adapter)
    result = model(cv2.imread(image))
    saliency = result.saliency_map
    np.save(saved_map, saliency)
    best = result.top_labels[0]
    found = {
        "model_api": importlib.metadata.version("openvino-model-api"),
        "class": type(saliency).__name__,
        "shape": list(saliency.shape),
        "dtype": str(saliency.dtype),
        "label": best.name,
        "id": int(best.id),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
