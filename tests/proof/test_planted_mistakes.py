"""Wrong maps, planted between building a branch and writing it, are found on networks of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, Tensor, classifier, cnn, image_parameter, named, reshaped
from ovxai_convert import RefusedError, VerificationError, convert, pipeline
from ovxai_convert.insertion import heads, insert
from ovxai_convert.insertion.request import Insertion
from ovxai_convert.methods import Method
from ovxai_convert.proof import tying
from tests.running import edit_output
from tests.transformers import VitSpec, transformer

CHANNELS, SIZE, CLASSES = 4, 6, 5


def network(
    before: Callable[[Tensor], Tensor] = lambda x: x,
    behind: Callable[[Tensor], Tensor] = lambda x: x,
    head: Callable[[Draw, Node], Node] | None = None,
    bias: float = 0.0,
    shift: float = 0.0,
    element: ov.Type = ov.Type.f32,
) -> Model:
    """A CNN of a 6 x 6 map: something before it, a head, something behind its scores."""
    draw = Draw(5)
    image = image_parameter(CnnSpec(batch=None, height=SIZE, width=SIZE))
    image.set_element_type(element)
    image.validate_and_infer_types()
    pixels = ops.convert(image, "f32") if element != ov.Type.f32 else image
    stem = named(ops.tanh(draw.convolution(before(pixels), CHANNELS)), "stem")
    target = named(ops.relu(ops.add(draw.convolution(stem, CHANNELS), np.float32(shift))), "target")
    if head is None:
        scores = draw.linear(ops.tanh(draw.linear(ops.reduce_mean(target, [2, 3], False), 8)), CLASSES)
    else:
        scores = head(draw, target)
    scores = ops.add(scores, np.float32(bias)) if bias else scores
    return classifier(named(behind(scores), "scores"), [image])


def _flattened(draw: Draw, x: Node) -> Node:
    return draw.linear(reshaped(x, [0, CHANNELS * SIZE * SIZE]), CLASSES)


def _rounded(draw: Draw, x: Node) -> Node:
    mean = ops.reduce_mean(x, [2, 3], False)
    return draw.linear(ops.round(ops.multiply(mean, np.float32(400)), "half_to_even"), CLASSES)


def _switched(x: Tensor) -> Tensor:
    """Nothing but what lies above a threshold of the picture's mean."""
    mean = ops.reduce_mean(x, [1, 2, 3], True)
    return ops.multiply(x, ops.convert(ops.greater(mean, np.float32(0.2)), "f32"))


NETWORKS: Final[dict[str, Callable[[], Model]]] = {
    "mean": network,
    "flattened": lambda: network(head=_flattened),
    "nhwc": lambda: cnn(CnnSpec(batch=None, layout="NHWC", height=6, width=6)),
    "transformer": lambda: transformer(VitSpec(grid=(4, 4))),
    "gamma": lambda: network(before=lambda x: ops.power(x, np.float32(1 / 2.2))),
    "logarithm": lambda: network(before=lambda x: ops.log(x)),
    "clamped to bytes": lambda: network(before=lambda x: ops.divide(ops.clamp(x, 0, 255), np.float32(255))),
    "integers": lambda: network(before=lambda x: ops.divide(x, np.float32(255)), element=ov.Type.u8),
    "saturating": lambda: network(behind=lambda x: ops.clamp(x, -0.5, 0.5)),
    "rounding": lambda: network(head=_rounded),
    "threshold": lambda: network(before=_switched),
    "large bias": lambda: network(bias=30.0),
    "softmax": lambda: network(behind=lambda x: ops.softmax(x, 1)),
}
"""Networks whose maps vary on some input."""
COLD: Final[dict[str, tuple[Callable[[], Model], str]]] = {
    "dead": (lambda: network(shift=-50.0), "the target layer is zero on all inputs tried"),
    "zero weights": (
        lambda: network(head=lambda _, x: ops.matmul(
            ops.reduce_mean(x, [2, 3], False), np.zeros((CHANNELS, CLASSES), np.float32), False, False
        )),
        "the scores are the same for all inputs tried|no cell of the target layer",
    ),
    "saturated": (lambda: network(behind=lambda x: ops.clamp(ops.add(x, np.float32(9)), 0, 1)), "the scores"),
    "bias of 3e4": (lambda: network(bias=3e5), "less than float32 resolves|no cell"),
    "bias of 1e7": (lambda: network(bias=1e7), "less than float32 resolves|no cell|the scores"),
}  # fmt: skip
"""Networks whose maps do not vary, or by less than can be compared; and what is said of each."""


Mistake = Callable[[Insertion], Insertion]


def _edited(edit: Callable[[ov.Output], Node]) -> Mistake:
    """A change between the map and its output."""

    def mistaken(insertion: Insertion) -> Insertion:
        edit_output(insertion.model, insertion.map_index, edit)
        return insertion

    return mistaken


def _gathered(axis: int, order: Callable[[int], list[int]]) -> Mistake:
    def edit(port: ov.Output) -> Node:
        count = port.get_partial_shape()[axis].get_length()
        return ops.gather(port, np.array(order(count), np.int64), np.int64(axis))

    return _edited(edit)


def _noise(port: ov.Output) -> Node:
    shape = [extent.get_length() for extent in list(port.get_partial_shape())[2:]]
    factors = np.random.default_rng(9).uniform(0.6, 1.4, shape).astype(np.float32)
    return ops.convert(ops.minimum(ops.multiply(ops.convert(port, "f32"), factors), np.float32(255)), "u8")


def _transposed(port: ov.Output) -> Node:
    return ops.transpose(port, np.array([0, 1, 3, 2], np.int64))


def _one_for_all(port: ov.Output) -> Node:
    """Another method's: one map, shown for every class."""
    first = ops.gather(port, np.array([0], np.int64), np.int64(1))
    count = port.get_partial_shape()[1].get_length()
    return ops.tile(first, np.array([1, count, 1, 1], np.int64))


MISTAKES: Final[dict[str, Mistake]] = {
    "upside down": _gathered(2, lambda count: list(range(count))[::-1]),
    "mirrored": _gathered(3, lambda count: list(range(count))[::-1]),
    "transposed": _edited(_transposed),
    "one cell off": _gathered(3, lambda count: [(cell + 1) % count for cell in range(count)]),
    "one row off": _gathered(2, lambda count: [(cell + 1) % count for cell in range(count)]),
    "classes rolled": _gathered(1, lambda count: [(index + 1) % count for index in range(count)]),
    "two classes swapped": _gathered(1, lambda count: [*range(count - 2), count - 1, count - 2]),
    "negative": _edited(lambda port: ops.subtract(np.uint8(255), port)),
    "noise": _edited(_noise),
    "one map for all classes": _edited(_one_for_all),
}


def _plant(monkeypatch: pytest.MonkeyPatch, mistake: Mistake) -> None:
    for module, name in ((pipeline, "insert_branches"), (tying, "insert_again")):
        right = getattr(module, name)

        def wrong(*args: Any, right: Callable[..., Any] = right) -> Any:
            insertions = right(*args)
            return [*map(mistake, insertions)] if isinstance(insertions, list) else insertions

        monkeypatch.setattr(module, name, wrong)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every network as a file."""
    folder = tmp_path_factory.mktemp("networks")
    networks = NETWORKS | {name: make for name, (make, _) in COLD.items()}
    paths = {name: folder / f"{name.replace(' ', '_')}.xml" for name in networks}
    for name, make in networks.items():
        ov.save_model(make(), paths[name], compress_to_fp16=False)
    return paths


@pytest.mark.parametrize("name", NETWORKS)
def test_the_right_map_is_proved(name: str, files: dict[str, Path], tmp_path: Path) -> None:
    report = convert(files[name], tmp_path, require_whitebox=True)
    check = report.sidecar.verification.saliency_map
    assert check is not None
    assert check.unchecked is None, check
    assert 0 < check.maps_compared <= check.maps_varied <= check.maps_checked
    assert not [warning for warning in report.warnings if "could not be checked" in warning]


PLANTED: Final = [
    (name, mistake)
    for row, name in enumerate(NETWORKS)
    for column, mistake in enumerate(MISTAKES)
    if name in ("mean", "rounding") or (row + column) % 2 == 0
]
"""Every mistake on half of the networks, every network with half of the mistakes."""


@pytest.mark.parametrize(("name", "mistake"), PLANTED)
def test_a_wrong_map_is_not(
    name: str, mistake: str, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, MISTAKES[mistake])
    with pytest.raises(VerificationError, match=r"saliency map is wrong at cell|of output 'saliency_map' is"):
        convert(files[name], tmp_path / "out", require_whitebox=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["mean", "flattened", "transformer"])
@pytest.mark.parametrize("chosen", [{"classes": [2, 0]}, {"top_k": 2}], ids=["classes", "top_k"])
def test_a_wrong_map_of_chosen_classes_is_not(
    name: str,
    chosen: dict[str, Any],
    files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    convert(files[name], tmp_path / "right", **chosen)
    for mistake in ("two classes swapped", "upside down"):
        with monkeypatch.context() as planted:
            _plant(planted, MISTAKES[mistake])
            with pytest.raises(VerificationError, match="saliency map is wrong at cell"):
                convert(files[name], tmp_path / "out", **chosen)


def test_wrong_names_of_the_best_classes_are_found(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The maps are right, and said to be of the next class each."""

    def mistaken(insertion: Insertion) -> Insertion:
        edit_output(
            insertion.model,
            insertion.map_index + 1,
            lambda port: ops.mod(ops.add(port, np.int64(1)), np.int64(CLASSES)),
        )
        return insertion

    _plant(monkeypatch, mistaken)
    with pytest.raises(VerificationError, match="are not those of the highest scores"):
        convert(files["mean"], tmp_path / "out", top_k=2)


def test_an_output_that_changes_in_its_last_bit_is_said_to(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no way to tie the branch keeps it; with ``exact`` it is refused."""

    def mistaken(insertion: Insertion) -> Insertion:
        edit_output(insertion.model, 0, lambda port: ops.multiply(port, np.float32(1 + 2**-22)))
        return insertion

    _plant(monkeypatch, mistaken)
    report = convert(files["mean"], tmp_path / "out")
    (check,) = report.sidecar.verification.outputs
    assert not check.bit_exact
    assert check.max_abs_diff > 0
    assert any("is not bit-exact" in warning for warning in report.warnings)
    with pytest.raises(RefusedError, match="no place keeps the outputs bit-exact"):
        convert(files["mean"], tmp_path / "exact", exact=True)


@pytest.mark.parametrize("name", COLD)
def test_a_map_that_cannot_be_checked_is_not_called_right(
    name: str, files: dict[str, Path], tmp_path: Path
) -> None:
    report = convert(files[name], tmp_path, require_whitebox=True)
    check = report.sidecar.verification.saliency_map
    assert check is not None
    assert (check.positions_checked, check.maps_compared) == (0, 0)
    assert check.unchecked is not None
    (warning,) = [warning for warning in report.warnings if "could not be checked" in warning]
    assert check.unchecked in warning
    assert any(part in check.unchecked for part in COLD[name][1].split("|")), check.unchecked
    assert "--verify-with" in warning


def test_another_layers_map_is_found(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch at another layer of the same grid, said to stand at the target."""

    @dataclass
    class Moved:
        right: Callable[..., Any]

        def __call__(self, anatomy: Any, request: Any) -> Any:
            insertion = self.right(anatomy, request)
            other = self.right(anatomy, replace(request, target_layer="stem", method=Method.RECIPROCAM))
            return replace(other, place=insertion.place)

    monkeypatch.setattr(heads, "insert_branch", Moved(insert.insert_branch))
    with pytest.raises(VerificationError, match="saliency map is wrong at cell"):
        convert(files["mean"], tmp_path / "out")
