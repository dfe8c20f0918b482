"""Devices: float32 on the one that is named, and one line for one that is not there."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.explain.device import Hint, compile_for
from tests.running import compile_f32, random_inputs


@pytest.mark.parametrize("hint", ["LATENCY", "THROUGHPUT"])
def test_compiled_as_asked(hint: Hint) -> None:
    compiled = compile_for(cnn(CnnSpec()), "CPU", hint)
    assert compiled.get_property("INFERENCE_PRECISION_HINT") == ov.Type.f32
    assert str(compiled.get_property("PERFORMANCE_HINT")).rpartition(".")[2] == hint


@pytest.mark.parametrize("device", ["AUTO", "HETERO:CPU"])
def test_devices_that_stand_for_others_compute_in_float32_too(device: str) -> None:
    model = cnn(CnnSpec(channels=16, strides=(2, 1, 1)))
    inputs = list(random_inputs(model).values())
    expected = compile_f32(model)(inputs)[0]
    np.testing.assert_allclose(compile_for(model, device, "LATENCY")(inputs)[0], expected, rtol=1e-5)


@pytest.mark.parametrize("device", ["GPU", "cpu", "nonsense", "", "CPUS"])
def test_device_that_is_not_there(device: str) -> None:
    if device in ov.Core().available_devices:
        pytest.fail(f"this machine has a {device}: the test needs one that is missing")
    with pytest.raises(UsageError) as caught:
        compile_for(cnn(CnnSpec()), device, "LATENCY")
    assert str(caught.value).startswith(f"no device '{device}' here; there are ")
    assert "CPU" in str(caught.value).partition(";")[2]


def test_model_that_the_device_cannot_run() -> None:
    with pytest.raises(ModelReadError) as caught:
        compile_for(cnn(CnnSpec()), "AUTO:nonsense", "LATENCY")
    assert str(caught.value).startswith("device 'AUTO:nonsense' cannot run the model: ")
    assert "\n" not in str(caught.value)
