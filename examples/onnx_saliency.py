"""What read_saliency.py does, for a converted ONNX file: with ONNX Runtime instead of OpenVINO.

python examples/onnx_saliency.py out/model_xai.onnx photo.jpg overlay.png --class "tabby cat"

The description is the JSON file beside the model, else the text under `ovxai` in the model's metadata_props.
What does not depend on ONNX Runtime stands in by_description, beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

from by_description.photograph import Array, Json
from by_description.program import (
    is_file_of,
    read_arguments,
    read_description,
    read_sample,
    refuse_other_input,
    show,
)

TYPES: Final = {"float": "float32", "double": "float64"}
"""ONNX Runtime's names of element types whose names in NumPy are others."""


def main() -> None:
    """Read the arguments, run the model once, write the overlay."""
    arguments = read_arguments("the converted model's .onnx")
    session = ort.InferenceSession(str(arguments.model), providers=["CPUExecutionProvider"])
    embedded = session.get_modelmeta().custom_metadata_map.get("ovxai")
    description = read_description(arguments.model, lambda found: describes(found, arguments.model), embedded)
    sample = read_sample(arguments, description)
    wants = session.get_inputs()[0]
    count = wants.shape[0] if isinstance(wants.shape[0], int) else 1  # else it is a name, or nothing
    inputs = np.repeat(sample[None], count, axis=0)  # a model of a fixed batch takes no less
    if not takes(wants, inputs):
        refuse_other_input(arguments.model)
    show(arguments, description, inputs, session.run(None, {wants.name: inputs}))


def describes(found: Json, model: Path) -> bool:
    """Whether a description is of this file, and of those that hold its weights, by their hashes."""
    told = found.get("onnx")
    if not isinstance(told, dict) or not is_file_of(model, told.get("sha256")):
        return False
    return all(is_file_of(model.parent / each["file"], each["sha256"]) for each in told["external"])


def takes(wants: Any, inputs: Array) -> bool:
    """Whether numbers are of the type and the extents that an input has; those that are named are open."""
    name = wants.type.removeprefix("tensor(").removesuffix(")")
    same = len(wants.shape) == inputs.ndim and all(
        not isinstance(extent, int) or extent == given
        for extent, given in zip(wants.shape, inputs.shape, strict=True)
    )
    return same and TYPES.get(name, name) == inputs.dtype.name


if __name__ == "__main__":
    main()
