"""Inputs made to do harm: a documented exit code, one line, nothing written, within time and memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest

from fixtures.broken_files import save_ir
from fixtures.hostile import LABELS, MODELS, SVG, png
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert
from ovxai_convert.errors import WriteError
from ovxai_convert.steps import Steps
from tests.fuzz.case import OUT, Case, Command
from tests.fuzz.supervising import Limits, Outcome, Worker
from tests.fuzz.verdict import fault
from tests.program.invocation import BIN, assert_one_error, call_process
from tests.special_networks import labelled

LIMITS: Final = Limits(seconds=60, mebibytes=4096)
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """A process that does the commands, within limits."""
    with Worker(LIMITS) as worker:
        yield worker


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A converted model, and a photograph."""
    folder = tmp_path_factory.mktemp("artifact")
    convert(save_ir(labelled(), folder / "net.xml"), folder / "out")
    files = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    files["photo.png"] = cv2.imencode(".png", np.full((9, 12, 3), 99, np.uint8))[1].tobytes()
    return files


def outcomes(worker: Worker, folder: Path, files: Files, *commands: list[str]) -> list[Outcome]:
    """What comes of commands in a folder of these files; none may end as is not documented."""
    case = Case("hostile", files, tuple(Command(program, tuple(rest)) for program, *rest in commands))
    found = worker.run(case, folder)
    for outcome in found:
        assert outcome.broken_off == "", outcome
        assert fault(outcome) is None, (fault(outcome), outcome)
    return found


def explained(
    worker: Worker, folder: Path, files: Files, photograph: str = "photo.png", *options: str
) -> Outcome:
    (outcome,) = outcomes(
        worker, folder, files, ["explain", "net_xai.xml", photograph, "-o", OUT, "-q", *options]
    )
    return outcome


def assert_unreadable(outcome: Outcome, text: str) -> None:
    assert outcome.exit_code == 3, outcome
    assert text in outcome.stderr, outcome


@pytest.mark.parametrize("name", MODELS)
def test_model(name: str, worker: Worker, tmp_path: Path) -> None:
    make, codes, text = MODELS[name]
    (tmp_path / "source").mkdir()
    path = str(make(tmp_path / "source"))
    _, converted = outcomes(
        worker, tmp_path / "case", {}, ["inspect", path], ["convert", path, "-o", OUT, "-q"]
    )
    assert converted.exit_code in codes, converted
    assert text in converted.stderr, converted
    assert converted.seconds < LIMITS.seconds


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("large.png", png(60_000, 60_000), "more pixels than are decoded"),
        ("flat.png", png(10**9, 1), "not an image"),
        ("tall.png", png(1, 10**9), "not an image"),
        ("torn.png", png(300, 300), "not an image"),
        ("none.png", b"", "not an image"),
        ("drawing.svg", SVG, "not an image"),
        ("page.jpg", b"<html>" * 1000, "not an image"),
        ("start.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(9), "not an image"),
    ],
)
def test_photograph(
    name: str, content: bytes, text: str, worker: Worker, artifact: Files, tmp_path: Path
) -> None:
    assert_unreadable(explained(worker, tmp_path / "case", {name: content, **artifact}, name), text)
    given = ["convert", "net_xai.xml", "-o", OUT, "-q", "--verify-with", name]
    (outcome,) = outcomes(worker, tmp_path / "again", {name: content, **artifact}, given)
    assert outcome.exit_code in (3, 4)


def writable(*suffixes: str) -> list[str]:
    """Those kinds that this OpenCV writes: 4.9 neither GIF nor AVIF."""
    return [suffix for suffix in suffixes if cv2.haveImageWriter(suffix)]


@pytest.mark.parametrize(
    "suffix", writable(".jpg", ".png", ".gif", ".webp", ".tiff", ".bmp", ".avif", ".jp2")
)
def test_photograph_that_is_cut(suffix: str, worker: Worker, artifact: Files, tmp_path: Path) -> None:
    """It is refused, or its first part explained."""
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    whole = cv2.imencode(suffix, pixels)[1].tobytes()
    for part in (4, 2):
        files = {f"cut{suffix}": whole[: len(whole) // part], **artifact}
        assert explained(worker, tmp_path / str(part), files, f"cut{suffix}").exit_code in (0, 3)


@pytest.mark.skipif(not hasattr(cv2, "Animation"), reason="this OpenCV writes none")
def test_photograph_that_moves(worker: Worker, artifact: Files, tmp_path: Path) -> None:
    animation = cv2.Animation()
    frames = np.random.default_rng(1).integers(0, 256, (3, 20, 20, 3), np.uint8)
    animation.frames, animation.durations = list(frames), [100, 100, 100]
    done, content = cv2.imencodeanimation(".gif", animation)
    assert done
    files = {"moving.gif": content.tobytes(), **artifact}
    assert explained(worker, tmp_path / "case", files, "moving.gif").exit_code == 0


FORMATS = writable(".png", ".jpg", ".gif", ".webp", ".tiff", ".bmp", ".avif", ".jp2", ".ppm")


@pytest.mark.parametrize("suffix", FORMATS)
def test_limit_of_pixels(suffix: str, artifact: Files, tmp_path: Path) -> None:
    """By the program itself, whose child tells OpenCV before it is loaded."""
    for name, content in artifact.items():
        (tmp_path / name).write_bytes(content)
    picture = tmp_path / f"picture{suffix}"
    assert cv2.imwrite(str(picture), np.full((40, 40, 3), 7, np.uint8))
    given = [tmp_path / "net_xai.xml", picture, "-o", tmp_path / "out", "-q", "--max-pixels", 1599]
    assert_one_error(call_process("ovxai-explain", given), 3, "more pixels than are decoded")
    assert not (tmp_path / "out").exists()


def test_pixels_within_the_limit(artifact: Files, tmp_path: Path) -> None:
    """Of every format, in one process."""
    for name, content in artifact.items():
        (tmp_path / name).write_bytes(content)
    pictures = [tmp_path / f"{suffix[1:]}{suffix}" for suffix in FORMATS]
    for picture in pictures:
        assert cv2.imwrite(str(picture), np.full((40, 40, 3), 7, np.uint8))
    given = [tmp_path / "net_xai.xml", *pictures, "-o", tmp_path / "out", "-q", "--max-pixels", 1600]
    assert call_process("ovxai-explain", given).exit_code == 0
    shown = {path.name.partition("_")[0] for path in (tmp_path / "out").glob("*.png")}
    assert len(shown) == len(FORMATS)


@pytest.mark.parametrize("name", LABELS)
def test_labels(name: str, worker: Worker, artifact: Files, tmp_path: Path) -> None:
    file, content, text = LABELS[name]
    files = {file: content, **artifact}
    assert_unreadable(explained(worker, tmp_path / "case", files, "photo.png", "--labels", file), text)


@pytest.mark.parametrize("kind", ["pipe", "zeros", "folder", "circle", "too long"])
@pytest.mark.parametrize("role", ["labels", "photograph", "sidecar"])
def test_place_that_holds_no_file(
    kind: str, role: str, worker: Worker, artifact: Files, tmp_path: Path
) -> None:
    path = tmp_path / ("x" * 5000 if kind == "too long" else "there")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind != "too long":
        path.symlink_to("/dev/zero" if kind == "zeros" else path)
    if role == "sidecar":  # one that is no file is none
        if kind == "too long":
            return
        folder = tmp_path / "artifact"
        folder.mkdir()
        for name, content in artifact.items():
            (folder / name).write_bytes(content)
        (folder / "net_xai.json").unlink()
        path.rename(folder / "net_xai.json")
        (outcome,) = outcomes(worker, tmp_path / "case", {}, ["inspect", str(folder / "net_xai.xml")])
        assert outcome.exit_code == 0
        assert "no sidecar is beside it" in outcome.stdout
    elif role == "labels":
        outcome = explained(worker, tmp_path / "case", artifact, "photo.png", "--labels", str(path))
        assert_unreadable(outcome, "cannot be read")
    else:
        outcome = explained(worker, tmp_path / "case", artifact, str(path))
        if kind == "folder":
            assert outcome.exit_code == 2
            assert "there is no photograph in this folder" in outcome.stderr
            return
        said = {"circle": "no such image", "too long": "no such image"}
        assert_unreadable(outcome, said.get(kind, "not a regular file"))


@pytest.mark.parametrize(
    "content",
    [b" " * (65 * 2**20), b"[" * 10**6, b'{"schema_version": ' * 10**5, b"\xff" * 100, b""],
    ids=["huge", "deep", "deep objects", "no text", "empty"],
)
def test_sidecar(content: bytes, worker: Worker, artifact: Files, tmp_path: Path) -> None:
    outcome = explained(worker, tmp_path / "case", {**artifact, "net_xai.json": content})
    assert_unreadable(outcome, "net_xai.json: not a sidecar")


def test_sidecar_without_end(worker: Worker, artifact: Files, tmp_path: Path) -> None:
    """A file of 1 TB that takes no place on the disk."""
    folder = tmp_path / "artifact"
    folder.mkdir()
    for name, content in artifact.items():
        (folder / name).write_bytes(content)
    with (folder / "net_xai.json").open("r+b") as file:
        file.truncate(10**12)
    (outcome,) = outcomes(worker, tmp_path / "case", {}, ["inspect", str(folder / "net_xai.xml")])
    assert_unreadable(outcome, "more than")


@pytest.mark.parametrize("program", ["convert", "explain"])
def test_folder_of_no_possible_name(program: str, artifact: Files, tmp_path: Path) -> None:
    for name, content in artifact.items():
        (tmp_path / name).write_bytes(content)
    source = save_ir(labelled(), tmp_path / "net.xml")
    given = [source] if program == "convert" else [tmp_path / "net_xai.xml", tmp_path / "photo.png"]
    before = sorted(tmp_path.rglob("*"))
    outcome = call_process(f"ovxai-{program}", [*given, "-o", tmp_path / ("x" * 300), "-q"])
    assert_one_error(outcome, 6, "File name too long")
    assert sorted(tmp_path.rglob("*")) == before


def test_long_stem_of_a_photograph(worker: Worker, artifact: Files, tmp_path: Path) -> None:
    name = f"{'x' * 250}.png"
    outcome = explained(worker, tmp_path / "case", {name: artifact["photo.png"], **artifact}, name)
    assert outcome.exit_code == 0


@pytest.mark.parametrize("step", ["reading it", "building the branch", "proving it"])
def test_folder_that_is_taken_away_meanwhile(step: str, tmp_path: Path) -> None:
    source, out = save_ir(labelled(), tmp_path / "net.xml"), tmp_path / "out"

    def take_away(steps: tuple[str, ...]) -> None:
        if step in steps:
            shutil.rmtree(out, ignore_errors=True)

    with pytest.raises(WriteError, match="cannot write there: "):
        convert(source, out, steps=Steps(take_away))
    assert not out.exists()


def test_description_of_another_kind(worker: Worker, artifact: Files, tmp_path: Path) -> None:
    """Values that are JSON and no description."""
    for number, value in enumerate(
        ("null", "[]", "1e999", '"x"', "{}", json.dumps({"schema_version": "9.0"}))
    ):
        files = {**artifact, "net_xai.json": value.encode()}
        assert explained(worker, tmp_path / str(number), files).exit_code in (0, 3)


def test_output_without_a_name(worker: Worker, tmp_path: Path) -> None:
    source = str(save_ir(labelled(), tmp_path / "net.xml"))
    given = ["convert", source, "-o", OUT, "-q", "--output-name", ""]
    (outcome,) = outcomes(worker, tmp_path / "case", {}, given)
    assert (outcome.exit_code, "needs a name" in outcome.stderr) == (2, True)


@pytest.mark.parametrize(
    "option", ["--mean=\u202e\x1b[2J", "--size=\x07", "--reference=\x9b31m", "--\x1b[2J"]
)
def test_options_are_quoted_harmlessly(option: str, tmp_path: Path) -> None:
    outcome = call_process("ovxai-convert", [tmp_path / "net.onnx", option])
    assert outcome.exit_code == 2
    assert len(outcome.errors) == 1
    assert all(each.isprintable() or each == "\n" for each in outcome.stderr)


def test_nothing_is_sent_or_kept(artifact: Files, tmp_path: Path) -> None:
    """OpenVINO's telemetry notes whose import it tells of in the user's home."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    for name, content in artifact.items():
        (work / name).write_bytes(content)
    source = save_ir(labelled(), work / "net.xml")
    away = {"CI", "TF_BUILD", "JENKINS_URL"}  # where it is silent by itself
    environment = {key: value for key, value in os.environ.items() if key not in away} | {"HOME": str(home)}
    for program, *given in (
        ("convert", source, "-o", work / "out"),
        ("inspect", source),
        ("explain", work / "net_xai.xml", work / "photo.png", "-o", work / "out"),
    ):
        command = [BIN / f"ovxai-{program}", *given]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
        assert list(home.iterdir()) == []


@pytest.mark.parametrize("size", [(9, 12), (1, 30_000)])
def test_photograph_that_would_be_enlarged_beyond_all(
    size: tuple[int, int], worker: Worker, artifact: Files, tmp_path: Path
) -> None:
    """By what is asked for, or because one side is so much shorter than the other."""
    picture = cv2.imencode(".png", np.full((*size, 3), 99, np.uint8))[1].tobytes()
    options = ["--resize", "crop", "--resize-to", "60000"]
    files = {**artifact, "photo.png": picture}
    outcome = explained(worker, tmp_path / "case", files, "photo.png", *options)
    assert (outcome.exit_code, "would have to be enlarged" in outcome.stderr) == (2, True)


@pytest.mark.parametrize("option", [["--resize-to", "65537"], ["--size", "65537"]])
def test_more_rows_than_the_sidecar_knows(option: list[str], worker: Worker, tmp_path: Path) -> None:
    source = str(save_ir(cnn(CnnSpec(dynamic_size=True)), tmp_path / "net.xml"))
    (outcome,) = outcomes(worker, tmp_path / "case", {}, ["convert", source, "-o", OUT, "-q", *option])
    assert (outcome.exit_code, "at most 65536" in outcome.stderr) == (2, True)
