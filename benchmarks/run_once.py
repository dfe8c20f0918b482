"""Reads a model and runs it once, for the memory that takes: `python -m benchmarks.run_once MODEL`."""

from __future__ import annotations

import sys

import numpy as np
import openvino as ov

from benchmarks.open_dimensions import closed_shape


def main() -> None:
    """Do it for the model of the command line."""
    core = ov.Core()
    compiled = core.compile_model(core.read_model(sys.argv[1]), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    compiled([np.zeros(closed_shape(port), port.get_element_type().to_dtype()) for port in compiled.inputs])


if __name__ == "__main__":
    main()
