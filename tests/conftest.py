"""Fixtures and the Hypothesis profile of all tests: the same examples in every run."""

from __future__ import annotations

from collections.abc import Callable

import openvino as ov
import pytest
from hypothesis import HealthCheck, settings

from tests.running import CORE, compile_f32

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],  # a model is compiled six times per example
)
settings.load_profile("deterministic")


@pytest.fixture(scope="session")
def core() -> ov.Core:
    """The OpenVINO runtime."""
    return CORE


@pytest.fixture(scope="session")
def compile_for_cpu() -> Callable[[ov.Model], ov.CompiledModel]:
    """Compiles a model for the CPU without reduced precision."""
    return compile_f32
