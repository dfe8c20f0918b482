"""An output is added without a trace on the others."""

from __future__ import annotations

from pathlib import Path

import openvino as ov
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.insertion.outputs import add_output
from tests.running import CORE


def test_outputs_without_a_name_keep_none(tmp_path: Path) -> None:
    """OpenVINO's own converter from PyTorch leaves outputs without tensor names."""
    path = tmp_path / "nameless.xml"
    ov.save_model(cnn(CnnSpec()), path)
    path.write_text(path.read_text().replace(' names="output"', "").replace(' output_names="output"', ""))
    model = CORE.read_model(path)
    assert model.outputs[0].get_names() == set()
    scores = model.outputs[0].get_node().input_value(0)
    add_output(model, ops.relu(scores).output(0), "saliency_map")
    assert [output.get_names() for output in model.outputs] == [set(), {"saliency_map"}]
