"""The slow definitions of the maps, and the comparison that every map has to pass.

Nothing here knows how the package builds its branch: the definitions run the original model, once per cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

Layout = Literal["NCHW", "NHWC", "NTC", "TNC", "dense"]
Floats = NDArray[np.float32]
Grid = tuple[int, int]

_PRECISE: Final = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
_FEW_STEPS: Final = 255 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Port:
    """A tensor of a model: friendly name of its node, and the node's output port."""

    name: str
    index: int = 0


def reciprocam(
    model: ov.Model,
    target: Port,
    scores: Port,
    layout: Layout,
    inputs: Mapping[str, Floats],
    grid: Grid | None = None,
) -> Floats:
    """The definition of Recipro-CAM: ``[N, K, H, W]``, one run of the original model per cell.

    ``map[n, k, p]`` is score k of sample n when every cell of the feature map but p is multiplied by zero.
    Samples are run one by one where the model's batch is dynamic, else at the model's own batch.

    Args:
        model: the original model.
        target: its feature map.
        scores: its class tensor, ``[N, K]`` or ``[N, K, 1, 1]``.
        layout: axes of the feature map.
        inputs: one tensor per input name.
        grid: rows and columns of a token map; maps with rows and columns know their own.
    """
    masked, (target_index, scores_index) = _with_mask(model, target, scores, layout)
    request = ov.Core().compile_model(masked, "CPU", _PRECISE).create_infer_request()
    maps: list[Floats] = []
    for sample in _samples(model, inputs):
        request.reset_state()
        rank = len(layout)
        request.infer({**sample, "oracle_mask": np.ones([1] * rank, np.float32)})
        shape = request.get_output_tensor(target_index).shape
        cells = [extent for axis, extent in zip(layout, shape, strict=True) if axis in "HWT"]
        rows, columns = grid or (cells[0], cells[1])
        cell_scores: list[Floats] = []
        for cell in range(int(np.prod(cells))):
            mask = np.zeros(cells, np.float32)
            mask.flat[cell] = 1
            by_axis = iter(cells)
            mask = mask.reshape([next(by_axis) if axis in "HWT" else 1 for axis in layout])
            request.reset_state()
            request.infer({**sample, "oracle_mask": mask})
            score = request.get_output_tensor(scores_index).data.copy()
            cell_scores.append(score.reshape(score.shape[0], score.shape[1]))
        maps.append(np.stack(cell_scores, axis=-1).reshape(*cell_scores[0].shape, rows, columns))
    whole: Floats = np.concatenate(maps)
    return whole


@dataclass(frozen=True)
class TokenPlace:
    """A tensor of tokens that ViT-ReciproCAM masks.

    Attributes:
        port: the tensor.
        before: auxiliary tokens before the patches.
        after: auxiliary tokens behind them.
        axis: the axis of the tokens.
        patches: whether it holds the patches at all.
        users: names of the nodes that read it masked; all others read it as it is. Empty: every user does.
    """

    port: Port
    before: int = 1
    after: int = 0
    axis: int = 1
    patches: bool = True
    users: tuple[str, ...] = ()


def vitreciprocam(
    model: ov.Model,
    places: Sequence[TokenPlace],
    scores: Port,
    inputs: Mapping[str, Floats],
    grid: Grid,
    *,
    gaussian: bool = True,
    keep: bool = True,
) -> Floats:
    """The definition of ViT-ReciproCAM: ``[N, K, H, W]``, one run of the original model per patch.

    ``map[n, k, p]`` is score k of sample n when all places are multiplied by the mask of patch p: 1 at p, or
    ``[1 2 1; 2 4 2; 1 2 1] / 16`` around it, 0 at other patches, and 1 or 0 at tokens that are no patches.
    """
    masked = model.clone()
    index = len(masked.outputs)
    parameters = []
    for number, place in enumerate(places):
        port = _port(masked, place.port)
        shape = [-1 if axis == place.axis else 1 for axis in range(3)]
        mask = ops.parameter(shape, np.float32, name=f"oracle_mask_{number}")
        mask.output(0).get_tensor().set_names({f"oracle_mask_{number}"})
        users = [each for each in port.get_target_inputs() if _is_user(each.get_node(), place)]
        assert len(users) >= max(1, len(place.users)), f"{place} is not read"
        product = ops.multiply(port, mask)
        for user in users:
            user.replace_source_output(product.output(0))
        parameters.append(mask)
    masked.add_parameters(parameters)
    masked.add_results([ops.result(_port(masked, scores))])
    masked.validate_nodes_and_infer_types()
    compiled = ov.Core().compile_model(masked, "CPU", _PRECISE)
    maps = []
    for sample in _samples(model, inputs):
        cell_scores = []
        for row in range(grid[0]):
            for column in range(grid[1]):
                kept = kept_patches(grid, (row, column), gaussian=gaussian)
                masks = {
                    f"oracle_mask_{number}": _token_mask(place, kept, keep=keep)
                    for number, place in enumerate(places)
                }
                score = compiled({**sample, **masks})[index]
                cell_scores.append(score.reshape(score.shape[0], score.shape[1]).copy())
        maps.append(np.stack(cell_scores, axis=-1).reshape(*cell_scores[0].shape, *grid))
    whole: Floats = np.concatenate(maps)
    return whole


def _is_user(node: ov.Node, place: TokenPlace) -> bool:
    return not place.users or node.get_friendly_name() in place.users


def kept_patches(grid: Grid, centre: tuple[int, int], *, gaussian: bool) -> Floats:
    """``[H * W]``: how much of every patch is kept around one of them."""
    kept = np.zeros(grid, np.float32)
    if not gaussian:
        kept[centre] = 1
        return kept.ravel()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row, column = centre[0] + down, centre[1] + right
            if 0 <= row < grid[0] and 0 <= column < grid[1]:
                kept[row, column] = (2 - abs(down)) * (2 - abs(right)) / 16
    return kept.ravel()


def _token_mask(place: TokenPlace, kept: Floats, *, keep: bool) -> Floats:
    others = [np.full(count, float(keep), np.float32) for count in (place.before, place.after)]
    mask = np.concatenate([others[0], kept if place.patches else kept[:0], others[1]])
    return mask.reshape([-1 if axis == place.axis else 1 for axis in range(3)])


def activation_map(
    model: ov.Model, target: Port, layout: Layout, inputs: Mapping[str, Floats], grid: Grid | None = None
) -> Floats:
    """The definition of the activation map: ``[N, H, W]``, the mean of the feature map over its channels."""
    tapped = model.clone()
    index = len(tapped.outputs)
    tapped.add_outputs(_port(tapped, target))
    request = ov.Core().compile_model(tapped, "CPU", _PRECISE).create_infer_request()
    request.infer(dict(inputs))
    features = request.get_output_tensor(index).data.astype(np.float64)
    mean = features.mean(axis=layout.index("C"))
    whole: Floats = (mean if grid is None else mean.reshape(-1, *grid)).astype(np.float32)
    return whole


def grey_levels(maps: Floats) -> NDArray[np.uint8]:
    """Every ``H x W`` map scaled to 0..255, rounded half to even; constant maps are 0.

    Constant is a map whose range is at most 255 steps of float32 at its largest magnitude.
    """
    exact = maps.astype(np.float64)
    low, high = exact.min(axis=(-2, -1), keepdims=True), exact.max(axis=(-2, -1), keepdims=True)
    constant = high - low <= _FEW_STEPS * np.maximum(abs(low), abs(high))
    scaled = (exact - low) / np.where(constant, 1, high - low) * 255
    return np.where(constant, 0, np.rint(scaled)).astype(np.uint8)


def assert_maps_equal(actual: NDArray[np.generic], expected: Floats, tolerance: float = 1e-4) -> None:
    """Both have one shape, all is finite, and no cell differs by more than ``tolerance`` of its map's range.

    Raises:
        AssertionError: they differ, or every expected map is constant and so shows nothing.
    """
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    assert actual.dtype == np.float32, f"{actual.dtype} is not the model's float type"
    assert np.isfinite(actual).all(), "the map holds a value that is not finite"
    assert np.isfinite(expected).all(), "the definition gives a value that is not finite"
    spread = np.ptp(expected.astype(np.float64), axis=(-2, -1), keepdims=True)
    assert spread.max() > 1e-3 * abs(expected).max(), "the expected maps are constant: nothing is compared"
    off = abs(actual.astype(np.float64) - expected)
    allowed = tolerance * np.where(spread > 0, spread, spread.max())
    worst = np.unravel_index(np.argmax(off / allowed), off.shape)
    place = tuple(int(index) for index in worst)
    assert (off <= allowed).all(), f"{actual[worst]} at {place}, expected {expected[worst]}"


def assert_grey_levels_equal(actual: NDArray[np.generic], expected: Floats, levels: int = 1) -> None:
    """``actual`` is u8 and nowhere more than ``levels`` from the scaled ``expected`` raw map."""
    assert actual.dtype == np.uint8, f"{actual.dtype} is not u8"
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    scaled = grey_levels(expected)
    assert scaled.max() == 255, "the expected maps are constant: nothing is compared"
    off = abs(actual.astype(np.int64) - scaled)
    place = tuple(int(index) for index in np.unravel_index(np.argmax(off), off.shape))
    assert off.max() <= levels, f"grey level {actual[place]} at {place}, expected {scaled[place]}"


def _with_mask(
    model: ov.Model, target: Port, scores: Port, layout: Layout
) -> tuple[ov.Model, tuple[int, int]]:
    """A copy whose target's users see ``target * oracle_mask``, and the indices of two new outputs."""
    copy = model.clone()
    first = len(copy.outputs)
    port = _port(copy, target)
    users = list(port.get_target_inputs())
    mask = ops.parameter([-1 if axis in "HWT" else 1 for axis in layout], np.float32, name="oracle_mask")
    mask.output(0).get_tensor().set_names({"oracle_mask"})
    kind = port.get_element_type()
    masked = ops.multiply(port, mask if kind == ov.Type.f32 else ops.convert(mask, kind))
    for user in users:
        user.replace_source_output(masked.output(0))
    copy.add_parameters([mask])
    score = _port(copy, scores)
    if score.get_element_type() != ov.Type.f32:
        score = ops.convert(score, "f32").output(0)
    copy.add_results([ops.result(masked.output(0)), ops.result(score)])
    copy.validate_nodes_and_infer_types()
    return copy, (first, first + 1)


def _port(model: ov.Model, wanted: Port) -> ov.Output:
    named = [node for node in model.get_ordered_ops() if node.get_friendly_name() == wanted.name]
    assert len(named) == 1, f"{len(named)} nodes are named {wanted.name}"
    return named[0].output(wanted.index)


def _samples(model: ov.Model, inputs: Mapping[str, Floats]) -> list[dict[str, Floats]]:
    if all(port.get_partial_shape()[0].is_static for port in model.inputs):
        return [dict(inputs)]
    count = len(next(iter(inputs.values())))
    return [{name: value[index : index + 1] for name, value in inputs.items()} for index in range(count)]
