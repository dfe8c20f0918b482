"""The framework that a source comes from, where it is installed: does OpenVINO read the file as it does?"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.artifact.checks import FrameworkCheck
from ovxai_convert.errors import UsageError, VerificationError
from ovxai_convert.proof.comparison import Reference, measure
from ovxai_convert.proof.trial_inputs import Feed

AUTO: Final = "auto"
NONE: Final = "none"
_TOLERANCE: Final = 1e-3
"""Largest difference of an output between two runtimes in float32, as a part of its range."""
_ROUNDING: Final = 1e-5
"""What runtimes may differ by in any case, as a part of an output's magnitude: sums in another order."""
_ROUNDED_TOLERANCE: Final = 0.05
"""The same where values or weights are quantised or of half precision: runtimes round at different steps."""
_LITE: Final = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite")

Run = Callable[[Feed], list[NDArray[Any]]]
"""From one array per input of the model, in OpenVINO's order, to the outputs in the file's order."""


@dataclass(frozen=True)
class Framework:
    """A runtime beside OpenVINO.

    Attributes:
        name: as a user names it, and as the extra that installs it.
        format: of the files that it runs.
        modules: any one of these is it, the first that is installed.
        load: from a module, a file and the names of OpenVINO's inputs to what runs the file.
    """

    name: str
    format: str
    modules: tuple[str, ...]
    load: Callable[[Any, Path, Sequence[frozenset[str]]], Run]

    def installed(self) -> str | None:
        """The module that is installed, if one is."""
        return next((module for module in self.modules if _is_installed(module)), None)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def _onnxruntime(module: Any, path: Path, names: Sequence[frozenset[str]]) -> Run:
    session = module.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    places = places_of_inputs(session, names)

    def run(feed: Feed) -> list[NDArray[Any]]:
        given = {name: feed[place] for name, place in places.items()}
        return [np.asarray(output) for output in session.run(None, given)]

    return run


def places_of_inputs(session: Any, names: Sequence[frozenset[str]]) -> dict[str, int]:
    """Where the inputs of an ONNX Runtime session stand in a feed, given all names of each input there."""
    asked = (argument.name for argument in session.get_inputs())
    return {name: next(place for place, known in enumerate(names) if name in known) for name in asked}


def _tflite(module: Any, path: Path, _: Sequence[frozenset[str]]) -> Run:
    interpreter = module.Interpreter(model_path=str(path))

    def run(feed: Feed) -> list[NDArray[Any]]:
        inputs = interpreter.get_input_details()
        for details, array in zip(inputs, feed, strict=True):
            interpreter.resize_tensor_input(details["index"], array.shape)
        interpreter.allocate_tensors()
        for details, array in zip(inputs, feed, strict=True):
            interpreter.set_tensor(details["index"], array)
        interpreter.invoke()
        return [interpreter.get_tensor(details["index"]) for details in interpreter.get_output_details()]

    return run


FRAMEWORKS: Final[Mapping[str, Framework]] = {
    framework.name: framework
    for framework in (
        Framework("onnxruntime", "onnx", ("onnxruntime",), _onnxruntime),
        Framework("tflite", "tflite", _LITE, _tflite),
    )
}


def chosen_framework(wanted: str, source_format: str) -> Framework | None:
    """What a user means for a source; ``auto``: its own framework if that is installed.

    Raises:
        UsageError: one that is not installed, or does not run files of this format.
    """
    if wanted == NONE:
        return None
    if wanted == AUTO:
        fitting = (framework for framework in FRAMEWORKS.values() if framework.format == source_format)
        return next((framework for framework in fitting if framework.installed()), None)
    if wanted not in FRAMEWORKS:
        raise UsageError(f"no reference '{wanted}'; there are {', '.join([AUTO, NONE, *FRAMEWORKS])}")
    framework = FRAMEWORKS[wanted]
    if framework.format != source_format:
        raise UsageError(f"{wanted} runs files of the format {framework.format}, and not {source_format}")
    if framework.installed() is None:
        raise UsageError(f"{wanted} is not installed: pip install 'ovxai-convert[{wanted}]'")
    return framework


class DoesNotRunError(VerificationError):
    """A framework lacks an op of a file that it should run, or of a type in it."""


def compare_with_framework(
    framework: Framework, path: Path, reference: Reference, *, rounded: bool
) -> FrameworkCheck:
    """Run the source in its own framework, which is installed, on the original's trials; compare all outputs.

    ``rounded``: whether values are quantised or of half precision.

    Raises:
        DoesNotRunError: the framework does not run the file.
        VerificationError: the two differ by more than runtimes do.
    """
    module = framework.installed()
    assert module is not None, "it was chosen"
    names = [frozenset(port.get_names()) for port in reference.model.inputs]
    allowed, worst, worst_part = _ROUNDED_TOLERANCE if rounded else _TOLERANCE, 0.0, 0.0
    try:
        run = framework.load(importlib.import_module(module), path, names)
        runs = [run(trial.feed) for trial in reference.trials]
    except Exception as error:  # whatever another runtime raises; there is no common kind
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise DoesNotRunError(f"{framework.name} does not run the source: {reason[0]}") from error
    for trial, there, here in zip(reference.trials, runs, reference.outputs, strict=True):
        if len(there) != len(here):
            raise VerificationError(f"{framework.name} gives {len(there)} outputs, OpenVINO {len(here)}")
        for number, (one, other) in enumerate(zip(there, here, strict=True)):
            difference, part = measure([(_values(one), _values(other))])
            worst, worst_part = max(worst, difference), max(worst_part, part)
            # numbers that are nearly all the same have next to no range
            magnitude = float(np.abs(_values(other)).max(initial=0))
            alike = np.isfinite(magnitude) and difference <= _ROUNDING * magnitude
            if not (part <= allowed or alike):
                raise VerificationError(
                    f"OpenVINO reads this file otherwise than {framework.name}: on {trial.kind}, output "
                    f"{number} differs by {part:.3g} of its range (at most {allowed:g} is accepted)"
                )
    package = module.split(".")[0]
    stated = getattr(importlib.import_module(package), "__version__", None)
    release = stated or version(package.replace("_", "-"))
    return FrameworkCheck(f"{framework.name} {release}", worst, worst_part)


def _values(array: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers alone: runtimes keep different types and axes of one output."""
    return array.astype(np.float64).ravel()
