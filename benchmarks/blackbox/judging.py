"""How good saved maps are: `python -m benchmarks.blackbox.judging MODEL PHOTOGRAPHS OURS [ANCESTOR]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from benchmarks.blackbox.cases import PHOTOGRAPHS
from benchmarks.blackbox.device import predicted_class
from benchmarks.blackbox.results import Areas, Judgement
from ovxai_convert.blackbox.metrics import deletion, insertion
from ovxai_convert.explain.device import DeviceScores, compile_for
from ovxai_convert.explain.predictions import ScoresOutput
from ovxai_convert.source.answers import Answer

_SPATIAL_AXES: Final = (1, 2)
_RANDOM_MAPS: Final = 5
_RANDOM_CELLS: Final = 8
"""As coarse as the masks of RISE: covering single pixels at random hides the whole image at once, and would
make a random map look better than any other."""


class _Judge:
    """The model and the photographs."""

    def __init__(self, model: str, images: Mapping[str, NDArray[Any]]) -> None:
        compiled = compile_for(ov.Core().read_model(model), "CPU", "THROUGHPUT")
        self._stream = DeviceScores(compiled, ScoresOutput(0, Answer("softmax")), batch=1)
        self._images = images
        self._targets = {name: predicted_class(model, image) for name, image in images.items()}

    def areas(self, maps: Mapping[str, NDArray[Any]]) -> Areas:
        """Means over the photographs, of one map each."""
        pairs = [
            [
                metric(image[0], _SPATIAL_AXES, maps[name], self._stream, self._targets[name], 1).auc
                for metric in (deletion, insertion)
            ]
            for name, image in self._images.items()
        ]
        return Areas(*np.mean(pairs, axis=0).tolist())


def _of_random_maps(judge: _Judge, size: tuple[int, int]) -> Areas:
    random = np.random.default_rng(0)
    found = []
    for _ in range(_RANDOM_MAPS):
        cells = random.random((_RANDOM_CELLS, _RANDOM_CELLS))
        saliency_map = cv2.resize(cells, size[::-1], interpolation=cv2.INTER_LINEAR)
        found.append(judge.areas(dict.fromkeys(PHOTOGRAPHS, saliency_map)))
    return _mean(found)


def _mean(found: Sequence[Areas]) -> Areas:
    return Areas(
        float(np.mean([each.deletion for each in found])), float(np.mean([each.insertion for each in found]))
    )


def _read(folder: Path) -> dict[str, NDArray[Any]]:
    return {name: np.load(folder / f"{name}.npy") for name in PHOTOGRAPHS}


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description="Judge maps by deletion and insertion.")
    parser.add_argument("model")
    parser.add_argument("photographs", type=Path, help="folder of the inputs")
    parser.add_argument("ours", type=Path, help="folder of maps")
    parser.add_argument("ancestor", type=Path, nargs="?", help="folder of maps")
    arguments = parser.parse_args()
    images = _read(arguments.photographs)
    judge = _Judge(arguments.model, images)
    ancestor = None if arguments.ancestor is None else judge.areas(_read(arguments.ancestor))
    size = images[PHOTOGRAPHS[0]].shape[2:]
    found = Judgement(judge.areas(_read(arguments.ours)), ancestor, _of_random_maps(judge, size))
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
