"""``--labels`` in every form, and classes called by labels with commas, on the command line and in Python."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from fixtures.broken_files import save_ir
from ovxai_convert import Explainer, Explanation, convert, read_sidecar
from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.source.label_files import Labels
from tests.program.invocation import Convert, assert_one_error
from tests.special_networks import labelled

NAMES: Final = ("tench, Tinca tinca", "goldfish, Carassius auratus", "cock")
FILES: Final = {
    "config.json": json.dumps({"model_type": "vit", "id2label": {str(i): n for i, n in enumerate(NAMES)}}),
    "class_index.json": json.dumps({str(i): [f"n0000000{i}", n] for i, n in enumerate(NAMES)}),
    "by_label.json": json.dumps({n: i for i, n in enumerate(NAMES)}),
    "numbered.txt": "".join(f"{i}: {n}\n" for i, n in reversed(list(enumerate(NAMES)))),
    "python.txt": repr(dict(enumerate(NAMES))).replace(", 1", ",\n 1"),
    "synsets.txt": "".join(f"n0000000{i} {n}\n" for i, n in enumerate(NAMES)),
    "table.csv": "id,name\n" + "".join(f'{i},"{n}"\n' for i, n in enumerate(NAMES)),
    "data.yaml": "names:\n" + "".join(f"  {i}: {n}\n" for i, n in enumerate(NAMES)),
}
FILE_NAMES: Final = ("photo_tench_Tinca_tinca.png", "photo_goldfish_Carassius_auratus.png", "photo_cock.png")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of three classes."""
    return save_ir(labelled(), tmp_path_factory.mktemp("model") / "net.xml")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A plain file of its labels."""
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(NAMES))
    return path


@pytest.mark.parametrize("name", FILES)
def test_forms(
    name: str, model: Path, photograph: Path, tmp_path: Path, out: Path, run_explain: Convert
) -> None:
    path = tmp_path / name
    path.write_text(FILES[name])
    outcome = run_explain(model, photograph, "-o", out, "--labels", path, "--targets", "all")
    assert outcome.exit_code == 0
    assert sorted(os.listdir(out)) == sorted(FILE_NAMES)
    told = rf"{re.escape(str(path))}: labels read from .+: 0 is 'tench, Tinca tinca', 2 is 'cock'\n"
    assert len(re.findall(told, outcome.stderr)) == 1


def test_a_plain_file_and_a_quiet_command_say_nothing(
    model: Path, labels: Path, photograph: Path, tmp_path: Path, out: Path, run_explain: Convert
) -> None:
    assert "labels read" not in run_explain(model, photograph, "-o", out, "--labels", labels).stderr
    labels.write_text(FILES["numbered.txt"])
    outcome = run_explain(model, photograph, "-o", out, "--labels", labels, "-q")
    assert (outcome.exit_code, outcome.stderr) == (0, "")


def test_conversion_tells_it_once(
    model: Path, labels: Path, tmp_path: Path, out: Path, run_convert: Convert
) -> None:
    other = save_ir(labelled(), tmp_path / "other.xml")
    labels.write_text(FILES["numbered.txt"])
    outcome = run_convert(model, other, "-o", out, "--labels", labels)
    assert outcome.exit_code == 0
    assert outcome.stderr.count("labels read from lines of index and label") == 1
    for name in ("net_xai.json", "other_xai.json"):
        assert read_sidecar(out / name).labels == NAMES


def test_other_numbers_are_refused(
    model: Path, labels: Path, photograph: Path, out: Path, run_explain: Convert, run_convert: Convert
) -> None:
    labels.write_text("1: tench\n2: goldfish\n3: cock\n")
    text = "its indices are 1 to 3, and classes are numbered from 0"
    assert_one_error(run_explain(model, photograph, "-o", out, "--labels", labels), 3, text)
    assert_one_error(run_convert(model, "-o", out, "-q", "--labels", labels), 3, text)
    assert not out.exists()


@pytest.mark.parametrize(
    ("targets", "indices"),
    [
        ("tench, Tinca tinca", [0]),
        ("tench, Tinca tinca,cock", [0, 2]),
        ('"goldfish, Carassius auratus",cock', [1, 2]),
        ("COCK,tench", [2, 0]),
    ],
)
def test_targets_with_commas(
    targets: str,
    indices: list[int],
    model: Path,
    labels: Path,
    photograph: Path,
    out: Path,
    run_explain: Convert,
    run_convert: Convert,
) -> None:
    command = ["-o", out, "-q", "--labels", labels]
    assert run_explain(model, photograph, *command, "--targets", targets).exit_code == 0
    assert sorted(os.listdir(out)) == sorted(FILE_NAMES[index] for index in indices)
    assert run_convert(model, *command, "--classes", targets).exit_code == 0
    saliency = read_sidecar(out / "net_xai.json").saliency_map
    assert saliency is not None
    assert saliency.classes == {"indices": indices}


def test_what_is_offered_can_be_typed(
    model: Path, labels: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    command = [model, photograph, "-o", out, "-q", "--labels", labels, "--targets"]
    outcome = run_explain(*command, "tench, Tinca tinga")
    assert_one_error(outcome, 2, "no class labelled 'Tinca tinga'; did you mean 'Tinca tinca'")
    assert run_explain(*command, "Tinca tinca").exit_code == 0


def test_in_python(model: Path, labels: Path, photograph: Path, out: Path) -> None:
    labels.write_text(FILES["numbered.txt"])
    given: tuple[Labels, ...] = (labels, str(labels), list(NAMES), dict(enumerate(NAMES)))
    for index, each in enumerate(given):
        folder = out / str(index)
        sidecar = convert(model, folder, labels=each, classes="tench, Tinca tinca,cock").sidecar
        assert sidecar.labels == NAMES
        assert sidecar.saliency_map is not None
        assert sidecar.saliency_map.classes == {"indices": [0, 2]}
        image = FileExplainer(model, each).explain(photograph, folder, "goldfish,cock")
        assert [path.name for path in image.files] == [FILE_NAMES[1], FILE_NAMES[2]]
    assert convert(model, out / "one", classes=1).sidecar.saliency_map is not None
    with pytest.raises(ModelReadError, match="cannot be read"):
        convert(model, out / "none", labels="cat")
    with pytest.raises(UsageError, match="its indices are 1 to 3"):
        convert(model, out / "none", labels={1: "a", 2: "b", 3: "c"})
    assert not (out / "none").exists()


def test_the_explainer_takes_several_in_one_text(model: Path) -> None:
    explainer = Explainer(model, preprocess_fn=lambda image: image)
    image = np.random.default_rng(1).standard_normal((10, 14, 3)).astype(np.float32)
    for targets in ("bird,cat", "BIRD, 0", ["bird", "cat"]):
        found = explainer(image, targets)
        assert isinstance(found, Explanation)
        assert found.targets == [2, 0]


def test_a_picture_of_another_image_is_not_replaced(
    model: Path, labels: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    """``photo`` as ``1_cat`` and ``photo_1`` as ``cat`` would be one file."""
    labels.write_text('["1_cat", "cat", "dog"]')
    other = photograph.with_name("photo_1.png")
    other.write_bytes(photograph.read_bytes())
    outcome = run_explain(model, photograph, other, "-o", out, "-q", "--labels", labels, "--targets", "all")
    assert_one_error(outcome, 6, "a picture would replace it")
    assert sorted(os.listdir(out)) == ["photo_1_cat.png", "photo_cat.png", "photo_dog.png"]
