"""D-RISE beside the device alone: `python -m benchmarks.detectors.rate MODEL PICTURE`."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import openvino as ov

from benchmarks.blackbox.device import Device
from benchmarks.blackbox.timing import measure
from ovxai_convert import Explainer, Explanation, Task


def main() -> None:
    """Explain every box of a picture, in turn with as many evaluations of the model alone."""
    parser = argparse.ArgumentParser(description="Measure D-RISE beside the device alone.")
    parser.add_argument("model")
    parser.add_argument("picture")
    parser.add_argument("--preprocessing", default="unit", help="of the model; default: unit")
    parser.add_argument("--masks", type=int, default=1000)
    parser.add_argument("--threshold", type=float, default=0.5, help="least score of a box; default: 0.5")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    masks: int = arguments.masks
    explainer = Explainer(
        arguments.model,
        Task.DETECTION,
        preprocessing=arguments.preprocessing,
        explain_mode="blackbox",
        num_masks=masks,
        confidence_threshold=arguments.threshold,
    )
    explained = explainer(arguments.picture, boxes="all")
    assert isinstance(explained, Explanation), "one picture has one explanation"
    boxes = len(explained.saliency_map)

    def explain() -> int:
        explainer(arguments.picture, boxes="all", resize=False, colormap=False)
        return masks + 1  # the picture itself, too

    image = explainer.trials(arguments.picture)[0].image[None]
    with TemporaryDirectory() as folder:
        fixed = ov.Core().read_model(arguments.model)
        fixed.reshape(list(image.shape))  # an open size would be run on nothing
        path = str(Path(folder, "fixed.xml"))
        ov.save_model(fixed, path, compress_to_fp16=False)
        device = Device(path, image)
    found = measure(explain, device, arguments.seconds)
    print(f"{boxes} boxes, {masks} masks: {found}")


if __name__ == "__main__":
    main()
