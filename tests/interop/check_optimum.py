"""Let optimum-intel load a folder with ``openvino_model.xml`` and run it on images.

Run by a Python that has ``optimum-intel`` and need not have this project:
``python check_optimum.py FOLDER IMAGES.npy LOGITS.npy MODEL_TYPE CLASSES``. Writes the configuration that
optimum-intel asks for, and prints which outputs the loaded model has, and which of them it hands out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found]
from optimum.intel import OVModelForImageClassification  # type: ignore[import-not-found]
from transformers import AutoConfig  # type: ignore[import-not-found]


def main(folder: str, images: str, logits: str, model_type: str, classes: str) -> None:
    """Load, run, save the logits."""
    AutoConfig.for_model(model_type, num_labels=int(classes)).save_pretrained(folder)
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    model = OVModelForImageClassification.from_pretrained(Path(folder), device="CPU", ov_config=precise)
    found = [model(pixel_values=torch.from_numpy(image[np.newaxis])) for image in np.load(images)]
    np.save(logits, np.concatenate([each.logits.numpy() for each in found]))
    outputs = [port.get_any_name() for port in model.model.outputs]
    raw = model.request(np.load(images)[:1])
    np.save(Path(logits).with_name("maps.npy"), raw["saliency_map"])
    print(json.dumps({"outputs": outputs, "handed out": list(found[0].keys())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
