"""From explained photographs to one page that shows them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import openvino as ov

from ovxai_convert.explain.files import ExplainedImage, FileExplainer
from ovxai_convert.explain.report import ReportEntry, ReportFacts, report_page, shrunk


def report_entries(image: ExplainedImage) -> Iterator[ReportEntry]:
    """The rows of one photograph, with pictures no larger than a page needs."""
    explanation = image.explanation
    photograph = shrunk(image.photograph)
    best = next(iter(explanation.predictions.values()))
    for target, overlay in explanation.saliency_map.items():
        index = target if isinstance(target, int) else None
        yield ReportEntry(
            image.path.name,
            photograph,
            shrunk(overlay),
            "all classes" if index is None else explanation.label_of(index),
            index,
            best.score if index is None else explanation.predictions[index].score,
            explanation.method.value,
            image.seconds,
        )


def report_text(explainer: FileExplainer, model: Path, entries: Sequence[ReportEntry]) -> str:
    """The page, HTML."""
    method = explainer.explainer.method
    facts = ReportFacts(
        model=model.name,
        mode="blackbox" if method.is_black_box else "whitebox",
        method=method.value,
        device=explainer.device,
        preprocessing=str(explainer.preprocessing),
        version=version("ovxai-convert"),
        openvino_version=ov.get_version(),
        notes=tuple(map(str, explainer.explainer.refusals)),
    )
    return report_page(facts, entries)
