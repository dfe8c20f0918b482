"""The last feature map before the scores is found, or the reason is told; a user's choice is obeyed."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from openvino import Model

from fixtures.networks import HEADS, CnnSpec, Head, Layout, cnn
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.feature_maps import feature_maps, find_feature_map
from ovxai_convert.anatomy.scores import Scores, find_scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal, UsageError
from tests import special_networks as networks
from tests.running import CORE

LIGHT_MODELS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def search(model: Model, wanted: str | None = None) -> Target | Refusal:
    anatomy = Anatomy(model)
    scores = find_scores(anatomy)
    assert isinstance(scores, Scores), str(scores)
    return find_feature_map(anatomy, scores, wanted)


def found(model: Model, wanted: str | None = None) -> Target:
    target = search(model, wanted)
    assert isinstance(target, Target), str(target)
    return target


def refused(model: Model, wanted: str | None = None) -> Refusal:
    refusal = search(model, wanted)
    assert isinstance(refusal, Refusal)
    return refusal


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("channels", [2, 16])
def test_every_head(head: Head, layout: Layout, channels: int) -> None:
    spec = CnnSpec(batch=2, head=head, layout=layout, channels=channels)
    target = found(cnn(spec))
    assert target.port.get_node().get_friendly_name() == "target"
    assert (target.layout, target.grid, target.selected_by) == (layout, (5, 7), "auto")
    assert target.position_axes == ((2, 3) if layout == "NCHW" else (1, 2))
    assert target.channel_axis == (1 if layout == "NCHW" else 3)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_open_rows_and_columns(layout: Layout) -> None:
    target = found(cnn(CnnSpec(batch=None, dynamic_size=True, layout=layout)))
    assert (target.layout, target.grid) == (layout, (None, None))


@pytest.mark.parametrize("batch", [1, None])
def test_pooling_that_is_not_global_is_passed_over(batch: int | None) -> None:
    model = networks.vgg_like(batch)
    assert found(model).port.get_node().get_friendly_name() == "target"
    anatomy = Anatomy(model)
    scores = find_scores(anatomy)
    assert isinstance(scores, Scores)
    notes = {place.port.get_node().get_friendly_name(): place.note for place in feature_maps(anatomy, scores)}
    assert notes["pooling"] == "passed over: a pooling that is not global"
    assert notes["target"] == ""


def test_tokens() -> None:
    target = found(networks.token_mean(2))
    assert (target.layout, target.grid, target.position_axes) == ("NTC", (4, 6), (1,))


@pytest.mark.parametrize("batch", [1, 2, None])
def test_tokens_of_attention_without_a_residual(batch: int | None) -> None:
    target = found(networks.subsampled_tokens(batch))
    assert target.port.get_node().get_friendly_name() == "target"
    assert (target.layout, target.grid) == ("NTC", (2, 3))


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("grid", [False, True])
def test_windows_that_are_put_together(grid: bool, batch: int | None) -> None:
    """The last layer's output has no layout, but the map that it is reordered to holds the same cells."""
    target = found(networks.windows(batch, grid))
    assert target.port.get_node().get_friendly_name() == "target"
    assert (target.layout, target.grid) == ("NCHW", (4, 6))


def test_a_skip_moves_the_target_before_the_fork() -> None:
    assert found(networks.skip_past_target(2)).port.get_node().get_friendly_name() == "stem"


@pytest.mark.parametrize("wanted", ["block0", "block0:0"])
def test_by_friendly_name(wanted: str) -> None:
    target = found(cnn(CnnSpec()), wanted)
    assert target.port.get_node().get_friendly_name() == "block0"
    assert target.selected_by == "user"


def test_by_tensor_name() -> None:
    model = CORE.read_model(networks.exported_onnx("flatten", 1))
    assert found(model, "bn").port.get_names() == {"bn"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("targte", "no layer named 'targte'; did you mean 'target'"),
        ("TARGET", "no layer named 'TARGET'; did you mean 'target'"),
        ("blok0", "'block0'"),
        ("zzzzzz", "no layer named 'zzzzzz'; ovxai-inspect lists the layers"),
        ("block0:1", "no output port 1 in 'block0:1': the node has 1"),
    ],
)
def test_unknown_layers_get_suggestions(wanted: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        search(cnn(CnnSpec()), wanted)
    assert message in str(caught.value)


def test_named_layer_without_positions() -> None:
    refusal = refused(cnn(CnnSpec(head="gap_mlp")), "scores")
    assert refusal.node == "scores"
    refusal = refused(networks.perceptron(), "hidden")
    assert refusal.reason.startswith("the target layer is no feature map: [1,5] has axes")


def test_named_layer_that_leads_elsewhere() -> None:
    model = networks.two_class_outputs()
    anatomy = Anatomy(model)
    scores = find_scores(anatomy, "first")
    assert isinstance(scores, Scores)
    refusal = find_feature_map(anatomy, scores, "second_scores")
    assert refusal == Refusal("the target layer does not lead to the scores", "second_scores")


def test_class_token_is_refused() -> None:
    refusal = refused(networks.class_token())
    assert refusal.reason.startswith("no feature map before the scores: [1,25,4] has axes")
    assert refusal.node == "mixed"


def test_no_feature_map_is_refused() -> None:
    assert refused(networks.perceptron()).reason.startswith("no feature map")


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("bvlc_alexnet", (256, 12, 12), 1000),
        ("densenet121", (1024, 7, 7), 1000),
        ("inception_v1", (1024, 6, 6), 1000),
        ("inception_v2", (1024, 7, 7), 1000),
        ("resnet50", (2048, 7, 7), 1000),
        ("shufflenet", (544, 7, 7), 1000),
        ("squeezenet", (1000, 13, 13), 1000),
        ("vgg19", (512, 14, 14), 1000),
        ("zfnet512", (512, 12, 12), 1000),
    ],
)
def test_published_networks(name: str, shape: tuple[int, ...], classes: int) -> None:
    model = CORE.read_model(LIGHT_MODELS / f"light_{name}.onnx")
    target = found(model)
    assert (*target.port.get_shape(),) == (1, *shape)
    assert (target.layout, target.grid) == ("NCHW", shape[1:])
    scores = find_scores(Anatomy(model))
    assert isinstance(scores, Scores)
    assert scores.class_count == classes


def test_all_published_networks_are_tried() -> None:
    assert len(list(LIGHT_MODELS.glob("*.onnx"))) == 9
