"""The ancestor's black-box methods, measured by its own Python; arguments as those of `explain_ours`."""

# The project's own environment lacks the package.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
import openvino_xai as xai
from numpy.typing import NDArray
from openvino_xai.explainer import ExplainMode

from benchmarks.blackbox.cases import Case
from benchmarks.blackbox.device import FLOAT32
from benchmarks.blackbox.timing import Explain, Explained, main


def explaining(model: str, case: Case) -> Explain:
    """Through its Explainer with its defaults, in float32, with maps neither coloured nor rounded."""
    inferences = 0

    def probabilities(results: Any) -> NDArray[Any]:
        nonlocal inferences
        inferences += 1
        powers = np.exp(results[0] - results[0].max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    read = ov.Core().read_model(model)
    explainer = xai.Explainer(
        read,
        task=xai.Task.CLASSIFICATION,
        postprocess_fn=probabilities,
        explain_mode=ExplainMode.BLACKBOX,
        explain_method=xai.Method(case.method),
    )
    # It compiles without settings, and so for bfloat16 where the CPU has it. There is no option for another.
    explainer.method._model_compiled = ov.Core().compile_model(read, "CPU", FLOAT32)
    settings = {} if case.ancestor_masks is None else {"num_masks": case.ancestor_masks}

    def explain(image: NDArray[Any], target: int | None) -> Explained:
        before = inferences
        wanted = -1 if target is None else [target]
        explanation = explainer(image, targets=wanted, colormap=False, scale_output=False, **settings)
        altered = inferences - before - 1  # the first is of the image as it is
        return Explained({int(key): value for key, value in explanation.saliency_map.items()}, altered)

    return explain


if __name__ == "__main__":
    main(explaining)
