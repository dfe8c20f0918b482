"""What a program does before and after the run: arguments, the description, the photograph, the files."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from by_description.answer import choose, read_probabilities
from by_description.overlay import lay_over, seen
from by_description.photograph import Array, Json, prepare


def read_arguments(model: str) -> argparse.Namespace:
    """The command line; ``model`` says which file of the model is meant."""
    parser = argparse.ArgumentParser(description="Show which part of a photograph speaks for a class.")
    parser.add_argument("model", type=Path, help=model)
    parser.add_argument("photo", type=Path, help="the photograph")
    parser.add_argument("overlay", type=Path, help="the picture to write")
    parser.add_argument("--map", type=Path, help="save the map as it is, [h, w], as .npy")
    parser.add_argument("--input", type=Path, help="save what the model was given as .npy")
    parser.add_argument("--class", dest="wanted", help="label or index of the class (default: the best)")
    return parser.parse_args()


def read_description(model: Path, is_of: Callable[[Json], bool], embedded: str | None) -> Json:
    """The JSON file beside a model if it is of these very files, else what stands in the model itself."""
    beside = model.with_suffix(".json")
    description: Json | None = None
    if beside.is_file():
        found = json.loads(beside.read_text(encoding="utf-8"))
        description = found if isinstance(found, dict) and is_of(found) else None
    if description is None and embedded is not None:
        description = json.loads(embedded)
    if description is None:
        sys.exit(f"{model} is no converted model, or its .json is of another")
    major, minor = description["schema_version"].split(".")
    if major != "1" or int(minor) < 1:
        sys.exit(f"{model} is described in version {description['schema_version']}; this reads 1.1 and later")
    return description


def is_file_of(path: Path, sha256: Any) -> bool:
    """Whether a file is there and has this hash."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def read_sample(arguments: argparse.Namespace, description: Json) -> Array:
    """The photograph as the model takes it, without a batch axis."""
    if description["saliency_map"] is None:
        sys.exit(f"{arguments.model} has no map: it is to be explained as a black box")
    if description["preprocessing"] is None:
        sys.exit(f"{arguments.model} does not say how a photograph becomes its input")
    photo = cv2.imread(str(arguments.photo), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)  # with all its bits
    if photo is None:
        sys.exit(f"{arguments.photo} cannot be read as an image")
    if description["preprocessing"]["colour"] == "bands":
        sys.exit(f"{arguments.model} takes pictures of other bands than a photograph has")
    return prepare(photo, description["preprocessing"])


def refuse_other_input(model: Path) -> None:
    """Say that a model does not take what its description tells of."""
    sys.exit(f"{model} has been given another input than its description tells of")


def show(arguments: argparse.Namespace, description: Json, inputs: Array, results: Any) -> None:
    """Write the files that are asked for, and say which class it is; results are found by their index."""
    probability = read_probabilities(description, results, len(inputs))
    chosen, grid = choose(description, results, probability, arguments.wanted)
    if arguments.input is not None:
        np.save(arguments.input, inputs)
    if arguments.map is not None:
        np.save(arguments.map, grid)
    photo = cv2.imread(str(arguments.photo), cv2.IMREAD_COLOR)  # 8 bits, blue, green, red: to look at
    if photo is None:
        sys.exit(f"{arguments.photo} cannot be read as an image")
    picture = lay_over(photo, grid, seen(description["preprocessing"], *photo.shape[:2]), description)
    if not cv2.imwrite(str(arguments.overlay), picture):
        sys.exit(f"{arguments.overlay} cannot be written")
    ranked = description["scores"]["probabilities"] == "rank"
    said = "" if ranked else f" {probability[chosen]:.3f}"
    row, column = np.unravel_index(int(grid.argmax()), grid.shape)
    print(
        f"{description['labels'][chosen] if description['labels'] else f'class {chosen}'}{said}:"
        f" highest at row {row} of {grid.shape[0]}, column {column} of {grid.shape[1]}"
    )
