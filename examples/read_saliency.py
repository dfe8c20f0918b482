"""What an application does with a converted model: it needs OpenVINO, NumPy and OpenCV, and not this package.

python examples/read_saliency.py out/model_xai.xml photo.jpg overlay.png --class "tabby cat"

Prepares the photograph, runs the model, takes the map of one class and lays it over the photograph. All of it
is done as the model's description says (schemas/sidecar-v1.schema.json): the JSON file beside the model, else
the same text in the IR. What does not depend on OpenVINO stands in by_description, beside this file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov

from by_description.photograph import Json
from by_description.program import (
    is_file_of,
    read_arguments,
    read_description,
    read_sample,
    refuse_other_input,
    show,
)


def main() -> None:
    """Read the arguments, run the model once, write the overlay."""
    arguments = read_arguments("the converted model's .xml")
    core = ov.Core()
    model = core.read_model(arguments.model)
    embedded = model.get_rt_info(["ovxai"]).astype(str) if model.has_rt_info(["ovxai"]) else None
    description = read_description(arguments.model, lambda found: describes(found, arguments.model), embedded)
    sample = read_sample(arguments, description)
    wants = model.inputs[0].get_partial_shape()
    count = wants[0].get_length() if wants[0].is_static else 1
    inputs = np.repeat(sample[None], count, axis=0)  # a model of a fixed batch takes no less
    told = description["preprocessing"]["element_type"]
    element_type = model.inputs[0].get_element_type().get_type_name()
    if not wants.compatible(ov.PartialShape(list(inputs.shape))) or element_type != told:
        refuse_other_input(arguments.model)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    show(arguments, description, inputs, compiled([inputs]))


def describes(found: Json, xml: Path) -> bool:
    """Whether a description is of these files, by their hashes."""
    told = found.get("model")
    files = {"xml_sha256": xml, "bin_sha256": xml.with_suffix(".bin")}
    return isinstance(told, dict) and all(is_file_of(path, told.get(key)) for key, path in files.items())


if __name__ == "__main__":
    main()
