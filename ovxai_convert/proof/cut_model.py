"""The original model cut at its target, so that its head can be run on what a slow definition masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.insertion.request import Place
from ovxai_convert.ops import Trait, has
from ovxai_convert.proof.execution import PLAIN, Execution, run
from ovxai_convert.proof.trial_inputs import Feed
from ovxai_convert.tensors.ports import constant_value
from ovxai_convert.tensors.precision import is_half, widen


class CutModel:
    """A model in two pieces: what comes before the target gives its values, the head gives the scores.

    Both compute in float32, whatever the model says: of half precision, values would be rounded where it is
    cut, as nothing is in the whole model.

    Args:
        model: a copy of the original model, which is taken apart.
        place: its target and class tensor, and the method that defines maps of them.
        execution: how it is run.
        with_outputs: whether what comes before the target also gives the model's own outputs.

    Attributes:
        method, target: the place's.
        entering: tensors that enter the head, the target first.
        half_target: whether the model itself rounds the target to half precision.
    """

    def __init__(
        self, model: ov.Model, place: Place, execution: Execution = PLAIN, *, with_outputs: bool = False
    ) -> None:
        half_target = is_half(place.target.port)
        self._whole = execution.compiled(model.clone()) if with_outputs and half_target else None
        self.half_target = half_target
        if half_target or is_half(place.scores.port):
            wide = widen(model)
            place = place.carried(lambda port: wide.get(port, port))
        self.method, self.target, scores = place.method, place.target, place.scores.port
        flow = DataFlow(model)
        head = [] if self.target.defined_by else flow.between(self.target.port, scores)
        border, fixed = _border(flow, head, self.target.port)
        border = list(self.target.defined_by) or border
        self.entering = tuple(border)
        results = [ops.result(port) for port in border]
        own = [result.input_value(0) for result in model.get_results()]
        results += [ops.result(port) for port in own if with_outputs and self._whole is None]
        # With the model's sinks, so that a state goes on from feed to feed as in the model itself.
        self._trunk = execution.compiled(ov.Model(results, model.get_sinks(), model.get_parameters()))
        self._head: ov.CompiledModel | None = None
        if not head:
            return
        for port, value in fixed.items():
            _feed(port, head, ops.constant(value))
        parameters = [ops.parameter(port.get_partial_shape(), port.get_element_type()) for port in border]
        for port, parameter in zip(border, parameters, strict=True):
            _feed(port, head, parameter)
        self._head = execution.compiled(ov.Model([ops.result(scores)], parameters))

    def values(self, feed: Feed) -> tuple[Sequence[NDArray[Any]], Sequence[NDArray[Any]]]:
        """Values of the tensors that enter the head, and the model's own outputs if these were asked for."""
        values = run(self._trunk, feed)
        own = values[len(self.entering) :] if self._whole is None else run(self._whole, feed)
        return values[: len(self.entering)], own

    def scores(self, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Scores ``[N, K]`` of the head for values of the tensors that enter it; of one that has a head."""
        assert self._head is not None, "maps of the rest are defined by these values alone"
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


def _feed(port: ov.Output, head: list[ov.Node], source: ov.Node) -> None:
    """Let the head read another node in place of a tensor."""
    for user in port.get_target_inputs():
        if user.get_node() in head:
            user.replace_source_output(source.output(0))
