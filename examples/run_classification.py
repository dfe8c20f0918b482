"""All ways to explain one classifier and one photograph, one after another, each into a folder of its own.

python examples/run_classification.py MODEL.xml IMAGE.jpg --output DIR

What the tutorial of openvino-xai shows, on any model and picture: data prepared beforehand, functions that
prepare them and read scores, every method by itself, and a branch in a model that a pipeline of one's own
runs. A line per step says what came of it and where the pictures are; what a model does not allow is said
with the reason, and the next step follows.

How a photograph becomes the input is said by --size to --resize-to, as for ovxai-explain, else by the model's
sidecar or metadata; what nobody says is assumed, and printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

import ovxai_convert as xai
from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.explain.loading import ScoresPlace, load_model
from ovxai_convert.explain.predictions import BestClassesOutput, ReadScores, ScoresOutput
from ovxai_convert.photographs.preprocessing import FieldOfView
from ovxai_convert.photographs.recipes import RECIPES, recipe_hints

Array = NDArray[Any]


@dataclass(frozen=True)
class Subject:
    """What every step is given: the model, the part of the photograph that it sees, and how it is asked."""

    path: Path
    name: str
    image: Array
    prepare: Callable[[Array], Array]
    scores_output: str | None
    read_scores: ReadScores
    class_count: int
    targets: Any
    labels: Sequence[str] | None
    num_masks: int
    device: str

    def preprocess_fn(self, image: Array) -> Array:
        """From a picture, blue, green, red, to the model's input with its axis of the batch."""
        return self.prepare(image)

    def postprocess_fn(self, results: Mapping[Any, Array]) -> Array:
        """From the model's results to scores (1, K)."""
        return self.read_scores(results, 1)


def auto_prepared(subject: Subject) -> xai.Explanation:
    """Data that are prepared beforehand need no preprocess_fn; the maps are laid over the picture."""
    explainer = xai.Explainer(
        subject.path,
        task=xai.Task.CLASSIFICATION,
        postprocess_fn=subject.postprocess_fn,
        device_name=subject.device,
        scores_output=subject.scores_output,
    )
    prepared = subject.preprocess_fn(subject.image)
    return one(
        explainer(
            prepared,
            target_explain_labels=subject.targets,
            label_names=subject.labels,
            overlay=True,
            original_input_image=subject.image,
        )
    )


def auto_functions(subject: Subject) -> xai.Explanation:
    """With both functions the picture itself is handed over; maps in colours alone."""
    explainer = xai.Explainer(
        subject.path,
        task=xai.Task.CLASSIFICATION,
        preprocess_fn=subject.preprocess_fn,
        postprocess_fn=subject.postprocess_fn,
        device_name=subject.device,
        scores_output=subject.scores_output,
    )
    return one(explainer(subject.image, target_explain_labels=subject.targets, label_names=subject.labels))


def by(method: xai.Method, **options: Any) -> Callable[[Subject], xai.Explanation]:
    """A step that explains by one method; a white-box one, or a black-box one with its settings."""

    def step(subject: Subject) -> xai.Explanation:
        mode = xai.ExplainMode.BLACKBOX if method.is_black_box else xai.ExplainMode.WHITEBOX
        settings: dict[str, Any] = {"num_masks": subject.num_masks} if method is xai.Method.RISE else {}
        explainer = xai.Explainer(
            subject.path,
            task=xai.Task.CLASSIFICATION,
            preprocess_fn=subject.preprocess_fn,
            device_name=subject.device,
            scores_output=subject.scores_output,
        )
        return one(
            explainer(
                subject.image,
                explain_mode=mode,
                explain_method=method,
                target_explain_labels=subject.targets,
                label_names=subject.labels,
                overlay=True,
                **options,
                **settings,
            )
        )

    return step


def own_pipeline(subject: Subject, folder: Path, classes: Sequence[int]) -> str:
    """A branch in the model, which then runs without this package: one more output, ``saliency_map``."""
    model = ov.Core().read_model(subject.path)
    model_xai = xai.insert_xai(model=model, task=xai.Task.CLASSIFICATION, embed_scaling=True)
    batch = subject.preprocess_fn(subject.image)
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    before = ov.Core().compile_model(model, subject.device, precise)(batch)
    results = ov.Core().compile_model(model_xai, subject.device, precise)(batch)
    same = all(np.array_equal(before[index], results[index]) for index in range(len(model.outputs)))
    maps = results["saliency_map"][0]  # (K, h, w), of activationmap (h, w)
    maps = maps[np.newaxis] if maps.ndim == 2 else maps
    if len(maps) == subject.class_count:
        pictures = {f"{subject.name}_{index}.png": maps[index] for index in classes}
    else:  # one map of all classes, or of the yes in a model that answers yes or no
        pictures = {f"{subject.name}_map{row}.png": saliency for row, saliency in enumerate(maps)}
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = subject.image.shape[:2]
    for file, saliency in pictures.items():
        grey = cv2.resize(saliency, (columns, rows), interpolation=cv2.INTER_CUBIC)
        colours = cv2.applyColorMap(grey, cv2.COLORMAP_JET)
        cv2.imwrite(str(folder / file), cv2.addWeighted(subject.image, 0.5, colours, 0.5, 0))
    ov.save_model(model_xai, folder / "model_xai.xml", compress_to_fp16=False)
    how = "the other outputs as before" if same else "but other outputs have MOVED"
    return f"saliency_map {list(results['saliency_map'].shape)}, {how}, {len(pictures)} pictures"


STEPS: Mapping[str, Callable[[Subject], xai.Explanation]] = {
    "auto_prepared": auto_prepared,
    "auto_functions": auto_functions,
    "whitebox_reciprocam": by(xai.Method.RECIPROCAM, embed_scaling=True),
    "whitebox_reciprocam_raw": by(xai.Method.RECIPROCAM, embed_scaling=False),
    "whitebox_vitreciprocam": by(xai.Method.VITRECIPROCAM),
    "whitebox_activationmap": by(xai.Method.ACTIVATIONMAP),
    "blackbox_rise": by(xai.Method.RISE),
    "blackbox_aise": by(xai.Method.AISE),
}
"""Each writes into a folder of its name."""


def one(found: xai.Explanation | list[xai.Explanation]) -> xai.Explanation:
    """The explanation of one picture."""
    assert isinstance(found, xai.Explanation), "one picture has one explanation"
    return found


def what_came(explanation: xai.Explanation) -> str:
    """The method and the classes with their scores, in a line."""
    scores = [
        f"{explanation.label_of(index)} {score:.2f}" for index, score in explanation.predictions.values()
    ]
    why = "; ".join(map(str, explanation.refusals))
    why = f" (what was tried before: {why})" if why else ""
    return f"{explanation.method_name}{why}, {', '.join(scores)}"


def as_seen(image: Array, region: FieldOfView) -> Array:
    """The part of a picture that a model sees; black where that reaches beyond it."""
    rows, columns = image.shape[:2]
    top, bottom, left, right = map(round, (region.top, region.bottom, region.left, region.right))
    inside = image[max(top, 0) : bottom, max(left, 0) : right]
    around = max(-top, 0), max(bottom - rows, 0), max(-left, 0), max(right - columns, 0)
    return np.asarray(cv2.copyMakeBorder(inside, *around, cv2.BORDER_CONSTANT, value=(0, 0, 0)))


def subject_of(given: argparse.Namespace) -> Subject:
    """Read model and photograph, and find out how the one becomes the other's input."""
    content = np.fromfile(given.image, np.uint8) if given.image.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None  # OpenCV's own reader prints
    if image is None:
        raise xai.ModelReadError(f"{given.image} cannot be read as an image")
    hints = xai.PreprocessingHints(
        given.size,
        given.mean,
        given.scale,
        given.colour,
        given.resize,
        given.layout,
        resize_to=given.resize_to,
    )
    hints = hints if given.preprocess is None else recipe_hints(given.preprocess, hints)
    output = given.scores_output
    reader = FileExplainer(given.model, given.labels, hints, device_name=given.device, scores_output=output)
    for doubt in (*reader.explainer.doubts, *reader.remarks, *reader.doubts):
        print(f"{given.model}: {doubt}", file=sys.stderr)
    if reader.assumed:
        print(f"{given.model}: assumed, since nothing says it: {', '.join(reader.assumed)}", file=sys.stderr)
    region = reader.preprocessing.region(*image.shape[:2])
    seen = as_seen(image, region)
    if seen.shape != image.shape:
        print(f"{given.image}: the model sees {seen.shape[1]}x{seen.shape[0]} pixels of it", file=sys.stderr)
    place = load_model(given.model, UserNotes(preprocessing=hints), output).scores
    assert isinstance(place, ScoresPlace), "a model whose classes are not clear was refused above"
    ranked = place.answer.probabilities == "rank"  # an output that names the best classes alone
    index, count = place.output_index, place.class_count
    read = BestClassesOutput(index, count) if ranked else ScoresOutput(index, place.answer)
    named = reader.explainer.label_names
    prepare = replace(reader.preprocessing, resize_to=None)  # that part is cut out already
    return Subject(
        given.model,
        given.image.stem,
        seen,
        prepare,
        output,
        read,
        place.answer.class_count(count),
        given.targets,
        named,
        given.num_masks,
        given.device,
    )


def run(subject: Subject, output: Path) -> None:
    """All steps; the first is in the mode that takes what is possible."""
    made, classes = 0, [0]
    for name, step in STEPS.items():
        try:
            explanation = step(subject)
            explanation.save(output / name, subject.name)
        except xai.OvxaiError as error:
            if not made:  # what is possible at all is possible in this mode: the call itself is wrong
                raise
            print(f"{name}: not possible: {error}")
            continue
        made += 1
        classes = [target for target in explanation.targets if isinstance(target, int)] or classes
        print(f"{name}: {what_came(explanation)}: {output / name}")
    try:
        print(f"insert_xai: {own_pipeline(subject, output / 'insert_xai', classes)}: {output / 'insert_xai'}")
    except xai.OvxaiError as error:
        print(f"insert_xai: not possible: {error}")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Explain one photograph in every way that a model allows.")
    parser.add_argument("model", type=Path, help="OpenVINO IR, ONNX, or what else OpenVINO reads")
    parser.add_argument("image", type=Path, help="the photograph")
    parser.add_argument(
        "--output", type=Path, default=Path("output"), help="folder for all (default: output)"
    )
    parser.add_argument("--targets", default="top2", help="classes, by index or label: A,B (default: top2)")
    parser.add_argument("--labels", type=Path, help="labels of the classes: one per line, or a JSON list")
    parser.add_argument("--scores-output", metavar="NAME", help="the output that holds the classes")
    parser.add_argument("--num-masks", type=int, default=1000, help="of RISE (default: 1000)")
    parser.add_argument("--device", default="CPU")
    parser.add_argument(
        "--preprocess", choices=RECIPES, help="mean, scale and colours as many networks have them"
    )
    parser.add_argument("--size", type=size, metavar="N|HxW", help="rows and columns of the input")
    parser.add_argument("--mean", type=numbers, metavar="X[,X,X]", help="subtracted from pixels of 0..255")
    parser.add_argument("--scale", type=numbers, metavar="X[,X,X]", help="divides what is left")
    parser.add_argument("--rgb", dest="colour", action="store_const", const="rgb", help="order of channels")
    parser.add_argument("--bgr", dest="colour", action="store_const", const="bgr")
    parser.add_argument("--layout", choices=["NCHW", "NHWC"])
    parser.add_argument("--resize", choices=["crop", "stretch", "letterbox"])
    parser.add_argument("--resize-to", type=int, metavar="N", help="shorter side before the input is cut out")
    return parser.parse_args()


def size(text: str) -> tuple[int, int]:
    """``224`` or ``224x192``."""
    rows, _, columns = text.partition("x")
    return int(rows), int(columns or rows)


def numbers(text: str) -> tuple[float, ...]:
    """``127`` or ``123.7,116.3,103.5``."""
    return tuple(map(float, text.split(",")))


def main() -> int:
    """The exit code: that of the error where the model, the photograph or an option does not do."""
    given = arguments()
    try:
        run(subject_of(given), given.output)
    except xai.OvxaiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
