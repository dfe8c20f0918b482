"""An output is added without a trace on the others."""

from __future__ import annotations

from openvino import Model
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.graph.outputs import add_output


def test_outputs_without_a_name_keep_none() -> None:
    """OpenVINO's own converter from PyTorch leaves outputs without tensor names."""
    named = cnn(CnnSpec())
    scores = named.outputs[0].get_node().input_value(0)
    scores.get_tensor().set_names(set())
    model = Model([ops.result(scores)], named.get_parameters())
    assert model.outputs[0].get_names() == set()
    add_output(model, ops.relu(scores).output(0), "saliency_map")
    assert [output.get_names() for output in model.outputs] == [set(), {"saliency_map"}]
