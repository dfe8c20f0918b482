"""Pictures of other levels, bands and cameras through the commands: what the model gets, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, Draw, classifier, cnn, named
from ovxai_convert.artifact.parsing import read_sidecar_file
from ovxai_convert.photographs.image_files import read_image
from tests import oracle
from tests.oracle import Floats, Port
from tests.photographs.test_packed import FORMATS, PADDED, SINGLE, camera
from tests.photographs.tiff_files import Tiff, numbers, tiff
from tests.program.invocation import Convert, Outcome, assert_one_error, call_process, snapshot
from tests.running import CORE

CLASSES: Final = ("0", "1", "2")
TWELVE: Final = np.random.default_rng(0).integers(0, 4096, (10, 14)).astype(np.uint16)
BLOCKS: Final = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8).repeat(4, 0).repeat(4, 1)
"""A photograph of 20x28 pixels in squares of one colour, of which a camera loses no more than rounding."""
ALL: Final = ["--targets", "all", "--raw"]
STRETCHED: Final = ["--resize", "stretch"]


def of_bands(bands: int) -> ov.Model:
    draw = Draw(bands)
    image = ops.parameter([1, bands, 10, 14], np.float32, name="image")
    image.output(0).get_tensor().set_names({"image"})
    target = named(ops.relu(draw.convolution(image, 4, 3, 2)), "target")
    return classifier(named(draw.linear(ops.reduce_mean(target, [2, 3], False), 3), "scores"), [image])


def written(path: Path, picture: Any) -> Path:
    assert cv2.imwrite(str(path), picture)
    return path


def maps(out: Path, stem: str = "photo") -> Any:
    return np.stack([np.load(out / f"{stem}_{label}.npy") for label in CLASSES])


def expected(model: ov.Model, sample: Any) -> Floats:
    """Raw maps ``(K, h, w)`` of channel-last values by the slow definition."""
    batch = np.asarray(sample, np.float32).transpose(2, 0, 1)[np.newaxis]
    found: Floats = oracle.reciprocam(model, Port("target"), Port("scores"), "NCHW", {"image": batch})[0]
    return found


def warnings_of(outcome: Outcome) -> list[str]:
    return [line for line in outcome.stderr.splitlines() if line.startswith("Warning: ")]


@pytest.mark.parametrize(
    ("options", "values", "warned"),
    [
        (["--mean", 0, "--scale", 4095], TWELVE / 4095, None),
        (["--mean", 0, "--scale", 255], TWELVE / 255, "look meant for 0 to 255"),
        (["--mean", 0, "--scale", 255, "--levels", 4095], TWELVE / 4095, None),
        (
            ["--mean", 0, "--scale", 255, "--levels", "1000..3000"],
            (np.clip(TWELVE, 1000, 3000) - 1000.0) / 2000,
            None,
        ),
        ([], TWELVE / 257, "0 to 65535 is brought to 0 to 255, since nothing says which level is white"),
    ],
    ids=["its own", "of bytes", "white", "window", "nothing"],
)
def test_twelve_bits(
    options: list[Any], values: Any, warned: str | None, tmp_path: Path, run_explain: Convert
) -> None:
    model, photo = save_ir(of_bands(1), tmp_path / "net.xml"), written(tmp_path / "photo.png", TWELVE)
    outcome = run_explain(model, photo, "-o", tmp_path / "out", *ALL, *STRETCHED, *options)
    assert outcome.exit_code == 0, outcome
    oracle.assert_grey_levels_equal(maps(tmp_path / "out"), expected(of_bands(1), values[..., np.newaxis]))
    rounded = np.rint(values[..., np.newaxis] * 16) / 16
    with pytest.raises(AssertionError):
        oracle.assert_grey_levels_equal(maps(tmp_path / "out"), expected(of_bands(1), rounded * rounded))
    said = [line for line in warnings_of(outcome) if "its levels are" in line]
    assert len(said) == (0 if warned is None else 1)
    assert warned is None or warned in said[0]
    assert len(warnings_of(outcome)) == len(said) or not options, "of numbers that are told no more is said"


def test_levels_are_recorded_and_obeyed(tmp_path: Path, run_convert: Convert, run_explain: Convert) -> None:
    model, photo = save_ir(of_bands(1), tmp_path / "net.xml"), written(tmp_path / "photo.png", TWELVE)
    said = ["--mean", 0, "--scale", 255, "--levels", "0..4095", *STRETCHED]
    assert run_convert(model, "-o", tmp_path / "artifact", "-q", *said).exit_code == 0
    sidecar = json.loads((tmp_path / "artifact" / "net_xai.json").read_text())["preprocessing"]
    assert (sidecar["levels"], sidecar["order"][:2]) == ([0, 4095], ["levels", "resize"])
    outcome = run_explain(tmp_path / "artifact" / "net_xai.xml", photo, "-o", tmp_path / "out", *ALL)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    oracle.assert_grey_levels_equal(
        maps(tmp_path / "out"), expected(of_bands(1), TWELVE[..., np.newaxis] / 4095)
    )


@pytest.mark.parametrize("levels", ["5..5", "9..1", "nan", "1e39", "..", "1..", "white", "0"])
def test_levels_without_sense(levels: str, tmp_path: Path, run_explain: Convert) -> None:
    model, photo = save_ir(of_bands(1), tmp_path / "net.xml"), written(tmp_path / "photo.png", TWELVE)
    assert run_explain(model, photo, "-o", tmp_path / "out", "--levels", levels).exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["array", "pages"])
def test_picture_of_thirteen_bands(kind: str, tmp_path: Path, run_explain: Convert) -> None:
    picture = np.random.default_rng(2).integers(0, 4000, (10, 14, 13)).astype(np.uint16)
    photo = tmp_path / ("photo.npy" if kind == "array" else "photo.tif")
    if kind == "array":
        np.save(photo, picture)
    else:
        photo.write_bytes(tiff([Tiff(picture[..., band : band + 1]) for band in range(13)]))
    model = save_ir(of_bands(13), tmp_path / "net.xml")
    mean = ",".join(str(100 * band) for band in range(13))
    options = [*ALL, *STRETCHED, "--mean", mean, "--scale", 4000]
    outcome = run_explain(model, photo, "-o", tmp_path / "out", *options)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    values = (picture - 100.0 * np.arange(13)) / 4000
    oracle.assert_grey_levels_equal(maps(tmp_path / "out"), expected(of_bands(13), values))
    shown = {}
    for bands in (None, "1,2,3", "4,3,2", "7"):
        more = [] if bands is None else ["--bands", bands]
        outcome = run_explain(model, photo, "-o", tmp_path / "shown", *options, "--overlay-weight", 0, *more)
        assert outcome.exit_code == 0
        shown[bands] = read_image(tmp_path / "shown" / "photo_0.png")
    np.testing.assert_array_equal(shown[None], shown["1,2,3"])
    assert (shown["4,3,2"] != shown["1,2,3"]).any()
    grey = {bands: (np.ptp(each.astype(int), axis=2) <= 1).mean() for bands, each in shown.items()}
    assert grey["7"] > grey["1,2,3"] + 0.4, "of one band a grey picture"


@pytest.mark.parametrize(
    ("picture", "options", "text"),
    [
        (BLOCKS, [], "the picture has 3 bands (H, W, C); the input takes 13 bands"),
        (None, ["--bands", "1,2,14"], "counted from 1, and not 1,2,14"),
        (None, ["--bands", "0"], "counted from 1, and not 0"),
        (None, ["--mean", "1,2,3"], "the mean is one number, or one per channel: 3 are told of 13"),
    ],
)
def test_bands_that_do_not_fit(
    picture: Any, options: list[str], text: str, tmp_path: Path, run_explain: Convert
) -> None:
    model, photo = save_ir(of_bands(13), tmp_path / "net.xml"), tmp_path / "photo.npy"
    if picture is None:
        np.save(photo, numbers(np.uint8, 13))
    else:
        photo = written(tmp_path / "photo.png", picture)
    outcome = run_explain(model, photo, "-o", tmp_path / "out", "-q", *options)
    assert_one_error(outcome, 2, text)
    assert snapshot(tmp_path / "out") in (None, {})


def test_bands_that_are_no_numbers(tmp_path: Path, run_explain: Convert) -> None:
    assert run_explain("net.xml", "photo.png", "-o", tmp_path, "--bands", "red").exit_code == 2


def test_pixels_of_an_array_are_limited(tmp_path: Path) -> None:
    model, photo = save_ir(of_bands(13), tmp_path / "net.xml"), tmp_path / "photo.npy"
    np.save(photo, numbers(np.uint8, 13))
    options = ["-o", tmp_path / "out", "-q", "--max-pixels"]
    assert call_process("ovxai-explain", [model, photo, *options, 48]).exit_code == 0
    outcome = call_process("ovxai-explain", [model, photo, *options, 47])
    assert_one_error(outcome, 3, "more pixels than are decoded (--max-pixels)")


@pytest.mark.parametrize("size", [None, (20, 28), "open"], ids=str)
@pytest.mark.parametrize("source", [*SINGLE.values(), *PADDED.values()], ids=[*SINGLE, *PADDED])
def test_camera_is_converted_and_explained(
    source: Any, size: Any, tmp_path: Path, run_convert: Convert, run_explain: Convert
) -> None:
    """The map of the network without the camera, on the photograph: but for what the format loses."""
    model, photo = (
        save_ir(camera(source, size), tmp_path / "net.xml"),
        written(tmp_path / "photo.png", BLOCKS),
    )
    order = ["--bgr"] if source == PADDED["bgr"] else []
    said = [*STRETCHED, *order, *(["--size", "20x28"] if size == "open" else [])]
    outcome = run_convert(model, "-o", tmp_path / "artifact", "-q", "--verify-with", photo, *said)
    assert outcome.exit_code == 0, outcome
    assert read_sidecar_file(tmp_path / "artifact" / "net_xai.json").verification.inputs == 4
    artifact = tmp_path / "artifact" / "net_xai.xml"
    for path, options in ((artifact, []), (model, said)):
        outcome = run_explain(path, photo, "-o", tmp_path / "out", *ALL, *options)
        assert outcome.exit_code == 0, outcome
        small = cv2.resize(BLOCKS, (14, 10), interpolation=cv2.INTER_LINEAR if size else cv2.INTER_AREA)
        truth = expected(cnn(CnnSpec()), small[..., ::-1] / 255)
        levels = np.stack([255 * (each - each.min()) / np.ptp(each) for each in truth])
        assert abs(maps(tmp_path / "out") - levels).mean() < 4
        swapped = expected(cnn(CnnSpec()), small / 255)
        swapped = np.stack([255 * (each - each.min()) / np.ptp(each) for each in swapped])
        assert abs(levels - swapped).mean() > 12, "colours that change places are seen"


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--mode", "blackbox"], 4, "the input takes NV12, whose rows are not the picture's"),
        (["--mean", "128"], 2, "NV12 bytes as they are: no mean, no scale"),
        (["--layout", "NCHW"], 2, "the input takes NV12, whose axes are NHWC"),
        (["--size", "9x9"], 2, "takes no image of 9x9"),
    ],
)
def test_what_a_camera_does_not_take(
    options: list[str], code: int, text: str, tmp_path: Path, run_explain: Convert
) -> None:
    model = save_ir(camera(FORMATS.NV12_SINGLE_PLANE), tmp_path / "net.xml")
    outcome = run_explain(model, written(tmp_path / "photo.png", BLOCKS), "-o", tmp_path / "out", *options)
    assert_one_error(outcome, code, text)
    assert not (tmp_path / "out").exists()


def test_planes_of_their_own(tmp_path: Path, run_explain: Convert) -> None:
    model = save_ir(camera(FORMATS.NV12_TWO_PLANES, None, ("y", "uv")), tmp_path / "net.xml")
    outcome = run_explain(model, written(tmp_path / "photo.png", BLOCKS), "-o", tmp_path / "out")
    assert_one_error(outcome, 2, "the model takes NV12 in 2 inputs; only NV12 in one is explained")


@pytest.mark.parametrize("kind", ["sixteen", "floats", "bands"])
def test_proof_on_a_photograph_of_any_kind(kind: str, tmp_path: Path, run_convert: Convert) -> None:
    photo, bands = tmp_path / "photo.tiff", 3
    if kind == "sixteen":
        written(photo, BLOCKS.astype(np.uint16) * 257)
    elif kind == "floats":
        written(photo, BLOCKS.astype(np.float32) * 1e4 - 5)
    else:
        photo, bands = tmp_path / "photo.npy", 5
        np.save(photo, numbers(np.uint8, bands))
    path = save_ir(of_bands(bands), tmp_path / "net.xml")
    assert CORE.read_model(path).inputs[0].shape[1] == bands
    outcome = run_convert(path, "-o", tmp_path / "out", "-q", "--verify-with", photo)
    assert outcome.exit_code == 0, outcome
    assert read_sidecar_file(tmp_path / "out" / "net_xai.json").verification.inputs == 4
