"""This project's black-box methods, measured: `python -m benchmarks.blackbox.explain_ours MODEL CASE ...`."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from benchmarks.blackbox.cases import Case
from benchmarks.blackbox.timing import Explain, Explained, main
from ovxai_convert.explain.explainer import Explainer
from ovxai_convert.explain.plan import ExplainMode
from ovxai_convert.methods import Method


def explaining(model: str, case: Case) -> Explain:
    """Through the Explainer with its defaults, except that maps are not coloured."""
    settings: dict[str, Any] = {} if case.masks is None else {"num_masks": case.masks}
    explainer = Explainer(
        model, explain_mode=ExplainMode.BLACKBOX, explain_method=Method(case.method), **settings
    )

    def explain(image: NDArray[Any], target: int | None) -> Explained:
        evaluations = 0

        def count(done: int, total: int | None) -> None:
            nonlocal evaluations
            evaluations = done

        wanted: Any = -1 if target is None else [target]
        explanation = explainer(image, targets=wanted, colormap=False, on_progress=count)
        assert not isinstance(explanation, list), "one image"
        maps = {int(key): value for key, value in explanation.saliency_map.items()}
        return Explained(maps, evaluations)

    return explain


if __name__ == "__main__":
    main(explaining)
