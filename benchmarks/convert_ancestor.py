"""A conversion by the ancestor, run by its own Python: `... MODEL OUT.xml METHOD`; it has no command."""

# The project's own environment lacks the package.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys

import openvino as ov
import openvino_xai as xai


def main() -> None:
    """Read, insert with the defaults of the package, save in the precision that the weights have."""
    source, xml, method = sys.argv[1:4]
    model = ov.Core().read_model(source)
    converted = xai.insert_xai(model, task=xai.Task.CLASSIFICATION, explain_method=xai.Method(method))
    ov.save_model(converted, xml, compress_to_fp16=False)


if __name__ == "__main__":
    main()
