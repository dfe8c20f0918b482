"""Let other programs take converted models: ``python -m tests.interop.run [PEER ...]``, or ``make interop``.

Prints a row for everything that was tried, and ends with 1 if something is wrong. Peers have environments of
their own, ``.venv-<peer>``, which the first run makes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.interop import changes, model_api, nncf, optimum, triton
from tests.interop.rows import Row, printed

PEERS: Final[Mapping[str, Callable[[], Iterator[Row]]]] = {
    "openvino": changes.rows,
    "model-api": model_api.converted,
    "model-info": model_api.combinations,
    "nncf": nncf.rows,
    "optimum": optimum.rows,
    "triton": triton.rows,
}


def main() -> None:
    """Ask the peers that are named, or all."""
    parser = argparse.ArgumentParser(description="Let other programs take converted models.")
    parser.add_argument("peers", nargs="*", choices=[*PEERS, []], help="default: all")
    chosen = parser.parse_args().peers or list(PEERS)
    print("| peer | network | change | found | |\n| --- | --- | --- | --- | --- |")
    counts = [printed(PEERS[peer]()) for peer in chosen]
    tried, failed = (sum(numbers) for numbers in zip(*counts, strict=True))
    print(f"\n{tried} tried, {failed} of them wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
