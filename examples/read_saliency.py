"""What an application does with a converted model: it needs OpenVINO and the JSON file, and not this package.

python examples/read_saliency.py out/model_xai.xml

Runs the model on random pixels and prints, for the best class, where its map is highest.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import openvino as ov


def main(xml: Path) -> None:
    """Run the model once and read its scores and its map as the sidecar describes them."""
    sidecar = json.loads(xml.with_suffix(".json").read_text(encoding="utf-8"))
    saliency = sidecar["saliency_map"]
    if saliency is None:
        sys.exit(f"{xml} has no map: it is to be explained as a black box ({sidecar['method']})")
    compiled = ov.Core().compile_model(xml, "CPU")
    wanted = sidecar["inputs"][0]["shape"]  # -1 where the model takes any
    shape = [known if known > 0 else usual for known, usual in zip(wanted, (1, 3, 224, 224), strict=True)]
    dtype = compiled.inputs[0].get_element_type().to_dtype()
    image = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)

    results = compiled([image])
    index = next(each["index"] for each in sidecar["outputs"] if each["name"] == sidecar["scores"]["output"])
    found = results[index].reshape(len(image), -1)[0]  # a score per class, or indices of the best classes
    best = int(found[0]) if sidecar["scores"]["activation"] == "argmax" else int(found.argmax())
    maps = results[saliency["output"]][0]  # of the first image: [class, height, width], or [height, width]
    classes = saliency["classes"]
    if maps.ndim == 3 and classes == "all":
        chosen = maps[best]
    elif maps.ndim == 3 and "top_k" in classes:
        chosen = maps[list(results[classes["indices_output"]][0]).index(best)]
    elif maps.ndim == 3:
        chosen = maps[0]
        best = classes["indices"][0]
    else:
        chosen = maps  # one map for all classes
    row, column = np.unravel_index(int(chosen.argmax()), chosen.shape)
    name = sidecar["labels"][best] if sidecar["labels"] else f"class {best}"
    print(f"{name}: highest at row {row} of {chosen.shape[0]}, column {column} of {chosen.shape[1]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
