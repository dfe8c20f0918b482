"""Quantise an IR with NNCF; run by a Python that has ``nncf`` and need not have this project.

``python quantise.py MODEL.xml IMAGES.npy QUANTISED.xml [PATTERN ...]`` calibrates on the images, and leaves
nodes alone whose names a pattern matches. ``--transformer`` as a pattern names the kind of network instead.
"""

from __future__ import annotations

import json
import logging
import sys

import nncf  # type: ignore[import-not-found]
import numpy as np
import openvino as ov


def main(model: str, images: str, quantised: str, *patterns: str) -> None:
    """Quantise, save, and say how many nodes of quantisation there are, and how many in the branch."""
    nncf.set_log_level(logging.ERROR)
    network = ov.Core().read_model(model)
    data = nncf.Dataset([image[np.newaxis] for image in np.load(images)])
    names = [pattern for pattern in patterns if pattern != "--transformer"]
    kind = nncf.ModelType.TRANSFORMER if "--transformer" in patterns else None
    left_alone = nncf.IgnoredScope(patterns=names, validate=True) if names else None
    result = nncf.quantize(
        network, data, subset_size=len(np.load(images)), model_type=kind, ignored_scope=left_alone
    )
    ov.save_model(result, quantised, compress_to_fp16=False)
    steps = [node.get_friendly_name() for node in result.get_ops() if node.get_type_name() == "FakeQuantize"]
    in_branch = [name for name in steps if name.startswith("saliency_map")]
    print(json.dumps({"quantised": len(steps), "in the branch": len(in_branch)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
