"""``ovxai-explain``: pictures on disk, whom it believes about preprocessing, and a user's mistakes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset15 as ops

from fixtures.broken_files import UNREADABLE, onnx_classifier, save_ir, text_as_onnx
from fixtures.networks import CnnSpec, Draw, classifier, cnn, image_parameter, named
from ovxai_convert import convert
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.image_files import encode_image, read_image, write_file
from ovxai_convert.photographs.preprocessing import Preprocessing
from ovxai_convert.pictures.colormaps import css_gradient, gradient
from tests import oracle
from tests.oracle import Floats, Port
from tests.program.invocation import Convert, Outcome, assert_one_error, but_unsaid, call_process, snapshot
from tests.running import CORE, run
from tests.special_networks import labelled, perceptron, two_class_outputs

LABELS: Final = ("cat", "dog", "bird")
BARE: Final = ["--max-side", "none", "--no-caption"]
"""A picture is the photograph's pixels, coloured, and nothing else."""
RISE: Final = ["--mode", "blackbox", "--num-masks", 20]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted classifier of 10x14 pixels whose three classes have labels."""
    folder = tmp_path_factory.mktemp("converted")
    return convert(save_ir(labelled(), folder / "net.xml"), folder / "artifact").xml


@pytest.fixture
def artifact(converted: Path, tmp_path: Path) -> Path:
    """A copy of it, which may be spoiled."""
    return shutil.copytree(converted.parent, tmp_path / "artifact") / converted.name


def prepared(photograph: Path, **known: Any) -> Floats:
    """The photograph as the networks here take it; what is not known is assumed."""
    assumed: dict[str, Any] = {"mean": (0.0,), "scale": (1.0,), "colour": "rgb", "resize": "crop"}
    preprocessing = Preprocessing((10, 14), 3, np.dtype(np.float32), **{**assumed, **known})
    return np.asarray(preprocessing(read_image(photograph)), np.float32)


def prepared_as_model_api_does(photograph: Path) -> Floats:
    """The photograph as the labelled network takes it, whose metadata say that Model API loads it."""
    known: dict[str, Any] = {"mean": (1.0, 2.0, 3.0), "colour": "bgr", "resize": "stretch"}
    return prepared(photograph, **known, interpolation="linear")


def expected_maps(model: ov.Model, batch: Floats) -> Floats:
    """The raw maps ``(K, 5, 7)`` by the slow definition."""
    (name,) = model.inputs[0].get_names()
    maps: Floats = oracle.reciprocam(model, Port("target"), Port("scores"), "NCHW", {name: batch})[0]
    return maps


def best_class(model: ov.Model, batch: Floats) -> int:
    return int(run(model, {model.inputs[0].get_any_name(): batch})[0][0].argmax())


def raw_maps(out: Path, names: tuple[str, ...] = LABELS) -> NDArray[np.uint8]:
    return np.stack([np.load(out / f"photo_{name}.npy") for name in names])


def pictures(out: Path) -> list[str]:
    return sorted(snapshot(out) or {})


def assert_done(outcome: Outcome, *files: Path) -> None:
    assert outcome.exit_code == 0, outcome
    assert outcome.errors == []
    assert [line.partition(": ")[0] for line in outcome.stdout.splitlines()] == [str(each) for each in files]


def test_artifact(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    outcome = run_explain(artifact, photograph, "-o", out)
    label = LABELS[best_class(labelled(), prepared_as_model_api_does(photograph))]
    picture = out / f"photo_{label}.png"
    assert_done(outcome, picture)
    assert re.fullmatch(
        rf"{re.escape(str(picture))}: {label}, score [01]\.\d\d, reciprocam, \d+\.\d\d s\n", outcome.stdout
    )
    assert outcome.stderr == "", "its metadata leave nothing open"
    assert pictures(out) == [picture.name]
    rows, columns, _ = read_image(photograph).shape
    shown = read_image(picture)
    assert shown.shape[1] == max(4 * columns, 240), "a small photograph is enlarged, and the strip needs room"
    assert 4 * rows + 30 < shown.shape[0] < 4 * rows + 100


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_plain_model(suffix: str, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    path = tmp_path / f"plain{suffix}"
    if suffix == ".onnx":
        onnx.save(onnx_classifier(), path)
    else:
        save_ir(cnn(CnnSpec()), path)
    outcome = run_explain(path, photograph, "-o", out)
    best = best_class(CORE.read_model(path), prepared(photograph))
    assert_done(outcome, out / f"photo_{best}.png")
    assert "reciprocam" in outcome.stdout
    assert "assumed, since nothing says it: colours rgb, resize crop, mean 0, scale 1" in outcome.stderr


def test_raw_maps_are_those_of_the_definition(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, "--targets", "all", "--raw")
    assert outcome.exit_code == 0
    assert pictures(out) == sorted(f"photo_{label}.{kind}" for label in LABELS for kind in ("png", "npy"))
    expected = expected_maps(labelled(), prepared_as_model_api_does(photograph))
    oracle.assert_grey_levels_equal(raw_maps(out), expected)
    with pytest.raises(AssertionError):
        oracle.assert_grey_levels_equal(raw_maps(out)[::-1], expected)


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        ("0,2", ["cat", "bird"]),
        ("bird", ["bird"]),
        (" bird , 0,bird", ["bird", "cat"]),
        ("1", ["dog"]),
        ("all", ["cat", "dog", "bird"]),
        ("-1", ["cat", "dog", "bird"]),
        ("top3", ["cat", "dog", "bird"]),
    ],
)
def test_targets(
    targets: str, names: list[str], artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, "--targets", targets)
    assert outcome.exit_code == 0
    assert pictures(out) == sorted(f"photo_{name}.png" for name in names)
    if targets != "top3":
        assert_done(outcome, *(out / f"photo_{name}.png" for name in names))
    else:
        scores = [float(score) for score in re.findall(r"score (\d\.\d\d)", outcome.stdout)]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        ("3", "no class 3: the model has 3, 0 to 2"),
        ("0,7", "no class 7"),
        ("brid", "no class labelled 'brid'; did you mean 'bird'"),
        ("top4", "there are no 4 best classes"),
        (",", "no class labelled ''"),
    ],
)
def test_class_that_does_not_exist(
    targets: str, text: str, artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, "-q", "--targets", targets)
    assert_one_error(outcome, 2, text)
    assert not out.exists()


def test_labels_of_the_command_line(
    artifact: Path, photograph: Path, tmp_path: Path, out: Path, run_explain: Convert
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("Katze\nHund\nbunter Vogel\n")
    command = [artifact, photograph, "-o", out, "-q", "--labels", labels]
    assert run_explain(*command, "--targets", "bunter Vogel,0").exit_code == 0
    assert pictures(out) == ["photo_Katze.png", "photo_bunter_Vogel.png"]
    assert_one_error(run_explain(*command, "--targets", "cat"), 2, "no class labelled 'cat'")


@pytest.mark.parametrize(
    ("content", "exit_code", "text"),
    [
        ("one\ntwo\n", 2, "2 labels do not name 3 classes"),
        ("one\ntwo\nthree\nfour\n", 2, "4 labels do not name 3 classes"),
        (None, 3, "cannot be read"),
    ],
    ids=["few", "many", "missing"],
)
def test_wrong_labels(
    content: str | None,
    exit_code: int,
    text: str,
    artifact: Path,
    photograph: Path,
    tmp_path: Path,
    out: Path,
    run_explain: Convert,
) -> None:
    labels = tmp_path / "labels.txt"
    if content is not None:
        labels.write_text(content)
    assert_one_error(run_explain(artifact, photograph, "-o", out, "--labels", labels), exit_code, text)
    assert not out.exists()


KNOWN: Final = PreprocessingHints(mean=(90.0,), colour="bgr", resize="stretch")


@pytest.mark.parametrize("told", ["nobody", "model", "sidecar", "command"])
def test_who_is_believed_about_preprocessing(
    told: str, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    """Each source is asked where the ones before it say nothing; what was used shows in the maps."""
    model = cnn(CnnSpec())
    if told != "nobody":
        for key, text in (("mean_values", "30 60 90"), ("scale_values", "50"), ("resize_type", "standard")):
            model.set_rt_info(text, ["model_info", key])
    path = save_ir(model, tmp_path / "net.xml")
    recorded = KNOWN if told in ("sidecar", "command") else PreprocessingHints()
    xml = convert(path, tmp_path / "artifact", preprocessing=recorded).xml
    options: list[object] = ["--mean", "1,2,3", "--resize", "letterbox", "--rgb"] if told == "command" else []
    outcome = run_explain(xml, photograph, "-o", out, "--raw", "--targets", "all", *options)
    assert outcome.exit_code == 0
    used: dict[str, dict[str, Any]] = {
        "nobody": {},
        "model": {
            "mean": (30.0, 60.0, 90.0),
            "scale": (50.0,),
            "resize": "stretch",
            "interpolation": "linear",
        },
        "sidecar": {"mean": (90.0,), "scale": (50.0,), "resize": "stretch", "colour": "bgr"},
        "command": {"mean": (1.0, 2.0, 3.0), "scale": (50.0,), "resize": "letterbox"},
    }
    assumed = {
        "nobody": "colours rgb, resize crop, mean 0, scale 1",
        "model": "colours rgb",
        "sidecar": None,
        "command": None,
    }
    lines = outcome.stderr.splitlines()
    assert (but_unsaid(lines) if told == "nobody" else lines) == (
        [] if assumed[told] is None else [f"{xml}: assumed, since nothing says it: {assumed[told]}"]
    )
    found = raw_maps(out, ("0", "1", "2"))
    for name, known in used.items():
        expected = expected_maps(cnn(CnnSpec()), prepared(photograph, **known))
        if name == told:
            oracle.assert_grey_levels_equal(found, expected)
        else:
            with pytest.raises(AssertionError):
                oracle.assert_grey_levels_equal(found, expected)


def test_size_of_an_open_input(tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    path = save_ir(cnn(CnnSpec(dynamic_size=True)), tmp_path / "open.xml")
    command = [path, photograph, "-o", out, "--targets", "0", "--raw"]
    outcome = run_explain(*command, "--size", "10x14")
    assert outcome.exit_code == 0
    assert "size" not in but_unsaid(outcome.stderr.splitlines())[0].partition("assumed")[2].replace(
        "resize", ""
    )
    assert np.load(out / "photo_0.npy").shape == (5, 7)
    outcome = run_explain(*command)
    assert "assumed, since nothing says it: size 224x224, " in outcome.stderr
    assert np.load(out / "photo_0.npy").shape == (112, 112)
    assert run_explain(*command, "--size", "12", "-q").exit_code == 0
    assert np.load(out / "photo_0.npy").shape == (6, 6)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--size", "20"], "takes no image of 20x20"),
        (["--size", "0x4"], "an input of 0x4 holds nothing"),
        (["--mean", "1,2"], "the mean is one number, or one per channel: 2 are told of 3"),
        (["--scale", "0"], "a scale of 0 divides by zero"),
        (["--device", "nonsense"], "no device 'nonsense' here; there are CPU"),
        (["--target-layer", "tarjet"], "no layer named 'tarjet'; did you mean 'target'"),
        (["--mode", "whitebox", "--method", "rise"], "rise is no whitebox method"),
        (["--mode", "blackbox", "--method", "reciprocam"], "reciprocam is no blackbox method"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_do_not_fit(
    options: list[str], text: str, artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    assert_one_error(run_explain(artifact, photograph, "-o", out, *options), 2, text)
    assert not out.exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--size", "big"],
        ["--size", "1x2x3"],
        ["--mean", "a,b"],
        ["--resize", "squeeze"],
        ["--layout", "CHWN"],
        ["--mode", "greybox"],
        ["--method", "gradcam"],
        ["--num-masks", "0"],
        ["--overlay-weight", "1.5"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_usage(options: list[str], artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, *options)
    assert outcome.exit_code == 2
    assert len(outcome.errors) == 1
    assert not out.exists()


def test_images_are_needed(artifact: Path, run_explain: Convert) -> None:
    assert run_explain(artifact).exit_code == 2


def test_several_images_of_which_one_is_broken(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    broken, last = photograph.with_name("broken.png"), photograph.with_name("last.png")
    broken.write_bytes(photograph.read_bytes()[:50])
    shutil.copy(photograph, last)
    outcome = run_explain(artifact, photograph, broken, last, "-o", out, "--targets", "cat", "--raw")
    assert outcome.exit_code == 3
    assert outcome.errors == [
        f"Error: {broken}: not an image that can be read: it begins as PNG, and is cut off or spoiled"
    ]
    assert "Traceback" not in outcome.stderr
    assert pictures(out) == ["last_cat.npy", "last_cat.png", "photo_cat.npy", "photo_cat.png"]
    assert (out / "last_cat.npy").read_bytes() == (out / "photo_cat.npy").read_bytes()


def test_first_failure_gives_the_exit_code(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    missing = photograph.with_name("missing.png")
    command = ["-o", out, "-q", "--targets", "9"]
    assert run_explain(artifact, photograph, missing, *command).exit_code == 2
    assert run_explain(artifact, missing, photograph, *command).exit_code == 3
    assert not out.exists()


def test_images_of_one_stem(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    twin = photograph.with_suffix(".jpg")
    shutil.copy(photograph, twin)
    outcome = run_explain(artifact, photograph, twin, "-o", out)
    assert_one_error(outcome, 2, "2 images would be written as photo_*; explain")
    assert not out.exists()


@pytest.mark.parametrize("content", [None, b"", b"hello\n" * 99], ids=["missing", "empty", "text"])
def test_image_that_is_none(
    content: bytes | None, artifact: Path, tmp_path: Path, out: Path, run_explain: Convert
) -> None:
    path = tmp_path / "photo.png"
    if content is not None:
        path.write_bytes(content)
    outcome = run_explain(artifact, path, "-o", out, "-q")
    assert_one_error(outcome, 3, "no such image" if content is None else "not an image that can be read")
    assert outcome.errors[0].startswith(f"Error: {path}: ")
    assert not out.exists()


@pytest.mark.parametrize("blocker", ["file", "file/below"])
def test_folder_that_cannot_be_made(
    blocker: str, artifact: Path, photograph: Path, tmp_path: Path, run_explain: Convert
) -> None:
    (tmp_path / "file").write_text("mine")
    before = snapshot(tmp_path)
    outcome = run_explain(artifact, photograph, "-o", tmp_path / blocker, "-q")
    assert_one_error(outcome, 6, "cannot be written")
    assert snapshot(tmp_path) == before


def test_file_in_the_way_leaves_nothing_half_written(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    (out / "photo_cat.npy").mkdir(parents=True)
    outcome = run_explain(artifact, photograph, "-o", out, "-q", "--raw", "--targets", "cat", *BARE)
    assert_one_error(outcome, 6, "cannot be written: it is a folder")
    assert pictures(out) == ["photo_cat.npy", "photo_cat.png"], "no temporary file is left"
    assert read_image(out / "photo_cat.png").shape == (30, 56, 3)


@pytest.mark.parametrize(("build", "text"), UNREADABLE, ids=[build.__name__ for build, _ in UNREADABLE])
def test_unreadable_model(
    build: Any, text: str, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    path = build(tmp_path)
    outcome = run_explain(path, photograph, "-o", out)
    assert_one_error(outcome, 3, text)
    assert outcome.errors[0].startswith(f"Error: {path}: ")
    assert not out.exists()


@pytest.mark.parametrize(
    ("spoiled", "text"),
    [
        ("version", "net_xai.json: sidecar version 2.0 is not known here (known: 1.3)"),
        ("key", "net_xai.json: not a valid sidecar"),
        ("labels", "net_xai.json: not the description of this model: its labels are not those that"),
    ],
)
def test_artifact_that_does_not_belong_together(
    spoiled: str, text: str, artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    sidecar = artifact.with_suffix(".json")
    data = json.loads(sidecar.read_text())
    changed: dict[str, Any] = {
        "version": {"schema_version": "2.0"},
        "key": {"mode": "greybox"},
        "labels": {"labels": data["labels"][::-1]},
    }
    sidecar.write_text(json.dumps(data | changed[spoiled]))
    assert_one_error(run_explain(artifact, photograph, "-o", out), 3, text)
    assert not out.exists()


def refused_model(folder: Path) -> Path:
    """No feature map, and nothing that tells which axes of the input are rows and columns."""
    return save_ir(perceptron(), folder / "refused.xml")


def test_white_box_that_is_refused(tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    path = refused_model(tmp_path)
    outcome = run_explain(path, photograph, "-o", out, "--layout", "NCHW", "--mode", "whitebox")
    assert_one_error(outcome, 4, "no feature map")
    assert f"'ovxai-inspect {path}'" in outcome.errors[0]
    assert not out.exists()


def test_falling_back_is_told(tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    path = refused_model(tmp_path)
    command = [path, photograph, "-o", out, "--targets", "0", "--num-masks", 20]
    outcome = run_explain(*command, "--layout", "NCHW")
    assert_done(outcome, out / "photo_0.png")
    assert ", rise, " in outcome.stdout
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("Warning:")]
    assert but_unsaid(warnings) == [
        f"Warning: {path}: explained as a black box: {reason}"
        for reason in (
            "no feature map: no tensor with rows and columns leads to the scores",
            "vitreciprocam: no attention over the tokens of an image leads to the scores",
        )
    ]


def test_unknown_layout_is_asked_for(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    path = save_ir(perceptron(colours=1), tmp_path / "grey.xml")
    outcome = run_explain(path, photograph, "-o", out, "--num-masks", 20, "-q")
    said = "which axes of the input [1,1,4,6] are rows and columns; name them with --layout"
    assert_one_error(outcome, 2, said)


def axes_without_names(batch: int | None = None) -> ov.Model:
    """A sum of products that does not name all axes: only an activation map is possible."""
    draw = Draw(31)
    image = image_parameter(CnnSpec(batch=batch))
    target = named(ops.tanh(draw.convolution(image, 4)), "target")
    pooled = ops.reduce_mean(target, [2, 3], False)
    mixed = ops.einsum([pooled, draw.numbers(4, 4)], "...c,cd->...d")
    return classifier(named(draw.linear(mixed, 3), "scores"), [image])


def test_another_branch_is_not_called_a_black_box(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    path = save_ir(axes_without_names(), tmp_path / "unnamed.xml")
    outcome = run_explain(path, photograph, "-o", out)
    assert_done(outcome, out / "photo_per_image_map.png")
    assert ", activationmap, " in outcome.stdout
    why = "reciprocam: Einsum does not name all axes"
    assert f"Warning: {path}: explained by activationmap: {why}" in outcome.stderr
    assert "black box" not in outcome.stderr
    with pytest.raises(AssertionError):
        assert_one_error(outcome, 0, "")


def test_black_box_on_request(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    command = [artifact, photograph, "-o", out, "--targets", "all", "--raw", "--scale", 255]
    outcome = run_explain(*command, *RISE)
    assert_done(outcome, *(out / f"photo_{label}.png" for label in LABELS))
    assert outcome.stdout.count(", rise, ") == 3
    assert "Warning" not in outcome.stderr
    first = raw_maps(out)
    assert first.shape == (3, 10, 14)
    assert np.isfinite(first).all()
    assert (np.ptp(first, axis=(1, 2)) > 1e-3).all()
    run_explain(*command, "--method", "rise", "--num-masks", 20)
    np.testing.assert_array_equal(raw_maps(out), first)
    for other in (["--seed", 1], ["--num-masks", 21]):
        run_explain(*command, *RISE, *other)
        assert abs(raw_maps(out) - first).max() > 1e-4


def test_no_progress_bar_where_nobody_looks(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, *RISE)
    assert "\r" not in outcome.stderr
    said = [line for line in outcome.stderr.splitlines() if not line.startswith("Warning:")]
    assert said == []


def test_overlay_weight(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    shown = {}
    for weight in ("0", "0.5", "1"):
        command = ["-o", out, "-q", "--targets", "cat", "--resize", "stretch", "--overlay-weight", weight]
        assert run_explain(artifact, photograph, *command, *BARE).exit_code == 0
        shown[weight] = read_image(out / "photo_cat.png").astype(int)
    source = read_image(photograph)
    np.testing.assert_array_equal(shown["0"], source)
    assert abs(shown["0.5"] - (source + shown["1"]) / 2).max() <= 1
    assert (shown["1"] != source).mean() > 0.9


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (["--max-side", "none"], (30, 56)),
        (["--max-side", "0"], (30, 56)),
        (["--max-side", "28"], (15, 28)),
        (["--max-side", "150"], (60, 112)),
        ([], (120, 224)),
    ],
    ids=str,
)
def test_sizes_of_pictures(
    options: list[str],
    size: tuple[int, int],
    artifact: Path,
    photograph: Path,
    out: Path,
    run_explain: Convert,
) -> None:
    command = [artifact, photograph, "-q", "--targets", "cat", *options]
    assert run_explain(*command, "-o", out / "bare", "--no-caption").exit_code == 0
    assert run_explain(*command, "-o", out / "told").exit_code == 0
    bare, told = (read_image(out / folder / "photo_cat.png") for folder in ("bare", "told"))
    assert bare.shape == (*size, 3)
    left = (told.shape[1] - size[1]) // 2
    np.testing.assert_array_equal(told[: size[0], left : left + size[1]], bare)
    assert told.shape[0] > size[0]


@pytest.mark.parametrize(
    ("image_format", "suffix", "beginning"),
    [("png", "png", b"\x89PNG"), ("jpeg", "jpg", b"\xff\xd8\xff"), ("webp", "webp", b"RIFF")],
)
def test_image_formats(
    image_format: str,
    suffix: str,
    beginning: bytes,
    artifact: Path,
    photograph: Path,
    out: Path,
    run_explain: Convert,
) -> None:
    command = ["-o", out, "--targets", "cat", "--image-format", image_format, "--raw"]
    outcome = run_explain(artifact, photograph, *command)
    assert_done(outcome, out / f"photo_cat.{suffix}")
    assert pictures(out) == sorted(["photo_cat.npy", f"photo_cat.{suffix}"])
    assert (out / f"photo_cat.{suffix}").read_bytes().startswith(beginning)


def test_a_photograph_too_long_for_its_format(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    write_file(photograph, encode_image(np.full((2, 16_400, 3), 99, np.uint8)))
    command = [artifact, photograph, "-o", out, "-q", "--image-format", "webp"]
    outcome = run_explain(*command, "--max-side", "none")
    assert_one_error(outcome, 2, "a webp picture has at most 16383 pixels a side, and this one has 16400x")
    assert not out.exists()
    assert run_explain(*command).exit_code == 0


def test_colormap(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    shown = {}
    command = ["-o", out, "-q", "--targets", "cat", "--resize", "stretch", "--overlay-weight", 1, *BARE]
    for name in ("jet", "cividis"):
        page = out / f"{name}.html"
        options = ["--colormap", name, "--report", page]
        assert run_explain(artifact, photograph, *command, *options).exit_code == 0
        shown[name] = read_image(out / "photo_cat.png")
        table = gradient(name, 256)[0]
        used = np.unique(shown[name].reshape(-1, 3), axis=0)
        assert {tuple(colour) for colour in used.tolist()} <= {tuple(colour) for colour in table.tolist()}
        assert css_gradient(name) in page.read_text(encoding="utf-8")
    assert (shown["jet"] != shown["cividis"]).any()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--colormap", "virdis"], "'virdis' is not one of 'jet', 'turbo', 'viridis'"),
        (["--image-format", "bmp"], "'bmp' is not one of 'png', 'jpeg', 'webp'"),
        (["--max-side", "-4"], "'-4' is neither a number of pixels nor none"),
        (["--max-side", "large"], "'large' is neither a number of pixels nor none"),
    ],
    ids=str,
)
def test_pictures_that_there_are_not(
    options: list[str], text: str, artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, *options)
    assert outcome.exit_code == 2
    (error,) = outcome.errors
    assert text in error
    assert not out.exists()


def test_labels_that_cannot_be_drawn_are_told_once(
    artifact: Path, photograph: Path, tmp_path: Path, out: Path, run_explain: Convert
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\u0e41\u0e21\u0e27\ndog?\nbird \U0001f426\n", encoding="utf-8")
    other = photograph.with_name("other.png")
    shutil.copy(photograph, other)
    command = [artifact, photograph, other, "-o", out, "-q", "--labels", labels, "--targets", "all"]
    outcome = run_explain(*command)
    assert outcome.exit_code == 0
    first, second = outcome.stderr.splitlines()
    assert "cannot draw all letters of \u0e41\u0e21\u0e27; the picture says class 0" in first
    assert "cannot draw all letters of bird \U0001f426; the picture says bird ? (class 2)" in second
    assert run_explain(*command, "--no-caption").stderr == ""


def test_a_weight_that_is_no_number(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, "-q", "--overlay-weight", "nan")
    assert_one_error(outcome, 2, "an overlay weight lies between 0 and 1; nan does not")
    assert not out.exists()


def test_a_small_score_is_not_printed_as_none(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    draw = Draw(8)
    image = image_parameter(CnnSpec(batch=1))
    pooled = ops.reduce_mean(named(ops.tanh(draw.convolution(image, 4)), "target"), [2, 3], False)
    scores = ops.add(draw.linear(pooled, 3), np.array([[0, -40, 40]], np.float32))
    path = save_ir(classifier(named(scores, "scores"), [image]), tmp_path / "net.xml")
    outcome = run_explain(path, photograph, "-o", out, "--targets", "1,2")
    assert "photo_1.png: 1, score < 0.01, " in outcome.stdout
    assert re.search(r"photo_2.png: 2, score (> 0.99|1.00), ", outcome.stdout)


def test_what_the_model_did_not_see_is_grey(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    """30 of 56 columns by 10x14: the middle 42 columns are seen."""
    command = [artifact, photograph, "-o", out, "-q", "--targets", "cat", "--resize", "crop"]
    assert run_explain(*command, *BARE).exit_code == 0
    coloured = (np.ptp(read_image(out / "photo_cat.png").astype(int), axis=2) > 0).any(axis=0)
    assert np.flatnonzero(coloured).tolist() == list(range(7, 49))


def test_quiet(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    outcome = run_explain(artifact, photograph, "-o", out, "--quiet")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "")
    assert len(pictures(out)) == 1


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_input_of_other_channels(
    channels: int, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    draw = Draw(2)
    data = ops.parameter([1, channels, 8, 6], np.float32, name="data")
    scores = draw.linear(ops.reduce_mean(draw.convolution(data, 4), [2, 3], False), 3)
    path = save_ir(classifier(scores, [data]), tmp_path / "other.xml")
    text = f"the picture has 3 bands (H, W, C); the input takes {channels} bands"
    assert_one_error(run_explain(path, photograph, "-o", out, "-q"), 2, text)
    assert not out.exists()


@pytest.mark.parametrize("element_type", ["u8", "i8"])
def test_input_of_whole_numbers(
    element_type: str, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    steps = ov.preprocess.PrePostProcessor(cnn(CnnSpec()))
    steps.input().tensor().set_element_type(getattr(ov.Type, element_type))
    path = save_ir(steps.build(), tmp_path / "whole.xml")
    outcome = run_explain(path, photograph, "-o", out, "--raw", "--targets", "all")
    assert outcome.exit_code == 0
    offset = 128 if element_type == "i8" else 0
    assert f"mean {offset}" in outcome.stderr
    expected = expected_maps(cnn(CnnSpec()), prepared(photograph, mean=(float(offset),)))
    oracle.assert_grey_levels_equal(raw_maps(out, ("0", "1", "2")), expected)


def test_model_whose_classes_are_not_clear(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    path = save_ir(two_class_outputs(), tmp_path / "two.xml")
    assert_one_error(run_explain(path, photograph, "-o", out), 4, "several outputs are class tensors")
    chosen = convert(path, tmp_path / "artifact", scores_output="second").xml
    outcome = run_explain(chosen, photograph, "-o", out, "--targets", "all", "-q")
    assert outcome.exit_code == 0
    assert pictures(out) == ["photo_0.png", "photo_1.png"]


def test_class_without_a_map(tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    path = save_ir(labelled(), tmp_path / "net.xml")
    xml = convert(path, tmp_path / "artifact", classes=["bird", "cat"]).xml
    assert run_explain(xml, photograph, "-o", out, "-q", "--targets", "all").exit_code == 0
    assert pictures(out) == ["photo_bird.png", "photo_cat.png"]
    outcome = run_explain(xml, photograph, "-o", out, "-q", "--targets", "dog")
    assert_one_error(outcome, 2, "the model gives no map of class 1; it was converted for 2, 0")


def test_the_photograph_itself_is_not_replaced(
    tmp_path: Path, artifact: Path, photograph: Path, run_explain: Convert
) -> None:
    """A class without a name would leave the photograph's own."""
    labels = tmp_path / "labels.json"
    labels.write_text('["", " ", "/"]')
    before = photograph.read_bytes()
    command = ["-o", photograph.parent, "-q", "--targets", "all", "--labels", labels]
    assert run_explain(artifact, photograph, *command).exit_code == 0
    assert photograph.read_bytes() == before
    assert len(pictures(photograph.parent)) == 4


def test_the_installed_program(artifact: Path, photograph: Path, out: Path, tmp_path: Path) -> None:
    outcome = call_process("ovxai-explain", [artifact, photograph, "-o", out, "--targets", "dog", *BARE])
    assert_done(outcome, out / "photo_dog.png")
    assert read_image(out / "photo_dog.png").shape == (30, 56, 3)
    broken = text_as_onnx(tmp_path)
    assert_one_error(call_process("ovxai-explain", [broken, photograph, "-o", out]), 3, "not an ONNX model")


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinite scores")])
def test_a_model_that_answers_with_no_numbers(
    value: float, word: str, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    draw = Draw(8)
    image = image_parameter(CnnSpec(batch=1))
    pooled = ops.reduce_mean(named(ops.tanh(draw.convolution(image, 4)), "target"), [2, 3], False)
    scores = ops.add(draw.linear(pooled, 3), np.float32(value))
    path = save_ir(classifier(named(scores, "scores"), [image]), tmp_path / "net.xml")
    outcome = run_explain(path, photograph, "-o", out, "-q")
    assert_one_error(outcome, 4, f"the model itself gives {word} for this image")
    assert not out.exists()


def test_a_map_that_shows_nothing_is_said_to(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    draw = Draw(8)
    image = image_parameter(CnnSpec(batch=1))
    dead = ops.relu(ops.add(ops.tanh(draw.convolution(image, 4)), np.float32(-9)))
    pooled = ops.reduce_mean(named(dead, "target"), [2, 3], False)
    path = save_ir(classifier(named(draw.linear(pooled, 3), "scores"), [image]), tmp_path / "net.xml")
    outcome = run_explain(path, photograph, "-o", out, "-q", "--targets", "1")
    assert outcome.exit_code == 0
    assert but_unsaid(outcome.stderr.splitlines()) == [
        f"Warning: {photograph}: the map of 1 is the same everywhere and shows nothing"
    ]
