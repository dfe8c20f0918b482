"""The yardstick of a conversion: read a model, compile it twice, save it as IR.

That much any converter that proves its result must do. Run by this project's Python and by the ancestor's:
`python -m benchmarks.read_compile_save MODEL OUT.xml`.
"""

from __future__ import annotations

import sys

import openvino as ov


def main() -> None:
    """Do it for the model of the command line."""
    source, xml = sys.argv[1:3]
    core = ov.Core()
    model = core.read_model(source)
    compiled = [core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}) for _ in range(2)]
    ov.serialize(model, xml, f"{xml.removesuffix('.xml')}.bin")
    del compiled


if __name__ == "__main__":
    main()
