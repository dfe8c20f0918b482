"""The bench of ONNX files runs a file beside its source, and says which goals are held."""

from __future__ import annotations

from pathlib import Path

import onnx

from benchmarks.catalogue import NETWORKS
from benchmarks.latency import in_turn
from benchmarks.onnx_latency import Session, metadata_bytes
from benchmarks.onnx_run import Measured, Row, verdicts
from benchmarks.results import Failure, Latency, Quartiles
from fixtures.broken_files import onnx_classifier

KEYS = {network.key: network for network in NETWORKS}


def measured(ratio: float, grown: int = 1000) -> Measured:
    """A network whose branch takes so much time, and so many bytes."""
    flat = Quartiles(ratio, ratio, ratio)
    latency = Latency(flat, flat, flat, 5, True, 0.0, "")
    return Measured(latency, latency, 30, grown, 1000)


def test_goals_are_held_and_missed() -> None:
    vit = Row(KEYS["vit_b16"], measured(1.19))
    slow, fast = Row(KEYS["resnet50"], measured(1.4)), Row(KEYS["densenet121"], measured(0.9))
    assert [each.held for each in verdicts([vit, slow, fast])] == [True, True, True]
    assert [each.held for each in verdicts([vit, slow])] == [False, True, True]
    assert [each.held for each in verdicts([Row(KEYS["vit_b16"], measured(1.21, 70_000))])] == [
        None,
        False,
        False,
    ]


def test_what_is_not_converted_misses_its_goal() -> None:
    rows = [Row(KEYS["resnet50"], Failure("conversion", "no")), Row(KEYS["densenet121"], measured(1.0))]
    pooled, vit, growth = verdicts(rows)
    assert (pooled.held, vit.held, growth.held) == (False, None, True)
    assert "not converted: ResNet-50" in pooled.found


def test_two_files_run_in_turn(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.onnx", "two.onnx")]
    for seed, path in enumerate(paths):
        onnx.save(onnx_classifier(seed=seed), path)
    one, two = (Session(str(path), shared=False) for path in paths)
    same, other = (in_turn((one, each), one.feeds(), 1, 0.05, 0.01, "") for each in (one, two))
    assert (same.bit_exact, same.max_abs_diff, same.pairs >= 5) == (True, 0.0, True)
    assert (other.bit_exact, other.max_abs_diff > 0) == (False, True)


def test_bytes_of_metadata_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("bare.onnx", "told.onnx")]
    onnx.save(onnx_classifier(), paths[0])
    onnx.save(onnx_classifier(metadata={"key": "value" * 50}), paths[1])
    bare, told = map(metadata_bytes, paths)
    assert bare == 0
    assert told == paths[1].stat().st_size - paths[0].stat().st_size
