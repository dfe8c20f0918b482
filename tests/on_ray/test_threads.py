"""How many threads a worker computes with: those that it is told, which no processor is kept for."""

from __future__ import annotations

import pytest

from ovxai_convert.explain.device import compile_for
from tests.special_networks import labelled


@pytest.mark.parametrize("threads", [1, 2])
def test_a_model_computes_with_so_many_threads(threads: int) -> None:
    compiled = compile_for(labelled(), "CPU", "THROUGHPUT", threads)
    assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
    assert compiled.get_property("ENABLE_CPU_PINNING") is False


def test_nothing_else_in_the_process_is_limited() -> None:
    names = ("INFERENCE_NUM_THREADS", "ENABLE_CPU_PINNING")
    before = compile_for(labelled(), "CPU", "LATENCY")
    compile_for(labelled(), "CPU", "THROUGHPUT", 1)
    after = compile_for(labelled(), "CPU", "LATENCY")
    assert [after.get_property(name) for name in names] == [before.get_property(name) for name in names]
