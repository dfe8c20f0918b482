"""A model is read once: what inspecting and converting it costs in copies, traces and searches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert
from ovxai_convert.anatomy import anatomy, blocks, feature_maps, flow, scores
from ovxai_convert.insertion import insert
from ovxai_convert.inspection import inspect_model
from tests.transformers import VitSpec, transformer


@pytest.fixture
def counts() -> Iterator[Counter[str]]:
    """How often each is done."""
    counted: Counter[str] = Counter()

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return function(*args, **kwargs)

        return called

    places = (
        ("copies", ov.Model, "clone"),
        ("flows", flow.DataFlow, "__init__"),
        ("traces", anatomy, "Meanings"),
        ("class tensors", scores, "_class_tensor"),
        ("maps", feature_maps, "_behind_the_vector"),
        ("attentions", blocks, "_attentions"),
        ("branches", insert, "_site"),
    )
    with_counts = [
        patch.object(owner, name, counting(what, getattr(owner, name))) for what, owner, name in places
    ]
    for each in with_counts:
        each.start()
    yield counted
    for each in with_counts:
        each.stop()


@pytest.mark.parametrize("kind", ["cnn", "transformer"])
def test_an_inspection(kind: str, counts: Counter[str], tmp_path: Path) -> None:
    model = cnn(CnnSpec(strides=(1, 2, 1))) if kind == "cnn" else transformer(VitSpec())
    ov.save_model(model, tmp_path / "net.xml", compress_to_fp16=False)
    counts.clear()
    inspection = inspect_model(tmp_path / "net.xml")
    assert len(inspection.candidates) > 1
    assert counts["branches"] >= 2
    assert counts["copies"] == 1 + counts["branches"], "one to see what a copy looks like, and one per branch"
    narrowed = counts["flows"] - 1  # a block's head is created anew for what its scores read of it
    assert narrowed == (0 if kind == "cnn" else 2)
    assert (counts["traces"], counts["class tensors"], counts["attentions"]) == (1, 1, 1)
    assert counts["maps"] <= 2, "one search per method that looks for a map"


def test_a_conversion(counts: Counter[str], tmp_path: Path) -> None:
    ov.save_model(cnn(CnnSpec()), tmp_path / "net.xml", compress_to_fp16=False)
    counts.clear()
    convert(tmp_path / "net.xml", tmp_path / "out", labels=["a", "b", "c"], classes=["a"])
    assert (counts["traces"], counts["class tensors"], counts["branches"]) == (1, 1, 1)
    # Two for the anatomy and the branch, one that is run, one that is cut; at another shape one more of both,
    # and of the converted model.
    assert counts["copies"] <= 8
