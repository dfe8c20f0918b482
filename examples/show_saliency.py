"""What an application does with a converted model: run it once, and show what it saw the class by.

python examples/show_saliency.py out/model_xai.xml photo.png -o picture.png --mean 127 --scale 128
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert import ModelReadError, OvxaiError, Sidecar, UsageError, WriteError, read_sidecar

Pixels = NDArray[np.uint8]

_ANY_SIZE = 224  # rows and columns of the input where the model takes any
_PANEL_HEIGHT = 448
_CAPTION_HEIGHT = 40
_MARGIN = 12


class Explanation(NamedTuple):
    """A class, its score, and what it was seen by: grey levels (H, W), 255 where it counted most."""

    label: str
    score: float
    saliency: Pixels


def load_artifact(model: Path) -> tuple[ov.CompiledModel, Sidecar]:
    """Compile a converted model and read the sidecar that lies beside it."""
    beside = model.with_suffix(".json")
    for file, hint in ((model, "no such model"), (beside, "no sidecar: is the model one of ovxai-convert?")):
        if not file.is_file():
            raise ModelReadError(f"{file}: {hint}")
    sidecar = read_sidecar(beside)
    if sidecar.saliency_map is None or sidecar.saliency_map.classes != "all":
        raise ModelReadError(f"{model}: this example wants a model with a saliency map of all its classes")
    if len(sidecar.inputs) != 1 or sidecar.inputs[0].layout is None:
        raise ModelReadError(f"{model}: this example wants a model whose only input is an image")
    try:
        return ov.Core().compile_model(model, "CPU"), sidecar
    except RuntimeError as error:
        raise ModelReadError(f"{model}: OpenVINO cannot load it") from error


def load_photograph(path: Path) -> Pixels:
    """Read a photograph as RGB, (H, W, 3)."""
    if not path.is_file():
        raise ModelReadError(f"{path}: no such image")
    encoded = np.fromfile(path, np.uint8)
    pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB) if encoded.size else None
    if pixels is None:
        raise ModelReadError(f"{path}: not an image that can be read")
    return np.asarray(pixels, np.uint8)


def input_size(sidecar: Sidecar) -> tuple[int, int]:
    """Rows and columns of the model's input."""
    shape, layout = sidecar.inputs[0].shape, str(sidecar.inputs[0].layout)
    height, width = (shape[layout.index(axis)] for axis in "HW")
    return height if height > 0 else _ANY_SIZE, width if width > 0 else _ANY_SIZE


def crop_centre(photo: Pixels, height: int, width: int) -> Pixels:
    """Cut the largest box of the aspect ratio height:width out of the middle."""
    rows = max(min(photo.shape[0], round(photo.shape[1] * height / width)), 1)
    columns = max(min(photo.shape[1], round(photo.shape[0] * width / height)), 1)
    top, left = (photo.shape[0] - rows) // 2, (photo.shape[1] - columns) // 2
    return photo[top : top + rows, left : left + columns]


def prepare(
    crop: Pixels,
    sidecar: Sidecar,
    dtype: np.dtype[Any],
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
) -> NDArray[Any]:
    """Turn a crop into the model's input, ``(pixels - mean) / scale``, repeated over a fixed batch."""
    shape, layout = sidecar.inputs[0].shape, str(sidecar.inputs[0].layout)
    height, width = input_size(sidecar)
    if shape[layout.index("C")] == 1:
        if max(mean.size, scale.size) > 1:
            raise UsageError("the model's input is grey: --mean and --scale take one number")
        crop = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    shrinks = height * width < crop.shape[0] * crop.shape[1]
    resized = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    sample = (resized.reshape(height, width, -1).astype(np.float32) - mean) / scale
    if dtype.kind in "iu":
        sample = np.clip(np.rint(sample), np.iinfo(dtype).min, np.iinfo(dtype).max)
    if layout == "NCHW":
        sample = sample.transpose(2, 0, 1)
    return np.repeat(sample[np.newaxis].astype(dtype), max(shape[0], 1), axis=0)


def explain(
    compiled: ov.CompiledModel, sidecar: Sidecar, batch: NDArray[Any], wanted: str | None
) -> Explanation:
    """Run the model; the scores and every class's map come out of one inference."""
    info = sidecar.saliency_map
    assert info is not None, "load_artifact has looked"
    result = compiled([batch])
    outputs = {output.name: output.index for output in sidecar.outputs}
    scores = result[outputs[sidecar.scores.output]].reshape(len(batch), -1)[0].astype(np.float32)
    chosen = int(scores.argmax()) if wanted is None else find_class(wanted, sidecar)
    first = result[info.index][0]
    raw = first[chosen] if "class" in info.axes else first  # else one map stands for all classes
    label = sidecar.labels[chosen] if sidecar.labels else f"class {chosen}"
    return Explanation(label, float(as_probabilities(scores, sidecar)[chosen]), as_grey_levels(raw))


def find_class(wanted: str, sidecar: Sidecar) -> int:
    """Index of a class given by its label or its index; a label wins over an index."""
    labels, count = sidecar.labels or (), sidecar.scores.class_count
    if wanted in labels:
        return labels.index(wanted)
    if wanted.isdecimal() and int(wanted) < count:
        return int(wanted)
    near = ", ".join(f"'{label}'" for label in difflib.get_close_matches(wanted, labels, cutoff=0.4))
    hint = f"; near are {near}" if near else ""
    raise UsageError(f"no class '{wanted}': give a label or an index from 0 to {count - 1}{hint}")


def as_probabilities(scores: NDArray[np.float32], sidecar: Sidecar) -> NDArray[np.float32]:
    """The scores as they are where the model ends in an activation; else their softmax."""
    if sidecar.scores.activation in ("softmax", "sigmoid"):
        return scores
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), np.float32)


def as_grey_levels(raw: NDArray[Any]) -> Pixels:
    """A map as the model scaled it, or min-max scaled here where the model gives raw scores."""
    if raw.dtype == np.uint8:
        return np.asarray(raw, np.uint8)
    values = raw.astype(np.float32)
    spread = values.max() - values.min()
    return np.asarray(np.rint(255 * (values - values.min()) / (spread if spread > 0 else 1)), np.uint8)


def draw(crop: Pixels, explanation: Explanation, method: str) -> Pixels:
    """The crop, the crop under the map's colours, and a caption, as BGR."""
    size = (max(round(crop.shape[1] * _PANEL_HEIGHT / crop.shape[0]), 1), _PANEL_HEIGHT)
    photo = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_CUBIC)
    # Cubic, since a map has a few cells and bilinear interpolation would show each of them as a diamond.
    colours = cv2.applyColorMap(
        cv2.resize(explanation.saliency, size, interpolation=cv2.INTER_CUBIC), cv2.COLORMAP_JET
    )
    panels = np.hstack([photo, cv2.addWeighted(photo, 0.5, colours, 0.5, 0)])
    strip = np.full((_CAPTION_HEIGHT, panels.shape[1], 3), 255, np.uint8)
    text = f"{explanation.label}, score {explanation.score:.2f}, {method}"
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.7, 1)
    fitting = 0.7 * min(1.0, (panels.shape[1] - 2 * _MARGIN) / width)
    corner = (_MARGIN, (_CAPTION_HEIGHT + height) // 2)
    cv2.putText(strip, text, corner, cv2.FONT_HERSHEY_SIMPLEX, fitting, (0, 0, 0), 1, cv2.LINE_AA)
    return np.asarray(np.vstack([panels, strip]), np.uint8)


def write_png(picture: Pixels, path: Path) -> None:
    """Write a BGR picture as PNG, whatever the file is called."""
    _, encoded = cv2.imencode(".png", picture)
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error


def _per_channel(_context: click.Context, parameter: click.Parameter, text: str) -> NDArray[np.float32]:
    try:
        numbers = np.array([float(number) for number in text.split(",")], np.float32)
    except ValueError:
        numbers = np.empty(0, np.float32)
    if numbers.size not in (1, 3) or not np.isfinite(numbers).all():
        raise click.BadParameter(f"'{text}' is not one number, or three with commas between")
    if parameter.name == "scale" and not numbers.all():
        raise click.BadParameter("a scale of 0 divides by zero")
    return numbers


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("model", metavar="MODEL.xml", type=click.Path(path_type=Path))
@click.argument("photograph", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The PNG to write.")
@click.option("--class", "wanted", metavar="INDEX|LABEL", help="Class to explain; default: the top one.")
@click.option(
    "--mean", default="0", callback=_per_channel, metavar="X[,X,X]", help="Mean of R, G, B; 0..255."
)
@click.option("--scale", default="1", callback=_per_channel, metavar="X[,X,X]", help="Divisor of R, G, B.")
@click.option("--stretch", is_flag=True, help="Stretch the photograph to the input; default: centre crop.")
def main(
    model: Path,
    photograph: Path,
    output: Path,
    wanted: str | None,
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
    stretch: bool,
) -> None:
    """Show PHOTOGRAPH beside what MODEL.xml, converted by ovxai-convert, saw its class by."""
    try:
        compiled, sidecar = load_artifact(model)
        photo = load_photograph(photograph)
        crop = photo if stretch else crop_centre(photo, *input_size(sidecar))
        dtype = np.dtype(compiled.inputs[0].get_element_type().to_dtype())
        explanation = explain(compiled, sidecar, prepare(crop, sidecar, dtype, mean, scale), wanted)
        write_png(draw(crop, explanation, sidecar.method), output)
    except OvxaiError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    click.echo(f"{output}: {explanation.label}, score {explanation.score:.2f}, {sidecar.method}")


if __name__ == "__main__":
    main()
