"""The slow definition: the original head, run once for every masked feature map or sequence of tokens."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.anatomy.tokens import Tokens
from ovxai_convert.ops import Trait, has
from ovxai_convert.proof.device import DEVICE, compile_exact
from ovxai_convert.proof.trial_inputs import Feed
from ovxai_convert.tensors.ports import constant_value
from ovxai_convert.vocabulary import ClassToken, Kernel, TokenMasking

_KERNELS: Final = {
    Kernel.GAUSSIAN: np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
    Kernel.SINGLE: np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
}


class SlowDefinition:
    """The model cut at the target: what comes before gives the feature map, the head gives the scores.

    Args:
        model: a copy of the original model, which is taken apart.
        flow: its data edges.
        target: its feature map.
        scores: its class tensor.
        masking: how tokens are masked, where the target is a transformer block.
        device: what it runs on.
        with_outputs: whether what comes before the target also gives the model's own outputs.
    """

    def __init__(
        self,
        model: ov.Model,
        flow: DataFlow,
        target: Target,
        scores: Scores,
        masking: TokenMasking,
        device: str = DEVICE,
        *,
        with_outputs: bool = False,
    ) -> None:
        self._target = target
        self._masking = masking
        head = flow.between(target.port, scores.port)
        border, fixed = _border(flow, head, target.port)
        results = [ops.result(_in_f32(port)) for port in border]
        self._border_count = len(border)
        own = [result.input_value(0) for result in model.get_results()] if with_outputs else []
        results += [ops.result(port) for port in own]
        # With the model's sinks, so that a state goes on from feed to feed as in the model itself.
        self._trunk = compile_exact(ov.Model(results, model.get_sinks(), model.get_parameters()), device)
        for port, value in fixed.items():
            _feed(port, head, ops.constant(value))
        parameters = [ops.parameter(port.get_partial_shape(), _read_as(port)) for port in border]
        for port, parameter in zip(border, parameters, strict=True):
            same = _read_as(port) == port.get_element_type()
            _feed(port, head, parameter if same else ops.convert(parameter, port.get_element_type()))
        sequences = {each.port: each.tokens for each in target.sequences}
        self._tokens = [sequences.get(port) for port in border]
        self._head = compile_exact(ov.Model([ops.result(_in_f32(scores.port))], parameters), device)

    def border_values(self, feed: Feed) -> list[NDArray[Any]]:
        """Values of the tensors that enter the head, the feature map first."""
        return self.values(feed)[0]

    def values(self, feed: Feed) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """The same, and the model's own outputs if these were asked for."""
        results = self._trunk(feed)
        found = [np.array(results[index]) for index in range(len(self._trunk.outputs))]
        return found[: self._border_count], found[self._border_count :]

    def scores(self, border: list[NDArray[Any]], position: int) -> NDArray[Any]:
        """Scores ``[N, K]`` with all but one cell of the feature map set to zero, or with masked tokens.

        Args:
            border: what :meth:`border_values` gave.
            position: index of the cell, rows first.
        """
        if self._target.sequences:
            return self.unmasked_scores(
                [
                    values if tokens is None else masked_tokens(values, tokens, position, self._masking)
                    for values, tokens in zip(border, self._tokens, strict=True)
                ]
            )
        return self.unmasked_scores([self._single_cell(border[0], position), *border[1:]])

    def _single_cell(self, features: NDArray[Any], position: int) -> NDArray[Any]:
        masked = np.zeros_like(features)
        cell: list[Any] = [slice(None)] * features.ndim
        axes = self._target.position_axes
        grid = [features.shape[axis] for axis in axes]
        for axis, index in zip(axes, np.unravel_index(position, grid), strict=True):
            cell[axis] = index
        masked[tuple(cell)] = features[tuple(cell)]
        return masked

    def unmasked_scores(self, border: list[NDArray[Any]]) -> NDArray[Any]:
        """Scores ``[N, K]`` of the head on the tensors as they are."""
        scores = self._head(border)[0]
        return np.array(scores).reshape(scores.shape[:2])


def masked_tokens(values: NDArray[Any], tokens: Tokens, position: int, masking: TokenMasking) -> NDArray[Any]:
    """Tokens times the mask of one patch: its kernel on the grid, 1 or 0 for tokens that are no patches."""
    kept = np.full(tokens.count, float(masking.class_token is ClassToken.KEEP))
    if tokens.grid is not None:
        around = np.zeros((tokens.grid[0] + 2, tokens.grid[1] + 2))
        row, column = np.unravel_index(position, tokens.grid)
        around[row : row + 3, column : column + 3] = _KERNELS[masking.kernel]
        kept[tokens.before : tokens.before + tokens.patches] = around[1:-1, 1:-1].ravel()
    by_axis = [-1 if axis == tokens.axis else 1 for axis in range(values.ndim)]
    masked: NDArray[Any] = values * kept.reshape(by_axis).astype(values.dtype)
    return masked


def _border(
    flow: DataFlow, head: list[ov.Node], target: ov.Output
) -> tuple[list[ov.Output], dict[ov.Output, NDArray[Any]]]:
    """Tensors that enter the head from the model's inputs, by value or by shape; the target first.

    Those that follow from static shapes stand apart, with their values: a reduction whose axes it reads as an
    input is executed by the runtime's slow reference.
    """
    variable: set[ov.Node] = set()
    for node in flow.nodes:
        sources = [port.get_node() for port in node.input_values()]
        if has(node, Trait.SOURCE) or any(source in variable for source in sources):
            variable.add(node)
    inside = set(head)
    entering = (port for node in head for port in node.input_values() if port.get_node() not in inside)
    ports = dict.fromkeys([target, *(port for port in entering if port.get_node() in variable)])
    by_shape = {port: constant_value(port) for port in ports if not flow.depends_on_input(port)}
    fixed = {port: value for port, value in by_shape.items() if value is not None}
    return [port for port in ports if port not in fixed], fixed


def _read_as(port: ov.Output) -> ov.Type:
    """Element type in which a tensor's values are handed on: real numbers in f32, whatever the model's are.

    The runtime computes in f32 throughout; an output of half precision would be rounded where the model is
    cut, as nothing is in the whole model.
    """
    dtype = port.get_element_type()
    return ov.Type.f32 if dtype in (ov.Type.f16, ov.Type.bf16) else dtype


def _in_f32(port: ov.Output) -> ov.Output:
    same = _read_as(port) == port.get_element_type()
    return port if same else ops.convert(port, _read_as(port)).output(0)


def _feed(port: ov.Output, head: list[ov.Node], source: ov.Node) -> None:
    """Let the head read another node in place of a tensor."""
    for user in port.get_target_inputs():
        if user.get_node() in head:
            user.replace_source_output(source.output(0))
