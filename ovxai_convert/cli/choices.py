"""What the commands offer to choose from, written down so that help needs none of the libraries.

Each of these is taken from the place where it is defined; a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class MethodOption:
    """An option of a white-box method; no choices: a whole number from 1 on."""

    name: str
    default: str | int
    help: str
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """As the command line has it."""
        return f"--{self.name.replace('_', '-')}"


WHITE_BOX: Final[Mapping[str, tuple[MethodOption, ...]]] = {
    "reciprocam": (),
    "vitreciprocam": (
        MethodOption("kernel", "gaussian", "patches that a copy keeps", ("gaussian", "single")),
        MethodOption(
            "class_token", "keep", "whether copies keep the class token and its like", ("keep", "drop")
        ),
        MethodOption("block", 1, "block to mask, counted from the end"),
    ),
    "activationmap": (),
    "classprobabilitymap": (),
}
"""White-box methods and their options, in the order in which auto tries them."""
BLACK_BOX: Final = ("rise", "aise", "drise")
TASKS: Final = ("auto", "classification", "detection")
MODES: Final = ("whitebox", "blackbox", "auto")
ACTIVATIONS: Final = ("none", "softmax", "sigmoid")
COLORMAPS: Final = ("jet", "turbo", "viridis", "plasma", "inferno", "magma", "cividis")
IMAGE_FORMATS: Final = ("png", "jpeg", "webp")
MAX_SIDE: Final = 1600
ENGINES: Final = ("local", "ray")
"""What explains photographs."""
RECIPE_NAMES: Final = ("raw", "unit", "imagenet", "inception", "caffe", "clip")
"""How levels of pixels become inputs."""
REFERENCES: Final = ("onnxruntime", "tflite")
MAX_BRANCH_MIB: Final = 2048
MAX_PIXELS: Final = 100_000_000
"""Of a photograph: more than cameras make."""
MEASURABLE: Final = ("deletion", "insertion", "pointing", "adcc")
KNOW_NOTHING: Final = ("random", "centre")
COVERED_WITH: Final = ("zero", "black", "blur")
CURVE_STEPS: Final = 32
MAPS_AT_RANDOM: Final = 4
"""Of an evaluation: what is measured, against what, and how."""
SHOWN_CANDIDATES: Final = 12
"""Places for a target that an inspection shows, from the scores on."""
