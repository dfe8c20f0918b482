"""Whole conversions where the disk, or the user's quota, is too small; eight at a time; after a kill."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from ovxai_convert import convert, read_sidecar
from ovxai_convert.artifact.recovery import Record
from tests.program.invocation import BIN, Outcome, assert_one_error, call_process, snapshot, start
from tests.reliability.killing import in_process, stage

NAMES: Final = ("classifier_xai.xml", "classifier_xai.bin", "classifier_xai.json")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("suffix", [".xml", ".bin", ".json"])
def test_file_that_may_not_be_as_large(suffix: str, share: float, onnx_model: Path, out: Path) -> None:
    convert(onnx_model, out, embed_scaling=False)
    before = snapshot(out)
    size = (out / NAMES[0]).with_suffix(suffix).stat().st_size
    limit = int(size * share)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [str(BIN / "ovxai-convert"), str(onnx_model), "-o", str(out), "-q", "--force"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limited)
    assert_one_error(Outcome(result.returncode, result.stdout, result.stderr), 6, "cannot write")
    assert snapshot(out) == before


def test_disk_that_is_full(onnx_model: Path, tmp_path: Path) -> None:
    """A file system of its own, which only this process sees, and which is not its parent's either."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    script = f"""
        mount -t tmpfs -o size=$0k none '{mounted}' || exit 99
        '{BIN}/ovxai-convert' '{onnx_model}' -o '{mounted}/out' -q --preprocess raw
        echo $?
        find '{mounted}' -mindepth 1
    """

    def run(kilobytes: int) -> tuple[list[str], str]:
        command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, str(kilobytes)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 99 or "unshare" in result.stderr:
            pytest.skip(f"cannot mount: {result.stderr}")
        return result.stdout.splitlines(), result.stderr

    for kilobytes in (12, 16, 24):
        (code, *files), stderr = run(kilobytes)
        assert (code, files) == ("6", []), stderr
        assert stderr.startswith("Error: "), stderr
        assert len(stderr.splitlines()) == 1, stderr
        assert stderr.endswith(": No space left on device\n"), stderr
    (code, *files), stderr = run(4096)
    assert (code, len(files), stderr) == ("0", 4, "")


def test_eight_conversions_at_a_time(onnx_model: Path, out: Path) -> None:
    processes = [start("ovxai-convert", [onnx_model, "-o", out, "-q"]) for _ in range(8)]
    ends = [(process.communicate(timeout=200)[1], process.returncode) for process in processes]
    assert sorted(code for _, code in ends) == [0, *[6] * 7]
    assert all(text.count("\n") == 1 and "exists already" in text for text, code in ends if code), ends
    assert sorted(snapshot(out) or {}) == sorted(NAMES)
    assert read_sidecar(out / NAMES[0]).to_data() == read_sidecar(out / NAMES[2]).to_data()


@pytest.mark.parametrize("program", ["ovxai-inspect", "ovxai-explain", "ovxai-convert"])
def test_command_that_reads_finds_the_older_artifact_after_a_kill(
    program: str, onnx_model: Path, photograph: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(onnx_model, out)
    before = snapshot(out)
    with monkeypatch.context() as patch:
        patch.setattr(Record, "finish", lambda _: os.kill(os.getpid(), 9))
        assert in_process(lambda: stage(out, NAMES)) == 9
    assert (out / NAMES[0]).read_text() == f"new {NAMES[0]}"
    others = [photograph, "-o", out.parent / "maps"] if program == "ovxai-explain" else []
    outcome = call_process(program, [out / NAMES[0], *others])
    if program == "ovxai-convert":
        assert_one_error(Outcome(outcome.exit_code, "", "\n".join(outcome.errors)), 4, "converted already")
    else:
        assert outcome.exit_code == 0, outcome
    assert snapshot(out) == before
