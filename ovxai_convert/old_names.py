"""Which names openvino-xai 1.1.0 has at which of its paths, where each lives here, and why some do not.

``from ovxai_convert.explainer.utils import get_preprocess_fn`` works as it did under the old package's name.
The paths are no files: each is a module that is made here and looks a name up when it is asked for. Only
``methods`` is a room of this package; it looks up what it does not have itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, MutableMapping
from types import ModuleType
from typing import Any, Final

PACKAGE: Final = "ovxai_convert"

HOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "ancestor.method_objects": ("AISEClassification", "ActivationMap", "RISE", "ReciproCAM", "ViTReciproCAM"),
    "ancestor.pictures": (
        *("COLOR_MAPPED_LAYOUTS", "GRAY_LAYOUTS", "MULTIPLE_MAP_LAYOUTS", "ONE_MAP_LAYOUTS"),
        *("Visualizer", "colormap", "overlay", "resize"),
    ),
    "ancestor.processing": (
        *("ActivationType", "IdentityPreprocessFN", "convert_targets_to_numpy", "explains_all"),
        *("format_to_bhwc", "get_min_max", "get_postprocess_fn", "get_preprocess_fn", "get_score"),
        *("get_target_indices", "has_xai", "infer_size_from_image", "is_bhwc_layout", "logger"),
        *("postprocess_fn", "preprocess_fn", "scaling", "sigmoid", "softmax"),
        *("BlackBoxXAIMethods", "ClassificationXAIMethods", "SALIENCY_MAP_OUTPUT_NAME", "WhiteBoxXAIMethods"),
    ),
    "ancestor.quality": ("ADCC", "BaseMetric", "InsertionDeletionAUC", "PointingGame"),
    "blackbox.method": ("Preset",),
    "explain.explainer": ("Explainer",),
    "explain.explanation": ("Explanation", "Layout"),
    "explain.plan": ("ExplainMode",),
    "explain.predictions": ("Prediction",),
    "insertion.insert": ("insert_xai",),
    "methods": ("Method",),
    "vocabulary": ("Task",),
}
"""The module here that each name comes from."""

_DETECTION: Final = "ovxai_convert.Explainer(..., task=Task.DETECTION) explains detectors"
_TORCH: Final = "no PyTorch model is taken: export it to ONNX, and give that"
_BASE: Final = "a base class of the old methods; docs/adding-a-method.md says how one is added here"
_INSIDE: Final = "a part of how the old package finds layers; ovxai_convert.insert_xai does all of it"

ABSENT: Final[Mapping[str, str]] = {
    "AISEBase": _BASE,
    "AUC": "insertion and deletion of ovxai_convert.blackbox.metrics return curves, which have an auc",
    "AISEDetection": _DETECTION,
    "BlackBoxMethodFactory": "ovxai_convert.Explainer(..., explain_method=...) makes the method",
    "BlackBoxXAIMethod": _BASE,
    "DetClassProbabilityMap": _DETECTION,
    "DetectionXAIMethods": _DETECTION,
    "FeatureMapPerturbationBase": _BASE,
    "GaussianPerturbationMask": _BASE,
    "IRParser": _INSIDE,
    "IRParserCls": _INSIDE,
    "MethodBase": _BASE,
    "MethodFactory": _BASE,
    "ModelType": _INSIDE,
    "TorchActivationMap": _TORCH,
    "TorchReciproCAM": _TORCH,
    "TorchViTReciproCAM": _TORCH,
    "TorchWhiteBoxMethod": _TORCH,
    "WhiteBoxMethod": _BASE,
    "WhiteBoxMethodFactory": "ovxai_convert.Explainer(..., explain_method=...) makes the method",
    "check_classification_output": "ovxai_convert.Explainer checks what postprocess_fn returns",
    "check_detection_output": _DETECTION,
    "export_to_ir": "openvino.save_model(openvino.convert_model(path), path) does it",
    "export_to_onnx": "torch.onnx.export does it",
    "insert_xai_branch_into_model": _INSIDE,
    "retrieve_otx_model": "nothing is downloaded here",
}
"""Names that are not here, and why, or what to take instead."""

PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "api": ("insert_xai",),
    "api.api": ("insert_xai",),
    "common": ("Method", "Task", "has_xai", "scaling"),
    "common.parameters": (
        *("Method", "Task", "WhiteBoxXAIMethods", "BlackBoxXAIMethods"),
        *("ClassificationXAIMethods", "DetectionXAIMethods"),
    ),
    "common.utils": (
        *("IdentityPreprocessFN", "SALIENCY_MAP_OUTPUT_NAME", "format_to_bhwc", "get_min_max", "has_xai"),
        *("infer_size_from_image", "is_bhwc_layout", "logger", "retrieve_otx_model", "scaling", "sigmoid"),
        "softmax",
    ),
    "explainer": (
        *("Explainer", "ExplainMode", "Layout", "Explanation", "Visualizer", "resize", "colormap"),
        "overlay",
    ),
    "explainer.explainer": ("Explainer", "ExplainMode"),
    "explainer.explanation": (
        *("Explanation", "Layout", "COLOR_MAPPED_LAYOUTS", "GRAY_LAYOUTS", "MULTIPLE_MAP_LAYOUTS"),
        "ONE_MAP_LAYOUTS",
    ),
    "explainer.utils": (
        *("ActivationType", "convert_targets_to_numpy", "explains_all", "get_postprocess_fn"),
        *("get_preprocess_fn", "get_score", "get_target_indices", "postprocess_fn", "preprocess_fn"),
        *("sigmoid", "softmax"),
    ),
    "explainer.visualizer": ("Visualizer", "colormap", "overlay", "resize"),
    "inserter": (),
    "inserter.inserter": ("insert_xai_branch_into_model",),
    "inserter.model_parser": ("IRParser", "IRParserCls", "ModelType"),
    "methods": (
        *("AISEClassification", "AISEDetection", "ActivationMap", "DetClassProbabilityMap"),
        *("FeatureMapPerturbationBase", "RISE", "ReciproCAM", "ViTReciproCAM"),
    ),
    "methods.base": ("MethodBase", "Prediction"),
    "methods.black_box": (),
    "methods.black_box.aise": (),
    "methods.black_box.aise.base": ("AISEBase", "GaussianPerturbationMask"),
    "methods.black_box.aise.classification": ("AISEClassification",),
    "methods.black_box.aise.detection": ("AISEDetection",),
    "methods.black_box.base": ("BlackBoxXAIMethod", "Preset"),
    "methods.black_box.rise": ("RISE",),
    "methods.black_box.utils": ("check_classification_output", "check_detection_output"),
    "methods.factory": ("BlackBoxMethodFactory", "MethodFactory", "WhiteBoxMethodFactory"),
    "methods.white_box": (),
    "methods.white_box.activation_map": ("ActivationMap",),
    "methods.white_box.base": ("WhiteBoxMethod",),
    "methods.white_box.det_class_probability_map": ("DetClassProbabilityMap",),
    "methods.white_box.recipro_cam": ("FeatureMapPerturbationBase", "ReciproCAM", "ViTReciproCAM"),
    "methods.white_box.torch": (
        *("TorchActivationMap", "TorchReciproCAM", "TorchViTReciproCAM", "TorchWhiteBoxMethod"),
    ),
    "metrics": ("ADCC", "InsertionDeletionAUC", "PointingGame"),
    "metrics.adcc": ("ADCC",),
    "metrics.base": ("BaseMetric",),
    "metrics.insertion_deletion_auc": (
        "AUC",
        "InsertionDeletionAUC",
    ),
    "metrics.pointing_game": ("PointingGame",),
    "utils": (),
    "utils.model_export": ("export_to_ir", "export_to_onnx"),
}
"""Names at each path below the old package."""
_OWN: Final = "methods"
"""The path that is a room here."""


def fetched(path: str, name: str) -> Any:
    """What an old name stands for; an ImportError that says why not, or an AttributeError if it never was."""
    if name not in PATHS[path]:
        raise AttributeError(f"module '{PACKAGE}.{path}' has no attribute {name!r}")
    if name in ABSENT:
        raise ImportError(f"'{name}' of openvino_xai.{path} is not here: {ABSENT[name]}")
    home = next(module for module, names in HOMES.items() if name in names)
    return getattr(importlib.import_module(f"{PACKAGE}.{home}"), name)


class OldPath(ModuleType):
    """A module of the old package: its names, each fetched from where it lives now."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{PACKAGE}.{path}", f"Names of openvino_xai.{path}; see docs/migration.md.")
        self.__all__ = [name for name in PATHS[path] if name not in ABSENT]
        self.__path__: list[str] = []  # other modules may be below it
        self._path = path

    def __getattr__(self, name: str) -> Any:
        value = fetched(self._path, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__})


def register(modules: MutableMapping[str, ModuleType]) -> None:
    """Make the old paths importable: an entry for each among the interpreter's modules, and in its parent."""
    for path in sorted(PATHS.keys() - {_OWN}):
        name = f"{PACKAGE}.{path}"
        module = modules.setdefault(name, OldPath(path))
        parent, _, last = name.rpartition(".")
        if parent in modules:
            setattr(modules[parent], last, module)
