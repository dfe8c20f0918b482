"""What is shown of a class output is the model's own number, whatever it is and whoever shows it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import Draw
from ovxai_convert import AnswerWarning, Explainer, ExplainMode, Explanation, UsageError, convert
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.inspection import inspect_model
from tests.answers import ANSWERS, Numbers, answering
from tests.endings import model_of, trunk
from tests.oracle import Floats
from tests.program.invocation import Convert
from tests.running import compile_f32

ASSUMED: Final = {
    "one logit": "taken for the logit of yes or no",
    "quantity": "measured and not decided",
    "never negative": "measured and not decided",
    "scaled sigmoid": "measured and not decided",
    "ordinal": "steps of one ordinal scale",
}
"""What is said of outputs whose meaning the graph leaves open."""
SEEDS: Final = (5, 6)


@contextmanager
def told(kind: str) -> Iterator[None]:
    """A block in which just the warning that belongs to a kind of output is given."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said = [str(warning.message) for warning in caught if warning.category is AnswerWarning]
    assert not any("--" in line for line in said), "options are a command's"
    assert len(said) == (kind in ASSUMED), said
    assert all(ASSUMED[kind] in line for line in said)


def image(seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=(1, 3, 4, 6)).astype(np.float32)


def shown_by(model: ov.Model, kind: str, seed: int) -> Numbers:
    """What should be shown of every class."""
    numbers = compile_f32(model)([image(seed)])[0].reshape(-1).astype(np.float64)
    return ANSWERS[kind].read(numbers)


def explained(explainer: Explainer, seed: int, targets: Any = "all") -> Explanation:
    explanation = explainer(image(seed), targets=targets, resize=False, colormap=False)
    assert isinstance(explanation, Explanation)
    return explanation


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("how", ["whitebox", "blackbox", "artifact"])
def test_scores_are_the_models_own(how: str, kind: str, seed: int, tmp_path: Path) -> None:
    model = answering(kind, seed)
    expected = shown_by(model, kind, seed)
    if how == "artifact":
        explainer = Explainer(convert(save_ir(model, tmp_path / "net.xml"), tmp_path / "out").xml)
    else:
        with told(kind):
            explainer = Explainer(model, explain_mode=ExplainMode(how), num_masks=8)
    explanation = explained(explainer, seed)
    found = {index: prediction.score for index, prediction in explanation.predictions.items()}
    assert found == pytest.approx(dict(enumerate(expected)), abs=1e-6)
    answer = ANSWERS[kind].best
    chosen = {int(np.argmax(expected))} if answer is None else answer(expected)
    assert set(explained(explainer, seed, None).targets) == chosen


@pytest.mark.parametrize("kind", ["one logit", "one sigmoid"])
@pytest.mark.parametrize("scaled", [True, False])
def test_no_is_yes_reversed(kind: str, scaled: bool) -> None:
    """Held to the definition: mask one cell, run the head, and turn the sign of the logit."""
    model = answering(kind)
    with told(kind):
        explainer = Explainer(model, embed_scaling=scaled)
    maps = explained(explainer, 5).raw
    logits = masked_logits(model)
    assert np.ptp(logits) > 0
    for target, values in ((0, -logits), (1, logits)):
        if scaled:
            levels = np.rint(255 * (values - values.min()) / np.ptp(values))
            assert np.abs(maps[target].astype(int) - levels).max() <= 1
        else:
            np.testing.assert_allclose(maps[target], values, rtol=1e-4, atol=1e-6)


def masked_logits(model: ov.Model) -> Numbers:
    """The logit for each cell of the last map, all others of which are zero; ``(4, 6)``."""
    compiled = compile_f32(_with_tensor(model, "target"))
    target = compiled([image(5)])[len(model.outputs)]
    weights = _constants(model)
    logits = np.empty(target.shape[2:])
    for cell in np.ndindex(*logits.shape):
        pooled = target[0, :, cell[0], cell[1]].astype(np.float64) / logits.size
        logits[cell] = pooled @ weights["kernel"] + weights["bias"]
    return logits


def _with_tensor(model: ov.Model, name: str) -> ov.Model:
    copy = model.clone()
    node = next(node for node in copy.get_ops() if node.get_friendly_name() == name)
    copy.add_outputs(node.output(0))
    return copy


def _constants(model: ov.Model) -> dict[str, Any]:
    """The linear layer ``[4] -> [1]`` behind the pooled map."""
    product = next(node for node in model.get_ordered_ops()[::-1] if node.get_type_name() == "MatMul")
    (user,) = [reader.get_node() for reader in product.output(0).get_target_inputs()]
    kernel = product.input_value(1).get_node().get_data().reshape(-1).astype(np.float64)
    bias = next(port.get_node().get_data() for port in user.input_values() if port.get_node() != product)
    return {"kernel": kernel, "bias": float(bias.reshape(-1)[0])}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(["cat"], ("not cat", "cat")), (["dog", "cat"], ("dog", "cat"))],
    ids=["one label", "two labels"],
)
@pytest.mark.parametrize("converted", [False, True])
def test_labels_of_yes_and_no(
    labels: list[str], expected: tuple[str, str], converted: bool, tmp_path: Path
) -> None:
    path = save_ir(answering("one sigmoid"), tmp_path / "net.xml")
    if converted:
        path = convert(path, tmp_path / "out", labels=labels).xml
        assert Explainer(path).label_names == expected
    else:
        assert FileExplainer(path, labels).explainer.label_names == expected
        assert explained(Explainer(path), 5).label_names is None
        one = Explainer(path)(image(5), label_names=labels)
        assert isinstance(one, Explanation)
        assert one.label_names == expected


def test_three_labels_are_too_many(tmp_path: Path) -> None:
    path = save_ir(answering("one sigmoid"), tmp_path / "net.xml")
    with pytest.raises(UsageError, match="3 labels do not name 2 classes"):
        FileExplainer(path, ["a", "b", "c"])


@pytest.mark.parametrize("chosen", [{"classes": [0]}, {"classes": ["1"]}, {"top_k": 1}, {"top_k": 2}])
def test_the_map_of_yes_serves_no_too(chosen: dict[str, Any], tmp_path: Path) -> None:
    report = convert(save_ir(answering("one sigmoid"), tmp_path / "net.xml"), tmp_path / "out", **chosen)
    assert set(explained(Explainer(report.xml), 5).targets) == {0, 1}
    with pytest.raises(UsageError, match="no class 2"):
        convert(tmp_path / "net.xml", tmp_path / "other", classes=[2])


@pytest.mark.parametrize(
    ("kind", "activation", "shown"),
    [
        ("logits", "none", lambda values: values),
        ("logits", "sigmoid", lambda values: 1 / (1 + np.exp(-values))),
        ("one logit", "none", lambda values: values),
        ("one logit", "sigmoid", lambda values: 1 / (1 + np.exp(-np.array([-values[0], values[0]])))),
        ("quantity", "sigmoid", lambda values: 1 / (1 + np.exp(-np.array([-values[0], values[0]])))),
        ("several sigmoids", "softmax", lambda values: np.exp(values) / np.exp(values).sum()),
    ],
)
@pytest.mark.parametrize("converted", [False, True])
def test_the_activation_that_is_told(
    kind: str, activation: Any, shown: Any, converted: bool, tmp_path: Path
) -> None:
    """It wins, in Python, in the artifact, and silences what is said of assumptions."""
    model = answering(kind)
    numbers = compile_f32(model)([image(5)])[0].reshape(-1).astype(np.float64)
    if converted:
        report = convert(save_ir(model, tmp_path / "net.xml"), tmp_path / "out", activation=activation)
        assert not any("--activation" in warning for warning in report.warnings)
        explainer = Explainer(report.xml)
    else:
        explainer = Explainer(model, activation=activation)
    predictions = explained(explainer, 5).predictions
    found = [predictions[index].score for index in sorted(predictions)]
    np.testing.assert_allclose(found, shown(numbers), atol=1e-6)


@pytest.mark.parametrize("kind", ASSUMED)
def test_conversion_and_inspection_say_what_was_assumed(kind: str, tmp_path: Path) -> None:
    path = save_ir(answering(kind), tmp_path / "net.xml")
    report = convert(path, tmp_path / "out")
    assert any(ASSUMED[kind] in warning for warning in report.warnings)
    inspected = inspect_model(path).scores
    assert inspected is not None
    assert any(ASSUMED[kind] in remark for remark in inspected.remarks)
    told_of = report.sidecar.scores.meaning
    meanings = {"one logit": "binary", "ordinal": "ordinal"}
    assert told_of == inspected.meaning == meanings.get(kind, "quantity")


def test_joined_logits_are_asked_about(tmp_path: Path) -> None:
    """Two heads without an activation: one softmax over both is a guess, and said to be one."""
    draw = Draw(8)
    parameter, _, pooled = trunk(1, draw)
    joined = ops.concat([draw.linear(pooled, 3), draw.linear(pooled, 2)], 1)
    path = save_ir(model_of({"scores": joined}, parameter), tmp_path / "net.xml")
    said = "is joined of heads (3 + 2 numbers) and read by one softmax over all"
    assert any(said in warning for warning in convert(path, tmp_path / "out").warnings)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [("above:0.99", 1), ("above:0", 4), ("above:0.0001", 4)],
)
def test_targets_above(
    targets: str, expected: int, photograph: Path, run_explain: Convert, tmp_path: Path
) -> None:
    path = save_ir(answering("several sigmoids"), tmp_path / "net.xml")
    outcome = run_explain(
        path, photograph, "--targets", targets, "--mean", "0", "--scale", "255", "--rgb", "-o", tmp_path
    )
    assert outcome.exit_code == 0, outcome.stderr
    assert len(outcome.stdout.splitlines()) == expected
    wrong = run_explain(path, photograph, "--targets", "above:many")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "'above:many' names no number, as in above:0.5" in wrong.stderr
