"""Rates of a model over a data set, and of the parts of that alone, in turn: JSON on stdout.

``python -m benchmarks.dataset_rates ARTIFACT FOLDER --count N --rounds N``
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

import cv2
import openvino as ov

from ovxai_convert.cli.child import Start
from ovxai_convert.cli.dataset_run import DatasetRun
from ovxai_convert.cli.telling import Telling
from ovxai_convert.datasets.explaining import Asked, PhotographExplainer
from ovxai_convert.datasets.progress import Pace
from ovxai_convert.datasets.sources import Item, Photographs
from ovxai_convert.datasets.stream import threads_for
from ovxai_convert.datasets.tables import Table
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.explain.samples import Sample
from ovxai_convert.photographs.given import Photograph
from ovxai_convert.photographs.image_files import Pixels, image_content, picture_in
from ovxai_convert.pictures.captions import framed
from ovxai_convert.pictures.picture_files import PictureOptions, encoded
from ovxai_convert.pictures.rendering import Rendering, Scene, rendered

_KNOWN: Final = 20
"""Photographs whose maps are there, to be drawn again and again."""
_LOOKS: Final = PictureOptions(image_format="jpeg")


class Parts:
    """What a run does for each photograph, part by part and as a whole.

    Args:
        artifact: a converted model.
        folder: photographs.
        count: how many are taken at a time, if there are so many.
    """

    def __init__(self, artifact: Path, folder: Path, count: int) -> None:
        self._artifact, self._at = artifact, 0
        self._items = list(Photographs([str(folder)]))
        self.count = min(count, len(self._items))  # a run explains a photograph once
        self._explainer = FileExplainer(artifact, throughput=True)
        properties = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
        self._queue = ov.AsyncInferQueue(ov.Core().compile_model(artifact, "CPU", properties))
        samples = [self._sample(item) for item in self._items[:_KNOWN]]
        self._feed = {0: samples[0].values}
        explanations = (self._explained(item) for item in self._items[:_KNOWN])
        self._known = [(each.scene, found) for each, found in zip(samples, explanations, strict=True)]
        self._threads = ThreadPoolExecutor(threads_for())

    def _photograph(self, item: Item) -> Photograph:
        return Photograph(picture_in(image_content(item.path), item.path))

    def _sample(self, item: Item) -> Sample:
        return self._explainer.explainer._prepared(self._photograph(item))[0]

    def _explained(self, item: Item) -> Explanation:
        return self._explainer.explanation_of(self._photograph(item), None, None)

    def _next(self) -> Sequence[Item]:
        """The photographs whose turn it is."""
        items = [self._items[(self._at + step) % len(self._items)] for step in range(self.count)]
        self._at += self.count
        return items

    def device(self) -> None:
        """Inference alone, as OpenVINO's asynchronous queue does it; no result is read."""
        for _ in range(self.count):
            self._queue.start_async(self._feed, share_inputs=True)
        self._queue.wait_all()

    def prepare(self) -> None:
        """Reading, decoding and preparing alone."""
        list(self._threads.map(self._sample, self._next()))

    def draw(self) -> None:
        """Laying maps over photographs and drawing captions alone; maps and scores are there."""
        turns = (self._known[step % len(self._known)] for step in range(self.count))
        list(self._threads.map(lambda each: _drawn(*each), turns))

    def encode(self) -> None:
        """Encoding the pictures as JPEG alone."""
        pictures = [_drawn(*each) for each in self._known]
        turns = (pictures[step % len(pictures)] for step in range(self.count))
        list(self._threads.map(lambda picture: encoded(picture, "jpeg"), turns))

    def run(self, pictures: PictureOptions | None) -> None:
        """All of it, with a table, by what the command runs."""
        folder = Path(tempfile.mkdtemp(prefix="dataset-rates-"))
        try:
            paths = [str(item.path) for item in self._next()]
            pace = Pace(self.count)
            run = DatasetRun(
                Photographs(paths, output=folder),
                PhotographExplainer([self._explainer], Asked(None, pictures)),
                Telling(pace, True, False, False, True, pictures is not None, False),
                self._artifact,
                folder,
                threads_for(),
                Start(),
                table=Table(folder / "table.jsonl"),
            )
            run()
            assert run.table is not None, "it was given"
            run.table.close()
            assert not pace.failures, pace.failures
        finally:
            shutil.rmtree(folder)


def _drawn(scene: Scene, explanation: Explanation) -> Pixels:
    rendering = Rendering(overlay=True, overlay_prediction=False)
    (target,) = explanation.raw
    picture = rendered(explanation.raw, rendering, scene, explanation.captions)[target]
    return framed(picture, explanation.captions[target])


@dataclass(frozen=True)
class Rates:
    """Photographs a second by the clock, and a second of one processor, of a run or of a part of it."""

    by_clock: float
    by_processor: float


def measured(parts: Parts, rounds: int) -> dict[str, Rates]:
    """The median of each, all in turn, so that a machine that is busy for a while slows all of them."""
    steps: dict[str, Callable[[], None]] = {
        "device": parts.device,
        "prepare": parts.prepare,
        "run": lambda: parts.run(None),
        "draw": parts.draw,
        "encode": parts.encode,
        "run with pictures": lambda: parts.run(_LOOKS),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            clock, processor = time.perf_counter(), time.process_time()
            step()
            if number:  # the first one warms up
                found[name].append((time.perf_counter() - clock, time.process_time() - processor))
    return {
        name: Rates(*(parts.count / median(column) for column in zip(*each, strict=True)))
        for name, each in found.items()
    }


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description="Measure a run over photographs and its parts.")
    parser.add_argument("artifact", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200, help="photographs of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    cv2.setNumThreads(1)  # as the command does
    rates = measured(Parts(told.artifact, told.folder, told.count), told.rounds)
    print(json.dumps({name: asdict(each) for name, each in rates.items()}))


if __name__ == "__main__":
    main()
