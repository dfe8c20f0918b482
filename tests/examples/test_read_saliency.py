"""``examples/read_saliency.py`` gives, by the description alone, what the package gives."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import openvino as ov
import pytest

from by_description.answer import read_probabilities
from by_description.overlay import Box, lay_over, seen, weights
from by_description.photograph import prepare
from fixtures.broken_files import save_ir
from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.networks import CnnSpec, cnn
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import convert
from ovxai_convert.explain.predictions import ScoresOutput
from ovxai_convert.photographs.described import described
from ovxai_convert.photographs.hints import Colour, Interpolation, PadWhere
from ovxai_convert.photographs.image_files import read_image
from ovxai_convert.photographs.preprocessing import FieldOfView, Preprocessing
from ovxai_convert.pictures.rendering import covered, enlarged
from ovxai_convert.source.answers import Answer, Probabilities
from tests.examples.cases import (
    CASES,
    NORMALISED,
    SIZES,
    Case,
    Package,
    Run,
    converted,
    photograph,
    renamed,
)
from tests.special_networks import labelled, perceptron

PROGRAM: Final = Path(__file__).resolve().parents[2] / "examples" / "read_saliency.py"
READER: Final = runpy.run_path(str(PROGRAM))
RANDOM: Final = np.random.default_rng(0)
IN_ALL_SIZES: Final = ("crop", "letterbox", "resizes itself", "class token")
"""Of these, every size of a photograph, and the first one by the program in a process of its own."""


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The example as a program."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", CASES)
def test_input_and_map_are_those_of_the_package(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    xml = converted(case, tmp_path)
    package = Package(xml, tmp_path / "explained")
    sizes = SIZES if name in IN_ALL_SIZES else SIZES[::2] if len(name) % 2 else SIZES[1::2]
    for place, (rows, columns) in enumerate(sizes):
        run = Run(xml, photograph(tmp_path, rows, columns), tmp_path, case.wanted)
        if place == 0 and name in IN_ALL_SIZES:
            outcome = call(*run.arguments)
            assert (outcome.returncode, outcome.stderr) == (0, "")
            assert outcome.stdout.count("\n") == 1
        else:  # the same without a new process
            monkeypatch.setattr(sys, "argv", [str(PROGRAM), *run.arguments])
            READER["main"]()
        run.assert_gave(package.gives(run.photo, case.wanted))
        assert read_image(run.overlay).shape == (rows, columns, 3)


def test_real_model(tmp_path: Path) -> None:
    labels = fetch_labels(WEIGHTS)
    source = tmp_path / "efficientnet_lite0.onnx"
    onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1, labels), source)
    run = Run(convert(source, tmp_path / "out", preprocessing=NORMALISED).xml, fetch("chelsea"), tmp_path)
    outcome = call(*run.arguments)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.partition(":")[0].rpartition(" ")[0] in labels
    run.assert_gave(Package(run.xml, tmp_path / "explained").gives(run.photo))


def test_artifact_under_another_name_without_its_sidecar(tmp_path: Path) -> None:
    xml, photo = converted(CASES["top_k"], tmp_path), photograph(tmp_path, 61, 43)
    run = Run(renamed(xml, tmp_path), photo, tmp_path)
    outcome = call(*run.arguments)
    assert outcome.returncode == 0, outcome.stderr
    run.assert_gave(Package(xml, tmp_path / "explained").gives(photo))


def test_sidecar_of_another_model_is_not_believed(tmp_path: Path) -> None:
    xml, photo = converted(CASES["stretch"], tmp_path), photograph(tmp_path, 61, 43)
    expected = Package(xml, tmp_path / "explained").gives(photo)
    convert(save_ir(labelled(), tmp_path / "other.xml"), tmp_path / "other")
    shutil.copy(tmp_path / "other" / "other_xai.json", xml.with_suffix(".json"))
    run = Run(xml, photo, tmp_path)
    assert call(*run.arguments).returncode == 0
    run.assert_gave(expected)


def test_another_description_gives_other_files(tmp_path: Path) -> None:
    """What the comparisons rest on."""
    xml, photo = converted(CASES["stretch"], tmp_path), photograph(tmp_path, 61, 43)
    expected = Package(xml, tmp_path / "explained").gives(photo)
    sidecar = json.loads(xml.with_suffix(".json").read_text())
    sidecar["preprocessing"]["resize"] = "crop"
    xml.with_suffix(".json").write_text(json.dumps(sidecar))
    run = Run(xml, photo, tmp_path)
    assert call(*run.arguments).returncode == 0
    with pytest.raises(AssertionError, match=r"input\.npy"):
        run.assert_gave(expected)
    np.save(run.input, expected.input)
    with pytest.raises(AssertionError, match=r"map\.npy"):
        run.assert_gave(expected)


def _refused(tmp_path: Path, xml: Path, *more: object) -> str:
    outcome = call(xml, photograph(tmp_path, 61, 43), tmp_path / "overlay.png", *more)
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert not (tmp_path / "overlay.png").exists()
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    return outcome.stderr


def test_black_box(tmp_path: Path) -> None:
    source = save_ir(perceptron(), tmp_path / "net.xml")
    xml = convert(source, tmp_path / "out", preprocessing=NORMALISED).xml
    assert "has no map: it is to be explained as a black box" in _refused(tmp_path, xml)


def test_what_cannot_be_read_is_said_in_a_line(tmp_path: Path) -> None:
    source = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    assert "is no converted model" in _refused(tmp_path, source)
    source.with_suffix(".json").write_text('["of something else"]')
    assert "is no converted model" in _refused(tmp_path, source)
    silent = convert(source, tmp_path / "silent").xml
    assert "does not say how a photograph becomes its input" in _refused(tmp_path, silent)
    some = convert(source, tmp_path / "some", classes=[1], preprocessing=NORMALISED).xml
    assert "there is no map of class 2, only of 1" in _refused(tmp_path, some, "--class", 2)
    assert "there is no class mouse" in _refused(tmp_path, some, "--class", "mouse")


def test_other_input_than_described(tmp_path: Path) -> None:
    """A reshaped artifact whose description is of the size it had."""
    xml = converted(CASES["stretch"], tmp_path)
    model = ov.Core().read_model(xml)
    model.reshape([1, 3, 12, 16])
    reshaped = save_ir(model, tmp_path / "reshaped.xml")
    assert "has been given another input than its description tells of" in _refused(tmp_path, reshaped)


def _ways() -> list[Preprocessing]:
    interpolations: tuple[Interpolation, ...] = ("area", "linear", "cubic", "nearest")
    where: tuple[PadWhere, ...] = ("around", "right_and_below")
    sizes = ((8, 12), (14, 10), (32, 32), (33, 31))
    f32 = np.dtype(np.float32)
    usual = Preprocessing((0, 0), 3, f32, (127.5,), (58.4, 57.1, 57.4))
    return [
        replace(way, size=size, interpolation=each)
        for size in sizes
        for each in interpolations
        for way in (
            usual,
            replace(usual, resize_to=40),
            replace(usual, resize="stretch"),
            *(replace(usual, resize="letterbox", pad_value=9, pad_where=side) for side in where),
        )
    ]


HALVES: Final = ((3, 9), (5, 24), (16, 5))
"""Cut to 12:8, or letterboxed in 8x12, one side of these has half a pixel more than an even number."""


@pytest.mark.parametrize("size", [*SIZES, *HALVES, (1, 1), (2, 7), (10, 14), (33, 31), (40, 60), (200, 13)])
def test_every_way_to_resize(size: tuple[int, int]) -> None:
    photo = RANDOM.integers(0, 256, (*size, 3), np.uint8)
    for way in _ways():
        how = described(way, ())
        np.testing.assert_array_equal(prepare(photo, how), way(photo)[0], str(how))
        region, box = way.region(*size), seen(how, *size)
        found = (box.left, box.top, box.left + box.width, box.top + box.height)
        np.testing.assert_allclose(found, (region.left, region.top, region.right, region.bottom), atol=1e-9)


DEEP: Final = (RANDOM.integers(0, 4096, (61, 43, 3)).astype(np.uint16), (0.0, 4095.0))
FLOATS: Final = (RANDOM.random((61, 43, 3)).astype(np.float32), (0.2, 0.9))


@pytest.mark.parametrize("photo", [*DEEP[:1], *FLOATS[:1]], ids=["u16", "f32"])
@pytest.mark.parametrize("levels", ["none", "told", "assumed"])
@pytest.mark.parametrize("colour", ["rgb", "bgr", "grey", "nv12", "i420"])
def test_levels_of_any_kind(photo: Any, levels: str, colour: Colour) -> None:
    bytes_ = np.dtype(np.uint8)
    packed = colour in ("nv12", "i420")
    told: Any = {"none": None, "told": (DEEP if photo.dtype == np.uint16 else FLOATS)[1], "assumed": "depth"}[
        levels
    ]
    way = Preprocessing((10, 14), 1 if packed else 3, bytes_ if packed else np.dtype(np.float32), levels=told)
    way = replace(way, colour=colour, layout="NHWC" if packed else "NCHW")
    for each in (way, replace(way, resize="letterbox", pad_value=7), replace(way, interpolation="linear")):
        how = described(each, ("mean", "scale") if levels == "assumed" else ())
        assert ("levels" in how) == (levels == "told")
        found, expected = prepare(photo, how), each(photo)[0]
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected, str(how))
        grey = photo[..., 0]
        np.testing.assert_array_equal(prepare(grey, how), each(grey[..., None])[0])


def test_channel_that_is_cut_off() -> None:
    photo = RANDOM.integers(0, 256, (61, 43, 3), np.uint8)
    way = Preprocessing((10, 14), 4, np.dtype(np.uint8), layout="NHWC")
    np.testing.assert_array_equal(prepare(photo, described(way, ())), way(photo)[0])


def test_photograph_of_16_bits(tmp_path: Path) -> None:
    hints = replace(NORMALISED, levels=(0.0, 4095.0), resize="stretch")
    xml = converted(Case(lambda: cnn(CnnSpec()), hints), tmp_path)
    photo = tmp_path / "deep.png"
    assert cv2.imwrite(str(photo), DEEP[0])
    run = Run(xml, photo, tmp_path)
    outcome = call(*run.arguments)
    assert outcome.returncode == 0, outcome.stderr
    run.assert_gave(Package(xml, tmp_path / "explained").gives(photo))
    assert len(np.unique(np.load(run.input))) > 300


def _changes(how: Mapping[str, Any]) -> list[dict[str, Any]]:
    other = {"resize_to": 17, "interpolation": "nearest", "colour": "grey", "clip": [120, 130]}
    other |= {"mean": [1, 2, 4], "scale": [2, 2, 3], "layout": "NHWC", "element_type": "u8"}
    return [{**how, key: value} for key, value in other.items()]


def test_every_key_counts() -> None:
    """No key of the description is without effect, so that a reader that forgets one is seen."""
    photo = RANDOM.integers(0, 256, (61, 43, 3), np.uint8)
    how = described(Preprocessing((10, 14), 3, np.dtype(np.float32), (1, 2, 3), (2, 2, 2)), ())
    usual = prepare(photo, how)
    for changed in _changes(how):
        sample = prepare(photo, changed)
        assert sample.shape != usual.shape or (sample != usual).any()


def test_what_a_graph_that_resizes_shows() -> None:
    f32 = np.dtype(np.float32)
    for inside in (
        Preprocessing((8, 9), 3, f32, resize="crop"),
        Preprocessing((9, 8), 3, f32, resize="letterbox"),
    ):
        way = Preprocessing((10, 14), 3, f32, resize="none", embedded=inside)
        region, box = way.region(61, 43), seen(described(way, ()), 61, 43)
        found = (box.left, box.top, box.left + box.width, box.top + box.height)
        np.testing.assert_allclose(found, (region.left, region.top, region.right, region.bottom), atol=1e-9)
        assert found != (0, 0, 43, 61)


KINDS: Final[tuple[Probabilities, ...]] = ("as_is", "softmax", "sigmoid", "exp", "groups")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "values", [[-3, 2, 0.5, 1, -1], [0.2, 0.8, 0.5, 0.9, 0.1], [0.1, 0.2, 0.3, 0.2, 0.2]]
)
def test_probabilities(kind: Probabilities, values: list[float]) -> None:
    groups = ((0, 2),) if kind == "groups" else ()
    description = {
        "scores": {"output": "scores", "probabilities": kind, "groups": groups},
        "outputs": [{"name": "scores", "index": 0}],
    }
    results = {0: np.array([values], np.float32)}
    found = read_probabilities(description, results, 1)
    expected = ScoresOutput(0, Answer(kind, groups))(results, 1)[0]
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "region",
    [
        FieldOfView(0, 0, 43, 61),
        FieldOfView(0, 15, 43, 46),
        FieldOfView(-20.3, 0, 63.3, 61),
        FieldOfView(3.5, 4.25, 40, 50),
    ],
    ids=["all", "crop", "letterbox", "between pixels"],
)
def test_overlay_lies_where_the_package_lays_it(region: FieldOfView) -> None:
    photo = RANDOM.integers(0, 256, (61, 43, 3), np.uint8)
    grid = RANDOM.integers(0, 256, (5, 7), np.uint8)
    grid[0, 0], grid[-1, -1] = 0, 255
    box = Box(region.left, region.top, region.right - region.left, region.bottom - region.top)
    down = weights(61, box.top, box.height, 5, True)
    across = weights(43, box.left, box.width, 7, True)
    levels = np.clip(down @ grid @ across.T, 0, 255)
    np.testing.assert_allclose(levels, enlarged(grid, (61, 43), region), atol=0.01)
    description = {"saliency_map": {"upsampling": {"interpolation": "cubic"}, "scaling": "minmax_per_map"}}
    picture = lay_over(photo, grid, box, description)
    coloured = cv2.applyColorMap(np.rint(levels).astype(np.uint8), cv2.COLORMAP_JET)
    inside = covered((61, 43), region)
    np.testing.assert_array_equal(picture[inside], cv2.addWeighted(photo, 0.5, coloured, 0.5, 0)[inside])
    outside = picture[~inside]
    assert (outside == outside[:, :1]).all(), "grey"


def test_linear_weights_are_those_of_opencv() -> None:
    grid = RANDOM.random((5, 7)).astype(np.float32)
    found = weights(61, 0, 61, 5, False) @ grid @ weights(43, 0, 43, 7, False).T
    np.testing.assert_allclose(found, cv2.resize(grid, (43, 61), interpolation=cv2.INTER_LINEAR), atol=1e-5)
