"""The original model cut at its target, so that its head can be run on what a slow definition masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.ops import Trait, has
from ovxai_convert.proof.execution import PLAIN, Execution
from ovxai_convert.proof.trial_inputs import Feed
from ovxai_convert.tensors.ports import constant_value


class CutModel:
    """A model in two pieces: what comes before the target gives its values, the head gives the scores.

    Args:
        model: a copy of the original model, which is taken apart.
        flow: its data edges.
        target: its target.
        scores: its class tensor.
        execution: how it is run.
        with_outputs: whether what comes before the target also gives the model's own outputs.

    Attributes:
        target: the target.
        entering: tensors that enter the head, the target first.
    """

    def __init__(
        self,
        model: ov.Model,
        flow: DataFlow,
        target: Target,
        scores: Scores,
        execution: Execution = PLAIN,
        *,
        with_outputs: bool = False,
    ) -> None:
        self.target = target
        head = flow.between(target.port, scores.port)
        border, fixed = _border(flow, head, target.port)
        self.entering = tuple(border)
        results = [ops.result(_in_f32(port)) for port in border]
        own = [result.input_value(0) for result in model.get_results()] if with_outputs else []
        results += [ops.result(port) for port in own]
        # With the model's sinks, so that a state goes on from feed to feed as in the model itself.
        self._trunk = execution.compiled(ov.Model(results, model.get_sinks(), model.get_parameters()))
        for port, value in fixed.items():
            _feed(port, head, ops.constant(value))
        parameters = [ops.parameter(port.get_partial_shape(), _read_as(port)) for port in border]
        for port, parameter in zip(border, parameters, strict=True):
            same = _read_as(port) == port.get_element_type()
            _feed(port, head, parameter if same else ops.convert(parameter, port.get_element_type()))
        self._head = execution.compiled(ov.Model([ops.result(_in_f32(scores.port))], parameters))

    def values(self, feed: Feed) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Values of the tensors that enter the head, and the model's own outputs if these were asked for."""
        results = self._trunk(feed)
        values = [np.array(results[index]) for index in range(len(self._trunk.outputs))]
        return values[: len(self.entering)], values[len(self.entering) :]

    def scores(self, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Scores ``[N, K]`` of the head for values of the tensors that enter it."""
        scores = self._head(list(values))[0]
        return np.array(scores).reshape(scores.shape[:2])


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
