"""Puts the networks' files into the cache: exports what is to be exported, fetches what is published."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.catalogue import CACHE, ROOT, Network, Origin
from benchmarks.environments import EXPORT, ensure
from benchmarks.failures import BenchmarkError
from fixtures.fetch import FixtureError, fetch


def obtain(networks: Sequence[Network]) -> None:
    """Make the files that the cache lacks.

    Raises:
        BenchmarkError: one of them cannot be made.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    missing = [network for network in networks if not _is_present(network)]
    exported = [network.key for network in missing if network.origin is Origin.EXPORT]
    if exported:
        _run([ensure(EXPORT), "-m", "benchmarks.export_architectures", *exported])
    for network in missing:
        if network.origin is Origin.FIXTURE:
            partial = CACHE / f".{network.file.name}"
            _fetch_into(partial, network.key)
            partial.replace(network.file)


def _is_present(network: Network) -> bool:
    return network.file.is_file() and network.ancestor_file.is_file()


def _fetch_into(path: Path, key: str) -> None:
    if key == "efficientnet_lite0":  # in another process, since it loads NumPy and ONNX
        _run([sys.executable, "-m", "fixtures.efficientnet_lite0", str(path)])
        return
    try:
        shutil.copyfile(fetch(key), path)
    except FixtureError as error:
        raise BenchmarkError(str(error)) from error


def _run(command: list[str]) -> None:
    print(f"Making {', '.join(command[3:])} ...", file=sys.stderr, flush=True)
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise BenchmarkError(f"{' '.join(command[2:])}: {lines[-1] if lines else 'no message'}")
