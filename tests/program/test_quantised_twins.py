"""One network as it was trained and quantised to INT8: what is said of one holds for the other."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.fetch import fetch
from fixtures.manifest import artifact
from fixtures.photographs import load_rgb, prepare
from ovxai_convert import ConversionReport, convert
from ovxai_convert.source.reading import read_source
from tests import oracle
from tests.executed import executed_for
from tests.likeness import rank_correlation
from tests.oracle import Floats, Port
from tests.program.invocation import but_unsaid
from tests.running import CORE, run

INT8, FLOAT = "rock_paper_scissors", "rock_paper_scissors_float"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ConversionReport]:
    """Both, converted to raw scores."""
    folder = tmp_path_factory.mktemp("twins")
    return {key: convert(fetch(key), folder / key, embed_scaling=False) for key in (INT8, FLOAT)}


def photograph(name: str) -> Floats:
    steps = artifact(INT8).preprocessing
    assert steps is not None
    return prepare(load_rgb(fetch(name)), steps).astype(np.float32)


def saliency(report: ConversionReport, image: Floats) -> Floats:
    inputs = {report.sidecar.inputs[0].name: image}
    return np.asarray(run(CORE.read_model(report.xml), inputs)[-1], np.float32)


@pytest.mark.parametrize("photo", ["chelsea", "coffee"])
def test_maps_of_every_class_rank_the_cells_alike(reports: dict[str, ConversionReport], photo: str) -> None:
    one, other = (saliency(report, photograph(photo)) for report in reports.values())
    assert one.shape == other.shape == (1, 4, 17, 17)
    assert all(rank_correlation(one[0, k], other[0, k]) > 0.9 for k in range(4))
    assert rank_correlation(one[0, 0], other[0, 1]) < 0.9, "two classes pass for each other"


@pytest.mark.parametrize("key", [INT8, FLOAT])
def test_both_are_proved(reports: dict[str, ConversionReport], key: str) -> None:
    report = reports[key]
    assert but_unsaid(report.warnings) == []
    assert [check.bit_exact for check in report.sidecar.verification.outputs] == [True]


def test_quantised_map_is_as_defined_at_every_cell(reports: dict[str, ConversionReport]) -> None:
    report = reports[INT8]
    target, scores = report.sidecar.target_layer, report.sidecar.scores
    assert target is not None
    assert target.layout == "NCHW"
    image = photograph("chelsea")
    expected = oracle.reciprocam(
        read_source(fetch(INT8)).model,
        Port(target.name, target.port),
        Port(scores.node, scores.port),
        "NCHW",
        {report.sidecar.inputs[0].name: image},
    )
    scale = float(np.ptp(expected))
    assert np.abs(saliency(report, image) - expected).max() < 1e-5 * scale


def test_quantised_layers_are_executed_as_before(reports: dict[str, ConversionReport]) -> None:
    model = read_source(fetch(INT8)).model
    before, after = (executed_for(model, each) for each in (model, CORE.read_model(reports[INT8].xml)))
    convolutions = [layer.primitive for layer in before if layer.kind == "Convolution"]
    assert convolutions
    assert all(primitive.upper().endswith("I8") for primitive in convolutions)
    assert after == before
