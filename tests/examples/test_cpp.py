"""``examples/cpp`` gives the same as the package; it is built once.

Required where OVXAI_REQUIRE_CPP=1, else these tests are skipped where a compiler or a library is missing.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

import cv2
import numpy as np
import openvino as ov
import pytest

from fixtures.broken_files import save_ir
from ovxai_convert import PreprocessingHints, convert
from ovxai_convert.photographs.image_files import read_image
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
from tests.photographs.test_packed import PADDED, SINGLE, camera
from tests.special_networks import labelled, perceptron

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
RESIZED: Final = ("crop", "crop resize_to", "letterbox", "fit_to_window", "nearest", "own size")
CHOSEN: Final = (
    *RESIZED,
    *("clip", "grey", "one channel", "NHWC", "u8", "i8", "batch of 3"),
    *("top_k", "classes", "activationmap", "raw scores", "labels", "groups", "argmax", "best indices"),
)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("OVXAI_REQUIRE_CPP") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, compiled."""
    if shutil.which("cmake") is None or shutil.which("c++") is None:
        _missing("no cmake or no C++ compiler is on the PATH")
    build = tmp_path_factory.mktemp("cpp")
    openvino = Path(str(ov.__file__)).parent / "cmake"
    configure = ["cmake", "-S", str(EXAMPLES / "cpp"), "-B", str(build), f"-DOpenVINO_DIR={openvino}"]
    done = subprocess.run(configure, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        _missing(f"a library of the C++ example is missing: {' '.join(done.stderr.split())}")
    compile_it = ["cmake", "--build", str(build)]
    made = subprocess.run(compile_it, capture_output=True, text=True, check=False, timeout=300)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "warning" not in made.stdout + made.stderr
    return build / "read_saliency"


def call(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", CHOSEN)
def test_input_and_map_are_those_of_the_package(name: str, program: Path, tmp_path: Path) -> None:
    case = CASES[name]
    xml = converted(case, tmp_path)
    package = Package(xml, tmp_path / "explained")
    place = CHOSEN.index(name)
    sizes = (SIZES[place % 4], SIZES[(place + 2) % 4]) if name in RESIZED else (SIZES[place % 4],)
    for rows, columns in sizes:
        run = Run(xml, photograph(tmp_path, rows, columns), tmp_path, case.wanted)
        outcome = call(program, *run.arguments)
        assert (outcome.returncode, outcome.stderr) == (0, "")
        run.assert_gave(package.gives(run.photo, case.wanted))


@pytest.mark.parametrize("name", ["crop", "letterbox", "crop resize_to", "raw scores", "resizes itself"])
def test_says_and_draws_what_the_example_in_python_does(
    name: str,
    program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run(converted(CASES[name], tmp_path), photograph(tmp_path, 61, 43), tmp_path)
    outcome = call(program, *run.arguments)
    picture = read_image(run.overlay).astype(int)
    monkeypatch.setattr(sys, "argv", ["read_saliency.py", *run.arguments])
    runpy.run_path(str(EXAMPLES / "read_saliency.py"), run_name="__main__")
    assert outcome.stdout == capsys.readouterr().out
    # A level between two may be rounded to either, whose colours are that near.
    assert np.abs(picture - read_image(run.overlay)).max() <= 2


def test_cubic_is_the_same_to_a_level(program: Path, tmp_path: Path) -> None:
    """OpenCV with Intel's IPP and without it round differently."""
    case = CASES["cubic"]
    xml, photo = converted(case, tmp_path), photograph(tmp_path, 61, 43)
    run = Run(xml, photo, tmp_path)
    assert call(program, *run.arguments).returncode == 0
    expected = Package(xml, tmp_path / "explained").gives(photo)
    assert np.abs(np.load(run.input) - expected.input).max() <= 1
    assert np.load(run.map).shape == expected.map.shape


def test_artifact_under_another_name_without_its_sidecar(program: Path, tmp_path: Path) -> None:
    xml, photo = converted(CASES["top_k"], tmp_path), photograph(tmp_path, 97, 98)
    run = Run(renamed(xml, tmp_path), photo, tmp_path)
    outcome = call(program, *run.arguments)
    assert outcome.returncode == 0, outcome.stderr
    run.assert_gave(Package(xml, tmp_path / "explained").gives(photo))


def test_black_box(program: Path, tmp_path: Path) -> None:
    source = save_ir(perceptron(), tmp_path / "net.xml")
    xml = convert(source, tmp_path / "out", preprocessing=NORMALISED).xml
    outcome = call(program, xml, photograph(tmp_path, 61, 43), tmp_path / "overlay.png")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == f"{xml} has no map: it is to be explained as a black box\n"


def test_levels_and_channels_that_it_does_not_know(program: Path, tmp_path: Path) -> None:
    """A line, and no other input than the package's."""
    photo, deep = photograph(tmp_path, 61, 43), tmp_path / "deep.png"
    assert cv2.imwrite(str(deep), np.zeros((61, 43, 3), np.uint16))
    for name in ("usual", "levels", "cut", "packed"):
        (tmp_path / name).mkdir()
    usual = converted(CASES["stretch"], tmp_path / "usual")
    levels = converted(Case(labelled, replace(NORMALISED, levels=(0.0, 255.0))), tmp_path / "levels")
    cut = converted(Case(partial(camera, PADDED["rgb"]), PreprocessingHints(colour="rgb")), tmp_path / "cut")
    packed = converted(
        Case(partial(camera, SINGLE["nv12"]), PreprocessingHints(resize="stretch")), tmp_path / "packed"
    )
    for xml, picture, text in (
        (usual, deep, "of other levels than 8 bits are not known here"),
        (levels, photo, "levels, and channels that are cut off, are not known here"),
        (cut, photo, "levels, and channels that are cut off, are not known here"),
        (packed, photo, "colours as nv12 are not known here"),
    ):
        outcome = call(program, xml, picture, tmp_path / "overlay.png")
        assert (outcome.returncode, outcome.stdout) == (1, "")
        assert text in outcome.stderr
        assert outcome.stderr.count("\n") == 1


def test_wrong_arguments(program: Path) -> None:
    for arguments in ([], ["a.xml", "b.png", "c.png", "--map"], ["a.xml", "b.png", "c.png", "--maps", "d"]):
        outcome = call(program, *arguments)
        assert outcome.returncode == 1
        assert outcome.stderr.startswith("usage: read_saliency MODEL.xml")
